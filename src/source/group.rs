//! The entries of one owner, in their order.

use std::collections::HashMap;
use std::sync::Arc;

use super::configured::{Edge, EntryPlace, Owner, Yielded};
use super::entry::Entry;
use super::pace::Extent;
use super::reading::{FileReading, Place, Reading};
use super::spec::EntrySpec;
use super::state::{SourceNotice, SourceState};
use super::yields::Readings;
use crate::clock::Timestamp;
use crate::credential::Credential;

/// The entries of one owner, and what its JavaScript sources yielded last.
#[derive(Debug)]
pub(super) struct Group {
    owner: Owner,
    entries: Vec<Entry>,
    javascript: Vec<Option<Reading>>,
    /// It came during a reading that does not cover it, so its silence means nothing yet.
    is_late: bool,
}

impl Group {
    pub(super) fn new(
        owner: Owner,
        entries: Vec<EntrySpec>,
        javascript: Vec<Option<Reading>>,
        is_late: bool,
    ) -> Self {
        let entries = entries.into_iter().enumerate();
        let entries = entries.map(|(index, spec)| Entry::new(index, spec)).collect();
        Self { owner, entries, javascript, is_late }
    }

    pub(super) fn owner(&self) -> Owner {
        self.owner
    }

    pub(super) fn entries(&self) -> &[Entry] {
        &self.entries
    }

    pub(super) fn is_late(&self) -> bool {
        self.is_late
    }

    /// Notes that a reading begins that covers this group.
    pub(super) fn is_asked(&mut self) {
        self.is_late = false;
    }

    /// Whether a reading of this extent reads its JavaScript sources.
    pub(super) fn takes_part_in(&self, extent: Extent) -> bool {
        self.entries.iter().any(|entry| match extent {
            Extent::All => entry.asks_javascript(),
            Extent::Cheap => entry.has_variables(),
        })
    }

    /// Whether some of its JavaScript sources have never been read.
    pub(super) fn has_unread(&self) -> bool {
        self.javascript.iter().any(Option::is_none)
    }

    /// Takes over what its JavaScript sources yield. `None` stands for one that is still awaited.
    pub(super) fn take(&mut self, readings: Vec<Option<Reading>>) {
        for (known, read) in self.javascript.iter_mut().zip(readings) {
            if read.is_some() {
                *known = read;
            }
        }
    }

    /// Takes over what was read. Returns what people should know of.
    pub(super) fn update(
        &mut self,
        files: &HashMap<Place, FileReading>,
        now: Timestamp,
        edges: &mut Vec<Edge>,
    ) -> Vec<SourceNotice> {
        let readings = Readings { files, javascript: &self.javascript };
        let mut notices = Vec::new();
        for (index, entry) in self.entries.iter_mut().enumerate() {
            if self.is_late && !entry.has_answer(readings) {
                continue;
            }
            let change = entry.update(readings, now, edges);
            let label = entry.label().map(str::to_owned);
            notices.extend(change.map(|change| SourceNotice { entry: index, label, change }));
        }
        notices
    }

    /// Returns the entries whose variables hold another credential than the accepted one, each
    /// once.
    pub(super) fn take_stale(&mut self, accepted: &Credential) -> Vec<EntryPlace> {
        let owner = self.owner;
        let entries = self.entries.iter_mut().enumerate();
        let stale =
            entries.filter_map(|(index, entry)| entry.take_stale(accepted).then_some(index));
        stale.map(|index| EntryPlace { owner, index }).collect()
    }

    /// Returns the state of each entry's source.
    pub(super) fn states(&self) -> impl Iterator<Item = SourceState> {
        self.places().map(|(place, entry)| SourceState {
            place,
            label: entry.label().map(str::to_owned),
            is_pending: !entry.was_read(),
            problem: entry.trouble().cloned(),
            throttled: entry.throttled().cloned(),
            is_covered: entry.problem().is_none(),
        })
    }

    /// What each entry yields by itself.
    pub(super) fn yielded(&self) -> impl Iterator<Item = Yielded> {
        self.places().map(|(place, entry)| Yielded {
            place,
            credentials: entry.credentials().map(Arc::clone).collect(),
            persist: entry.persist(),
            has_variables: entry.has_variables(),
            is_emptied: entry.is_emptied(),
        })
    }

    fn places(&self) -> impl Iterator<Item = (EntryPlace, &Entry)> {
        let owner = self.owner;
        let entries = self.entries.iter().enumerate();
        entries.map(move |(index, entry)| (EntryPlace { owner, index }, entry))
    }
}
