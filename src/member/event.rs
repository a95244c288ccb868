//! What a member is told.

use crate::clock::Timestamp;
use crate::refresh::{TokenWait, WaiterId};
use crate::rotation::{CallerId, PersistOutcome, Request, RotationId};
use crate::secret::Secret;
use crate::source::{Configured, EntryPlace};
use crate::store::{Hint, Reply, Unavailable};
use crate::verdict::{Verdict, Verify};

/// Something that happened, told to [`Member::step`](super::Member::step).
#[derive(Debug)]
pub enum MemberEvent {
    /// A caller wants a token and did not find one.
    Wanted(TokenWait),
    /// A caller no longer waits for a token.
    Cancelled(WaiterId),
    /// A resource answered 401 to the token with this serial.
    Invalidated(u64),
    /// The sources were read.
    Configured {
        /// What they yield.
        configured: Configured,
        /// Another reading follows at once, which somebody asked for meanwhile.
        is_followed: bool,
    },
    /// The token request of that number was answered, or failed.
    Answered {
        /// The number from [`MemberEffect::Request`](super::MemberEffect::Request).
        request: u64,
        /// When it was sent.
        sent_at: Timestamp,
        /// What the answer means.
        verdict: Verdict,
        /// What the request with its token brought, where one was wanted.
        verify: Option<Verify>,
    },
    /// Somebody looks, or a store is shared: the ids of credentials are needed from now on.
    Observed,
    /// The ids that [`MemberEffect::Identify`](super::MemberEffect::Identify) asked for are known.
    Identified,
    /// Somebody wants something of the credential lifecycle.
    Asked {
        /// The caller.
        caller: CallerId,
        /// What it asks for.
        ask: Ask,
        /// Until when it waits.
        deadline: Option<Timestamp>,
    },
    /// A caller no longer waits for that.
    Left(CallerId),
    /// A credential was persisted, or not.
    Persisted {
        /// The number from [`MemberEffect::Persist`](super::MemberEffect::Persist).
        write: u64,
        /// What came of it.
        outcome: PersistOutcome,
        /// Why it was not written.
        message: Option<String>,
    },
    /// What [`MemberEffect::TryPersist`](super::MemberEffect::TryPersist) asked for.
    PersistTried {
        /// The entry that the place belongs to.
        place: EntryPlace,
        /// Whether it could be written.
        is_writable: bool,
    },
    /// What came of a store operation.
    Stored {
        /// The number from [`MemberEffect::Store`](super::MemberEffect::Store).
        id: u64,
        /// What the store replied, or that nobody knows whether it took place.
        result: Result<Reply, Unavailable>,
    },
    /// The store has announced a write.
    Hinted(Hint),
    /// Somebody wants everything tried again now.
    Reloaded,
    /// The time that [`Member::wake_at`](super::Member::wake_at) named has come.
    Ticked,
    /// The driver lost its thread, and with it everything under way.
    Restarted,
    /// The last handle is gone.
    Closed,
}

/// What somebody asks of a member, besides a token.
#[derive(Debug, Clone)]
pub enum Ask {
    /// Something of the credential lifecycle.
    Request(Request<Candidate>),
    /// To wait until a rotation has come that far.
    Until(RotationId, Until),
}

impl From<Request<Candidate>> for Ask {
    fn from(request: Request<Candidate>) -> Self {
        Self::Request(request)
    }
}

/// A credential that somebody names.
#[derive(Debug, Clone)]
pub struct Candidate {
    /// The human's name for it.
    pub label: Option<String>,
    /// The client id; none: the active credential's.
    pub client_id: Option<String>,
    /// The secret.
    pub client_secret: Secret,
    /// When it expires, in milliseconds since 1970.
    pub expires_at: Option<i64>,
}

/// How far a rotation has to come.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Until {
    /// Every live member knows and holds the new credential.
    Everywhere,
    /// It was persisted wherever that is possible.
    Persisted,
    /// The previous credential is retired.
    Retired,
}
