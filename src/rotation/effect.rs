//! What the machine wants done, told and answered.

use super::caller::{CallerId, KeptCaller};
use super::notice::RotationNotice;
use super::outcome::{Refusal, Settled};
use super::target::TargetId;
use super::transition::Transition;
use super::write::Write;
use crate::credential::CredentialId;

/// The outcome of one [`step`](super::step).
///
/// First the write, if there is one. When the store refuses it, nothing has happened: the driver
/// reads again and steps with the same event. When it is accepted, or there is none, the effects
/// follow in their order. So there is one point at which a step takes place, and no effect of a
/// step that lost.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct RotationStep {
    /// What becomes of the record, and of the token with it.
    pub write: Option<Write>,
    /// What to do after the write.
    pub effects: Vec<RotationEffect>,
    /// The rows of the table that were taken, in their order.
    pub transitions: Vec<Transition>,
}

/// Something that the driver must do.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum RotationEffect {
    /// Send one token request with this credential, keep its token, and report
    /// [`RotationEvent::Answered`](super::RotationEvent::Answered).
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
    /// Write a credential back, and report
    /// [`RotationEvent::Persisted`](super::RotationEvent::Persisted).
    Persist {
        /// The place to write to.
        target: TargetId,
        /// The credential to write.
        credential: CredentialId,
    },
    /// The caller waits: it is in [`View::callers`](super::View::callers), as it stands here, until
    /// it gets its outcome or leaves. It may wait already, for something else.
    Keep(KeptCaller),
    /// Give a caller its outcome, once.
    Answer {
        /// The id under which it asked.
        caller: CallerId,
        /// What it gets, or why it does not.
        outcome: Result<Settled, Refusal>,
    },
    /// Tell whoever listens to events.
    Notify(RotationNotice),
}
