//! What a store does, and what it guarantees.

use std::future::Future;

use super::operation::{Operation, Reply, Unavailable};

/// Holds everything that a logical client shares.
///
/// **Atomicity.** Each operation is one atomic step for every other client of the store. A refused
/// write changes nothing, announces nothing, and does not even create the member table.
///
/// **Time.** A store has its own time. Every reply that needs it carries it as `now`. Whatever
/// expires is gone at the very instant of its expiry, not after it.
///
/// **Serials.** A store counts tokens. The count outlives the token and never goes back. Since the
/// count is compared, a refresh is not lost if the old token expires, or is invalidated, while it
/// runs.
///
/// **Errors.** After [`Unavailable`] nobody knows whether the operation took effect. The caller
/// loads again before it concludes anything. Repeating the same operation does no harm, except for
/// a rejection, which then counts twice.
pub trait Store: Send + Sync + 'static {
    /// See [`Store::subscribe`].
    type Hints: Hints;

    /// Performs an operation. Each says which reply it has.
    fn perform(
        &self,
        operation: &Operation,
    ) -> impl Future<Output = Result<Reply, Unavailable>> + Send;

    /// Subscribes to hints at every write of the record, and at every write and deletion of the token,
    /// that takes place from now on.
    fn subscribe(&self) -> impl Future<Output = Result<Self::Hints, Unavailable>> + Send;
}

/// Hints that the record or the token is another one. The truth is in the store: whoever gets a hint of
/// something that it has not read loads.
pub trait Hints: Send + 'static {
    /// Waits for the next change, in the order of the changes.
    ///
    /// A receiver that lags loses the oldest hints, and never the latest. [`Unavailable`] means
    /// that hints may have been lost: subscribe again, then load. Dropping the future loses no
    /// hint.
    fn next(&mut self) -> impl Future<Output = Result<Hint, Unavailable>> + Send;
}

/// What is stored after a change.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Hint {
    /// The epoch of the record; 0 before the first one.
    pub epoch: u64,
    /// The serial of the latest token; 0 before the first one.
    pub serial: u64,
    /// Whether that token is there: a resource may have refused it.
    pub has_token: bool,
}
