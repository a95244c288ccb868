//! What a clock does: it tells the time, and it waits.

use std::future::{Future, pending};
use std::pin::Pin;
use std::sync::Arc;

use super::timestamp::Timestamp;

/// A sleep that a [`Clock`] made.
pub type Sleep = Pin<Box<dyn Future<Output = ()> + Send>>;

/// The only source of time and of waiting.
pub trait Clock: Send + Sync + 'static {
    /// The current time on the process's own time line.
    fn now(&self) -> Timestamp;

    /// The instant `at` as people see it: milliseconds since 1970-01-01T00:00Z.
    fn utc_millis(&self, at: Timestamp) -> i64;

    /// Resolves at `at` or slightly before or after it. The caller reads [`Clock::now`] again.
    ///
    /// It may miss what the time line counts: the machine's suspension, and a wall clock that is
    /// set ahead.
    fn sleep_until(&self, at: Timestamp) -> Sleep;

    /// Resolves when sleeps that began earlier may have become too long.
    fn leap(self: Arc<Self>) -> Sleep {
        Box::pin(pending())
    }
}
