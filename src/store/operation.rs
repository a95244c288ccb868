//! What is asked of a store, and what it says.

use std::time::Duration;

use thiserror::Error;

use super::beat::{Beat, Pulse};
use super::lease::Lease;
use super::snapshot::StoreSnapshot;
use super::token::{Fresh, TokenWrite};
use crate::clock::StoreTime;
use crate::credential::CredentialId;
use crate::rotation::{MemberId, MemberTable, Refused, Rejections, Write};
use crate::token::TokenId;

/// One atomic step of a store.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Operation {
    /// Read everything at one moment, but the rows of the members: they are counted for this one.
    ///
    /// Reply: [`Reply::Loaded`].
    Load(Option<MemberId>),
    /// Read the rows of all members, to tell people their names. A store that shares nothing has
    /// none.
    ///
    /// Reply: [`Reply::Members`].
    Members,
    /// Store a record, if [`Write::admit`] admits it, and with
    /// [`TokenChange::Replace`](crate::rotation::TokenChange::Replace) the token in the same step.
    ///
    /// The second part is that token. Without it such a write is refused as stale, since half a
    /// promotion is none. The token belongs to the generation of the record that it comes with.
    ///
    /// Reply: [`Reply::Written`] or [`Reply::Refused`].
    Write(Box<Write>, Option<Fresh>),
    /// Store a token, if [`admit_token`](crate::rotation::admit_token) admits it.
    ///
    /// Reply: [`Reply::Written`], with the token's serial, or [`Reply::Refused`].
    PutToken(TokenWrite),
    /// Delete the token if it is this one.
    ///
    /// Reply: [`Reply::Deleted`].
    Invalidate(TokenId),
    /// Delete the token if it was made with this credential.
    ///
    /// Reply: [`Reply::Deleted`].
    DropTokens(CredentialId),
    /// Acquire the right to ask the endpoint, for [`LEASE_TTL`](super::LEASE_TTL).
    ///
    /// The number is random and names the holder for as long as it holds the lease. The holder can
    /// acquire the lease again, because an answer may have been lost.
    ///
    /// Reply: [`Reply::Lease`].
    Acquire(u64),
    /// Extend a lease to [`LEASE_TTL`](super::LEASE_TTL) from now.
    ///
    /// Reply: [`Reply::WasHeld`].
    Renew(u64),
    /// Give up a lease.
    ///
    /// Reply: [`Reply::WasHeld`].
    Release(u64),
    /// List a member as live for [`MemberTable::TTL`](crate::rotation::MemberTable::TTL), and remove
    /// dead members from the table.
    ///
    /// Reply: [`Reply::Pulse`].
    Beat(Beat),
    /// Remove a member from the table.
    ///
    /// Reply: [`Reply::Done`].
    Leave(MemberId),
    /// Record a rejection of the credential at the current time.
    ///
    /// If its row began before `since`, a new one begins: rejections of a candidate from before it
    /// was staged, or before it could be known, do not count.
    ///
    /// Reply: [`Reply::Rejections`].
    Reject {
        /// What was rejected.
        credential: CredentialId,
        /// When a row that counts began at the earliest.
        since: Option<StoreTime>,
    },
    /// End the row of rejections of a credential.
    ///
    /// Reply: [`Reply::Done`].
    Accept(CredentialId),
    /// Keep everybody from sending a request for this long, since the endpoint asks for fewer
    /// requests. A longer pause that was set before stays.
    ///
    /// Reply: [`Reply::Pause`].
    CoolDown(Duration),
}

/// What a store says to an [`Operation`].
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Reply {
    /// What is stored.
    Loaded(Box<StoreSnapshot>),
    /// The live members.
    Members(MemberTable),
    /// It is stored.
    Written(Written),
    /// It is not stored: something else is stored by now, or the barrier does not hold.
    Refused(Refused),
    /// Whether there was such a token.
    Deleted(bool),
    /// Who holds the lease.
    Lease(Lease),
    /// Whether that number still held the lease.
    WasHeld(bool),
    /// See [`Pulse`].
    Pulse(Box<Pulse>),
    /// The row of rejections that the new one belongs to.
    Rejections(Rejections),
    /// When the pause ends.
    Pause(StoreTime),
    /// It is so.
    Done,
}

impl Reply {
    /// The store's time, where it is told.
    pub fn now(&self) -> Option<StoreTime> {
        match self {
            Self::Loaded(snapshot) => Some(snapshot.now),
            Self::Written(written) => Some(written.now),
            Self::Pulse(pulse) => Some(pulse.now),
            _ => None,
        }
    }
}

/// The result of storing a record or a token.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Written {
    /// When it was stored, in the store's time.
    pub now: StoreTime,
    /// The serial of the token that was stored, if one was.
    pub serial: Option<u64>,
}

/// The store could not be reached, or did not answer in time.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[error("the store is not available: {reason}")]
pub struct Unavailable {
    /// Why the attempt failed. It holds no secret.
    pub reason: String,
}

impl Unavailable {
    /// Whatever it may say yet comes too late.
    pub fn late() -> Self {
        Self { reason: "it did not answer in time".to_owned() }
    }
}
