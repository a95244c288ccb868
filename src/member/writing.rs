//! Where a credential is written back to: to the place of the one that it replaces.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use super::course::Item;
use super::{Effect, Member, Notice, Step};
use crate::clock::Timestamp;
use crate::credential::{Credential, CredentialId};
use crate::error::{Code, Failure};
use crate::rotation::{self, Record, SinkOutcome, SinkSpec, Slot};
use crate::source::{EntryPlace, Yielded};

/// The slots of the entries, and the writes under way.
#[derive(Debug, Default)]
pub(super) struct Sinks {
    slots: BTreeMap<EntryPlace, Slot>,
    last_slot: u32,
    /// What was written to each last: it replaces what the entry yields, which may be read much later.
    holds: BTreeMap<Slot, CredentialId>,
    writes: BTreeMap<u64, Write>,
    last_write: u64,
    failures: BTreeMap<Slot, SinkFailure>,
    /// Functions that have kept a credential once.
    proven: BTreeSet<EntryPlace>,
}

/// An attempt to write a credential to its place.
#[derive(Debug)]
struct Write {
    slot: Slot,
    credential: Arc<Credential>,
    /// It counts as failed then, though it may still succeed.
    deadline: Timestamp,
    is_overdue: bool,
    /// The file; none: a function does it, which outlives the driver's thread.
    file: Option<PathBuf>,
}

/// Why a place was not written.
#[derive(Debug, Clone)]
pub struct SinkFailure {
    /// Whose place it is.
    pub place: EntryPlace,
    /// Since when every attempt has failed.
    pub since: Timestamp,
    /// Whether it is tried again.
    pub outcome: SinkOutcome,
    /// Why.
    pub message: String,
    /// The attempt has not ended yet, and the next one waits for that.
    pub is_hanging: bool,
}

impl SinkFailure {
    /// The same as an error.
    pub fn to_failure(&self) -> Failure {
        let message =
            format!("persist of credentials[{}] failed: {}.", self.place.index, self.message);
        Failure::new(Code::PersistFailed, message)
    }
}

impl Sinks {
    fn slot(&mut self, place: EntryPlace) -> Slot {
        *self.slots.entry(place).or_insert_with(|| {
            self.last_slot += 1;
            Slot(self.last_slot)
        })
    }

    /// The places that a credential which replaces the active one is written to, or is being written to,
    /// also those whose handle was closed meanwhile.
    pub(super) fn specs(&mut self, record: Option<&Record>, entries: &[Yielded]) -> Vec<SinkSpec> {
        let Some(record) = record else {
            // What a caller names before there is a record replaces what is configured first.
            let first = entries.iter().find(|entry| entry.persist.is_some());
            let spec =
                |entry: &Yielded| SinkSpec { slot: self.slot(entry.place), at_retirement: false };
            return first.map(spec).into_iter().collect();
        };
        let candidate = record.to_write_back();
        let yields = |entry: &Yielded, one| entry.credentials.iter().any(|it| it.id() == one);
        let mut specs = Vec::new();
        for entry in entries.iter().filter(|entry| entry.persist.is_some()) {
            let slot = self.slot(entry.place);
            let is_active = yields(entry, record.active)
                || self.holds.get(&slot).is_some_and(|held| *held == record.active);
            let is_replaced = is_active && (record.staged().is_none() || !yields(entry, candidate));
            // It may be behind, and hold what was active before.
            let is_behind = record.staged().is_some_and(|it| it.sinks.contains_key(&slot))
                && !yields(entry, candidate);
            // A file may be read again before its writer has said that it is done.
            let is_being_written = self
                .writes
                .values()
                .any(|write| write.slot == slot && write.credential.id() == candidate);
            let is_known = record.sinks.contains_key(&slot);
            if is_replaced || is_behind || is_being_written || is_known {
                let others = entries.iter().filter(|other| other.place != entry.place);
                let at_retirement = others.into_iter().any(|other| yields(other, candidate));
                specs.push(SinkSpec { slot, at_retirement });
            }
        }
        // Their turn comes, too, and then they are given up: nobody is left who could write them.
        let lost = record.sinks.iter().filter(|(slot, sink)| {
            matches!(sink, rotation::Sink::Pending { .. })
                && specs.iter().all(|it| it.slot != **slot)
        });
        let lost: Vec<_> =
            lost.map(|(slot, _)| SinkSpec { slot: *slot, at_retirement: false }).collect();
        specs.extend(lost);
        specs
    }

    pub(super) fn place(&self, slot: Slot) -> Option<EntryPlace> {
        self.slots.iter().find(|(_, known)| **known == slot).map(|(place, _)| *place)
    }

    /// Forgets places that are gone, once neither the record nor a write under way refers to them.
    pub(super) fn prune(&mut self, record: Option<&Record>, entries: &[Yielded]) {
        let Self { slots, holds, writes, failures, proven, .. } = self;
        slots.retain(|place, slot| {
            entries.iter().any(|entry| entry.place == *place)
                || record.is_some_and(|record| record.sinks.contains_key(slot))
                || writes.values().any(|write| write.slot == *slot)
        });
        holds.retain(|slot, _| slots.values().any(|known| known == slot));
        failures.retain(|slot, _| slots.values().any(|known| known == slot));
        proven.retain(|place| entries.iter().any(|entry| entry.place == *place));
    }

    /// The driver's thread is gone, and with it what wrote files; their numbers are not used again.
    pub(super) fn lose_files(&mut self) {
        self.writes.retain(|_, write| write.file.is_none());
    }

    /// When the next attempt has taken too long.
    pub(super) fn deadline(&self) -> Option<Timestamp> {
        let running = self.writes.values().filter(|write| !write.is_overdue);
        running.map(|write| write.deadline).min()
    }

    /// The places whose latest attempt failed.
    pub(super) fn failures(&self) -> impl Iterator<Item = (Slot, &SinkFailure)> {
        self.failures.iter().map(|(slot, failure)| (*slot, failure))
    }

    /// Why nothing keeps what was to be written.
    pub(super) fn why_not(&self) -> Option<Failure> {
        let latest = self.failures.values().max_by_key(|failure| failure.since)?;
        Some(latest.to_failure())
    }

    /// Whether a function has kept a credential once.
    pub(super) fn is_proven(&self, place: EntryPlace) -> bool {
        self.proven.contains(&place)
    }

    /// The slots that are being written, and the writes that were given up and may still end.
    pub(super) fn under_way(&self) -> (BTreeSet<Slot>, BTreeSet<(Slot, CredentialId)>) {
        let (overdue, running): (Vec<_>, Vec<_>) =
            self.writes.values().partition(|write| write.is_overdue);
        let running = running.into_iter().map(|write| write.slot).collect();
        (running, overdue.into_iter().map(|write| (write.slot, write.credential.id())).collect())
    }
}

impl Step<'_> {
    pub(super) fn write_sink(&mut self, slot: Slot, credential: &Arc<Credential>) {
        let member = &mut *self.member;
        let place = member.sinks.place(slot);
        let entry = member.entries.iter().find(|entry| Some(entry.place) == place);
        let Some((place, target)) =
            entry.and_then(|entry| Some((entry.place, entry.persist.clone()?)))
        else {
            return self.forgo_sink(slot, credential);
        };
        member.sinks.last_write += 1;
        let write = member.sinks.last_write;
        let under_way = Write {
            slot,
            credential: Arc::clone(credential),
            deadline: self.now + member.policy.persist_timeout,
            is_overdue: false,
            file: target.path().map(Path::to_owned),
        };
        member.sinks.writes.insert(write, under_way);
        member.show_writes();
        let credential = Arc::clone(credential);
        self.effects.push(Effect::WriteSink { write, place, target, credential });
    }

    /// Attempts that have taken too long count as failed. Whoever makes them may still come to an end.
    pub(super) fn expire_writes(&mut self) {
        let now = self.now;
        let running = self.member.sinks.writes.iter_mut().filter(|(_, write)| !write.is_overdue);
        let mut overdue = Vec::new();
        for (number, write) in running.filter(|(_, write)| write.deadline <= now) {
            write.is_overdue = true;
            let what = match &write.file {
                Some(path) => format!("writing {}", path.display()),
                None => "it".to_owned(),
            };
            overdue.push((*number, write.slot, Arc::clone(&write.credential), what));
        }
        for (write, slot, credential, what) in overdue {
            self.member.show_writes();
            self.effects.push(Effect::AbortSink { write });
            let millis = self.member.policy.persist_timeout.as_millis();
            let message =
                format!("{what} has not come to an end within persistTimeoutMs ({millis} ms)");
            self.tell_written(slot, &credential, SinkOutcome::Failed, Some(message));
        }
    }

    /// Whoever configured the place is gone: nothing waits for it.
    fn forgo_sink(&mut self, slot: Slot, credential: &Credential) {
        let (credential, outcome) = (credential.id(), SinkOutcome::Impossible);
        let event = rotation::Event::SinkWritten { slot, credential, outcome };
        self.member.queue.push_back(Item::Rotation(event));
    }

    pub(super) fn sink_written(
        &mut self,
        write: u64,
        outcome: SinkOutcome,
        message: Option<String>,
    ) {
        let Some(write) = self.member.sinks.writes.remove(&write) else { return };
        self.member.show_writes();
        if write.is_overdue && outcome != SinkOutcome::Done {
            // That it failed is known; now it may be tried again.
            self.member.queue.push_back(Item::Rotation(rotation::Event::Ticked));
            return;
        }
        self.tell_written(write.slot, &write.credential, outcome, message);
    }

    fn tell_written(
        &mut self,
        slot: Slot,
        credential: &Arc<Credential>,
        outcome: SinkOutcome,
        message: Option<String>,
    ) {
        let member = &mut *self.member;
        let id = credential.id();
        if outcome == SinkOutcome::Done {
            member.sinks.holds.insert(slot, id);
            member.sinks.failures.remove(&slot);
        }
        if let Some(place) = member.sinks.place(slot) {
            if outcome == SinkOutcome::Done {
                member.replaced.remove(&place);
                member.sinks.proven.insert(place);
            } else {
                let message = message.clone().unwrap_or_default();
                let known = member.sinks.failures.get(&slot);
                let since = known.map_or(self.now, |known| known.since);
                let failure = SinkFailure { place, since, outcome, message, is_hanging: false };
                member.sinks.failures.insert(slot, failure);
            }
            let credential = Arc::clone(credential);
            let notice = Notice::Persisted { place, credential, outcome, message };
            self.effects.push(Effect::Notify(notice));
        }
        let event = rotation::Event::SinkWritten { slot, credential: id, outcome };
        self.member.queue.push_back(Item::Rotation(event));
    }

    /// Environment variables follow the active credential at once; they are never custody.
    pub(super) fn replace_variables(&mut self, was: Option<&Record>) {
        let member = &*self.member;
        let Some((was, now)) = was.zip(member.record.as_ref()) else { return };
        let Some(credential) = member.keyring.get(now.active).filter(|_| was.active != now.active)
        else {
            return;
        };
        let yields_it =
            |entry: &&Yielded| entry.credentials.iter().any(|one| one.id() == was.active);
        let readers = member.entries.iter().filter(|entry| entry.has_variables);
        let places: Vec<EntryPlace> = readers.filter(yields_it).map(|entry| entry.place).collect();
        let credential = Arc::clone(credential);
        let is_written = |place| {
            let slot = member.sinks.slots.get(&place);
            slot.is_some_and(|slot| now.sinks.get(slot) == Some(&rotation::Sink::Done))
        };
        let mut replaced = Vec::new();
        for place in places {
            // What was written back as well is there again after a restart.
            if !is_written(place) {
                replaced.push(place);
            }
            let credential = Arc::clone(&credential);
            self.effects.push(Effect::ReplaceVariables { place, credential });
        }
        for place in replaced {
            self.member.replaced.insert(place, credential.id());
        }
    }
}

impl Member {
    /// Shows the credential lifecycle which writes are under way.
    pub(super) fn show_writes(&mut self) {
        (self.view.writing, self.view.stuck) = self.sinks.under_way();
    }
}
