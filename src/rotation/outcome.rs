//! What a caller is told in the end.

use super::history::RotationId;
use super::missing::Missing;
use crate::clock::StoreTime;
use crate::credential::CredentialId;
use crate::error::Code;

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
        safe_until: StoreTime,
    },
    /// Nobody waits for a change at the provider.
    Cancelled,
    /// No previous credential is left.
    Retired,
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
        safe_until: StoreTime,
    },
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
