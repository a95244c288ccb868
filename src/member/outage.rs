//! What a member does while its store is out of reach: it goes on with the endpoint, for itself.
//!
//! No phase advances and nothing is retired. What the endpoint has said meanwhile is stepped on once
//! the store can be read again.

use std::sync::Arc;

use super::effect::MemberEffect;
use super::item::{Answered, Item};
use super::parts::Member;
use super::step::MemberStep;
use crate::clock::Timestamp;
use crate::refresh;
use crate::rotation::{Phase, RotationEvent};
use crate::verdict::{Arrival, Verdict};

impl MemberStep<'_> {
    /// Goes on as far as that is possible without the store.
    pub(super) fn go_on_alone(&mut self) {
        if !self.member.shared.is_out() {
            return;
        }
        for (flight, verdict) in self.member.work.take_conclusions() {
            self.conclude_alone(flight, verdict);
        }
        self.identify_alone();
        let is_wanted = |item: &Item| {
            item.may_be_taken_alone() && item.credentials().iter().all(|it| it.has_id())
        };
        for item in self.member.work.take_items(is_wanted) {
            match item {
                Item::Configured(configured) => {
                    // Readings go on for as long as it lasts: what says nothing new must not add up.
                    let events = self.take_up(configured).into_iter();
                    for event in events.filter(|it| !matches!(it, RotationEvent::Ticked)) {
                        self.member.work.push(Item::Rotation(event));
                    }
                }
                Item::Answered(answered) => self.take_answer_alone(*answered),
                Item::Asked { .. } | Item::Rotation(_) | Item::Load => {}
            }
        }
        let has_token = self.member.token(self.now).is_some();
        // Nobody tells the time meanwhile.
        let now = self.member.clock.at(self.now);
        self.member.shared.lapse(has_token, now);
        self.update_offer();
    }

    fn identify_alone(&mut self) {
        let Member { work, credentials, .. } = &mut *self.member;
        let waiting = work.items().filter(|item| item.may_be_taken_alone());
        let unknown: Vec<_> =
            waiting.flat_map(Item::credentials).filter(|it| !it.has_id()).cloned().collect();
        let asked = credentials.keyring.ask_for(&unknown);
        self.effects.extend(asked.into_iter().map(MemberEffect::Identify));
    }

    /// An answer counts for this member, and for the fleet later.
    fn take_answer_alone(&mut self, answered: Answered) {
        let Answered { credential, flight, verdict, arrived_at } = answered;
        let arrived_at = self.arrival_of(arrived_at);
        let verdict = self.member.unless_unverified(&credential, verdict);
        let evidence = self.member.evidence(&verdict, self.now);
        let concluded = self.note_answer(&credential, &verdict, &evidence, arrived_at);
        if let (Verdict::Accepted(arrival), Some(_)) = (&*concluded, flight) {
            self.install(&arrival.token, self.member.serial() + 1);
        }
        let event = RotationEvent::Answered { credential: credential.id(), verdict: evidence };
        self.member.work.postpone(event);
        if let Some(flight) = flight {
            self.conclude_alone(flight, concluded);
        }
    }

    fn conclude_alone(&mut self, flight: u64, verdict: Arc<Verdict<Arrival>>) {
        self.update_offer();
        self.tell_refresh(refresh::RefreshEvent::Answered { flight, verdict });
    }
}

impl Member {
    /// When something becomes due although the store is out of reach.
    pub(super) fn outage_wake_at(&self) -> Option<Timestamp> {
        let is_pending = self.shared.is_out() && !self.shared.has_lapsed();
        match &self.record()?.phase {
            Phase::Prepared(prepared) if is_pending => Some(self.clock.own(prepared.deadline)),
            _ => None,
        }
    }

    /// Whether the active credential is withheld: a person may be replacing it.
    pub(super) fn is_withheld(&self) -> bool {
        let is_prepared = self.record().is_some_and(|it| matches!(it.phase, Phase::Prepared(_)));
        is_prepared && !self.shared.has_lapsed()
    }
}

impl Item {
    /// Whether it can be taken up as far as it concerns this member alone.
    fn may_be_taken_alone(&self) -> bool {
        matches!(self, Self::Configured(_) | Self::Answered(_))
    }

    /// The same credential's answer, once it waits for nothing but the store.
    pub(super) fn is_postponed_answer_of(&self, event: &RotationEvent) -> bool {
        match (self, event) {
            (
                Self::Rotation(RotationEvent::Answered { credential: one, .. }),
                RotationEvent::Answered { credential: other, .. },
            ) => one == other,
            _ => false,
        }
    }
}
