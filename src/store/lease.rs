//! The lease: the right to ask the endpoint, which one member has at a time.

use std::time::Duration;

use crate::clock::StoreTime;

/// How long a lease lasts if nobody renews it: a process that dies does not release it.
///
/// A caller without a token waits 5 s, so whoever takes over has half of that left.
pub const LEASE_TTL: Duration = Duration::from_millis(2500);

/// The result of asking for the lease.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Lease {
    /// The caller holds the lease.
    Acquired {
        /// When the lease expires, unless it is renewed.
        until: StoreTime,
    },
    /// Somebody else holds the lease.
    Held {
        /// When the lease expires, unless it is renewed or released.
        until: StoreTime,
    },
}
