//! What a member wants done and told.

use std::sync::Arc;

use url::Url;

use super::change::Change;
use super::named::NamedMembers;
use super::snapshot::RotationSnapshot;
use super::targets::Custody;
use super::waiting::Waiting;
use crate::clock::Timestamp;
use crate::credential::Credential;
use crate::error::Failure;
use crate::persist::PersistTarget;
use crate::refresh::{self, WaiterId};
use crate::rotation::{CallerId, PersistOutcome, Refusal, RotationId};
use crate::source::EntryPlace;
use crate::store::Operation;
use crate::token::HeldToken;

/// Something the driver must do, in this order.
#[derive(Debug)]
pub enum MemberEffect {
    /// Send one token request and report it as
    /// [`MemberEvent::Answered`](super::MemberEvent::Answered).
    Request {
        /// Names the request.
        request: u64,
        /// What to authenticate with.
        credential: Arc<Credential>,
        /// Where its token is to be tried.
        verify: Option<Url>,
    },
    /// Derive the credential's id, then report
    /// [`MemberEvent::Identified`](super::MemberEvent::Identified).
    Identify(Arc<Credential>),
    /// Read the sources again; a reading that is under way is followed by another.
    ReadSources,
    /// Have the store perform an operation, and report it as
    /// [`MemberEvent::Stored`](super::MemberEvent::Stored).
    Store {
        /// Names the operation.
        id: u64,
        /// What the store is asked for.
        operation: Operation,
    },
    /// Hand out this token from now on.
    Publish(Arc<HeldToken>),
    /// Hand out no token from now on.
    Withdraw,
    /// Tell a waiting caller that there is a token, or why not.
    Settle {
        /// The caller that waits.
        waiter: WaiterId,
        /// That there is a token, or why not.
        outcome: Result<(), refresh::TokenRefusal>,
    },
    /// Write a credential back, and report it as
    /// [`MemberEvent::Persisted`](super::MemberEvent::Persisted).
    Persist {
        /// Names the write.
        write: u64,
        /// The entry that the place belongs to.
        place: EntryPlace,
        /// The place.
        target: PersistTarget,
        /// The credential to write.
        credential: Arc<Credential>,
    },
    /// Have whoever makes this write give it up; it is reported all the same.
    AbortPersist {
        /// The number of the write.
        write: u64,
    },
    /// See whether this place could be written, without changing it, and report
    /// [`MemberEvent::PersistTried`](super::MemberEvent::PersistTried).
    TryPersist {
        /// The entry that the place belongs to.
        place: EntryPlace,
        /// The place.
        target: PersistTarget,
    },
    /// Write a credential to the environment variables that this entry reads.
    ReplaceVariables {
        /// The entry that reads them.
        place: EntryPlace,
        /// The credential to write.
        credential: Arc<Credential>,
    },
    /// Tell a caller its outcome, once.
    Answer {
        /// The caller.
        caller: CallerId,
        /// What it gets, or why it gets nothing.
        outcome: Result<Answer, Denial>,
    },
    /// Tell those who listen.
    Notify(MemberNotice),
}

/// A caller got what it wanted.
#[derive(Debug, Clone)]
pub enum Answer {
    /// Where its rotation stands.
    Rotation(Box<RotationSnapshot>),
    /// A person may replace the active credential at the provider.
    Prepared {
        /// Until when there are tokens.
        safe_until: Timestamp,
        /// What would keep a credential that only this process is told of.
        custody: Custody,
    },
    /// Nobody waits for a change at the provider.
    Cancelled,
}

/// A caller does not get what it wanted.
#[derive(Debug, Clone)]
pub struct Denial {
    /// Why it gets nothing.
    pub reason: Reason,
    /// The rotation that it is about.
    pub rotation: Option<RotationId>,
    /// The members of the fleet that are in the way, where some are.
    pub named: NamedMembers,
}

impl Denial {
    /// One that is not about members.
    pub fn new(reason: Reason, rotation: Option<RotationId>) -> Self {
        Self { reason, rotation, named: NamedMembers::default() }
    }
}

/// Why a caller does not get what it wanted.
#[derive(Debug, Clone)]
pub enum Reason {
    /// The credential lifecycle refuses it.
    Refused(Box<Refusal>, Option<Box<Failure>>),
    /// It has waited as long as it wanted to.
    TimedOut {
        /// Whether it asked for a rotation, which ends with its last caller unless a source yields
        /// its candidate.
        is_rotate: bool,
        /// What it waited for.
        waiting: Vec<Waiting>,
    },
    /// It asks about a fleet, and nothing is shared here.
    NoFleet,
}

/// Something worth telling, without a secret and without a token.
#[derive(Debug, Clone)]
pub enum MemberNotice {
    /// Something of the token lifecycle.
    Token(refresh::RefreshNotice),
    /// The endpoint stopped accepting a credential.
    CredentialRejected {
        /// The credential.
        credential: Arc<Credential>,
        /// What the endpoint said.
        failure: Failure,
    },
    /// Something of the credential lifecycle.
    Rotation(Box<Change>),
    /// A credential was persisted, or not.
    Persisted {
        /// The entry that the place belongs to.
        place: EntryPlace,
        /// The credential that was to be written.
        credential: Arc<Credential>,
        /// What came of it.
        outcome: PersistOutcome,
        /// Why it was not written.
        message: Option<String>,
    },
}
