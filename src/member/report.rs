//! Where a rotation stands, and the fleet with it.

use super::Member;
use super::keyring::Name;
use super::waiting::Waiting;
use crate::clock::Timestamp;
use crate::error::Code;
use crate::rotation::{self, End, Persisted, PhaseName, Record, Role, RotationId};
use crate::source::EntryPlace;

/// Where a rotation stands.
#[derive(Debug, Clone)]
pub struct Snapshot {
    /// Its key.
    pub rotation: RotationId,
    /// How far it is.
    pub phase: Phase,
    /// The generation of the record.
    pub generation: u64,
    /// What was to become active.
    pub candidate: Name,
    /// What is active.
    pub active: Name,
    /// The fallback, while the overlap is open.
    pub previous: Option<Name>,
    /// Whether the candidate has been written back.
    pub persisted: Persisted,
    /// The previous one stays a fallback until then.
    pub retire_not_before: Option<Timestamp>,
    /// The last expiry of any token that was made with the previous one.
    pub safe_to_revoke_at: Option<Timestamp>,
    /// Why it failed.
    pub reason: Option<Code>,
    /// What it waits for.
    pub waiting: Vec<Waiting>,
}

/// How far a rotation is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Phase {
    /// Its candidate is being proved.
    Staged,
    /// The candidate is active, and the previous one is a fallback.
    Overlap,
    /// The candidate became active, and no previous one is left.
    Retired,
    /// The candidate was active, and another one took over again.
    RolledBack,
    /// The candidate never became active.
    Failed,
}

impl Member {
    /// When the previous credential may be revoked is asked for long after its overlap.
    pub(super) fn remember_overlap(&mut self, was: Option<&Record>) {
        let now = self.record.as_ref().and_then(Record::open_overlap);
        let ended = was.and_then(Record::open_overlap);
        let Some(ended) = ended.filter(|it| now.is_none_or(|now| now.epoch != it.epoch)) else {
            return;
        };
        self.ended.retain(|known| known.rotation != ended.rotation);
        self.ended.push(ended.clone());
        let surplus = self.ended.len().saturating_sub(Record::MOST_HISTORY);
        self.ended.drain(..surplus);
    }

    /// The phase of the record, or of the one that waits for nothing but ids.
    pub fn phase(&self) -> PhaseName {
        self.foreseen().map_or_else(|| PhaseName::of(self.record.as_ref()), |_| PhaseName::Stable)
    }

    /// The generation of the same.
    pub fn generation(&self) -> Option<u64> {
        let known = self.record.as_ref().map(|record| record.generation);
        known.or_else(|| self.foreseen().map(|_| Record::FIRST_GENERATION))
    }

    /// The latest rotation, if there was one.
    pub fn latest_rotation(&self) -> Option<Snapshot> {
        self.snapshot(self.latest_rotation_id()?)
    }

    pub(super) fn latest_rotation_id(&self) -> Option<&RotationId> {
        let record = self.record.as_ref()?;
        let staged = record.staged().map(|staged| &staged.rotation);
        let open = staged.or(record.overlap().map(|overlap| &overlap.rotation));
        open.or(record.history.last().map(|past| &past.rotation))
    }

    /// Where a rotation stands; none when nothing is known of it.
    pub fn snapshot(&self, rotation: &RotationId) -> Option<Snapshot> {
        let record = self.record.as_ref()?;
        let overlap = record.open_overlap().filter(|overlap| overlap.rotation == *rotation);
        let staged = record.staged().filter(|staged| staged.rotation == *rotation);
        let past = record.past(rotation).map(|past| (past.candidate, past.end));
        let already = self.already_active.iter().find(|(known, _)| known == rotation);
        let past = past.or(already.map(|(_, candidate)| (*candidate, End::Promoted)));
        let candidate = staged.map(|it| it.next).or(past.map(|(candidate, _)| candidate))?;
        let (phase, reason) = match past.map(|(_, end)| end) {
            _ if staged.is_some() => (Phase::Staged, None),
            Some(end @ (End::Promoted | End::RolledBack)) => {
                let phase = match record.role(candidate) {
                    Role::Active if overlap.is_some() => Phase::Overlap,
                    _ if overlap.is_some() => Phase::RolledBack,
                    Role::Active => Phase::Retired,
                    // It made way for a later rotation, and not for what it had replaced.
                    Role::Previous | Role::Retired if end == End::Promoted => Phase::Retired,
                    _ => Phase::RolledBack,
                };
                (phase, None)
            }
            Some(End::Rejected) => (Phase::Failed, Some(Code::CandidateRejected)),
            Some(End::Unverified) => (Phase::Failed, Some(Code::CandidateUnverified)),
            Some(End::NoCustody) => (Phase::Failed, Some(Code::NoCustody)),
            Some(End::RetireBlocked) => (Phase::Failed, Some(Code::RetireBlocked)),
            Some(End::Superseded) | None => (Phase::Failed, Some(Code::RotationConflict)),
        };
        let name = |id| self.keyring.name(id);
        let ended = self.ended.iter().find(|ended| ended.rotation == *rotation);
        let known = overlap.or(ended.filter(|_| phase == Phase::Retired));
        Some(Snapshot {
            rotation: rotation.clone(),
            phase,
            generation: record.generation,
            candidate: name(candidate),
            active: name(record.active),
            previous: overlap.map(|overlap| name(overlap.previous)),
            persisted: record.persisted(if staged.is_some() { candidate } else { record.active }),
            retire_not_before: known.map(|overlap| overlap.retire_not_before),
            safe_to_revoke_at: known.map(|overlap| overlap.safe_to_revoke_at),
            reason,
            waiting: self.waits.of(rotation).to_vec(),
        })
    }

    /// The rotation that made the active credential active; of one that was so already this is a
    /// rotation that has come to its end.
    pub(super) fn active_snapshot(&mut self, rotation: Option<RotationId>) -> Option<Snapshot> {
        let active = self.record.as_ref()?.active;
        let rotation = rotation.unwrap_or_else(|| RotationId::of(active));
        if let Some(known) = self.snapshot(&rotation) {
            return Some(known);
        }
        self.already_active.push((rotation.clone(), active));
        let surplus = self.already_active.len().saturating_sub(Record::MOST_HISTORY);
        self.already_active.drain(..surplus);
        self.snapshot(&rotation)
    }

    /// Whether the previous credential should be retired by now.
    pub fn is_overdue(&self) -> bool {
        let overlap = self.record.as_ref().and_then(Record::open_overlap);
        overlap.is_some_and(|overlap| overlap.overdue)
    }

    /// The entry that a place to write to belongs to.
    pub fn place_of(&self, slot: rotation::Slot) -> Option<EntryPlace> {
        self.sinks.place(slot)
    }

    /// Whether something else than this process's memory keeps the active credential.
    pub(super) fn keeps_active(&self) -> bool {
        self.record.as_ref().is_some_and(|record| record.is_kept(&self.view, record.active))
    }

    /// Whether every live member knows and holds the active credential.
    pub(super) fn is_everywhere(&self) -> bool {
        let Some((record, fleet)) = self.record.as_ref().zip(self.view.fleet.as_ref()) else {
            return true;
        };
        record.open_overlap().is_none_or(|overlap| {
            fleet.members.rows.values().all(|member| {
                member.acked >= overlap.epoch
                    && (fleet.sealed.contains(&record.active)
                        || member.holds.contains(&record.active))
            })
        })
    }
}
