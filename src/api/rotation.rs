//! Where a rotation stands, as its caller and `status()` see it.

use serde::Serialize;

use super::credential::CredentialName;
use super::instant::{Calendar, UtcMillis};
use super::sentences::{self, Labels};
use crate::clock::Timestamp;
use crate::error::Code;
use crate::member::{Custody, Progress, RotationSnapshot, WaitCode, Waiting};
use crate::rotation::{Persisted, PhaseName};

/// Where a rotation stands.
#[derive(Debug, Clone, Serialize)]
#[serde(rename_all = "camelCase")]
#[expect(missing_docs, reason = "the fields are those of index.d.ts, which documents them")]
pub struct RotationMessage {
    pub rotation_id: String,
    pub phase: &'static str,
    pub generation: u64,
    pub candidate: CredentialName,
    pub active: CredentialName,
    pub previous: Option<CredentialName>,
    pub persisted: &'static str,
    pub retire_not_before: Option<UtcMillis>,
    pub safe_to_revoke_at: Option<UtcMillis>,
    pub reason: Option<Code>,
    pub waiting_for: Vec<WaitingMessage>,
}

impl RotationMessage {
    /// A rotation as the member knows it.
    pub fn of(snapshot: &RotationSnapshot, labels: Labels<'_>, calendar: Calendar<'_>) -> Self {
        let utc = |at: Timestamp| calendar.utc(at);
        let waiting = snapshot.waiting.iter();
        Self {
            rotation_id: snapshot.rotation.to_string(),
            phase: match snapshot.phase {
                Progress::Staged => "staged",
                Progress::Overlap => "overlap",
                Progress::Retired => "retired",
                Progress::RolledBack => "rolled-back",
                Progress::Failed => "failed",
            },
            generation: snapshot.generation,
            candidate: (&snapshot.candidate).into(),
            active: (&snapshot.active).into(),
            previous: snapshot.previous.as_ref().map(Into::into),
            persisted: match snapshot.persisted {
                Persisted::None => "none",
                Persisted::Pending => "pending",
                Persisted::Done => "done",
                Persisted::Impossible => "impossible",
            },
            retire_not_before: snapshot.retire_not_before.map(utc),
            safe_to_revoke_at: snapshot.safe_to_revoke_at.map(utc),
            reason: snapshot.reason,
            waiting_for: waiting.map(|it| WaitingMessage::of(it, labels, calendar)).collect(),
        }
    }
}

/// Something that a rotation waits for.
#[derive(Debug, Clone, Serialize)]
#[expect(missing_docs, reason = "the fields are those of index.d.ts, which documents them")]
pub struct WaitingMessage {
    pub code: &'static str,
    pub message: String,
    pub since: UtcMillis,
}

impl WaitingMessage {
    fn of(waiting: &Waiting, labels: Labels<'_>, calendar: Calendar<'_>) -> Self {
        Self {
            code: match waiting.on.code() {
                WaitCode::Proof => "proof",
                WaitCode::Custody => "custody",
                WaitCode::Members => "members",
                WaitCode::Persist => "sinks",
                WaitCode::Time => "time",
            },
            message: sentences::waiting(&waiting.on, labels),
            since: calendar.utc(waiting.since),
        }
    }
}

/// What `prepareRotation()` resolves to: this process is ready for a change at the provider.
#[derive(Debug, Clone, Serialize)]
#[serde(rename_all = "camelCase")]
#[expect(missing_docs, reason = "the fields are those of index.d.ts, which documents them")]
pub struct PreparationMessage {
    pub safe_until: UtcMillis,
    pub custody: &'static str,
}

impl PreparationMessage {
    /// Tokens are there until then; `custody` keeps a credential that only this process learns of.
    pub fn new(safe_until: Timestamp, custody: Custody, calendar: Calendar<'_>) -> Self {
        Self {
            safe_until: calendar.utc(safe_until),
            custody: match custody {
                Custody::Kept => "kept",
                Custody::Untested => "untested",
                Custody::None => "none",
            },
        }
    }
}

/// The name of a phase in `status()` and in events.
pub(super) fn phase(phase: PhaseName) -> &'static str {
    match phase {
        PhaseName::Starting => "starting",
        PhaseName::Stable => "stable",
        PhaseName::Prepared => "prepared",
        PhaseName::Staged => "staged",
        PhaseName::Overlap => "overlap",
        PhaseName::Degraded => "degraded",
    }
}
