//! What a rotation waits for, and since when, as it is told.

use super::keyring::Name;
use super::targets::PersistFailure;
use crate::clock::Timestamp;
use crate::error::Failure;

/// Something that a rotation waits for.
#[derive(Debug, Clone)]
pub struct Waiting {
    /// Since when it waits.
    pub since: Timestamp,
    /// What it waits for.
    pub on: WaitsOn,
}

/// See [`Waiting::on`].
#[derive(Debug, Clone)]
pub enum WaitsOn {
    /// The endpoint has to accept a credential.
    Proof {
        /// The credential.
        credential: Name,
        /// Why the endpoint has not accepted it, if it has said anything.
        failure: Option<Failure>,
    },
    /// Something beyond this process has to keep the candidate.
    Custody {
        /// Why nothing keeps it; empty while that is being tried.
        failures: Vec<PersistFailure>,
    },
    /// Live members of the fleet have to catch up.
    Members {
        /// How many have not, at least; 0: not all of them may be known.
        count: u32,
    },
    /// The active credential has to be persisted.
    Persist {
        /// Why it is not; empty until that was tried.
        failures: Vec<PersistFailure>,
    },
    /// The overlap lasts until then.
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
    /// See [`WaitsOn::Persist`].
    Persist,
    /// See [`WaitsOn::Time`].
    Time,
}

impl Waiting {
    /// Whether people should do something, and not only wait.
    pub fn is_alarming(&self, is_overdue: bool) -> bool {
        match &self.on {
            WaitsOn::Proof { failure, .. } => failure.is_some(),
            WaitsOn::Custody { failures } => !failures.is_empty(),
            WaitsOn::Members { .. } | WaitsOn::Persist { .. } => is_overdue,
            WaitsOn::Time(_) => false,
        }
    }
}

impl WaitsOn {
    /// The kind of what is waited for.
    pub fn code(&self) -> WaitCode {
        match self {
            Self::Proof { .. } => WaitCode::Proof,
            Self::Custody { .. } => WaitCode::Custody,
            Self::Members { .. } => WaitCode::Members,
            Self::Persist { .. } => WaitCode::Persist,
            Self::Time(_) => WaitCode::Time,
        }
    }
}
