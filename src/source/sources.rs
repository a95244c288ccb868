//! The sources of one logical client.

use std::collections::{BTreeSet, HashMap, HashSet};
use std::sync::Arc;
use std::time::Duration;

use super::configured::{Configured, Edge, EntryPlace, Owner};
use super::entry::Entry;
use super::group::Group;
use super::pace::{Extent, Pace};
use super::reading::{FileReading, Place, Reading};
use super::round::{ReadingRound, Requests};
use super::spec::EntrySpec;
use super::state::{SourceNotice, SourceState};
use crate::clock::Timestamp;
use crate::credential::Credential;
use crate::error::{Code, Failure};

/// The sources of all handles of one logical client, in the order in which they were opened.
#[derive(Debug)]
pub struct Sources {
    groups: Vec<Group>,
    files: HashMap<Place, FileReading>,
    /// How long a reading may take before it goes on without the ones that are silent.
    patience: Duration,
    pace: Pace,
    under_way: Option<ReadingRound>,
    /// Somebody asked for a reading while one was under way.
    again: bool,
}

impl Sources {
    /// Without sources. Those that come are read every `poll`, and waited for as long as
    /// `patience`.
    pub fn new(patience: Duration, poll: Duration) -> Self {
        Self {
            groups: Vec::new(),
            files: HashMap::new(),
            patience,
            pace: Pace::new(poll),
            under_way: None,
            again: false,
        }
    }

    /// Adds a handle's entries, behind those of earlier handles.
    ///
    /// `javascript` holds what the facade has read already, by the index of the source.
    pub fn add(&mut self, owner: Owner, entries: Vec<EntrySpec>, javascript: Vec<Option<Reading>>) {
        let is_late = self.is_reading();
        self.groups.push(Group::new(owner, entries, javascript, is_late));
    }

    /// Forgets a handle's entries.
    pub fn remove(&mut self, owner: Owner) {
        self.groups.retain(|group| group.owner() != owner);
        self.forget_files();
        if let Some(round) = &mut self.under_way {
            round.forget_owner(owner);
        }
    }

    /// Forgets files that nothing reads any more: who reads them again later must not get an old
    /// text.
    fn forget_files(&mut self) {
        let wanted: BTreeSet<Place> = self.entries().flat_map(Entry::places).collect();
        self.files.retain(|place, _| wanted.contains(place));
    }

    /// The entries whose variables hold another credential than the accepted one, which stands in
    /// front of them. Each is returned once.
    pub fn take_stale(&mut self, accepted: &Credential) -> Vec<EntryPlace> {
        self.groups.iter_mut().flat_map(|group| group.take_stale(accepted)).collect()
    }

    /// Whether anything can change: literals alone need no polling.
    pub fn can_change(&self) -> bool {
        self.entries().any(Entry::can_change)
    }

    /// Starts a reading of everything; none while one is under way, which is then followed by
    /// another.
    pub fn begin(&mut self, now: Timestamp) -> Option<Requests> {
        self.start(Extent::All, now, |_| true, |_| true)
    }

    /// Starts the reading that is due, if one is.
    pub fn begin_if_due(&mut self, has_token: bool, now: Timestamp) -> Option<Requests> {
        let (extent, at) = self.next_reading(has_token)?;
        if at > now || self.is_reading() {
            return None;
        }
        self.start(extent, now, |_| true, |_| true)
    }

    /// What the next reading is of, and when it is due; literals alone need none.
    pub fn next_reading(&self, has_token: bool) -> Option<(Extent, Timestamp)> {
        if !self.can_change() {
            return None;
        }
        let (extent, at) = self.pace.next(has_token);
        // What is held back is the latest one then, and is not lost.
        let admitted = self.entries().filter_map(Entry::held_back_until).min();
        Some(match admitted {
            Some(admitted) if admitted < at => (Extent::All, admitted),
            _ => (extent, at),
        })
    }

    /// Another reading is due at once.
    pub fn read_soon(&mut self) {
        self.pace.read_soon();
    }

    /// Starts a reading of what was never read: a new handle costs the others nothing.
    pub fn begin_with_unread(&mut self, now: Timestamp) -> Option<Requests> {
        let known: BTreeSet<Place> = self.files.keys().cloned().collect();
        self.start(Extent::All, now, |place| !known.contains(place), Group::has_unread)
    }

    fn start(
        &mut self,
        extent: Extent,
        now: Timestamp,
        wants_place: impl Fn(&Place) -> bool,
        wants_group: impl Fn(&Group) -> bool,
    ) -> Option<Requests> {
        if self.under_way.is_some() {
            self.again = true;
            return None;
        }
        self.pace.reads(extent, now);
        self.groups.iter_mut().for_each(Group::is_asked);
        let asked = self.groups.iter().filter(|group| group.takes_part_in(extent));
        let requests = Requests {
            extent,
            places: self.entries().flat_map(Entry::places).filter(wants_place).collect(),
            owners: asked.filter(|group| wants_group(group)).map(Group::owner).collect(),
        };
        self.under_way = Some(ReadingRound::new(&requests, now + self.patience));
        Some(requests)
    }

    /// Files and directories were read.
    pub fn files_read(&mut self, readings: HashMap<Place, FileReading>) {
        if let Some(round) = &mut self.under_way {
            readings.keys().for_each(|place| round.forget_place(place));
        }
        self.files.extend(readings);
    }

    /// An owner's JavaScript sources were read; `None` stands for one that has not answered yet and
    /// is waited for.
    pub fn javascript_read(&mut self, owner: Owner, readings: Vec<Option<Reading>>) {
        let Some(group) = self.groups.iter_mut().find(|group| group.owner() == owner) else {
            return;
        };
        let are_all_here = readings.iter().all(Option::is_some);
        group.take(readings);
        // A reading that calls no function gets the variables alone.
        if let Some(round) = self.under_way.as_mut().filter(|it| it.is_cheap() || are_all_here) {
            round.forget_owner(owner);
        }
    }

    /// Whether a reading has begun and not ended.
    pub fn is_reading(&self) -> bool {
        self.under_way.is_some()
    }

    /// When a reading under way goes on without the silent ones.
    pub fn deadline(&self) -> Option<Timestamp> {
        self.under_way.as_ref().map(ReadingRound::deadline)
    }

    /// Whether nothing that was asked for is still to come.
    pub fn is_complete(&self, now: Timestamp) -> bool {
        self.under_way.as_ref().is_none_or(|round| round.is_complete(now))
    }

    /// Whether a reading is under way that is complete, or has had its time.
    pub fn has_ended(&self, now: Timestamp) -> bool {
        self.under_way.as_ref().is_some_and(|round| round.is_complete(now))
    }

    /// When a reading under way goes on without the silent ones, or else the next one is due.
    pub fn wake_at(&self, has_token: bool) -> Option<Timestamp> {
        self.deadline().or_else(|| self.next_reading(has_token).map(|(_, at)| at))
    }

    /// Something was written to where sources read: a reading under way counts for nothing, and is
    /// followed by another.
    ///
    /// Otherwise a value from before a rollback, read before it and told after it, would look like
    /// a change.
    pub fn written(&mut self) {
        if let Some(round) = &mut self.under_way {
            round.outdate();
            self.again = true;
        }
    }

    /// Ends the reading; returns what the sources yield now, and what is worth telling.
    pub fn finish(&mut self, now: Timestamp) -> (Configured, Vec<(Owner, SourceNotice)>) {
        let (mut notices, mut edges) = (Vec::new(), Vec::new());
        if self.under_way.take().is_some_and(|round| round.is_outdated()) {
            return (self.configured(edges), notices);
        }
        for group in &mut self.groups {
            let told = group.update(&self.files, now, &mut edges);
            notices.extend(told.into_iter().map(|notice| (group.owner(), notice)));
        }
        self.forget_files();
        (self.configured(edges), notices)
    }

    /// How the source of each entry is.
    pub fn states(&self) -> Vec<SourceState> {
        self.groups.iter().flat_map(Group::states).collect()
    }

    /// The label of an entry, where it has one.
    pub fn label(&self, place: EntryPlace) -> Option<&str> {
        let group = self.groups.iter().find(|group| group.owner() == place.owner)?;
        group.entries().get(place.index)?.label()
    }

    /// Whether another reading was asked for meanwhile. The question clears that.
    pub fn take_again(&mut self) -> bool {
        std::mem::take(&mut self.again)
    }

    fn entries(&self) -> impl Iterator<Item = &Entry> {
        self.groups.iter().flat_map(Group::entries)
    }

    fn configured(&self, edges: Vec<Edge>) -> Configured {
        // Not one by one: a thousand of them are compared after every reading.
        let mut known = HashSet::new();
        let mut credentials: Vec<Arc<Credential>> = Vec::new();
        for credential in self.entries().flat_map(Entry::credentials) {
            if known.insert((credential.client_id.as_str(), credential.client_secret.expose())) {
                credentials.push(Arc::clone(credential));
            }
        }
        let unreadable = self.entries().find_map(Entry::problem);
        Configured {
            pending: credentials.is_empty() && self.groups.iter().any(Group::is_late),
            credentials,
            edges,
            entries: self.groups.iter().flat_map(Group::yielded).collect(),
            unreadable: unreadable
                .map(|problem| Failure::new(Code::CredentialUnavailable, problem)),
        }
    }
}
