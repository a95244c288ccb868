//! Where a credential is persisted to: to the place of the one that it replaces.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use super::trials::Trials;
use crate::clock::Timestamp;
use crate::credential::{Credential, CredentialId};
use crate::error::{Code, Failure};
use crate::persist::PersistTarget;
use crate::rotation::{PersistOutcome, Record, TargetId, TargetSpec, TargetState};
use crate::source::{EntryPlace, Yielded};

/// The places of the entries, each by the id that the record knows, the writes under way,
/// and how the last ones ended.
#[derive(Debug, Default)]
pub(super) struct Targets {
    target_ids: BTreeMap<EntryPlace, TargetId>,
    last_target_id: u32,
    /// What was written to each last: it replaces what the entry yields, which may be read much
    /// later.
    pub(super) holds: BTreeMap<TargetId, CredentialId>,
    /// What came of the latest attempt with each, of a member of a fleet.
    pub(super) attempts: BTreeMap<TargetId, (CredentialId, TargetState)>,
    writes: BTreeMap<u64, PlaceWrite>,
    last_write: u64,
    failures: BTreeMap<TargetId, PersistFailure>,
    /// Functions that have kept a credential once.
    proven: BTreeSet<EntryPlace>,
    /// Files that are being tried on behalf of those who prepare a rotation.
    pub(super) trials: Trials,
}

/// An attempt to write a credential to its place.
#[derive(Debug)]
pub(super) struct PlaceWrite {
    pub(super) target_id: TargetId,
    pub(super) credential: Arc<Credential>,
    /// It counts as failed then, though it may still succeed.
    deadline: Timestamp,
    pub(super) is_overdue: bool,
    /// The file; none: a function does it, which outlives the driver's thread.
    file: Option<PathBuf>,
}

/// Why a place was not written.
#[derive(Debug, Clone)]
pub struct PersistFailure {
    /// The entry that the place belongs to.
    pub place: EntryPlace,
    /// Since when every attempt has failed.
    pub since: Timestamp,
    /// Whether it is tried again.
    pub outcome: PersistOutcome,
    /// What went wrong.
    pub message: String,
    /// The attempt has not ended yet, and the next one waits for that.
    pub is_hanging: bool,
}

/// What would keep a credential that only this process is told of.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Custody {
    /// A place that can be written.
    Kept,
    /// A function that has not kept one yet.
    Untested,
    /// Nothing would keep it.
    None,
}

impl PersistFailure {
    /// The failure that people see.
    pub fn to_failure(&self) -> Failure {
        let message =
            format!("persist of credentials[{}] failed: {}.", self.place.index, self.message);
        Failure::new(Code::PersistFailed, message)
    }
}

impl Targets {
    /// Gives each place that can be written an id.
    pub(super) fn name_places(&mut self, entries: &[Yielded], is_in_fleet: bool) {
        for entry in entries {
            let Some(target) = &entry.persist else { continue };
            let is_shared = is_in_fleet && matches!(target, PersistTarget::Js { .. });
            let shared = u32::try_from(entry.place.index).ok().filter(|_| is_shared);
            self.target_ids.entry(entry.place).or_insert_with(|| {
                self.last_target_id += 1;
                shared.map_or(TargetId::Own(self.last_target_id), TargetId::Shared)
            });
        }
    }

    /// The functions that every member of a fleet has which is configured alike.
    pub(super) fn shared(&self, entries: &[Yielded]) -> BTreeSet<TargetId> {
        let ids = entries.iter().filter_map(|entry| self.target_of(entry.place));
        ids.filter(|target_id| matches!(target_id, TargetId::Shared(_))).collect()
    }

    /// The id of the target at a place.
    pub(super) fn target_of(&self, place: EntryPlace) -> Option<TargetId> {
        self.target_ids.get(&place).copied()
    }

    /// The places that a credential which replaces the active one is written to, or is being
    /// written to, also those whose handle was closed meanwhile.
    pub(super) fn specs(
        &self,
        record: Option<&Record>,
        entries: &[Yielded],
        is_in_fleet: bool,
    ) -> Vec<TargetSpec> {
        let Some(record) = record else {
            // What a caller names before there is a record replaces what is configured first.
            let first = entries.iter().find(|entry| entry.persist.is_some());
            let target_id = first.and_then(|entry| self.target_of(entry.place));
            return target_id
                .map(|target_id| TargetSpec { target: target_id, at_retirement: false })
                .into_iter()
                .collect();
        };
        let candidate = record.to_persist();
        let mut specs = Vec::new();
        for entry in entries.iter().filter(|entry| entry.persist.is_some()) {
            let Some(target_id) = self.target_of(entry.place) else { continue };
            let is_active = yields(entry, record.active)
                || self.holds.get(&target_id).is_some_and(|held| *held == record.active);
            let is_replaced = is_active && (record.staged().is_none() || !yields(entry, candidate));
            // It may be behind, and hold what was active before.
            let is_behind = record.staged().is_some_and(|it| it.targets.contains_key(&target_id))
                && !yields(entry, candidate);
            // A file may be read again before its writer has said that it is done. Nothing waits for
            // one that hangs.
            let is_being_written = self.writes.values().any(|write| {
                write.target_id == target_id
                    && write.credential.id() == candidate
                    && !write.is_overdue
            });
            let is_known = record.targets.contains_key(&target_id)
                || is_in_fleet && self.is_outdated(record, entry, target_id);
            if is_replaced || is_behind || is_being_written || is_known {
                let is_other = |other: &&Yielded| other.place != entry.place && !other.is_emptied;
                let mut others = entries.iter().filter(is_other);
                let at_retirement = others.any(|other| yields(other, candidate));
                specs.push(TargetSpec { target: target_id, at_retirement });
            }
        }
        // Their turn comes, too, and then they are given up: nobody is left who could write them.
        let lost = record.targets.iter().filter(|(target_id, state)| {
            !is_in_fleet && state.due().is_some() && specs.iter().all(|it| it.target != **target_id)
        });
        let lost: Vec<_> = lost
            .map(|(target_id, _)| TargetSpec { target: *target_id, at_retirement: false })
            .collect();
        specs.extend(lost);
        specs
    }

    pub(super) fn place(&self, target_id: TargetId) -> Option<EntryPlace> {
        self.target_ids.iter().find(|(_, known)| **known == target_id).map(|(place, _)| *place)
    }

    /// Forgets places that are gone, once neither the record nor a write under way refers to them.
    pub(super) fn prune(&mut self, record: Option<&Record>, entries: &[Yielded]) {
        let Self { target_ids, holds, attempts, writes, failures, proven, .. } = self;
        target_ids.retain(|place, target_id| {
            entries.iter().any(|entry| entry.place == *place)
                || record.is_some_and(|record| record.targets.contains_key(target_id))
                || writes.values().any(|write| write.target_id == *target_id)
        });
        holds.retain(|target_id, _| target_ids.values().any(|known| known == target_id));
        attempts.retain(|target_id, _| target_ids.values().any(|known| known == target_id));
        failures.retain(|target_id, _| target_ids.values().any(|known| known == target_id));
        proven.retain(|place| entries.iter().any(|entry| entry.place == *place));
    }

    /// The driver's thread is gone, and with it what wrote or tried files; their
    /// numbers are not used again.
    pub(super) fn lose_files(&mut self) {
        self.writes.retain(|_, write| write.file.is_none());
        self.trials.lose();
    }

    /// When the next attempt has taken too long, or the trials have.
    pub(super) fn deadline(&self) -> Option<Timestamp> {
        let running = self.writes.values().filter(|write| !write.is_overdue);
        running.map(|write| write.deadline).chain(self.trials.deadline()).min()
    }

    /// The number of a write that begins now.
    pub(super) fn begin(
        &mut self,
        target_id: TargetId,
        credential: &Arc<Credential>,
        target: &PersistTarget,
        deadline: Timestamp,
    ) -> u64 {
        self.last_write += 1;
        let (credential, file) = (Arc::clone(credential), target.path().map(Path::to_owned));
        let write = PlaceWrite { target_id, credential, deadline, is_overdue: false, file };
        self.writes.insert(self.last_write, write);
        self.last_write
    }

    /// The write of that number has ended.
    pub(super) fn end(&mut self, write: u64) -> Option<PlaceWrite> {
        self.writes.remove(&write)
    }

    /// Attempts that have taken too long count as failed, and whoever makes them may still come to
    /// an end: the number of each, where it goes, and what has not ended.
    pub(super) fn expire(
        &mut self,
        now: Timestamp,
    ) -> Vec<(u64, TargetId, Arc<Credential>, String)> {
        let running = self.writes.iter_mut().filter(|(_, write)| !write.is_overdue);
        let overdue = running.filter(|(_, write)| write.deadline <= now).map(|(number, write)| {
            write.is_overdue = true;
            let what = match &write.file {
                Some(path) => format!("writing {}", path.display()),
                None => "it".to_owned(),
            };
            (*number, write.target_id, Arc::clone(&write.credential), what)
        });
        overdue.collect()
    }

    /// Notes how an attempt ended; returns the place, where it is known still.
    pub(super) fn note(
        &mut self,
        target_id: TargetId,
        credential: CredentialId,
        outcome: PersistOutcome,
        message: Option<&str>,
        now: Timestamp,
    ) -> Option<EntryPlace> {
        let is_done = outcome == PersistOutcome::Done;
        if is_done {
            self.holds.insert(target_id, credential);
            self.failures.remove(&target_id);
        }
        let place = self.place(target_id)?;
        if is_done {
            self.proven.insert(place);
        } else {
            let message = message.unwrap_or_default().to_owned();
            let since = self.failures.get(&target_id).map_or(now, |known| known.since);
            let failure = PersistFailure { place, since, outcome, message, is_hanging: false };
            self.failures.insert(target_id, failure);
        }
        Some(place)
    }

    /// The places whose latest attempt failed.
    pub(super) fn failures(&self) -> impl Iterator<Item = (TargetId, &PersistFailure)> {
        self.failures.iter().map(|(target_id, failure)| (*target_id, failure))
    }

    /// Why nothing keeps what was to be written.
    pub(super) fn why_not(&self) -> Option<Failure> {
        let latest = self.failures.values().max_by_key(|failure| failure.since)?;
        Some(latest.to_failure())
    }

    /// Whether an attempt to write there is under way.
    pub(super) fn is_writing(&self, target_id: TargetId) -> bool {
        self.writes.values().any(|write| write.target_id == target_id && !write.is_overdue)
    }

    /// Whether an attempt to write this there was given up and may still end.
    pub(super) fn is_stuck(&self, target_id: TargetId, credential: CredentialId) -> bool {
        let mut overdue = self.writes.values().filter(|write| write.is_overdue);
        overdue.any(|write| write.target_id == target_id && write.credential.id() == credential)
    }

    /// The targets that are being written, and the writes that were given up and may still end.
    pub(super) fn under_way(&self) -> (BTreeSet<TargetId>, BTreeSet<(TargetId, CredentialId)>) {
        let (overdue, running): (Vec<_>, Vec<_>) =
            self.writes.values().partition(|write| write.is_overdue);
        let running = running.into_iter().map(|write| write.target_id).collect();
        (
            running,
            overdue.into_iter().map(|write| (write.target_id, write.credential.id())).collect(),
        )
    }

    /// The places that a credential which replaces the active one is written to before it takes
    /// over.
    pub(super) fn places_of_a_rotation(
        &self,
        record: Option<&Record>,
        entries: &[Yielded],
        is_in_fleet: bool,
    ) -> Vec<(EntryPlace, PersistTarget)> {
        let early =
            self.specs(record, entries, is_in_fleet).into_iter().filter(|spec| !spec.at_retirement);
        let places = early.filter_map(|spec| self.place(spec.target));
        let with_target = places.filter_map(|place| {
            let entry = entries.iter().find(|entry| entry.place == place)?;
            Some((place, entry.persist.clone()?))
        });
        with_target.collect()
    }

    /// What would keep a credential that only this process is told of, if it were written to these.
    pub(super) fn custody_of(&self, places: &[(EntryPlace, PersistTarget)]) -> Custody {
        let is_kept = |(place, target): &(EntryPlace, PersistTarget)| match target {
            PersistTarget::Js { .. } => self.proven.contains(place),
            _ => self.trials.is_writable(*place),
        };
        let is_function =
            |(_, target): &(EntryPlace, PersistTarget)| matches!(target, PersistTarget::Js { .. });
        if places.iter().any(is_kept) {
            Custody::Kept
        } else if places.iter().any(is_function) {
            Custody::Untested
        } else {
            Custody::None
        }
    }
}

/// Whether an entry yields a credential.
pub(super) fn yields(entry: &Yielded, credential: CredentialId) -> bool {
    entry.credentials.iter().any(|it| it.id() == credential)
}
