//! What the machine wants done, told and answered.

use super::caller::{CallerId, KeptCaller};
use super::record::{End, RotationId, Slot};
use super::transition::Transition;
use super::view::MemberId;
use super::write::Write;
use crate::clock::Timestamp;
use crate::credential::CredentialId;
use crate::error::Code;

/// The outcome of one [`step`](super::step).
///
/// First the write, if there is one. When the store refuses it nothing has happened: the driver reads
/// again and steps with the same event. When it is accepted, or there is none, the effects follow in
/// their order. So there is one point at which a step takes place, and no effect of a step that lost.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Step {
    /// What becomes of the record, and of the token with it.
    pub write: Option<Write>,
    /// What to do then.
    pub effects: Vec<Effect>,
    /// The rows of the table that were taken, in their order.
    pub transitions: Vec<Transition>,
}

/// Something that the driver must do.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Effect {
    /// Send one token request with this credential, keep its token, and report
    /// [`Event::Answered`](super::Event::Answered).
    Probe(CredentialId),
    /// Share the token of the latest probe, by a compare-and-swap on the serial that was read.
    Serve {
        /// What the token was made with.
        credential: CredentialId,
        /// The generation it belongs to.
        generation: u64,
    },
    /// Forget every token that was made with this credential, here and in the store.
    DropTokens(CredentialId),
    /// Write a credential back, and report [`Event::SinkWritten`](super::Event::SinkWritten).
    WriteSink {
        /// Where to.
        slot: Slot,
        /// What.
        credential: CredentialId,
    },
    /// The caller waits: it is in [`View::callers`](super::View::callers), as it stands here, until it
    /// is answered or leaves. It may wait already, for something else.
    Keep(KeptCaller),
    /// Answer a caller, once.
    Answer {
        /// Whom.
        caller: CallerId,
        /// What.
        outcome: Result<Settled, Refusal>,
    },
    /// Tell whoever listens.
    Notify(Notice),
}

/// A caller got what it wanted.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Settled {
    /// The credential it named is active.
    Active {
        /// By which rotation, where there was one.
        rotation: Option<RotationId>,
    },
    /// A person may replace the active credential at the provider.
    Prepared {
        /// Tokens are there until then.
        safe_until: Timestamp,
    },
    /// Nobody waits for a change at the provider.
    Cancelled,
    /// No previous credential is left.
    Retired,
}

/// Whether a promoted credential has been written back.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Persisted {
    /// There is nowhere to write to.
    None,
    /// Not everywhere yet.
    Pending,
    /// Wherever it is possible.
    Done,
    /// It is not possible anywhere.
    Impossible,
}

/// A caller does not get what it wanted.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Refusal {
    /// The endpoint does not accept the candidate.
    CandidateRejected(CredentialId),
    /// The candidate was not proved in time, or was withdrawn.
    CandidateUnverified(CredentialId),
    /// Another rotation is open or took this one's place.
    Conflict,
    /// Nothing to rotate to; this is what was looked at.
    NoCandidate(Vec<CredentialId>),
    /// Nobody but a process that may die holds the candidate.
    NoCustody(CredentialId),
    /// The previous credential is still needed.
    RetireBlocked(Missing),
    /// No known credential is accepted.
    Degraded,
    /// There is no token to go on with.
    TokenUnavailable,
    /// A fresh token lives shorter than was asked for.
    LifetimeTooShort {
        /// Until when it would bridge.
        safe_until: Timestamp,
    },
}

impl Moved {
    /// One that concerns the phase alone.
    pub(super) fn phase(transition: Transition) -> Self {
        Self { transition, about: None }
    }
}

impl Why {
    /// How the rotation ends by it.
    pub(super) fn end(self) -> End {
        match self {
            Self::Rejected => End::Rejected,
            Self::NoCustody => End::NoCustody,
            Self::RetireBlocked => End::RetireBlocked,
            Self::Superseded => End::Superseded,
            Self::Deadline | Self::Withdrawn | Self::CallerLeft | Self::NotHeld => End::Unverified,
        }
    }
}

impl Refusal {
    /// The stable code that JavaScript sees.
    pub fn code(&self) -> Code {
        match self {
            Self::CandidateRejected(_) => Code::CandidateRejected,
            Self::CandidateUnverified(_) => Code::CandidateUnverified,
            Self::Conflict => Code::RotationConflict,
            Self::NoCandidate(_) => Code::NoCandidate,
            Self::NoCustody(_) => Code::NoCustody,
            Self::RetireBlocked(_) => Code::RetireBlocked,
            Self::Degraded => Code::Degraded,
            Self::TokenUnavailable => Code::TokenUnavailable,
            Self::LifetimeTooShort { .. } => Code::LifetimeTooShort,
        }
    }
}

/// What stands between the previous credential and its retirement.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Missing {
    /// The active credential has no proof that is fresh enough; a probe is on its way.
    pub proof: bool,
    /// The member table is too young to be relied upon.
    pub table: bool,
    /// Live members that have not seen the promotion.
    pub acks: Vec<MemberId>,
    /// Live members that do not hold the active credential.
    pub holders: Vec<MemberId>,
    /// Sinks that have not been written.
    pub sinks: Vec<Slot>,
    /// No sink could be written, and nothing else keeps the active credential.
    pub custody: bool,
}

impl Missing {
    /// Whether nothing is missing.
    pub fn is_nothing(&self) -> bool {
        *self == Self::default()
    }

    /// Whether a probe that is on its way is all that is missing.
    pub(super) fn is_only_proof(&self) -> bool {
        *self == Self { proof: true, ..Self::default() }
    }
}

/// A row of the table that was taken.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Moved {
    /// Which.
    pub transition: Transition,
    /// The rotation that it is about, where it is not about the phase alone.
    pub about: Option<About>,
}

/// The rotation that something is about.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct About {
    /// Its key.
    pub rotation: RotationId,
    /// What is, was or was to become active by it.
    pub candidate: CredentialId,
    /// Why the candidate was given up, if it was.
    pub why: Option<Why>,
}

/// Why a candidate was given up.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Why {
    /// The endpoint does not accept it, or what was asked for of its token does not hold.
    Rejected,
    /// Nothing proved it in time.
    Deadline,
    /// It was proved, but nothing except a process that may end keeps it.
    NoCustody,
    /// It was proved, but what was previous before could not be retired in time.
    RetireBlocked,
    /// Another rotation took its place.
    Superseded,
    /// Its source yields the active credential again.
    Withdrawn,
    /// Nobody waits for it any more, and no source yields it.
    CallerLeft,
    /// No live member holds it any more.
    NotHeld,
}

/// Something worth telling, without a secret and without a token.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Notice {
    /// A row of the table was taken.
    Moved(Moved),
    /// A candidate was proved and waits for somebody else who holds it.
    AwaitsCustody(CredentialId),
    /// A promoted credential is kept nowhere but in this process.
    NotPersisted(CredentialId),
    /// The overlap is over, and this stands in the way.
    Overdue(Missing),
    /// A source brought back a credential that has leaked; it is ignored.
    Compromised(CredentialId),
    /// A sink can never be written.
    SinkImpossible(Slot),
}
