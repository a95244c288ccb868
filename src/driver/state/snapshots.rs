//! What is told of a manager to those who look.

use super::State;
use crate::api::{Activity, HandleId, Health, Metrics, RotationMessage, Status};
use crate::clock::Timestamp;
use crate::member::MemberEvent;

impl State {
    /// Whether the ids of credentials are derived as soon as they are known.
    pub(in crate::driver) fn needs_ids(&self) -> bool {
        self.member.needs_ids()
    }

    /// Somebody looks: ids are derived from now on.
    pub(in crate::driver) fn observe(&mut self, now: Timestamp) {
        self.step(MemberEvent::Observed, now);
    }

    /// A snapshot for people.
    pub(in crate::driver) fn status(
        &self,
        name: Option<String>,
        handle: HandleId,
        now: Timestamp,
    ) -> Status {
        Status::of(name, handle, &self.member, &self.sources, self.calendar(now))
    }

    /// A snapshot for probes.
    pub(in crate::driver) fn health(
        &self,
        stalled_since: Option<Timestamp>,
        now: Timestamp,
    ) -> Health {
        let (opened_at, calendar) = (self.opened_at, self.calendar(now));
        Health::of(&self.member, &self.sources, opened_at, stalled_since, calendar)
    }

    /// A snapshot for monitoring.
    pub(in crate::driver) fn metrics(&self, now: Timestamp) -> Metrics {
        Metrics::of(&self.member, now)
    }

    /// The latest rotation.
    pub(in crate::driver) fn rotation(&self, now: Timestamp) -> Option<RotationMessage> {
        let labels = |place| self.label(place);
        let snapshot = self.member.latest_rotation();
        snapshot.map(|snapshot| RotationMessage::of(&snapshot, &labels, self.calendar(now)))
    }

    /// What it is doing, for whoever turns its clock by hand.
    pub(in crate::driver) fn activity(&self) -> Activity {
        Activity {
            is_busy: self.service.is_busy() || self.news.looks_for_listeners(),
            requests: usize::from(self.service.is_fetching()),
            is_reading: self.sources.is_reading(),
            next_wake: None,
        }
    }

    /// Every secret and token that is known here.
    pub(in crate::driver) fn each_secret(&self, see: &mut dyn FnMut(&str)) {
        self.member.known().for_each(|credential| see(credential.client_secret.expose()));
        self.issued.iter().for_each(|token| see(token.expose()));
    }
}
