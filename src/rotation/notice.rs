//! What is told to whoever listens.

use super::history::{End, RotationId};
use super::missing::Missing;
use super::target::TargetId;
use super::transition::Transition;
use crate::credential::CredentialId;

/// Something worth telling, without a secret and without a token.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum RotationNotice {
    /// A row of the table was taken.
    Moved(Moved),
    /// A candidate was proved, and waits for something else to keep it.
    AwaitsCustody(CredentialId),
    /// A promoted credential is kept nowhere but in this process.
    NotPersisted(CredentialId),
    /// The overlap is over, and this stands in the way.
    Overdue(Missing),
    /// A source brought back a credential that has leaked; it is ignored.
    Compromised(CredentialId),
    /// A persist target can never be written.
    PersistImpossible(TargetId),
}

/// A row of the table that was taken.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Moved {
    /// The row.
    pub transition: Transition,
    /// The rotation that it is about, where it is not about the phase alone.
    pub about: Option<About>,
}

/// The rotation that something is about.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct About {
    /// The idempotency key.
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

impl Moved {
    /// A row that concerns the phase alone.
    pub(super) fn phase(transition: Transition) -> Self {
        Self { transition, about: None }
    }
}

impl Why {
    /// How the rotation ends for that reason.
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
