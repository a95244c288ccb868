//! Where rotations stand, and the fleet with them, as people may read it.

use std::sync::Arc;

use super::parts::Member;
use super::snapshot::{Progress, RotationSnapshot};
use crate::credential::Credential;
use crate::error::Code;
use crate::rotation::{self, End, PhaseName, Record, Role, RotationId};
use crate::source::EntryPlace;

impl Member {
    /// The phase of the record, or of the one that waits for nothing but ids.
    pub fn phase(&self) -> PhaseName {
        self.foreseen().map_or_else(|| PhaseName::of(self.record()), |_| PhaseName::Stable)
    }

    /// The generation of the same.
    pub fn generation(&self) -> Option<u64> {
        let known = self.record().map(|record| record.generation);
        known.or_else(|| self.foreseen().map(|_| Record::FIRST_GENERATION))
    }

    /// The latest rotation, if there was one.
    pub fn latest_rotation(&self) -> Option<RotationSnapshot> {
        self.snapshot(self.latest_rotation_id()?)
    }

    pub(super) fn latest_rotation_id(&self) -> Option<&RotationId> {
        let record = self.record()?;
        let staged = record.staged().map(|staged| &staged.rotation);
        let open = staged.or(record.overlap().map(|overlap| &overlap.rotation));
        open.or(record.history.last().map(|past| &past.rotation))
    }

    /// Where a rotation stands; none when nothing is known of it.
    pub fn snapshot(&self, rotation: &RotationId) -> Option<RotationSnapshot> {
        let record = self.record()?;
        let overlap = record.open_overlap().filter(|overlap| overlap.rotation == *rotation);
        let staged = record.staged().filter(|staged| staged.rotation == *rotation);
        let past = record.past(rotation).map(|past| (past.candidate, past.end));
        let already = self.rotations.already_active(rotation);
        let past = past.or(already.map(|candidate| (candidate, End::Promoted)));
        let candidate = staged.map(|it| it.next).or(past.map(|(candidate, _)| candidate))?;
        let (phase, reason) = match past.map(|(_, end)| end) {
            _ if staged.is_some() => (Progress::Staged, None),
            Some(end @ (End::Promoted | End::RolledBack)) => {
                let phase = match record.role(candidate) {
                    Role::Active if overlap.is_some() => Progress::Overlap,
                    _ if overlap.is_some() => Progress::RolledBack,
                    Role::Active => Progress::Retired,
                    // It made way for a later rotation, and not for what it had replaced.
                    Role::Previous | Role::Retired if end == End::Promoted => Progress::Retired,
                    _ => Progress::RolledBack,
                };
                (phase, None)
            }
            Some(End::Rejected) => (Progress::Failed, Some(Code::CandidateRejected)),
            Some(End::Unverified) => (Progress::Failed, Some(Code::CandidateUnverified)),
            Some(End::NoCustody) => (Progress::Failed, Some(Code::NoCustody)),
            Some(End::RetireBlocked) => (Progress::Failed, Some(Code::RetireBlocked)),
            Some(End::Superseded) | None => (Progress::Failed, Some(Code::RotationConflict)),
        };
        let name = |id| self.credentials.keyring.name(id);
        let ended = self.rotations.ended(rotation);
        let known = overlap.or(ended.filter(|_| phase == Progress::Retired));
        Some(RotationSnapshot {
            rotation: rotation.clone(),
            phase,
            generation: record.generation,
            candidate: name(candidate),
            active: name(record.active),
            previous: overlap.map(|overlap| name(overlap.previous)),
            persisted: record
                .persisted(&self.view(), if staged.is_some() { candidate } else { record.active }),
            retire_not_before: known.map(|overlap| self.clock.own(overlap.retire_not_before)),
            safe_to_revoke_at: known.map(|overlap| self.clock.own(overlap.safe_to_revoke_at)),
            reason,
            waiting: self.rotations.waits_of(rotation).to_vec(),
        })
    }

    /// The rotation that made the active credential active; of one that was so already this is a
    /// rotation that has come to its end.
    pub(super) fn active_snapshot(
        &mut self,
        rotation: Option<RotationId>,
    ) -> Option<RotationSnapshot> {
        let active = self.record()?.active;
        let rotation = rotation.unwrap_or_else(|| RotationId::of(active));
        if let Some(known) = self.snapshot(&rotation) {
            return Some(known);
        }
        self.rotations.note_already_active(rotation.clone(), active);
        self.snapshot(&rotation)
    }

    /// Whether the previous credential should be retired by now.
    pub fn is_overdue(&self) -> bool {
        let overlap = self.record().and_then(Record::open_overlap);
        overlap.is_some_and(|overlap| overlap.overdue)
    }

    /// The entry that a place to write to belongs to.
    pub fn place_of(&self, target_id: rotation::TargetId) -> Option<EntryPlace> {
        self.targets.place(target_id)
    }

    /// Whether something else than this process's memory keeps the active credential.
    pub(super) fn keeps_active(&self) -> bool {
        self.record().is_some_and(|record| record.is_kept(&self.view(), record.active))
    }

    /// Whether every live member knows and holds the active credential.
    pub(super) fn is_everywhere(&self) -> bool {
        let Some((record, fleet)) = self.record().zip(self.shared.fleet()) else {
            return true;
        };
        record.open_overlap().is_none_or(|overlap| {
            fleet.census.behind(overlap.epoch) == 0 && fleet.all_hold(record.active)
        })
    }

    /// The credential that is active as soon as its id is known: callers have had its token.
    pub(super) fn foreseen(&self) -> Option<&Arc<Credential>> {
        self.work.foreseen().filter(|_| self.record().is_none())
    }
}
