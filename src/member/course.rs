//! How what concerns the record is taken up, one after the other: step, write, effects.

use std::sync::Arc;

use super::answering::Answered;
use super::change::Context;
use super::storing::Pending;
use super::{Candidate, Effect, Member, Notice, Step};
use crate::clock::Timestamp;
use crate::credential::{Credential, CredentialId};
use crate::refresh;
use crate::rotation::{self, CallerId, PhaseName, Request, TokenChange};
use crate::source::Configured;
use crate::store::{Fresh, TokenWrite};
use crate::verdict::{Arrival, Verdict};

/// Something that concerns the record.
#[derive(Debug)]
pub(super) enum Item {
    Configured(Configured),
    Answered(Box<Answered>),
    Asked { caller: CallerId, request: Request<Candidate> },
    Rotation(rotation::Event),
}

impl Item {
    /// The credential whose answer it is.
    fn answered(&self) -> Option<&Arc<Credential>> {
        match self {
            Self::Answered(answered) => Some(&answered.credential),
            _ => None,
        }
    }
}

/// What is left to do of what was taken up.
#[derive(Debug)]
pub(super) enum Todo {
    Step(rotation::Event),
    Effect(rotation::Effect),
    /// The refresh is told what its request brought.
    Conclude {
        flight: u64,
        verdict: Arc<Verdict<Arrival>>,
    },
}

impl Step<'_> {
    /// Goes on until a store operation, a missing id or the end of the queue.
    pub(super) fn go_on(&mut self) {
        loop {
            while self.member.pending.is_none() {
                if let Some(todo) = self.member.todo.pop_front() {
                    self.perform(todo);
                } else if !self.take_up_next() {
                    break;
                }
            }
            if self.member.pending.is_some() {
                // The token that is being stored may be all that a refresh would be for.
                return;
            }
            self.update_offer();
            self.look_at_waits();
            self.look_at_watches();
            // What was done may have made more due: it is done now, not by another tick.
            if self.member.rotation_wake_at(self.now).is_some_and(|at| at <= self.now) {
                self.member.queue.push_back(Item::Rotation(rotation::Event::Ticked));
            }
            if !self.can_take_up() {
                return;
            }
        }
    }

    fn can_take_up(&self) -> bool {
        let is_known = |item| self.member.unidentified(item).is_empty();
        self.member.queue.front().is_some_and(is_known)
    }

    fn take_up_next(&mut self) -> bool {
        self.resolve_candidate();
        let member = &mut *self.member;
        let Some(item) = member.queue.front() else { return false };
        let unknown = member.unidentified(item);
        if !unknown.is_empty() && !member.needs_ids() {
            return false;
        }
        member.wants_ids = member.needs_ids();
        if !unknown.is_empty() {
            let asked = member.keyring.ask_for(&unknown);
            self.effects.extend(asked.into_iter().map(Effect::Identify));
            return false;
        }
        member.taken_in = None;
        match member.queue.pop_front() {
            Some(Item::Configured(configured)) => self.take_configuration(configured),
            Some(Item::Answered(answered)) => self.take_answer(*answered),
            Some(Item::Asked { caller, request }) => self.take_request(caller, request),
            Some(Item::Rotation(event)) => self.member.todo.push_back(Todo::Step(event)),
            None => return false,
        }
        true
    }

    fn take_configuration(&mut self, configured: Configured) {
        let member = &mut *self.member;
        configured.credentials.iter().for_each(|credential| member.keyring.add(credential));
        member.taken_up = configured.credentials;
        member.entries = configured.entries;
        member.sinks.prune(member.record.as_ref(), &member.entries);
        let is_there = |place| member.entries.iter().any(|entry| entry.place == place);
        member.replaced.retain(|place, _| is_there(*place));
        for edge in configured.edges {
            let to = edge.to.id();
            let event = if edge.is_start {
                rotation::Event::Started(to)
            } else {
                rotation::Event::Changed { from: edge.from.map(|from| from.id()), to }
            };
            member.todo.push_back(Todo::Step(event));
        }
        member.todo.push_back(Todo::Step(rotation::Event::Ticked));
        member.show();
    }

    fn perform(&mut self, todo: Todo) {
        match todo {
            Todo::Step(event) => self.rotate(event),
            Todo::Effect(effect) => self.perform_effect(effect),
            Todo::Conclude { flight, verdict } => {
                self.update_offer();
                self.tell_refresh(refresh::Event::Answered { flight, verdict });
            }
        }
    }

    /// Has the credential lifecycle take a step; what follows from it waits for its write.
    fn rotate(&mut self, event: rotation::Event) {
        self.member.show();
        let member = &mut *self.member;
        member.view.nonce = self.chance.bits();
        let now = member.instant_of(&event).unwrap_or(self.now);
        member.stepped_at = now;
        let step = rotation::step(member.record.as_ref(), &member.view, &event, now);
        let Some(write) = step.write.clone() else {
            self.follow(step.effects);
            return;
        };
        let token = match write.token {
            TokenChange::Keep => None,
            TokenChange::Replace { credential, .. } => {
                let token = member.obtained.get(&credential).cloned();
                if token.is_none() {
                    // It was forgotten with a credential that was gone for a while.
                    member.view.ledger.forget_proof(credential);
                    member.todo.push_front(Todo::Step(event));
                    return;
                }
                token
            }
        };
        let fresh = token.as_ref().map(|token| {
            let (text, issued_at) = (token.text.clone(), token.issued_at);
            Fresh { text, issued_at }
        });
        member.pending = Some(Pending::Write { event, step: Box::new(step), token });
        self.effects.push(Effect::Write(Box::new(write), fresh));
    }

    /// What a step wants done comes before anything that was to be done after it.
    pub(super) fn follow(&mut self, effects: Vec<rotation::Effect>) {
        for effect in effects.into_iter().rev() {
            self.member.todo.push_front(Todo::Effect(effect));
        }
    }

    fn perform_effect(&mut self, effect: rotation::Effect) {
        match effect {
            rotation::Effect::Probe(id) => {
                if let Some(credential) = self.member.keyring.get(id).map(Arc::clone) {
                    self.request(&credential, None);
                }
            }
            rotation::Effect::Serve { credential, generation } => {
                let Some(token) = self.member.obtained.get(&credential).map(Arc::clone) else {
                    return;
                };
                let write = TokenWrite {
                    text: token.text.clone(),
                    credential,
                    generation,
                    issued_at: token.issued_at,
                    expires_at: token.expires_at,
                    read: self.member.store_serial,
                };
                self.member.pending = Some(Pending::Token { token, generation });
                self.effects.push(Effect::WriteToken(write));
            }
            rotation::Effect::DropTokens(id) => self.drop_tokens(id),
            rotation::Effect::WriteSink { slot, credential } => {
                if let Some(credential) = self.member.keyring.get(credential).map(Arc::clone) {
                    self.write_sink(slot, &credential);
                }
            }
            rotation::Effect::Keep(caller) => self.keep(caller),
            rotation::Effect::Answer { caller, outcome } => self.settle(caller, outcome),
            rotation::Effect::Notify(notice) => {
                let from = PhaseName::of(self.member.record.as_ref());
                self.tell_change(&notice, Context { from, was: None });
            }
        }
    }

    pub(super) fn drop_tokens(&mut self, id: CredentialId) {
        self.member.obtained.remove(&id);
        self.member.view.ledger.forget_proof(id);
        self.effects.push(Effect::ForgetTokensOf(id));
        if self.member.view.token.is_some_and(|token| token.credential == id) {
            self.token_is_gone();
        }
        let held = self.member.refresh.token(self.now);
        let dropped = held.filter(|held| held.credential.has_id() && held.credential.id() == id);
        if let Some(serial) = dropped.map(|held| held.serial) {
            self.tell_refresh(refresh::Event::Dropped(serial));
        }
    }

    /// Sends a token request, unless one with this credential is under way.
    fn request(&mut self, credential: &Arc<Credential>, flight: Option<u64>) {
        let Some(request) = self.member.requests.start(credential, flight) else { return };
        let verify = self.member.verify_url(credential);
        let credential = Arc::clone(credential);
        self.effects.push(Effect::Request { request, credential, verify });
    }

    /// Has the token lifecycle take a step, and passes on what it wants done.
    pub(super) fn tell_refresh(&mut self, event: refresh::Event) {
        let random = self.chance.ratio();
        let effects = self.member.refresh.step(event, self.now, random);
        for effect in effects {
            match effect {
                refresh::Effect::Fetch { flight, credential } => {
                    self.request(&credential, Some(flight));
                }
                refresh::Effect::Publish(token) => self.effects.push(Effect::Publish(token)),
                refresh::Effect::Withdraw => self.effects.push(Effect::Withdraw),
                refresh::Effect::Settle { waiter, outcome } => {
                    self.effects.push(Effect::Settle { waiter, outcome });
                }
                refresh::Effect::Notify(notice) => {
                    self.effects.push(Effect::Notify(Notice::Token(notice)));
                }
            }
        }
    }
}

impl Member {
    /// When the first record would have been made, had its ids been known: the token that came then may have expired, and
    /// its credential was active all the same.
    fn instant_of(&self, event: &rotation::Event) -> Option<Timestamp> {
        let rotation::Event::Answered { credential, .. } = event else { return None };
        let (id, arrived_at) = self.taken_in.filter(|_| self.record.is_none())?;
        (id == *credential).then_some(arrived_at)
    }

    /// The credentials whose answer is not taken up yet.
    pub(super) fn under_way(&self) -> impl Iterator<Item = &Arc<Credential>> {
        let answered = self.queue.iter().filter_map(Item::answered);
        self.requests.credentials().chain(answered)
    }

    /// The credentials that it speaks of and whose ids are not known.
    fn unidentified(&self, item: &Item) -> Vec<Arc<Credential>> {
        let all: Vec<&Arc<Credential>> = match item {
            Item::Configured(configured) => {
                let edges = configured.edges.iter();
                let ends = edges.flat_map(|edge| edge.from.iter().chain([&edge.to]));
                configured.credentials.iter().chain(ends).collect()
            }
            Item::Answered(answered) => vec![&answered.credential],
            Item::Asked { caller, .. } => self.candidate_of(*caller).into_iter().collect(),
            Item::Rotation(_) => Vec::new(),
        };
        all.into_iter().filter(|one| !one.has_id()).cloned().collect()
    }
}
