//! Numbers by which calls are matched with their answers.

use std::sync::atomic::{AtomicU64, Ordering};

/// A number that no call of this process had before.
pub(super) fn next_number() -> u64 {
    static LAST: AtomicU64 = AtomicU64::new(0);
    LAST.fetch_add(1, Ordering::Relaxed) + 1
}
