//! What a rotation waits for, since when, and whether people know.

use std::collections::BTreeSet;

use super::change::Context;
use super::keyring::Name;
use super::{Member, SinkFailure, Step};
use crate::clock::Timestamp;
use crate::error::Failure;
use crate::rotation::{self, MemberId, Missing, PhaseName, RotationId, SinkOutcome, Slot, Wait};

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

/// What the open rotation has waited for so far.
#[derive(Debug, Default)]
pub(super) struct Waits {
    rotation: Option<RotationId>,
    now: Vec<Waiting>,
    /// What was told of it; each reason is told once.
    told: BTreeSet<String>,
}

impl Waits {
    /// What the open rotation of that id waits for.
    pub(super) fn of(&self, rotation: &RotationId) -> &[Waiting] {
        if self.rotation.as_ref() == Some(rotation) { &self.now } else { &[] }
    }
}

impl Step<'_> {
    /// Brings up to date what the open rotation waits for.
    pub(super) fn look_at_waits(&mut self) {
        let waits = self.member.waits(self.now);
        let known = &mut self.member.waits;
        let rotation = waits.as_ref().map(|(rotation, _)| rotation.clone());
        if known.rotation != rotation {
            *known = Waits { rotation, ..Waits::default() };
        }
        let was = std::mem::take(&mut known.now);
        let since = |on: &WaitsOn| {
            let same = was.iter().find(|known| known.on.code() == on.code());
            same.map_or(self.now, |known| known.since)
        };
        let now = waits.into_iter().flat_map(|(_, all)| all);
        known.now = now.map(|on| Waiting { since: since(&on), on }).collect();
        self.tell_new_reasons();
    }

    /// What was told once is told again when it has another reason.
    fn tell_new_reasons(&mut self) {
        let Some(record) = &self.member.record else { return };
        let is_overdue = record.overlap().is_some_and(|overlap| overlap.overdue);
        let missing = record
            .overlap()
            .filter(|_| is_overdue)
            .map(|overlap| rotation::missing(record, &self.member.view, overlap, false, self.now));
        // The proof is being asked for.
        let missing = missing.map(|missing| Missing { proof: false, ..missing });
        let awaiting = record.staged().filter(|_| self.member.waits.is_told(WaitCode::Custody));
        let custody = awaiting.map(|staged| rotation::Notice::AwaitsCustody(staged.next));
        let is_waiting = |code| self.member.waits.now.iter().any(|it| it.on.code() == code);
        let custody = custody.filter(|_| is_waiting(WaitCode::Custody));
        let overdue = missing.filter(|it| !it.is_nothing()).map(rotation::Notice::Overdue);
        for notice in custody.into_iter().chain(overdue) {
            let from = PhaseName::of(self.member.record.as_ref());
            self.tell_change(&notice, Context { from, was: None });
        }
    }
}

impl Waits {
    fn is_told(&self, code: WaitCode) -> bool {
        self.told.iter().any(|reason| reason.starts_with(&format!("{code:?}")))
    }
}

impl Member {
    /// Whether nobody was told yet that the open rotation waits for this reason; it counts as told then.
    pub(super) fn is_news(&mut self, code: WaitCode, missing: Option<&Missing>) -> bool {
        let missing = missing.map(|missing| Missing { proof: false, ..missing.clone() });
        // Whatever it says of places, people hear what each of them has said.
        let failures = self.sinks.failures().map(|(_, failure)| failure.message.as_str());
        let failures: BTreeSet<&str> = failures.collect();
        self.waits.told.insert(format!("{code:?} {missing:?} {failures:?}"))
    }

    /// What the open rotation waits for.
    fn waits(&self, now: Timestamp) -> Option<(RotationId, Vec<WaitsOn>)> {
        let record = self.record.as_ref()?;
        let staged = record.staged().map(|staged| &staged.rotation);
        let rotation = staged.or(record.overlap().map(|overlap| &overlap.rotation))?;
        let waits = rotation::waits(record, &self.view, now);
        let waits = waits.into_iter().flat_map(|wait| match wait {
            Wait::Proof(credential) => vec![self.awaits_proof(credential)],
            Wait::Custody => vec![WaitsOn::Custody { failures: self.sink_failures() }],
            Wait::Retirement(missing) => self.awaits_retirement(&missing),
            Wait::Time(until) => vec![WaitsOn::Time(until)],
        });
        Some((rotation.clone(), waits.collect()))
    }

    fn awaits_proof(&self, credential: crate::credential::CredentialId) -> WaitsOn {
        let doubt = self.doubt.as_ref().filter(|doubt| doubt.credential == credential);
        let failure = doubt.map(|doubt| &doubt.failure).or(self.failures.get(&credential));
        WaitsOn::Proof { credential: self.keyring.name(credential), failure: failure.cloned() }
    }

    fn awaits_retirement(&self, missing: &Missing) -> Vec<WaitsOn> {
        let active = self.record.as_ref().map(|record| record.active);
        let proof = active.filter(|_| missing.proof).map(|active| self.awaits_proof(active));
        let mut members = missing.acks.clone();
        members.extend(missing.holders.iter().filter(|one| !missing.acks.contains(one)));
        let members =
            (missing.table || !members.is_empty()).then_some(WaitsOn::Members { members });
        let sinks = (missing.custody || !missing.sinks.is_empty())
            .then(|| WaitsOn::Sinks { failures: self.sink_failures() });
        proof.into_iter().chain(members).chain(sinks).collect()
    }

    /// Why what is to be written back now is not.
    pub fn sink_failures(&self) -> Vec<SinkFailure> {
        let Some(record) = &self.record else { return Vec::new() };
        let is_behind = |slot: Slot| match record.sinks.get(&slot) {
            Some(rotation::Sink::Pending { .. }) => true,
            Some(rotation::Sink::Impossible) => !record.is_kept(&self.view, record.to_write_back()),
            Some(rotation::Sink::Done) | None => false,
        };
        let failures = self.sinks.failures().filter(|(slot, _)| is_behind(*slot));
        let shown = |(slot, failure): (Slot, &SinkFailure)| SinkFailure {
            // Somebody may have asked for it once more.
            outcome: match record.sinks.get(&slot) {
                Some(rotation::Sink::Pending { .. }) => SinkOutcome::Failed,
                _ => failure.outcome,
            },
            is_hanging: self.view.stuck.contains(&(slot, record.to_write_back())),
            ..failure.clone()
        };
        failures.map(shown).collect()
    }
}
