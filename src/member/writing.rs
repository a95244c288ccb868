//! Where a credential is written back to: to the place of the one that it replaces.

use std::collections::BTreeMap;
use std::sync::Arc;

use super::course::Item;
use super::{Effect, Notice, Step};
use crate::credential::{Credential, CredentialId};
use crate::rotation::{self, Record, Role, SinkOutcome, SinkSpec, Slot};
use crate::source::{EntryPlace, Yielded};

/// The slots of the entries, and the writes under way.
#[derive(Debug, Default)]
pub(super) struct Sinks {
    slots: BTreeMap<EntryPlace, Slot>,
    last_slot: u32,
    /// What was written to each last: it replaces what the entry yields, which may be read much later.
    holds: BTreeMap<Slot, CredentialId>,
    writes: BTreeMap<u64, (Slot, Arc<Credential>)>,
    last_write: u64,
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
            if is_replaced || is_behind || record.sinks.contains_key(&slot) {
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
        let Self { slots, holds, writes, .. } = self;
        slots.retain(|place, slot| {
            entries.iter().any(|entry| entry.place == *place)
                || record.is_some_and(|record| record.sinks.contains_key(slot))
                || writes.values().any(|(written, _)| written == slot)
        });
        holds.retain(|slot, _| slots.values().any(|known| known == slot));
    }

    /// They are lost; their numbers are not used again.
    pub(super) fn clear(&mut self) {
        self.writes.clear();
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
        member.sinks.writes.insert(write, (slot, Arc::clone(credential)));
        member.view.writing.insert(slot);
        let credential = Arc::clone(credential);
        self.effects.push(Effect::WriteSink { write, place, target, credential });
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
        let member = &mut *self.member;
        let Some((slot, credential)) = member.sinks.writes.remove(&write) else { return };
        member.view.writing.remove(&slot);
        let id = credential.id();
        if outcome == SinkOutcome::Done {
            member.sinks.holds.insert(slot, id);
        }
        let written = Arc::clone(&credential);
        if let Some(place) = member.sinks.place(slot) {
            if outcome == SinkOutcome::Done {
                member.replaced.remove(&place);
            }
            let notice = Notice::Persisted { place, credential, outcome, message };
            self.effects.push(Effect::Notify(notice));
        }
        let event = rotation::Event::SinkWritten { slot, credential: id, outcome };
        self.member.queue.push_back(Item::Rotation(event));
        if outcome == SinkOutcome::Done {
            self.follow_place(slot, &written);
        }
    }

    /// What is written is what the place yields, though its rotation has ended meanwhile.
    fn follow_place(&mut self, slot: Slot, written: &Arc<Credential>) {
        let member = &mut *self.member;
        let id = written.id();
        let Some(record) = &member.record else { return };
        let is_unused =
            matches!(record.role(id), Role::Unknown | Role::Standby | Role::Quarantined);
        // Where the active one is written next, it yields that.
        let is_passing = matches!(record.sinks.get(&slot), Some(rotation::Sink::Pending { .. }));
        if !is_unused || is_passing || member.configured.iter().any(|one| one.is_same_as(written)) {
            return;
        }
        member.keyring.add(written);
        member.configured.push(Arc::clone(written));
        let event = rotation::Event::Changed { from: None, to: id };
        member.queue.push_back(Item::Rotation(event));
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
