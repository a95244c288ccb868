//! How handles and tasks come and go, and what time makes due in between.

use std::sync::Arc;

use super::State;
use crate::api::HandleId;
use crate::clock::Timestamp;
use crate::driver::listener::{Listener, Word};
use crate::member::MemberEvent;
use crate::source::{EntrySpec, Reading};

impl State {
    /// Adds a handle with its entries; `initial` is what the facade has read already.
    pub(in crate::driver) fn add_handle(
        &mut self,
        id: HandleId,
        (entries, initial): (Vec<EntrySpec>, Vec<Option<Reading>>),
        (listener, word): (Arc<dyn Listener>, Box<dyn Word>),
        now: Timestamp,
    ) {
        self.handles.open(id, listener, word);
        self.sources.add(id, entries, initial);
        let requests = self.sources.begin_with_unread(now);
        self.read(requests, now);
    }

    /// Lets a handle go; returns whether it was the last one.
    pub(in crate::driver) fn remove_handle(&mut self, id: HandleId, now: Timestamp) -> bool {
        self.dismiss_callers(id, now);
        self.abandon_persists(id, now);
        self.handles.close(id);
        self.is_ignored_by(id);
        self.sources.remove(id);
        let is_last = self.handles.is_empty();
        if is_last {
            self.step(MemberEvent::Closed, now);
            self.show_no_keys(now);
        } else {
            self.finish_reading_if_complete(now);
        }
        is_last
    }

    /// Whether no handle is open any more.
    pub(in crate::driver) fn is_closed(&self) -> bool {
        self.handles.is_empty()
    }

    /// Does whatever time has made due.
    pub(in crate::driver) fn tick(&mut self, now: Timestamp) {
        if self.sources.has_ended(now) {
            self.finish_reading(now);
        }
        let has_token = self.member.token(now).is_some();
        let requests = self.sources.begin_if_due(has_token, now);
        self.read(requests, now);
        self.warn_of_expiry(now);
        self.step(MemberEvent::Ticked, now);
    }

    /// When [`State::tick`] is due; the task sleeps until then.
    pub(in crate::driver) fn sleep(&mut self, now: Timestamp) -> Option<Timestamp> {
        let has_token = self.member.token(now).is_some();
        let warning = self.warnings.wait(self.clock.utc_millis(now)).map(|wait| now + wait);
        let key_end = self.next_key_end(now);
        let wakes = [self.member.wake_at(now), self.sources.wake_at(has_token), warning, key_end];
        let wake_at = wakes.into_iter().flatten().min();
        self.service.sleeps_until(wake_at);
        wake_at
    }

    /// The task died: until another one watches over expiry, every call asks for itself.
    pub(in crate::driver) fn suspend(&mut self, now: Timestamp) {
        self.service.suspend(now);
        self.handles.withdraw();
    }

    /// A new task begins: the token that is still valid first, then everything else.
    pub(in crate::driver) fn restart(&mut self, now: Timestamp) {
        self.service.restart();
        self.errands.clear();
        self.step(MemberEvent::Restarted, now);
        // A reading under way died too; sources that have not answered count as silent.
        self.finish_reading(now);
        self.sources.read_soon();
    }
}
