//! Configured credentials and how they change.
//!
//! Pure: it says what to read and is told what was read. Files are read by the driver, JavaScript's
//! own sources (environment variables, callbacks) by the facade.

mod configured;
mod entry;
mod flaw;
mod pace;
mod reading;
mod spec;
mod state;
mod throttle;
mod yields;

#[cfg(test)]
mod tests;

use std::collections::{BTreeSet, HashMap, HashSet};
use std::sync::Arc;
use std::time::Duration;

use crate::clock::Timestamp;
use crate::credential::Credential;
use crate::error::{Code, Failure};
pub use configured::{Configured, Edge, EntryPlace, Owner, Yielded};
use entry::Entry;
pub use pace::Extent;
use pace::Pace;
pub use reading::{CredentialText, FileReading, Place, Reading};
pub use spec::{EntrySpec, Field, SourceSpec};
pub use state::{SourceChange, SourceNotice, SourceProblem, SourceState, Throttled};
use yields::Readings;

/// What to read now; nothing, when everything is known already.
#[derive(Debug, PartialEq, Eq)]
pub struct Requests {
    /// Of what.
    pub extent: Extent,
    /// Files and directories, for the driver.
    pub places: BTreeSet<Place>,
    /// Owners whose JavaScript sources are to be asked.
    pub owners: Vec<Owner>,
}

/// The sources of all handles of one logical client, in the order in which they were opened.
#[derive(Debug)]
pub struct Sources {
    groups: Vec<Group>,
    files: HashMap<Place, FileReading>,
    /// How long a reading may take before it goes on without the ones that are silent.
    patience: Duration,
    pace: Pace,
    under_way: Option<UnderWay>,
    /// Somebody asked for a reading while one was under way.
    again: bool,
    /// What is being read was written meanwhile: what the reading brings may be older than that.
    is_outdated: bool,
}

#[derive(Debug)]
struct Group {
    owner: Owner,
    entries: Vec<Entry>,
    javascript: Vec<Option<Reading>>,
    /// It came during a reading: it is asked in the next one, and its silence means nothing yet.
    is_late: bool,
}

#[derive(Debug)]
struct UnderWay {
    places: BTreeSet<Place>,
    owners: Vec<Owner>,
    extent: Extent,
    deadline: Timestamp,
}

impl Sources {
    /// No sources yet, which are read so often.
    pub fn new(patience: Duration, poll: Duration) -> Self {
        Self {
            groups: Vec::new(),
            files: HashMap::new(),
            patience,
            pace: Pace::new(poll),
            under_way: None,
            again: false,
            is_outdated: false,
        }
    }

    /// Adds a handle's entries, behind those of earlier handles.
    ///
    /// `javascript` holds what the facade has read already, by the index of the source.
    pub fn add(&mut self, owner: Owner, entries: Vec<EntrySpec>, javascript: Vec<Option<Reading>>) {
        let entries =
            entries.into_iter().enumerate().map(|(index, spec)| Entry::new(index, spec)).collect();
        let is_late = self.is_reading();
        self.groups.push(Group { owner, entries, javascript, is_late });
    }

    /// Forgets a handle's entries.
    pub fn remove(&mut self, owner: Owner) {
        self.groups.retain(|group| group.owner != owner);
        self.forget_files();
        if let Some(under_way) = &mut self.under_way {
            under_way.owners.retain(|waiting| *waiting != owner);
        }
    }

    /// Forgets what nothing reads any more: who reads it again later does not get what is outdated by then.
    fn forget_files(&mut self) {
        let entries = self.groups.iter().flat_map(|group| &group.entries);
        let wanted: BTreeSet<Place> = entries.flat_map(Entry::places).collect();
        self.files.retain(|place, _| wanted.contains(place));
    }

    /// The entries in front of whose variables this credential stood, which was accepted, and whose variables
    /// hold another one; each is told once.
    pub fn take_stale(&mut self, accepted: &Credential) -> Vec<EntryPlace> {
        let mut stale = Vec::new();
        for group in &mut self.groups {
            for (index, entry) in group.entries.iter_mut().enumerate() {
                if entry.take_stale(accepted) {
                    stale.push(EntryPlace { owner: group.owner, index });
                }
            }
        }
        stale
    }

    /// Whether anything can change: literals alone need no polling.
    pub fn can_change(&self) -> bool {
        self.groups.iter().any(|group| group.entries.iter().any(Entry::can_change))
    }

    /// Starts a reading of everything; none while one is under way, which is then followed by another.
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

    /// When the next reading is due, and of what; literals alone need none.
    pub fn next_reading(&self, has_token: bool) -> Option<(Extent, Timestamp)> {
        if !self.can_change() {
            return None;
        }
        let (extent, at) = self.pace.next(has_token);
        let entries = self.groups.iter().flat_map(|group| &group.entries);
        // What is held back is the latest one then, and is not lost.
        let admitted = entries.filter_map(Entry::held_back_until).min();
        Some(match admitted {
            Some(admitted) if admitted < at => (Extent::All, admitted),
            _ => (extent, at),
        })
    }

    /// Another reading is due at once.
    pub fn read_soon(&mut self) {
        self.pace.read_soon();
    }

    /// As [`Sources::begin`], but of what was never read: a new handle costs the others nothing.
    pub fn begin_with_unread(&mut self, now: Timestamp) -> Option<Requests> {
        let known: BTreeSet<Place> = self.files.keys().cloned().collect();
        self.start(
            Extent::All,
            now,
            |place| !known.contains(place),
            |group| group.javascript.iter().any(Option::is_none),
        )
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
        self.groups.iter_mut().for_each(|group| group.is_late = false);
        let entries = self.groups.iter().flat_map(|group| &group.entries);
        let asking = |group: &&Group| {
            group.entries.iter().any(|entry| match extent {
                Extent::All => entry.asks_javascript(),
                Extent::Cheap => entry.has_variables(),
            })
        };
        let requests = Requests {
            extent,
            places: entries.flat_map(Entry::places).filter(wants_place).collect(),
            owners: self
                .groups
                .iter()
                .filter(asking)
                .filter(|group| wants_group(group))
                .map(|group| group.owner)
                .collect(),
        };
        self.under_way = Some(UnderWay {
            places: requests.places.clone(),
            owners: requests.owners.clone(),
            extent,
            deadline: now + self.patience,
        });
        Some(requests)
    }

    /// Files and directories were read.
    pub fn files_read(&mut self, readings: HashMap<Place, FileReading>) {
        if let Some(under_way) = &mut self.under_way {
            under_way.places.retain(|place| !readings.contains_key(place));
        }
        self.files.extend(readings);
    }

    /// An owner's JavaScript sources answered; `None` stands for one that still has not, and is
    /// waited for.
    pub fn javascript_read(&mut self, owner: Owner, readings: Vec<Option<Reading>>) {
        let Some(group) = self.groups.iter_mut().find(|group| group.owner == owner) else { return };
        // Who is not asked for functions answers with the variables alone.
        let is_cheap = self.under_way.as_ref().is_some_and(|it| it.extent == Extent::Cheap);
        let are_all_here = is_cheap || readings.iter().all(Option::is_some);
        for (known, read) in group.javascript.iter_mut().zip(readings) {
            if read.is_some() {
                *known = read;
            }
        }
        if let Some(under_way) = self.under_way.as_mut().filter(|_| are_all_here) {
            under_way.owners.retain(|waiting| *waiting != owner);
        }
    }

    /// Whether a reading has begun and not ended.
    pub fn is_reading(&self) -> bool {
        self.under_way.is_some()
    }

    /// When a reading under way goes on without the silent ones.
    pub fn deadline(&self) -> Option<Timestamp> {
        self.under_way.as_ref().map(|under_way| under_way.deadline)
    }

    /// Whether nothing that was asked for is still to come.
    pub fn is_complete(&self, now: Timestamp) -> bool {
        self.under_way.as_ref().is_none_or(|under_way| {
            under_way.places.is_empty() && under_way.owners.is_empty() || now >= under_way.deadline
        })
    }

    /// Whether a reading is under way that is complete, or has had its time.
    pub fn has_ended(&self, now: Timestamp) -> bool {
        self.is_reading() && self.is_complete(now)
    }

    /// When a reading under way goes on without the silent ones, or else the next one is due.
    pub fn wake_at(&self, has_token: bool) -> Option<Timestamp> {
        self.deadline().or_else(|| self.next_reading(has_token).map(|(_, at)| at))
    }

    /// Something was written to where sources read: a reading under way counts for nothing, and is
    /// followed by another.
    ///
    /// Else a value from before a rollback, read before and told after it, would pass for a change.
    pub fn written(&mut self) {
        if self.is_reading() {
            self.is_outdated = true;
            self.again = true;
        }
    }

    /// Ends the reading: what the sources yield now, and what is worth telling.
    pub fn finish(&mut self, now: Timestamp) -> (Configured, Vec<(Owner, SourceNotice)>) {
        self.under_way = None;
        let (mut notices, mut edges) = (Vec::new(), Vec::new());
        if std::mem::take(&mut self.is_outdated) {
            return (self.configured(edges), notices);
        }
        for group in &mut self.groups {
            let readings = Readings { files: &self.files, javascript: &group.javascript };
            for (index, entry) in group.entries.iter_mut().enumerate() {
                if group.is_late && !entry.has_answer(readings) {
                    continue;
                }
                let change = entry.update(readings, now, &mut edges);
                let label = entry.label().map(str::to_owned);
                notices.extend(
                    change
                        .map(|change| (group.owner, SourceNotice { entry: index, label, change })),
                );
            }
        }
        self.forget_files();
        (self.configured(edges), notices)
    }

    /// How the source of each entry is.
    pub fn states(&self) -> Vec<SourceState> {
        let states = self.groups.iter().flat_map(|group| {
            group.entries.iter().enumerate().map(|(index, entry)| SourceState {
                place: EntryPlace { owner: group.owner, index },
                label: entry.label().map(str::to_owned),
                is_pending: !entry.was_read(),
                problem: entry.trouble().cloned(),
                throttled: entry.throttled().cloned(),
                is_covered: entry.problem().is_none(),
            })
        });
        states.collect()
    }

    /// The label of an entry, where it has one.
    pub fn label(&self, place: EntryPlace) -> Option<&str> {
        let group = self.groups.iter().find(|group| group.owner == place.owner)?;
        group.entries.get(place.index)?.label()
    }

    /// Whether another reading was asked for meanwhile; asking clears it.
    pub fn take_again(&mut self) -> bool {
        std::mem::take(&mut self.again)
    }

    fn configured(&self, edges: Vec<Edge>) -> Configured {
        let entries = || self.groups.iter().flat_map(|group| &group.entries);
        // Not one by one: a thousand of them are compared after every reading.
        let mut known = HashSet::new();
        let mut credentials: Vec<Arc<Credential>> = Vec::new();
        for credential in entries().flat_map(Entry::credentials) {
            if known.insert((credential.client_id.as_str(), credential.client_secret.expose())) {
                credentials.push(Arc::clone(credential));
            }
        }
        let unreadable = entries().find_map(Entry::problem);
        let is_awaited = || self.groups.iter().any(|group| group.is_late);
        let yielded = self.groups.iter().flat_map(|group| {
            group.entries.iter().enumerate().map(|(index, entry)| Yielded {
                place: EntryPlace { owner: group.owner, index },
                credentials: entry.credentials().cloned().collect(),
                persist: entry.persist(),
                has_variables: entry.has_variables(),
            })
        });
        Configured {
            pending: credentials.is_empty() && is_awaited(),
            credentials,
            edges,
            entries: yielded.collect(),
            unreadable: unreadable
                .map(|problem| Failure::new(Code::CredentialUnavailable, problem)),
        }
    }
}
