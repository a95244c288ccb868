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
    /// How long a reading waits for silent sources.
    patience: Duration,
    pace: Pace,
    under_way: Option<ReadingRound>,
    /// A reading was requested while another was under way.
    again: bool,
}

impl Sources {
    /// Creates an empty list. Its sources will be read every `poll`, and waited for as long as
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

    /// Adds a handle's entries after those of earlier handles.
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

    /// Forgets files that no entry reads any more, so that a later entry gets no old text.
    fn forget_files(&mut self) {
        let wanted: BTreeSet<Place> = self.entries().flat_map(Entry::places).collect();
        self.files.retain(|place, _| wanted.contains(place));
    }

    /// Returns the entries whose variables hold another credential than the accepted one, which
    /// took precedence over them. Each is returned once.
    pub fn take_stale(&mut self, accepted: &Credential) -> Vec<EntryPlace> {
        self.groups.iter_mut().flat_map(|group| group.take_stale(accepted)).collect()
    }

    /// Whether anything can change: literals alone need no polling.
    pub fn can_change(&self) -> bool {
        self.entries().any(Entry::can_change)
    }

    /// Starts a reading of everything. If one is under way, returns `None`, and another follows it.
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

    /// Returns what the next reading covers, and when it is due. Literals alone need none.
    pub fn next_reading(&self, has_token: bool) -> Option<(Extent, Timestamp)> {
        if !self.can_change() {
            return None;
        }
        let (extent, at) = self.pace.next(has_token);
        // A change that was held back is not lost: the latest value is read then.
        let admitted = self.entries().filter_map(Entry::held_back_until).min();
        Some(match admitted {
            Some(admitted) if admitted < at => (Extent::All, admitted),
            _ => (extent, at),
        })
    }

    /// Makes another reading due at once.
    pub fn read_soon(&mut self) {
        self.pace.read_soon();
    }

    /// Starts a reading of what was never read, so that a new handle costs the others nothing.
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

    /// Takes over what was read from files and directories.
    pub fn files_read(&mut self, readings: HashMap<Place, FileReading>) {
        if let Some(round) = &mut self.under_way {
            for place in readings.keys() {
                round.forget_place(place);
            }
        }
        self.files.extend(readings);
    }

    /// Takes over what was read from an owner's JavaScript sources. `None` stands for one that is
    /// still awaited.
    pub fn javascript_read(&mut self, owner: Owner, readings: Vec<Option<Reading>>) {
        let Some(group) = self.groups.iter_mut().find(|group| group.owner() == owner) else {
            return;
        };
        let are_all_here = readings.iter().all(Option::is_some);
        group.take(readings);
        // A reading that calls no function gets only the variables.
        if let Some(round) = self.under_way.as_mut().filter(|it| it.is_cheap() || are_all_here) {
            round.forget_owner(owner);
        }
    }

    /// Whether a reading is under way.
    pub fn is_reading(&self) -> bool {
        self.under_way.is_some()
    }

    /// When the reading under way stops waiting for silent sources.
    pub fn deadline(&self) -> Option<Timestamp> {
        self.under_way.as_ref().map(ReadingRound::deadline)
    }

    /// Whether nothing that was requested is still awaited.
    pub fn is_complete(&self, now: Timestamp) -> bool {
        self.under_way.as_ref().is_none_or(|round| round.is_complete(now))
    }

    /// Whether the reading under way is complete or has passed its deadline.
    pub fn has_ended(&self, now: Timestamp) -> bool {
        self.under_way.as_ref().is_some_and(|round| round.is_complete(now))
    }

    /// When the reading under way stops waiting for silent sources, or else the next one is due.
    pub fn wake_at(&self, has_token: bool) -> Option<Timestamp> {
        self.deadline().or_else(|| self.next_reading(has_token).map(|(_, at)| at))
    }

    /// Notes that something was written where sources read. A reading under way is discarded, and
    /// another follows.
    ///
    /// Otherwise a value that was read before a rollback and reported after it would look like a
    /// change.
    pub fn written(&mut self) {
        if let Some(round) = &mut self.under_way {
            round.outdate();
            self.again = true;
        }
    }

    /// Ends the reading. Returns what the sources yield now, and what people should know of.
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

    /// Returns the state of each entry's source.
    pub fn states(&self) -> Vec<SourceState> {
        self.groups.iter().flat_map(Group::states).collect()
    }

    /// The label of an entry, if it has one.
    pub fn label(&self, place: EntryPlace) -> Option<&str> {
        let group = self.groups.iter().find(|group| group.owner() == place.owner)?;
        group.entries().get(place.index)?.label()
    }

    /// Whether another reading was requested meanwhile. Clears the request.
    pub fn take_again(&mut self) -> bool {
        std::mem::take(&mut self.again)
    }

    fn entries(&self) -> impl Iterator<Item = &Entry> {
        self.groups.iter().flat_map(Group::entries)
    }

    fn configured(&self, edges: Vec<Edge>) -> Configured {
        // A set, since a thousand credentials may be compared after every reading.
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
