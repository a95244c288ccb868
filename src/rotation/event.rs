//! What the machine is told.

use std::sync::Arc;

use super::caller::{CallerId, KeptCaller};
use super::evidence::Evidence;
use super::request::Request;
use super::target::{PersistOutcome, TargetId};
use crate::credential::CredentialId;
use crate::verdict::Verdict;

/// Something that happened, told to [`step`](super::step).
#[derive(Debug, Clone)]
pub enum RotationEvent {
    /// The time that [`wake_at`](super::wake_at) named has come, or something in the view or the
    /// record changed.
    Ticked,
    /// A source of a running process yields another credential than before.
    Changed {
        /// What it yielded before, if anything.
        from: Option<CredentialId>,
        /// What it yields now.
        to: CredentialId,
    },
    /// This process has started with that credential in its configuration.
    Started(CredentialId),
    /// A probe was answered, and [`Ledger::note`](super::Ledger::note) has been told.
    Answered {
        /// The credential that was presented.
        credential: CredentialId,
        /// What the answer means.
        verdict: Arc<Verdict<Evidence>>,
    },
    /// A caller asks for something.
    Asked {
        /// The id that its outcome is for.
        caller: CallerId,
        /// What it asks for.
        request: Request,
    },
    /// A caller that was kept no longer waits; the view does not list it any more.
    Left(KeptCaller),
    /// A credential was persisted, or not.
    Persisted {
        /// The place.
        target: TargetId,
        /// The credential that it was written with.
        credential: CredentialId,
        /// What came of it.
        outcome: PersistOutcome,
    },
}

impl RotationEvent {
    /// Whether somebody names a credential with this, whatever was known of it before.
    pub fn names(&self, credential: CredentialId) -> bool {
        match self {
            Self::Changed { to, .. } => *to == credential,
            Self::Asked { request: Request::Rotate(rotate), .. } => {
                rotate.candidate == Some(credential)
            }
            _ => false,
        }
    }
}
