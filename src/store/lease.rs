//! The lease: the right to ask the endpoint, which one member has at a time.

use std::time::Duration;

use crate::clock::Timestamp;

/// How long a lease lasts if nobody renews it: a process that exits does not release it.
pub const LEASE_TTL: Duration = Duration::from_secs(5);

/// The result of asking for the lease.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Lease {
    /// The caller holds the lease.
    Acquired {
        /// When the lease expires, unless it is renewed.
        until: Timestamp,
    },
    /// Somebody else holds the lease.
    Held {
        /// When the lease expires, unless it is renewed or released.
        until: Timestamp,
    },
}
