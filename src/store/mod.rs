//! What the members of a logical client share, and the comparisons that keep it consistent.
//!
//! A store keeps the record of the credential lifecycle, the token, and beside them what is volatile:
//! the lease, the member table, rejections and the cool-down. It decides nothing: which write is due
//! is [`crate::rotation`]'s matter, and when a token is fetched [`crate::refresh`]'s. What it owes is
//! atomicity, its own time, and forgetting what has expired.
//!
//! [`MemoryStore`] is shared within a process. `contract` is the suite that every store passes.

mod memory;

#[cfg(test)]
mod contract;

use std::collections::{BTreeMap, BTreeSet};
use std::future::Future;
use std::time::Duration;

use thiserror::Error;

use crate::clock::Timestamp;
use crate::credential::CredentialId;
use crate::rotation::{MemberId, Members, Record, Refused, Rejections, Token, Version, Write};
use crate::secret::Secret;
pub use memory::{MemoryHints, MemoryStore};

/// How long a lease is held that nobody renews: a process that exits releases nothing.
pub const LEASE_TTL: Duration = Duration::from_secs(5);

/// How long after the latest one the rejections of a credential are remembered: longer than the slowest
/// probes are apart.
pub const REJECTIONS_TTL: Duration = Duration::from_mins(10);

/// Everything that a logical client shares.
///
/// **Atomicity.** Each call is one atomic step for every other client of the store. A write that is
/// refused changes nothing, announces nothing, and does not even create the member table.
///
/// **Time.** A store has its own, which every answer that needs it carries as `now`; what it keeps for
/// a while is gone at the end of that while, not after it.
///
/// **Serials.** A store counts tokens; the count outlives the token and never goes back. What
/// is compared is the count: a token that was invalidated or has expired meanwhile does not make a
/// refresh that began before worthless.
///
/// **Errors.** After [`Unavailable`] nobody knows whether the call took place. Whoever gets it loads
/// again before it concludes anything. Repeating the very same call does no harm, but for a rejection,
/// which counts twice.
pub trait Store: Send + Sync + 'static {
    /// See [`Store::subscribe`].
    type Hints: Hints;

    /// Everything at one moment.
    fn load(&self) -> impl Future<Output = Result<Snapshot, Unavailable>> + Send;

    /// Stores a record, if [`Write::admit`] admits it, and with
    /// [`TokenChange::Replace`](crate::rotation::TokenChange::Replace) the token in the same step.
    ///
    /// `fresh` is that token; without it such a write is refused as stale, since half a promotion is
    /// none. The token belongs to the generation of the record that it comes with.
    fn write(
        &self,
        write: &Write,
        fresh: Option<&Fresh>,
    ) -> impl Future<Output = Result<Result<Written, Refused>, Unavailable>> + Send;

    /// Stores a token, if [`admit_token`](crate::rotation::admit_token) admits it; answers its serial.
    fn put_token(
        &self,
        token: &TokenWrite,
    ) -> impl Future<Output = Result<Result<u64, Refused>, Unavailable>> + Send;

    /// Deletes the token if it has this serial; says whether it had.
    fn invalidate(&self, serial: u64) -> impl Future<Output = Result<bool, Unavailable>> + Send;

    /// Deletes the token if it was made with this credential; says whether it was.
    fn drop_tokens(
        &self,
        credential: CredentialId,
    ) -> impl Future<Output = Result<bool, Unavailable>> + Send;

    /// Takes the right to ask the endpoint, for [`LEASE_TTL`].
    ///
    /// `nonce` is random and names the holder for as long as it holds the lease. Who holds it already
    /// acquires it again, because an answer may have been lost.
    fn acquire(&self, nonce: u64) -> impl Future<Output = Result<Lease, Unavailable>> + Send;

    /// Holds a lease for [`LEASE_TTL`] more; says whether this nonce still held it.
    fn renew(&self, nonce: u64) -> impl Future<Output = Result<bool, Unavailable>> + Send;

    /// Gives a lease up; says whether this nonce still held it.
    fn release(&self, nonce: u64) -> impl Future<Output = Result<bool, Unavailable>> + Send;

    /// Lists a member as live for [`Members::TTL`], and takes the dead out of the table.
    fn beat(&self, beat: &Beat) -> impl Future<Output = Result<Pulse, Unavailable>> + Send;

    /// Takes a member out of the table.
    fn leave(&self, member: MemberId) -> impl Future<Output = Result<(), Unavailable>> + Send;

    /// Notes a rejection now; answers all in a row.
    ///
    /// A row that began before `since` ends: what a candidate was answered before it was staged, or
    /// before it could be known, is another matter.
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

    /// The endpoint asks for fewer requests: nobody sends one for so long. A longer pause stays.
    ///
    /// Answers until when.
    fn cool_down(
        &self,
        pause: Duration,
    ) -> impl Future<Output = Result<Timestamp, Unavailable>> + Send;

    /// Hints at every write of the record that is accepted from here on.
    fn subscribe(&self) -> impl Future<Output = Result<Self::Hints, Unavailable>> + Send;
}

/// Hints that the record was written. The truth is in the store: whoever gets one loads.
pub trait Hints: Send + 'static {
    /// The epoch of the next accepted write, in the order of the writes.
    ///
    /// A receiver that lags loses the oldest hints, never the latest. [`Unavailable`] means that hints
    /// may have been lost: subscribe again, then load. Dropping the future loses no hint.
    fn next(&mut self) -> impl Future<Output = Result<u64, Unavailable>> + Send;
}

/// The store could not be reached or did not answer in time.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[error("the store is not available: {reason}")]
pub struct Unavailable {
    /// What the attempt ended with; it holds no secret.
    pub reason: String,
}

/// What is stored, at one moment.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Snapshot {
    /// The store's time.
    pub now: Timestamp,
    /// The credential lifecycle; none before its start.
    pub record: Option<Record>,
    /// The token, unless it has expired or was deleted.
    pub token: Option<TokenEntry>,
    /// The serial of the latest token, also when that is gone; 0 before the first one.
    pub serial: u64,
    /// The live members; none where one process shares nothing.
    pub members: Option<Members>,
    /// The rejections in a row of every credential that has some.
    pub rejections: BTreeMap<CredentialId, Rejections>,
    /// Nobody asks the endpoint before.
    pub cool_down: Option<Timestamp>,
}

/// The token that is shared.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TokenEntry {
    /// The token.
    pub text: Secret,
    /// What it was made with.
    pub credential: CredentialId,
    /// The generation of the record under which it was made.
    pub generation: u64,
    /// +1 with every token.
    pub serial: u64,
    /// Its life is counted from here.
    pub issued_at: Timestamp,
    /// When it expires.
    pub expires_at: Timestamp,
}

impl From<&TokenEntry> for Token {
    fn from(entry: &TokenEntry) -> Self {
        Self {
            credential: entry.credential,
            generation: entry.generation,
            serial: entry.serial,
            expires_at: entry.expires_at,
        }
    }
}

/// The token that comes with a write of the record, which says the rest of it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Fresh {
    /// The token.
    pub text: Secret,
    /// Its life is counted from here.
    pub issued_at: Timestamp,
}

/// A token to be stored.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TokenWrite {
    /// The token.
    pub text: Secret,
    /// What it was made with.
    pub credential: CredentialId,
    /// The generation of the record that was read before it was fetched.
    pub generation: u64,
    /// Its life is counted from here.
    pub issued_at: Timestamp,
    /// When it expires.
    pub expires_at: Timestamp,
    /// The [`Snapshot::serial`] that was read before it was fetched.
    pub read: u64,
}

/// A record was stored.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Written {
    /// When.
    pub now: Timestamp,
    /// The serial of the token that was stored with it.
    pub serial: Option<u64>,
}

/// What came of asking for the lease.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Lease {
    /// It is held.
    Acquired {
        /// So long, unless it is renewed.
        until: Timestamp,
    },
    /// Another one holds it.
    Held {
        /// So long, unless it is renewed or released.
        until: Timestamp,
    },
}

/// A sign of life.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Beat {
    /// Whose.
    pub member: MemberId,
    /// The version that it has read last.
    ///
    /// It counts as acknowledged if it is what is stored at that moment, nonce included: the
    /// same epoch of another incarnation, or of a write that the store has lost, says nothing. An older
    /// version takes nothing back.
    pub read: Option<Version>,
    /// What it can present.
    pub holds: BTreeSet<CredentialId>,
}

/// What a sign of life is answered: enough to know whether to load.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Pulse {
    /// The store's time.
    pub now: Timestamp,
    /// The version that is stored.
    pub version: Option<Version>,
    /// See [`Snapshot::token`].
    pub token: Option<Token>,
    /// See [`Snapshot::serial`].
    pub serial: u64,
}
