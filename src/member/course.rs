//! How what concerns the record is taken up, one after the other: step, write, effects.

use std::sync::Arc;

use super::report::Context;
use super::{Ask, Effect, Member, Notice, Step, Stored};
use crate::clock::Timestamp;
use crate::credential::{Credential, CredentialId};
use crate::error::{Code, Failure};
use crate::refresh::{self, Meaning};
use crate::rotation::{self, Answer, CallerId, Grant, PhaseName, Record, TokenChange, Verify};
use crate::source::Configured;
use crate::store::{Fresh, Snapshot, TokenEntry, TokenWrite};
use crate::token::{self, FreshToken, HeldToken};
use crate::verdict::Verdict;

/// Something that concerns the record.
#[derive(Debug)]
pub(super) enum Item {
    Configured(Configured),
    Answered(Box<Answered>),
    Asked { caller: CallerId, ask: Ask },
    Rotation(rotation::Event),
}

impl Item {
    /// The credential whose answer it is.
    pub(super) fn answered(&self) -> Option<&Arc<Credential>> {
        match self {
            Self::Answered(answered) => Some(&answered.credential),
            _ => None,
        }
    }
}

/// What a token request brought.
#[derive(Debug)]
pub(super) struct Answered {
    credential: Arc<Credential>,
    flight: Option<u64>,
    outcome: Outcome,
    verify: Option<Verify>,
}

#[derive(Debug)]
enum Outcome {
    Accepted(Arc<FreshToken>, Option<String>),
    Rejected(Failure),
    Refused(Failure),
    /// It says nothing of the credential; whether trying again can help.
    Unclear(Failure, Meaning),
}

/// What is left to do of what was taken up.
#[derive(Debug)]
pub(super) enum Todo {
    Step(rotation::Event),
    Effect(rotation::Effect),
    /// The refresh is told what its request brought.
    Conclude {
        flight: u64,
        failure: Option<(Failure, Meaning)>,
    },
}

/// A store operation under way, and what it is for.
#[derive(Debug)]
pub(super) enum Pending {
    Write { event: rotation::Event, step: Box<rotation::Step>, token: Option<Arc<FreshToken>> },
    Token { token: Arc<FreshToken>, generation: u64 },
    Load(rotation::Event),
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

    /// Whether a token is handed out as soon as the store has it.
    pub(super) fn awaits_token(&self) -> bool {
        matches!(
            &self.member.pending,
            Some(Pending::Token { .. } | Pending::Write { token: Some(_), .. })
        )
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
        if !unknown.is_empty() {
            let asked = member.keyring.ask_for(&unknown);
            self.effects.extend(asked.into_iter().map(Effect::Identify));
            return false;
        }
        match member.queue.pop_front() {
            Some(Item::Configured(configured)) => self.take_configuration(configured),
            Some(Item::Answered(answered)) => self.take_answer(*answered),
            Some(Item::Asked { caller, ask }) => self.take_ask(caller, ask),
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

    /// A token request was answered.
    pub(super) fn answered(
        &mut self,
        request: u64,
        sent_at: Timestamp,
        verdict: Verdict,
        verify: Option<Verify>,
    ) {
        let Some(under_way) = self.member.requests.take(request) else { return };
        let (credential, flight) = (under_way.credential, under_way.flight);
        let outcome = match verdict {
            Verdict::Accepted(grant) => self.accept(&credential, grant, sent_at),
            Verdict::Rejected(failure) => {
                self.member.refresh.count_rejection();
                Outcome::Rejected(failure)
            }
            Verdict::Refused(failure) => Outcome::Refused(failure),
            Verdict::Misconfigured(failure) => Outcome::Unclear(failure, Meaning::Final),
            Verdict::Throttled(failure) | Verdict::Transient(failure) => {
                Outcome::Unclear(failure, Meaning::Passing)
            }
        };
        if let Outcome::Accepted(token, _) = &outcome
            && self.member.record.is_none()
            && flight.is_some()
            && !matches!(verify, Some(Verify::Refused | Verify::Failed))
        {
            // Nobody waits for the derivation of an id: the record follows.
            self.install(token, self.member.serial() + 1);
        }
        let answered = Answered { credential, flight, outcome, verify };
        self.member.queue.push_back(Item::Answered(Box::new(answered)));
    }

    fn accept(
        &mut self,
        credential: &Arc<Credential>,
        grant: token::Grant,
        sent_at: Timestamp,
    ) -> Outcome {
        let schedule = self.member.policy.schedule(&grant, sent_at, self.chance.ratio());
        if schedule.usable_until <= self.now {
            let life = schedule.expires_at.since(sent_at);
            let failure = token::unusable_on_arrival(&grant, life, self.now, sent_at);
            return Outcome::Unclear(failure, Meaning::Final);
        }
        let token = FreshToken {
            text: grant.access_token,
            credential: Arc::clone(credential),
            issued_at: sent_at,
            received_at: self.now,
            expires_at: schedule.expires_at,
            refresh_at: schedule.refresh_at,
            usable_until: schedule.usable_until,
        };
        Outcome::Accepted(Arc::new(token), grant.scope)
    }

    fn take_answer(&mut self, answered: Answered) {
        let Answered { credential, flight, outcome, verify } = answered;
        let id = credential.id();
        let (answer, mut failure) = match &outcome {
            Outcome::Accepted(token, scope) => {
                let (expires_at, refresh_at) = (token.expires_at, token.refresh_at);
                let scope = scope.clone();
                (Answer::Accepted(Grant { expires_at, refresh_at, scope, verify }), None)
            }
            Outcome::Rejected(failure) => {
                (Answer::Rejected, Some((failure.clone(), Meaning::TryNext)))
            }
            Outcome::Refused(failure) => {
                (Answer::Refused, Some((failure.clone(), Meaning::TryNext)))
            }
            Outcome::Unclear(failure, meaning) => {
                let retry_after = failure.retry_after;
                (Answer::Unclear { retry_after }, Some((failure.clone(), *meaning)))
            }
        };
        let member = &mut *self.member;
        let rejected_before = member.rejected();
        let record = member.record.as_ref();
        member.view.ledger.note(id, &answer, record, &member.view.policy, self.now);
        let is_proved = member.view.ledger.proof(id).is_some_and(|proof| proof.at == self.now);
        match outcome {
            Outcome::Accepted(token, _) if is_proved => {
                member.failures.remove(&id);
                member.obtained.insert(id, token);
            }
            Outcome::Accepted(..) => {
                failure = Some((unproved(verify), Meaning::TryNext));
            }
            _ => {}
        }
        if let Some((failure, Meaning::TryNext)) = &failure {
            member.failures.insert(id, failure.clone());
        }
        for id in self.member.rejected().into_iter().filter(|id| !rejected_before.contains(id)) {
            let member = &*self.member;
            let known = member.keyring.get(id).zip(member.failures.get(&id));
            if let Some((credential, failure)) = known {
                let (credential, failure) = (Arc::clone(credential), failure.clone());
                let notice = Notice::CredentialRejected { credential, failure };
                self.effects.push(Effect::Notify(notice));
            }
        }
        let event = rotation::Event::Answered { credential: id, answer };
        self.member.todo.push_back(Todo::Step(event));
        if let Some(flight) = flight {
            self.member.todo.push_back(Todo::Conclude { flight, failure });
        }
    }

    fn perform(&mut self, todo: Todo) {
        match todo {
            Todo::Step(event) => self.rotate(event),
            Todo::Effect(effect) => self.perform_effect(effect),
            Todo::Conclude { flight, failure } => {
                self.update_offer();
                self.tell_refresh(match failure {
                    None => refresh::Event::Spared(flight),
                    Some((failure, meaning)) => refresh::Event::Failed { flight, failure, meaning },
                });
            }
        }
    }

    /// Has the credential lifecycle take a step; what follows from it waits for its write.
    fn rotate(&mut self, event: rotation::Event) {
        self.member.show();
        let member = &mut *self.member;
        member.view.nonce = self.chance.bits();
        member.stepped_at = self.now;
        let step = rotation::step(member.record.as_ref(), &member.view, &event, self.now);
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
    fn follow(&mut self, effects: Vec<rotation::Effect>) {
        for effect in effects.into_iter().rev() {
            self.member.todo.push_front(Todo::Effect(effect));
        }
    }

    /// A store operation has ended.
    pub(super) fn stored(&mut self, stored: Stored) {
        let Some(pending) = self.member.pending.take() else { return };
        match (pending, stored) {
            (Pending::Write { step, token, .. }, Stored::Written { serial }) => {
                self.written(*step, token.as_ref(), serial);
            }
            (Pending::Write { event, .. }, _) => self.load(event),
            (Pending::Token { token, generation }, Stored::Written { serial }) => {
                self.share(&token, generation, serial.unwrap_or_default());
            }
            // A newer one is there, or its credential is out of use by now.
            (Pending::Token { .. }, Stored::Refused) => self.load(rotation::Event::Ticked),
            (Pending::Token { token, .. }, _) => {
                // The store may be down; this member goes on.
                self.install(&token, self.member.serial() + 1);
                self.load(rotation::Event::Ticked);
            }
            (Pending::Load(event), Stored::Loaded(snapshot)) => {
                self.adopt(*snapshot);
                self.member.todo.push_front(Todo::Step(event));
            }
            (Pending::Load(event), _) => {
                self.member.pending = Some(Pending::Load(event));
                self.member.retry_at = Some(self.now + Member::STORE_PATIENCE);
            }
        }
    }

    fn load(&mut self, event: rotation::Event) {
        self.member.pending = Some(Pending::Load(event));
        self.effects.push(Effect::Load);
    }

    fn written(
        &mut self,
        step: rotation::Step,
        token: Option<&Arc<FreshToken>>,
        serial: Option<u64>,
    ) {
        let Some(write) = step.write else { return };
        let was = self.member.record.replace(write.record);
        if let (Some(token), Some(serial)) = (token, serial) {
            let generation = self.member.record.as_ref().map_or(0, |record| record.generation);
            self.share(token, generation, serial);
        }
        let tried = |record: Option<&Record>| record.and_then(Record::on_trial);
        let new = tried(self.member.record.as_ref());
        if let Some(new) = new.filter(|it| tried(was.as_ref()) != Some(*it)) {
            // It may be of the same instant, and was not looked at as a candidate's is.
            self.member.view.ledger.forget_proof(new);
        }
        self.member.remember_overlap(was.as_ref());
        self.member.show();
        self.replace_variables(was.as_ref());
        let from = PhaseName::of(was.as_ref());
        let mut effects = step.effects;
        let moves = effects.extract_if(.., |effect| {
            matches!(effect, rotation::Effect::Notify(rotation::Notice::Moved(_)))
        });
        let moves: Vec<_> = moves.collect();
        for effect in moves {
            if let rotation::Effect::Notify(notice) = effect {
                self.tell_change(&notice, Context { from, was: was.as_ref() });
            }
        }
        self.follow(effects);
    }

    /// A token is the fleet's from now on.
    fn share(&mut self, token: &Arc<FreshToken>, generation: u64, serial: u64) {
        let (credential, expires_at) = (token.credential.id(), token.expires_at);
        let shared = rotation::Token { credential, generation, serial, expires_at };
        self.member.view.token = Some(shared);
        self.member.store_serial = serial;
        if self.member.invalidated.as_ref().is_some_and(|gone| Arc::ptr_eq(gone, token)) {
            // A resource has refused it before it was stored.
            self.effects.push(Effect::Forget(serial));
            self.token_is_gone();
        } else {
            self.install(token, serial);
        }
    }

    /// Hands a token out, unless it is handed out already, or a later one of the same credential is.
    fn install(&mut self, token: &Arc<FreshToken>, serial: u64) {
        let held = self.member.refresh.token(self.now);
        let is_held = held.is_some_and(|held| {
            Arc::ptr_eq(&held.token, token)
                || held.credential.is_same_as(&token.credential)
                    && held.received_at > token.received_at
        });
        let is_invalid = |one: &Arc<FreshToken>| Arc::ptr_eq(one, token);
        let is_invalid = self.member.invalidated.as_ref().is_some_and(is_invalid);
        if is_held || is_invalid || token.usable_until <= self.now {
            return;
        }
        // A store that lost a token counts behind what was handed out here.
        let serial = serial.max(self.member.refresh.last_serial() + 1);
        let token = Arc::new(HeldToken { serial, token: Arc::clone(token) });
        self.tell_refresh(refresh::Event::Obtained(token));
    }

    /// Takes over what the store holds.
    fn adopt(&mut self, snapshot: Snapshot) {
        let Snapshot { record, token, serial, .. } = snapshot;
        let was = std::mem::replace(&mut self.member.record, record);
        let known_serial = std::mem::replace(&mut self.member.store_serial, serial);
        self.member.remember_overlap(was.as_ref());
        self.member.view.token = token.as_ref().map(rotation::Token::from);
        self.member.show();
        self.replace_variables(was.as_ref());
        if let Some(token) = token {
            self.adopt_token(token, known_serial);
        }
        let held = self.member.refresh.token(self.now).filter(|held| held.credential.has_id());
        let leaked = held.map(|held| held.credential.id()).filter(|id| {
            self.member.record.as_ref().is_some_and(|record| !record.may_use_token_of(*id))
        });
        if let Some(id) = leaked {
            self.drop_tokens(id);
        }
    }

    /// Hands the store's token out, if it was not there when the store was last read.
    fn adopt_token(&mut self, token: TokenEntry, known_serial: u64) {
        let held = self.member.refresh.token(self.now);
        let is_known =
            held.is_some_and(|held| token.serial <= known_serial || held.text == token.text);
        // It was read before it was deleted.
        let is_invalid =
            |one: &Arc<FreshToken>| one.text == token.text && one.expires_at == token.expires_at;
        if self.member.invalidated.as_ref().is_some_and(is_invalid) {
            return;
        }
        if is_known {
            return;
        }
        // It may have been written here, though the store's answer was lost.
        let own = self.member.obtained.get(&token.credential).map(Arc::clone);
        if let Some(own) = own.filter(|own| own.text == token.text) {
            return self.install(&own, token.serial);
        }
        let credential = self.member.keyring.get(token.credential).map(Arc::clone);
        let Some(credential) = credential else { return };
        let lifetime = token.expires_at.since(token.issued_at);
        let access_token = token.text;
        let grant = token::Grant { access_token, lifetime, refresh_in: None, scope: None };
        if let Outcome::Accepted(fresh, _) = self.accept(&credential, grant, token.issued_at) {
            self.install(&fresh, token.serial);
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

    fn drop_tokens(&mut self, id: CredentialId) {
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
    /// The credentials whose answer is not taken up yet.
    pub(super) fn under_way(&self) -> impl Iterator<Item = &Arc<Credential>> {
        let answered = self.queue.iter().filter_map(|item| match item {
            Item::Answered(answered) => Some(&answered.credential),
            _ => None,
        });
        self.requests.credentials().chain(answered)
    }

    /// The serial of the token that is held or was shared last.
    fn serial(&self) -> u64 {
        self.refresh.last_serial().max(self.store_serial)
    }

    /// The serial that the store knows a token by; it is another one after the store was out of reach.
    pub(super) fn serial_in_store(&self, held: &HeldToken) -> u64 {
        let shared = self.view.token.filter(|shared| {
            shared.expires_at == held.expires_at
                && held.credential.has_id()
                && shared.credential == held.credential.id()
        });
        shared.map_or(held.serial, |shared| shared.serial)
    }

    fn rejected(&self) -> Vec<CredentialId> {
        self.keyring.ids().filter(|id| self.view.ledger.rejections(*id).is_some()).collect()
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

/// Why a token that came does not prove its credential.
fn unproved(verify: Option<Verify>) -> Failure {
    let story = match verify {
        Some(Verify::Refused) => "verify.url answered 401 or 403 to the candidate's token.",
        Some(Verify::Failed) => "verify.url did not answer the candidate's token with 2xx.",
        Some(Verify::Passed) | None => {
            "The candidate's token has a narrower scope than the active credential's last one."
        }
    };
    Failure::new(Code::CandidateRejected, story)
}
