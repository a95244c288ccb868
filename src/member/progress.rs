//! How what concerns the record is taken up, one item after the other: step, write, effects.

use std::sync::Arc;

use super::effect::MemberEffect;
use super::item::Item;
use super::notices::Context;
use super::parts::Member;
use super::step::MemberStep;
use super::work::{Pending, Todo};
use crate::clock::StoreTime;
use crate::credential::Credential;
use crate::refresh;
use crate::rotation::{self, PhaseName, TokenChange};
use crate::source::{Configured, Edge};
use crate::store::{Fresh, Operation};

impl MemberStep<'_> {
    /// Goes on until a store operation, a missing id or the end of the queue.
    pub(super) fn go_on(&mut self) {
        loop {
            while !self.member.work.is_storing() {
                if let Some(todo) = self.member.work.next_todo() {
                    self.perform(todo);
                } else if !self.take_up_next() {
                    break;
                }
            }
            if self.member.work.is_storing() {
                // The token that is being stored may be all that a refresh would be for.
                return self.go_on_alone();
            }
            self.update_offer();
            self.offer_unknown();
            self.look_at_waits();
            self.look_at_watches();
            // What was done may have made more due: it is done now, not by another tick.
            if self.member.rotation_wake_at(self.now).is_some_and(|at| at <= self.now) {
                self.member.work.push(Item::TICK);
            }
            let next = self.member.work.next_item().filter(|_| self.member.has_read());
            if !next.is_some_and(|item| self.member.unidentified(item).is_empty()) {
                return;
            }
        }
    }

    fn take_up_next(&mut self) -> bool {
        if !self.member.has_read() && !matches!(self.member.work.next_item(), Some(Item::Load)) {
            return false;
        }
        self.resolve_candidate();
        let member = &mut *self.member;
        let Some(item) = member.work.next_item() else { return false };
        let unknown = member.unidentified(item);
        if !unknown.is_empty() && !member.needs_ids() {
            return false;
        }
        if member.needs_ids() {
            member.work.want_ids();
        }
        if !unknown.is_empty() {
            let asked = member.credentials.keyring.ask_for(&unknown);
            self.effects.extend(asked.into_iter().map(MemberEffect::Identify));
            return false;
        }
        match member.work.take_item() {
            Some(Item::Configured(configured)) => self.take_configuration(configured),
            Some(Item::Answered(answered)) => self.take_answer(*answered),
            Some(Item::Asked { caller, request }) => self.take_request(caller, request),
            Some(Item::Rotation(event)) => self.member.work.then(Todo::Step(event)),
            Some(Item::Load) => self.load(rotation::RotationEvent::Ticked),
            None => return false,
        }
        true
    }

    fn take_configuration(&mut self, configured: Configured) {
        for event in self.take_up(configured) {
            self.member.work.then(Todo::Step(event));
        }
        self.member.prune();
    }

    /// What the sources yield counts from now on; returns what the record is to be told of it.
    pub(super) fn take_up(&mut self, configured: Configured) -> Vec<rotation::RotationEvent> {
        let Member { credentials, targets, shared, membership, .. } = &mut *self.member;
        credentials.take_up(configured.credentials, configured.entries);
        targets.name_places(credentials.entries(), membership.is_some());
        targets.prune(shared.record(), credentials.entries());
        let event = |edge: Edge| {
            let to = edge.to.id();
            if edge.is_start {
                rotation::RotationEvent::Started(to)
            } else {
                rotation::RotationEvent::Changed { from: edge.from.map(|from| from.id()), to }
            }
        };
        for edge in configured.edges.iter().filter(|edge| !edge.is_start) {
            shared.unbury(edge.to.id());
        }
        let edges = configured.edges.into_iter().map(event);
        edges.chain([rotation::RotationEvent::Ticked]).collect()
    }

    fn perform(&mut self, todo: Todo) {
        match todo {
            Todo::Step(event) => self.rotate(event),
            Todo::Effect(effect) => self.perform_effect(effect),
            Todo::Conclude { flight, verdict } => {
                self.update_offer();
                self.tell_refresh(refresh::RefreshEvent::Answered { flight, verdict });
            }
        }
    }

    /// Has the credential lifecycle take a step; what follows from it waits for its write.
    fn rotate(&mut self, event: rotation::RotationEvent) {
        self.member.prune();
        let member = &mut *self.member;
        let view = rotation::View { nonce: self.chance.bits(), ..member.view() };
        let now = member.instant_of(&event).unwrap_or_else(|| member.clock.now(self.now));
        member.work.step_at(now);
        let step = rotation::step(member.record(), &view, &event, now);
        let Some(write) = step.write.clone() else {
            member.work.follow(step.effects);
            return;
        };
        let token = match write.token {
            TokenChange::Keep => None,
            TokenChange::Replace { credential, .. } => {
                let token = member.tokens.of(credential).cloned();
                if token.is_none() {
                    // It was forgotten with a credential that was gone for a while.
                    member.standings.ledger.forget_proof(credential);
                    member.work.first(event);
                    return;
                }
                token
            }
        };
        let fresh = token.as_ref().map(|token| {
            let (id, text) = (token.id, token.text.clone());
            Fresh { id, text, issued_at: member.clock.told(token.issued_at, self.now) }
        });
        let pending = Pending::Write { event, step: Box::new(step), token };
        self.operate(pending, Operation::Write(Box::new(write), fresh));
    }

    fn perform_effect(&mut self, effect: rotation::RotationEffect) {
        let member = &mut *self.member;
        match effect {
            rotation::RotationEffect::Probe(id) => {
                if let Some(credential) = member.credentials.keyring.get(id).map(Arc::clone) {
                    self.request(&credential, None);
                }
            }
            rotation::RotationEffect::Serve { credential, generation } => {
                let Some(token) = member.tokens.of(credential).map(Arc::clone) else { return };
                self.put_token(token, generation);
            }
            rotation::RotationEffect::DropTokens(id) => self.drop_tokens(id),
            rotation::RotationEffect::Persist { target: target_id, credential } => {
                let credential = member.credentials.keyring.get(credential).map(Arc::clone);
                if let Some(credential) = credential {
                    self.persist(target_id, &credential);
                }
            }
            rotation::RotationEffect::Keep(caller) => self.keep(caller),
            rotation::RotationEffect::Answer { caller, outcome } => self.settle(caller, outcome),
            rotation::RotationEffect::Notify(notice) => {
                let from = PhaseName::of(member.record());
                self.tell_change(&notice, Context { from, was: None });
            }
        }
    }
}

impl Member {
    /// When the first record would have been made, had its ids been known: the token that came then
    /// may have expired, and its credential was active all the same.
    fn instant_of(&self, event: &rotation::RotationEvent) -> Option<StoreTime> {
        let rotation::RotationEvent::Answered { credential, .. } = event else { return None };
        let (id, arrived_at) = self.work.taken_in().filter(|_| self.record().is_none())?;
        (id == *credential).then_some(arrived_at)
    }

    /// The credentials that an item speaks of and whose ids are not known.
    fn unidentified(&self, item: &Item) -> Vec<Arc<Credential>> {
        let named = match item {
            Item::Asked { caller, .. } => {
                self.calls.get(*caller).and_then(|open| open.candidate.as_ref())
            }
            _ => None,
        };
        let all = item.credentials().into_iter().chain(named);
        all.filter(|one| !one.has_id()).cloned().collect()
    }
}
