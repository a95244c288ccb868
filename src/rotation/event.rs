//! What the machine is told.

use std::sync::Arc;
use std::time::Duration;

use super::record::{RotationId, Slot};
use crate::credential::CredentialId;
use crate::verdict::{Arrival, Verdict};

/// Something that happened, told to [`step`](super::step).
#[derive(Debug, Clone)]
pub enum Event {
    /// The time that [`wake_at`](super::wake_at) named has come, or something in the view or the record changed.
    Ticked,
    /// A source of a running process yields another credential than before.
    Changed {
        /// What it yielded.
        from: Option<CredentialId>,
        /// What it yields.
        to: CredentialId,
    },
    /// This process started with that credential in its configuration.
    Started(CredentialId),
    /// A probe was answered; [`Ledger::note`](super::Ledger::note) knows already.
    Answered {
        /// What was presented.
        credential: CredentialId,
        /// What the answer means.
        verdict: Arc<Verdict<Arrival>>,
    },
    /// A caller wants something.
    Asked(Caller),
    /// A caller that was kept no longer waits; the view does not list it any more.
    Left(Caller),
    /// A sink was written, or not.
    SinkWritten {
        /// Which.
        slot: Slot,
        /// The credential that it was written with.
        credential: CredentialId,
        /// What came of it.
        outcome: SinkOutcome,
    },
}

/// What came of writing a sink.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum SinkOutcome {
    /// It acknowledged.
    Done,
    /// It never will (EROFS, EBUSY, EACCES).
    Impossible,
    /// It may later.
    Failed,
}

/// Names a caller within its process.
pub type CallerId = u64;

/// Somebody who waits for an answer.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Caller {
    /// Who.
    pub id: CallerId,
    /// What for.
    pub want: Want,
}

/// What a caller wants.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub enum Want {
    /// To make a credential the active one; kept while the rotation that is open has to end before.
    Rotate(Rotate),
    /// To wait for the end of a rotation that it has joined; only a kept caller wants this.
    Promotion {
        /// Which rotation.
        rotation: RotationId,
        /// What is to become active.
        candidate: CredentialId,
    },
    /// A token that lives so long, and nobody who presents the active credential.
    Prepare {
        /// How long at least.
        min_runway: Duration,
    },
    /// To end the preparation.
    CancelPrepare,
    /// To make the previous credential the active one again.
    Rollback,
    /// To wait until this credential is active again; only a kept caller wants this.
    Return(CredentialId),
    /// To end the overlap now.
    Retire {
        /// Although members or sinks are missing.
        force: bool,
    },
    /// To wait until this credential, which is the previous one, is retired; only a kept caller wants this.
    Retirement {
        /// Which.
        previous: CredentialId,
        /// As in [`Want::Retire`].
        force: bool,
    },
}

/// See [`Want::Rotate`].
#[derive(Debug, Clone, PartialEq, Eq, Default, Hash)]
pub struct Rotate {
    /// To what; none: the first configured one that is not in use.
    pub candidate: Option<CredentialId>,
    /// The idempotency key; none: made from the candidate.
    pub rotation: Option<RotationId>,
    /// Takes the place of the rotation that is open.
    pub supersede: bool,
    /// The active credential has leaked.
    pub compromised: bool,
}
