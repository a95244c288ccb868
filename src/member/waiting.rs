//! What a rotation waits for, and since when, as it is told.

use super::keyring::Name;
use super::persist::SinkFailure;
use crate::clock::Timestamp;
use crate::error::Failure;
use crate::rotation::MemberId;

/// Something that a rotation waits for.
#[derive(Debug, Clone)]
pub struct Waiting {
    /// Since when.
    pub since: Timestamp,
    /// What.
    pub on: WaitsOn,
}

/// See [`Waiting::on`].
#[derive(Debug, Clone)]
pub enum WaitsOn {
    /// The endpoint has to accept a credential.
    Proof {
        /// Which.
        credential: Name,
        /// Why it has not done so yet, where it has said anything.
        failure: Option<Failure>,
    },
    /// Something beyond this process has to keep the candidate.
    Custody {
        /// Why nothing does, where that was tried; otherwise it is being tried.
        failures: Vec<SinkFailure>,
    },
    /// Live members of the fleet have to move.
    Members {
        /// Those that have not.
        members: Vec<MemberId>,
    },
    /// The active credential has to be written back.
    Sinks {
        /// Why it is not, where that was tried.
        failures: Vec<SinkFailure>,
    },
    /// The overlap goes on until then.
    Time(Timestamp),
}

/// Names a kind of [`WaitsOn`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum WaitCode {
    /// See [`WaitsOn::Proof`].
    Proof,
    /// See [`WaitsOn::Custody`].
    Custody,
    /// See [`WaitsOn::Members`].
    Members,
    /// See [`WaitsOn::Sinks`].
    Sinks,
    /// See [`WaitsOn::Time`].
    Time,
}

impl Waiting {
    /// Whether people should see to it, and not only wait.
    pub fn is_alarming(&self, is_overdue: bool) -> bool {
        match &self.on {
            WaitsOn::Proof { failure, .. } => failure.is_some(),
            WaitsOn::Custody { failures } => !failures.is_empty(),
            WaitsOn::Members { .. } | WaitsOn::Sinks { .. } => is_overdue,
            WaitsOn::Time(_) => false,
        }
    }
}

impl WaitsOn {
    /// Its kind.
    pub fn code(&self) -> WaitCode {
        match self {
            Self::Proof { .. } => WaitCode::Proof,
            Self::Custody { .. } => WaitCode::Custody,
            Self::Members { .. } => WaitCode::Members,
            Self::Sinks { .. } => WaitCode::Sinks,
            Self::Time(_) => WaitCode::Time,
        }
    }
}
