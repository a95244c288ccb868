//! What a member of a fleet does with a credential that the record has never seen, where it can
//! present nothing else: it serves itself, and offers it to a fleet that has nothing left.

use std::sync::Arc;

use super::item::{Answered, Item};
use super::parts::Member;
use super::step::MemberStep;
use super::work::Todo;
use crate::clock::{StoreTime, Timestamp};
use crate::credential::{Credential, CredentialId};
use crate::rotation::{Role, RotationEvent, is_forsaken};
use crate::verdict::Verdict;

impl MemberStep<'_> {
    /// The answer to a request that this member has made for itself: its token is not shared, and the
    /// record is told nothing.
    pub(super) fn take_own_answer(&mut self, answered: Answered) {
        let Answered { credential, flight, verdict, arrived_at } = answered;
        let arrived_at = self.arrival_of(arrived_at);
        let evidence = self.member.evidence(&verdict, self.now);
        let concluded = self.note_answer(&credential, &verdict, &evidence, arrived_at);
        if let Verdict::Accepted(arrival) = &*concluded {
            self.install(&arrival.token, self.member.serial() + 1);
        }
        if let Some(flight) = flight {
            self.member.work.then(Todo::Conclude { flight, verdict: concluded });
        }
    }

    /// Offers a fleet that has nothing left to present what this member is configured with.
    pub(super) fn offer_unknown(&mut self) {
        let Some(candidate) = self.member.to_offer(self.now) else { return };
        let event = RotationEvent::Changed { from: None, to: candidate };
        self.member.work.push(Item::Rotation(event));
    }
}

impl Member {
    /// The configured credentials that the record has never seen, in the order of the configuration.
    pub(super) fn unknown(&self) -> impl Iterator<Item = &Arc<Credential>> {
        let is_unknown = |one: &&Arc<Credential>| {
            let role = self.record().filter(|_| one.has_id()).map(|record| record.role(one.id()));
            role == Some(Role::Unknown) && !self.shared.is_buried(one.id())
        };
        self.credentials.configured().iter().filter(is_unknown)
    }

    /// Whether nothing is here that the record knows and the endpoint may accept, and no token of the
    /// fleet's is held.
    pub(super) fn is_for_itself(&self) -> bool {
        let Some(record) = self.record().filter(|_| self.membership.is_some()) else {
            return false;
        };
        let is_here =
            |id| self.may_present_here(id) && self.standings.ledger.rejections(id).is_none();
        let is_served = self.refresh().held().is_some_and(|held| {
            held.made_with.id().is_none_or(|id| record.role(id) != Role::Unknown)
        });
        let has_known = !self.leaves_it_to_others(record) && record.in_use().any(is_here);
        !has_known && !is_served
    }

    /// Whether an answer is to a request that this member has made for itself.
    pub(super) fn is_own(&self, answered: &Answered) -> bool {
        let role = self.record().map(|record| record.role(answered.credential.id()));
        self.membership.is_some() && answered.flight.is_some() && role == Some(Role::Unknown)
    }

    /// When what was rejected may be presented again for this member alone.
    pub(super) fn unknown_wake_at(&self, now: Timestamp) -> Option<Timestamp> {
        if !self.is_for_itself() {
            return None;
        }
        let again = self.unknown().map(|one| self.retry_at(one.id(), now));
        again.filter(|at| *at > now).min()
    }

    pub(super) fn retry_at(&self, credential: CredentialId, now: Timestamp) -> Timestamp {
        let at = self.standings.ledger.retry_at(credential, StoreTime::default());
        self.clock.due(at, now)
    }

    /// What the fleet is offered: of the client that it uses, and only where nobody holds anything
    /// that is in use, or all of it is rejected.
    fn to_offer(&self, now: Timestamp) -> Option<CredentialId> {
        let record = self.record().filter(|_| self.has_read() && !self.shared.is_out())?;
        let mut unknown = self.unknown().filter(|one| *one.client_id == *record.client);
        let candidate = unknown.next()?.id();
        let is_offered =
            |item: &Item| matches!(item, Item::Rotation(event) if event.names(candidate));
        let is_new = !self.work.items().any(is_offered);
        let is_wanted = is_new && is_forsaken(record, &self.view(), self.clock.now(now));
        is_wanted.then_some(candidate)
    }
}
