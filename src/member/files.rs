//! The files of a member of a fleet: the record says nothing of them. Each member brings its own up to
//! date, and acknowledges a promotion when it has.

use std::collections::BTreeMap;

use super::targets::{Targets, yields};
use crate::clock::StoreTime;
use crate::credential::CredentialId;
use crate::rotation::{Record, Role, TargetId, TargetState};
use crate::source::Yielded;

impl Targets {
    /// Whether the file of an entry holds what was active before, or was withdrawn after it was
    /// written there; not where somebody has written something else to it since.
    pub(super) fn is_outdated(
        &self,
        record: &Record,
        entry: &Yielded,
        target_id: TargetId,
    ) -> bool {
        let is_old = |id| matches!(record.role(id), Role::Previous | Role::Retired);
        let mut yielded = entry.credentials.iter().map(|it| it.id());
        match self.holds.get(&target_id) {
            _ if matches!(target_id, TargetId::Shared(_)) => false,
            None => !yields(entry, record.active) && yielded.any(is_old),
            Some(held) if *held == record.active || *held == record.to_persist() => false,
            // It may be read later, and yield until then what it held before.
            Some(held) => yielded.any(|id| id == *held || id == record.active || is_old(id)),
        }
    }

    /// Whether a place has acknowledged the active credential.
    pub(super) fn is_written(&self, record: &Record, target_id: TargetId) -> bool {
        self.holds.get(&target_id) == Some(&record.active)
    }

    /// How far the files of a member of a fleet are with the active and the next credential.
    pub(super) fn files(
        &self,
        record: Option<&Record>,
        entries: &[Yielded],
    ) -> BTreeMap<(TargetId, CredentialId), TargetState> {
        let Some(record) = record else { return BTreeMap::new() };
        let candidates = [record.active].into_iter().chain(record.staged().map(|it| it.next));
        let mut files = BTreeMap::new();
        for (credential, entry) in
            candidates.flat_map(|one| entries.iter().map(move |it| (one, it)))
        {
            let known = self.target_of(entry.place).filter(|it| matches!(it, TargetId::Own(_)));
            let Some(target_id) = known else { continue };
            let attempt = self.attempts.get(&target_id).filter(|(of, _)| *of == credential);
            let attempted = attempt.map(|(_, state)| *state);
            let is_outdated =
                credential == record.active && self.is_outdated(record, entry, target_id);
            let pending = TargetState::Pending { not_before: StoreTime::default() };
            let state = if self.holds.get(&target_id) == Some(&credential) {
                Some(TargetState::Done)
            } else {
                attempted.or(is_outdated.then_some(pending))
            };
            files.extend(state.map(|state| ((target_id, credential), state)));
        }
        files
    }

    /// Whether a file is still to be written with the active credential before the one that it
    /// replaces is retired.
    pub(super) fn are_behind(&self, record: &Record, entries: &[Yielded]) -> bool {
        let files = self.files(Some(record), entries);
        let specs = self.specs(Some(record), entries, true);
        let is_late = |target| specs.iter().any(|spec| spec.target == target && spec.at_retirement);
        files.iter().any(|((target, credential), state)| {
            *credential == record.active && state.due().is_some() && !is_late(*target)
        })
    }

    /// Whoever asks for a rotation may have mended the place that could not be written.
    pub(super) fn retry_impossible(&mut self) {
        self.attempts.retain(|_, (_, state)| *state != TargetState::Impossible);
    }

    /// What came of writing a credential to a file of a member of a fleet.
    pub(super) fn attempted(
        &mut self,
        target_id: TargetId,
        credential: CredentialId,
        state: TargetState,
    ) {
        self.attempts.insert(target_id, (credential, state));
    }
}
