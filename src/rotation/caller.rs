//! The callers that wait, and what each of them waits for.

use std::time::Duration;

use url::Url;

use super::history::RotationId;
use super::request::Rotate;
use crate::credential::CredentialId;

/// Names a caller within its process.
pub type CallerId = u64;

/// A caller whose request is under way, and who waits until it is settled.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct KeptCaller {
    /// The id under which it asked.
    pub id: CallerId,
    /// What has to happen before it gets its outcome.
    pub awaits: Awaited,
}

/// What a kept caller waits for.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub enum Awaited {
    /// The end of the open rotation, after which its own one begins.
    Turn(Rotate),
    /// The end of a rotation that it has begun or joined.
    Promotion {
        /// The rotation.
        rotation: RotationId,
        /// What is to become active.
        candidate: CredentialId,
        /// Where the caller wants the candidate's token tried.
        verify: Option<Url>,
    },
    /// A token that a person may rely on while the active credential is replaced.
    Preparation {
        /// How long the token has to live at least.
        min_runway: Duration,
    },
    /// That this credential, which was previous when it asked, is active again.
    Return(CredentialId),
    /// That the previous credential is retired.
    Retirement {
        /// The credential that was previous when it asked.
        previous: CredentialId,
        /// See [`Request::Retire`](super::Request::Retire).
        force: bool,
    },
}
