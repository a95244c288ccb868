//! What the open rotation waits for, and whether people know.

use std::collections::{BTreeMap, BTreeSet};

use super::named::NamedMembers;
use super::notices::Context;
use super::parts::Member;
use super::step::MemberStep;
use super::targets::PersistFailure;
use super::waiting::{WaitCode, WaitsOn};
use crate::clock::Timestamp;
use crate::credential::CredentialId;
use crate::rotation::{
    self, Missing, PersistOutcome, PhaseName, RotationId, TargetId, TargetState, Wait,
};

impl MemberStep<'_> {
    /// Brings up to date what the open rotation waits for.
    pub(super) fn look_at_waits(&mut self) {
        let waits = self.member.waits(self.now);
        self.member.rotations.wait(waits, self.now);
        self.tell_new_reasons();
    }

    /// What was told once is told again when it has another reason.
    fn tell_new_reasons(&mut self) {
        let member = &*self.member;
        let Some(record) = member.record() else { return };
        let is_overdue = record.overlap().is_some_and(|overlap| overlap.overdue);
        let missing = record.overlap().filter(|_| is_overdue).map(|overlap| {
            rotation::missing(record, &member.view(), overlap, false, self.store_now())
        });
        // The proof is being asked for.
        let missing = missing.map(|missing| Missing { proof: false, ..missing });
        let awaiting = record.staged().filter(|_| member.rotations.is_told(WaitCode::Custody));
        let custody = awaiting.map(|staged| rotation::RotationNotice::AwaitsCustody(staged.next));
        let custody = custody.filter(|_| member.rotations.is_waiting(WaitCode::Custody));
        let overdue = missing.filter(|it| !it.is_nothing()).map(rotation::RotationNotice::Overdue);
        for notice in custody.into_iter().chain(overdue) {
            let from = PhaseName::of(self.member.record());
            self.tell_change(&notice, Context { from, was: None });
        }
    }
}

impl Member {
    /// Whether nobody was told yet that the open rotation waits for this reason; it counts as told
    /// then.
    pub(super) fn is_news(
        &mut self,
        code: WaitCode,
        missing: Option<(&Missing, &NamedMembers)>,
    ) -> bool {
        // Whatever it says of places, people hear what each of them has said.
        let failures = self.targets.failures().map(|(_, failure)| failure.message.as_str());
        let failures: BTreeSet<&str> = failures.collect();
        self.rotations.is_news(code, missing, &failures)
    }

    /// What the open rotation waits for.
    fn waits(&self, now: Timestamp) -> Option<(RotationId, Vec<WaitsOn>)> {
        let record = self.record()?;
        let staged = record.staged().map(|staged| &staged.rotation);
        let rotation = staged.or(record.overlap().map(|overlap| &overlap.rotation))?;
        let waits = rotation::waits(record, &self.view(), self.clock.now(now));
        let waits = waits.into_iter().flat_map(|wait| match wait {
            Wait::Proof(credential) => vec![self.awaits_proof(credential)],
            Wait::Custody => vec![WaitsOn::Custody { failures: self.persist_failures() }],
            Wait::Retirement(missing) => self.awaits_retirement(&missing),
            Wait::Time(until) => vec![WaitsOn::Time(self.clock.own(until))],
        });
        Some((rotation.clone(), waits.collect()))
    }

    fn awaits_proof(&self, credential: CredentialId) -> WaitsOn {
        let standings = &self.standings;
        let failure = standings.why_unproved(credential).or(standings.failure(credential));
        let credential = self.credentials.keyring.name(credential);
        WaitsOn::Proof { credential, failure: failure.cloned() }
    }

    fn awaits_retirement(&self, missing: &Missing) -> Vec<WaitsOn> {
        let active = self.record().map(|record| record.active);
        // While anything else is missing, nobody asks for it.
        let proof = active.filter(|_| missing.is_only_proof());
        let proof = proof.map(|active| self.awaits_proof(active));
        let count = missing.members();
        let members = (missing.table || count > 0).then_some(WaitsOn::Members { count });
        let targets = (missing.custody || !missing.targets.is_empty())
            .then(|| WaitsOn::Persist { failures: self.persist_failures() });
        proof.into_iter().chain(members).chain(targets).collect()
    }

    /// Why what is to be persisted now is not.
    pub fn persist_failures(&self) -> Vec<PersistFailure> {
        let Some(record) = self.record() else { return Vec::new() };
        let (candidate, view) = (record.to_persist(), self.view());
        let states: BTreeMap<_, _> = record.target_states(&view, candidate).collect();
        let is_behind = |target_id: TargetId| match states.get(&target_id) {
            Some(TargetState::Impossible) => !record.is_kept(&view, candidate),
            state => state.is_some_and(|state| state.due().is_some()),
        };
        let failures = self.targets.failures().filter(|(target_id, _)| is_behind(*target_id));
        let shown = |(target_id, failure): (TargetId, &PersistFailure)| PersistFailure {
            // Somebody may have asked for it once more.
            outcome: match states.get(&target_id) {
                Some(state) if state.due().is_some() => PersistOutcome::Failed,
                _ => failure.outcome,
            },
            is_hanging: self.targets.is_stuck(target_id, candidate),
            ..failure.clone()
        };
        failures.map(shown).collect()
    }
}
