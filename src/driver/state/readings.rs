//! Readings of the sources, and what the task reports of its other errands.

use std::collections::HashMap;

use super::State;
use crate::api::{HandleId, Message, UntoldEvent};
use crate::clock::Timestamp;
use crate::driver::errand::Errand;
use crate::member::MemberEvent;
use crate::rotation::PersistOutcome;
use crate::source::{Extent, FileReading, Place, Reading, Requests};

impl State {
    /// Reads all sources, and has what was rejected tried again.
    pub(in crate::driver) fn reload(&mut self, now: Timestamp) {
        self.step(MemberEvent::Reloaded, now);
        self.read_again(now);
    }

    /// Reads all sources; a reading that is under way is followed by another.
    pub(super) fn read_again(&mut self, now: Timestamp) {
        let requests = self.sources.begin(now);
        self.read(requests, now);
    }

    /// Passes on which files and functions are to be read.
    pub(super) fn read(&mut self, requests: Option<Requests>, now: Timestamp) {
        let Some(requests) = requests else { return };
        if !requests.places.is_empty() {
            self.errands.push_back(Errand::ReadFiles(requests.places));
        }
        let variables_only = requests.extent == Extent::Cheap;
        for owner in requests.owners {
            self.handles.tell(owner, &Message::Read { handle: owner, variables_only });
        }
        self.finish_reading_if_complete(now);
    }

    /// Files and directories were read.
    pub(in crate::driver) fn files_read(
        &mut self,
        readings: HashMap<Place, FileReading>,
        now: Timestamp,
    ) {
        self.sources.files_read(readings);
        self.finish_reading_if_complete(now);
    }

    /// A handle's JavaScript sources were read.
    pub(in crate::driver) fn javascript_read(
        &mut self,
        handle: HandleId,
        readings: Vec<Option<Reading>>,
        now: Timestamp,
    ) {
        self.sources.javascript_read(handle, readings);
        self.finish_reading_if_complete(now);
    }

    /// Tells the member what was read, if every source has answered or has had its time.
    pub(super) fn finish_reading_if_complete(&mut self, now: Timestamp) {
        if self.sources.is_complete(now) {
            self.finish_reading(now);
        }
    }

    /// Ends the reading at once; sources that have not answered count as silent.
    pub(super) fn finish_reading(&mut self, now: Timestamp) {
        let (configured, notices) = self.sources.finish(now);
        for (owner, notice) in notices {
            self.note(UntoldEvent::of_source(owner, notice), now);
        }
        let is_followed = self.sources.take_again();
        self.step(MemberEvent::Configured { configured, is_followed }, now);
        if is_followed {
            self.read_again(now);
        }
    }

    /// The task reports what came of an errand.
    pub(in crate::driver) fn report(&mut self, event: MemberEvent, now: Timestamp) {
        if let MemberEvent::Persisted { outcome: PersistOutcome::Done, .. } = &event {
            self.sources.written();
        }
        self.step(event, now);
    }

    /// A persist function of this handle has written, or has failed to.
    pub(in crate::driver) fn javascript_wrote(
        &mut self,
        handle: HandleId,
        write: u64,
        (outcome, message): (PersistOutcome, Option<String>),
        now: Timestamp,
    ) {
        if self.persisting.take_from(write, handle) {
            self.report(MemberEvent::Persisted { write, outcome, message }, now);
        }
    }
}
