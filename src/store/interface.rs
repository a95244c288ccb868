//! What a store does: the calls, and what they guarantee.

use std::future::Future;
use std::time::Duration;

use thiserror::Error;

use super::beat::{Beat, Pulse};
use super::lease::Lease;
use super::snapshot::StoreSnapshot;
use super::token::{Fresh, TokenWrite};
use crate::clock::Timestamp;
use crate::credential::CredentialId;
use crate::rotation::{MemberId, Refused, Rejections, Write};

/// Holds everything that a logical client shares.
///
/// **Atomicity.** Each call is one atomic step for every other client of the store. A refused write
/// changes nothing, announces nothing, and does not even create the member table.
///
/// **Time.** A store has its own time. Every result that needs it carries it as `now`. Whatever
/// expires is gone at the very instant of its expiry, not after it.
///
/// **Serials.** A store counts tokens. The count outlives the token and never goes back. Since the
/// count is compared, a refresh is not lost if the old token expires, or is invalidated, while it
/// runs.
///
/// **Errors.** After [`Unavailable`] nobody knows whether the call took effect. The caller loads
/// again before it concludes anything. Repeating the same call does no harm, except for a
/// rejection, which then counts twice.
pub trait Store: Send + Sync + 'static {
    /// See [`Store::subscribe`].
    type Hints: Hints;

    /// Returns everything at one moment.
    fn load(&self) -> impl Future<Output = Result<StoreSnapshot, Unavailable>> + Send;

    /// Stores a record, if [`Write::admit`] admits it, and with
    /// [`TokenChange::Replace`](crate::rotation::TokenChange::Replace) the token in the same step.
    ///
    /// `fresh` is that token. Without it such a write is refused as stale, since half a promotion
    /// is none. The token belongs to the generation of the record that it comes with.
    fn write(
        &self,
        write: &Write,
        fresh: Option<&Fresh>,
    ) -> impl Future<Output = Result<Result<Written, Refused>, Unavailable>> + Send;

    /// Stores a token, if [`admit_token`](crate::rotation::admit_token) admits it. Returns its
    /// serial.
    fn put_token(
        &self,
        token: &TokenWrite,
    ) -> impl Future<Output = Result<Result<u64, Refused>, Unavailable>> + Send;

    /// Deletes the token if it has this serial. Returns whether it had.
    fn invalidate(&self, serial: u64) -> impl Future<Output = Result<bool, Unavailable>> + Send;

    /// Deletes the token if it was made with this credential. Returns whether it was.
    fn drop_tokens(
        &self,
        credential: CredentialId,
    ) -> impl Future<Output = Result<bool, Unavailable>> + Send;

    /// Acquires the right to ask the endpoint, for [`LEASE_TTL`](super::LEASE_TTL).
    ///
    /// `nonce` is random and names the holder for as long as it holds the lease. The holder can
    /// acquire the lease again, because an answer may have been lost.
    fn acquire(&self, nonce: u64) -> impl Future<Output = Result<Lease, Unavailable>> + Send;

    /// Extends a lease to [`LEASE_TTL`](super::LEASE_TTL) from now. Returns whether this nonce
    /// still held it.
    fn renew(&self, nonce: u64) -> impl Future<Output = Result<bool, Unavailable>> + Send;

    /// Gives up a lease. Returns whether this nonce still held it.
    fn release(&self, nonce: u64) -> impl Future<Output = Result<bool, Unavailable>> + Send;

    /// Lists a member as live for [`MemberTable::TTL`](crate::rotation::MemberTable::TTL), and
    /// removes dead members from the table.
    fn beat(&self, beat: &Beat) -> impl Future<Output = Result<Pulse, Unavailable>> + Send;

    /// Removes a member from the table.
    fn leave(&self, member: MemberId) -> impl Future<Output = Result<(), Unavailable>> + Send;

    /// Records a rejection at the current time. Returns the row of rejections that it belongs to.
    ///
    /// If the row began before `since`, a new one begins: rejections of a candidate from before it
    /// was staged, or before it could be known, do not count.
    fn reject(
        &self,
        credential: CredentialId,
        since: Option<Timestamp>,
    ) -> impl Future<Output = Result<Rejections, Unavailable>> + Send;

    /// Ends the row of rejections of a credential.
    fn accept(
        &self,
        credential: CredentialId,
    ) -> impl Future<Output = Result<(), Unavailable>> + Send;

    /// Keeps everybody from sending a request for this long, since the endpoint asks for fewer
    /// requests. A longer pause that was set before stays.
    ///
    /// Returns when the pause ends.
    fn cool_down(
        &self,
        pause: Duration,
    ) -> impl Future<Output = Result<Timestamp, Unavailable>> + Send;

    /// Subscribes to hints at every write of the record that is accepted from now on.
    fn subscribe(&self) -> impl Future<Output = Result<Self::Hints, Unavailable>> + Send;
}

/// Hints that the record was written. The truth is in the store: whoever gets a hint loads.
pub trait Hints: Send + 'static {
    /// Waits for the next accepted write and returns its epoch, in the order of the writes.
    ///
    /// A receiver that lags loses the oldest hints, and never the latest. [`Unavailable`] means
    /// that hints may have been lost: subscribe again, then load. Dropping the future loses no
    /// hint.
    fn next(&mut self) -> impl Future<Output = Result<u64, Unavailable>> + Send;
}

/// The store could not be reached, or did not answer in time.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[error("the store is not available: {reason}")]
pub struct Unavailable {
    /// Why the attempt failed. It holds no secret.
    pub reason: String,
}

/// The result of storing a record.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Written {
    /// When the record was stored, in the store's time.
    pub now: Timestamp,
    /// The serial of the token that was stored with it.
    pub serial: Option<u64>,
}
