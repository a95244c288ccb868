//! What happened, on its way to those who listen.

use super::State;
use crate::api::{HandleId, UntoldEvent};
use crate::clock::Timestamp;
use crate::member::{MemberEvent, MemberNotice};

impl State {
    /// Queues what the member has to tell.
    pub(super) fn notice(&mut self, notice: MemberNotice, now: Timestamp) {
        let labels = |place| self.label(place);
        let calendar = self.calendar(now);
        let event = UntoldEvent::of_notice(notice, &self.member, &labels, calendar);
        self.note(event, now);
    }

    /// Warns of credentials that expire soon.
    pub(super) fn warn_of_expiry(&mut self, now: Timestamp) {
        for warning in self.warnings.take_due(self.clock.utc_millis(now)) {
            self.note(UntoldEvent::of_expiry(warning), now);
        }
    }

    /// Queues an event.
    pub(super) fn note(&mut self, event: UntoldEvent, now: Timestamp) {
        let at = self.calendar(now).utc(now);
        self.news.note(at, event);
    }

    /// Somebody listens from now on.
    pub(in crate::driver) fn is_listened_to(&mut self, now: Timestamp) {
        self.news.is_listened_to();
        self.step(MemberEvent::Observed, now);
    }

    /// Nobody listens by way of this handle.
    pub(in crate::driver) fn is_ignored_by(&mut self, handle: HandleId) {
        self.news.is_ignored_by(handle);
    }
}
