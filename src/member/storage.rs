//! What comes of store operations: nothing of a step is seen before its write is stored.

use std::sync::Arc;
use std::time::Duration;

use super::deletions::Deletion;
use super::notices::Context;
use super::operations::{PendingOperation, Purpose};
use super::parts::Member;
use super::step::MemberStep;
use super::work::Pending;
use crate::clock::StoreTime;
use crate::refresh::RefreshEvent;
use crate::rotation::{self, PhaseName, Record};
use crate::store::{Operation, Reply, StoreSnapshot, TokenEntry, TokenWrite, Unavailable};
use crate::token::{FreshToken, Grant, Maker};
use crate::verdict::{Arrival, Verdict};

/// So much later at the latest a rejection has been noted for the fleet, or is not.
const NOTED_WITHIN: Duration = Duration::from_secs(2);

impl MemberStep<'_> {
    /// Has the store perform an operation that the rest of the work waits for.
    pub(super) fn operate(&mut self, pending: Pending, operation: Operation) {
        let id = self.ask_store(Purpose::Work, operation);
        self.member.work.begin(id, pending);
    }

    /// A store operation has ended.
    pub(super) fn stored(&mut self, id: u64, result: Result<Reply, Unavailable>) {
        let Some(PendingOperation { purpose, asked_at, deadline }) = self.member.operations.end(id)
        else {
            return;
        };
        // The process may have been frozen, or its clock have jumped: nobody has seen its time end.
        let is_late = deadline.is_some_and(|at| at < self.now);
        let result = if is_late { Err(Unavailable::late()) } else { result };
        if let Ok(reply) = &result {
            self.member.shared.is_reached();
            let told = reply.now().filter(|_| self.member.membership.is_some());
            if told.is_some_and(|told| self.member.clock.hear(asked_at, self.now, told)) {
                self.member.correct_times();
            }
        }
        match (purpose, result) {
            (Purpose::Work, result) => self.operated(id, result),
            (Purpose::Deletion, result) => {
                let again_at = result.is_err().then(|| self.now + Member::STORE_PATIENCE);
                self.member.deletions.end(id, again_at);
            }
            (Purpose::Beat, Ok(Reply::Pulse(pulse))) => self.heard(*pulse),
            (Purpose::Beat, _) => self.was_not_heard(),
            (Purpose::Lease(nonce), Ok(Reply::Lease(lease))) => {
                self.has_asked_for_lease(nonce, Some(lease));
            }
            (Purpose::Lease(nonce), _) => self.has_asked_for_lease(nonce, None),
            (Purpose::Renewal(nonce), Ok(Reply::WasHeld(is_held))) => {
                self.has_renewed_lease(nonce, Some(is_held));
            }
            (Purpose::Renewal(nonce), _) => self.has_renewed_lease(nonce, None),
            (Purpose::Rejection(id), Ok(Reply::Rejections(row))) => {
                self.member.standings.ledger.note_row(id, row);
            }
            (Purpose::Naming, result) => self.has_named(result),
            (Purpose::Rejection(_) | Purpose::Note, _) => {}
        }
    }

    /// The operation has ended that the work waits for.
    fn operated(&mut self, id: u64, result: Result<Reply, Unavailable>) {
        let Some(pending) = self.member.work.end(id) else { return };
        match (pending, result) {
            (Pending::Write { step, token, .. }, Ok(Reply::Written(written))) => {
                self.written(*step, token.as_ref(), written.serial);
            }
            (Pending::Repair { event, record }, Ok(Reply::Written(_))) => {
                self.has_repaired(event, *record);
            }
            (Pending::Write { event, .. } | Pending::Repair { event, .. }, _) => self.load(event),
            (Pending::Token { token, generation }, Ok(Reply::Written(written))) => {
                self.share(&token, generation, written.serial.unwrap_or_default());
            }
            // A newer one is there, or its credential is out of use by now.
            (Pending::Token { .. }, Ok(_)) => self.load(rotation::RotationEvent::Ticked),
            (Pending::Token { token, .. }, Err(_)) => {
                // The store may be down; this member goes on.
                self.install(&token, self.member.serial() + 1);
                self.load(rotation::RotationEvent::Ticked);
            }
            (Pending::Load(event), Ok(Reply::Loaded(snapshot))) => self.loaded(event, *snapshot),
            (Pending::Load(event), _) => {
                let id = self.member.operations.number();
                self.member.work.begin(id, Pending::Load(event));
                self.member.shared.retry(self.now + Member::STORE_PATIENCE);
            }
        }
    }

    pub(super) fn load(&mut self, event: rotation::RotationEvent) {
        self.operate(Pending::Load(event), self.member.reading());
    }

    /// The store could not be read a while ago.
    pub(super) fn load_again(&mut self) {
        if let Some(id) = self.member.work.awaited() {
            self.ask_store_as(id, Purpose::Work, self.member.reading());
        }
    }

    /// What was asked of the store may never be answered: whether it took place has to be read.
    pub(super) fn ask_store_again(&mut self) {
        let now = self.now;
        let Member { operations, deletions, membership, .. } = &mut *self.member;
        operations.lose();
        deletions.lose(now);
        if let Some(membership) = membership {
            membership.repeat(now);
        }
        let lost = || Unavailable { reason: "the thread that asked was lost".to_owned() };
        self.has_named(Err(lost()));
        let Some(id) = self.member.work.awaited() else { return };
        match self.member.work.end(id) {
            Some(Pending::Load(event)) => {
                self.member.shared.retry_no_more();
                self.load(event);
            }
            Some(pending) => {
                let id = self.member.operations.number();
                self.member.work.begin(id, pending);
                self.operated(id, Err(lost()));
            }
            None => {}
        }
    }

    /// Owes the store a deletion until it is acknowledged.
    pub(super) fn delete(&mut self, deletion: Deletion) {
        self.member.deletions.owe(deletion, self.now);
    }

    /// Asks the store for the deletions that are due.
    pub(super) fn delete_due(&mut self) {
        let Member { deletions, operations, .. } = &mut *self.member;
        for (id, deletion) in deletions.begin_due(self.now, || operations.number()) {
            self.ask_store_as(id, Purpose::Deletion, deletion.operation());
        }
    }

    /// A step has taken place: its record counts, and its effects follow.
    fn written(
        &mut self,
        step: rotation::RotationStep,
        token: Option<&Arc<FreshToken>>,
        serial: Option<u64>,
    ) {
        let Some(write) = step.write else { return };
        let generation = write.record.generation;
        let was = self.member.shared.replace_record(Some(write.record), self.now);
        self.narrow_offer();
        if let (Some(token), Some(serial)) = (token, serial) {
            self.share(token, generation, serial);
        }
        let Member { shared, standings, .. } = &mut *self.member;
        let on_trial = |record: Option<&Record>| record.and_then(Record::on_trial);
        let new = on_trial(shared.record());
        if let Some(new) = new.filter(|it| on_trial(was.as_ref()) != Some(*it)) {
            // It may be of the same instant, and was not looked at as a candidate's is.
            standings.begin_trial(new);
        }
        self.forget_unverified(was.as_ref());
        let Member { shared, rotations, .. } = &mut *self.member;
        rotations.remember(was.as_ref(), shared.record());
        let from = PhaseName::of(was.as_ref());
        let mut effects = step.effects;
        let moves = effects.extract_if(.., |effect| {
            matches!(effect, rotation::RotationEffect::Notify(rotation::RotationNotice::Moved(_)))
        });
        let moves: Vec<_> = moves.collect();
        // Why a candidate was given up is forgotten with it.
        let before = self.effects.len();
        for effect in moves {
            if let rotation::RotationEffect::Notify(notice) = effect {
                self.tell_change(&notice, Context { from, was: was.as_ref() });
            }
        }
        self.tell_retirement_beneath(was.as_ref());
        let told = self.effects.split_off(before);
        self.member.prune();
        self.replace_variables(was.as_ref());
        self.effects.extend(told);
        self.member.work.follow(effects);
    }

    /// A candidate whose token is to be tried somewhere from now on is not proved by one that was
    /// not: it may wait for nothing but its custody.
    fn forget_unverified(&mut self, was: Option<&Record>) {
        let Member { shared, standings, .. } = &mut *self.member;
        let now = shared.record().and_then(Record::verified);
        if let Some((candidate, _)) = now.filter(|_| now != was.and_then(Record::verified)) {
            standings.ledger.forget_proof(candidate);
        }
    }

    /// A token is the fleet's from now on.
    fn share(&mut self, token: &Arc<FreshToken>, generation: u64, serial: u64) {
        let Some(credential) = token.made_with.id() else { return };
        let id = token.id;
        let expires_at = self.member.clock.told(token.expires_at, self.now);
        let shared = rotation::Token { id, credential, generation, serial, expires_at };
        self.member.shared.share(shared);
        self.member.tokens.is_stored(id, serial);
        if self.member.tokens.is_invalidated(token) {
            // A resource has refused it before it was stored.
            self.delete(Deletion::Token(token.id));
            self.token_is_gone();
        } else {
            self.install(token, serial);
        }
    }

    /// Shares the token that is handed out here, if the store has lost it, or never had it: it was out
    /// of reach.
    pub(super) fn share_own(&mut self) {
        let Member { shared, tokens, deletions, clock, .. } = &*self.member;
        let (Some(record), Some(held)) = (shared.record(), tokens.refresh.token(self.now)) else {
            return;
        };
        let is_of_active = held.made_with.id() == Some(record.active);
        // One that was there, and is not any more, may be gone because a resource refused it.
        let is_lost = tokens.stored_serial(held.id).is_none_or(|serial| shared.serial() < serial);
        let is_better = shared.token().is_none_or(|shared| {
            let is_of_active = shared.credential == record.active;
            shared.generation < record.generation && !is_of_active
                || is_of_active && shared.expires_at < clock.at(held.expires_at)
        });
        if !is_of_active || !is_lost || !is_better || deletions.concern(held.id, record.active) {
            return;
        }
        let (token, generation) = (Arc::clone(&held.token), record.generation);
        self.put_token(token, generation);
    }

    /// Has the store take a token of that generation.
    pub(super) fn put_token(&mut self, token: Arc<FreshToken>, generation: u64) {
        let Some(credential) = token.made_with.id() else { return };
        let told = |instant| self.member.clock.told(instant, self.now);
        let write = TokenWrite {
            id: token.id,
            text: token.text.clone(),
            credential,
            generation,
            issued_at: told(token.issued_at),
            expires_at: told(token.expires_at),
            read: self.member.shared.serial(),
        };
        self.operate(Pending::Token { token, generation }, Operation::PutToken(write));
    }

    /// Takes over what the store holds.
    pub(super) fn adopt(&mut self, snapshot: StoreSnapshot) {
        let StoreSnapshot { now, record, token, serial, census, rejections, cool_down } = snapshot;
        if let Some(membership) = &self.member.membership {
            let me = membership.me();
            self.member.shared.replace_census(me, census);
            self.member.shared.pause(cool_down);
            self.member.standings.ledger.replace_rows(rejections, now - NOTED_WITHIN);
        }
        self.member.clock.reach(record.as_ref().map(Record::latest).unwrap_or_default());
        let was = self.member.shared.replace_record(record, self.now);
        self.narrow_offer();
        self.forget_unverified(was.as_ref());
        let Member { shared, rotations, .. } = &mut *self.member;
        let shared_token = token.as_ref().map(rotation::Token::from);
        shared.replace_token(shared_token, serial);
        rotations.remember(was.as_ref(), shared.record());
        self.member.prune();
        self.replace_variables(was.as_ref());
        match token {
            // A failover has brought it back. Nobody hands it out, here or elsewhere.
            Some(token) if !self.member.may_use_token_of(token.credential) => {
                self.drop_tokens(token.credential);
            }
            Some(token) => self.adopt_token(token),
            None => {}
        }
        let held = self.member.tokens.held_of(self.now).map(|(credential, _)| credential);
        if let Some(leaked) = held.filter(|id| !self.member.may_use_token_of(*id)) {
            self.drop_tokens(leaked);
        }
    }

    /// Hands the store's token out, unless this member has a better one.
    fn adopt_token(&mut self, token: TokenEntry) {
        let Member { tokens, credentials, clock, .. } = &mut *self.member;
        let takes_over = tokens.takes_over(&token, clock, self.now);
        tokens.is_stored(token.id, token.serial);
        if !takes_over {
            return;
        }
        // It may have been written here, though the store's answer was lost.
        let own = tokens.of(token.credential).filter(|own| own.id == token.id).cloned();
        if let Some(own) = own {
            return self.take_over(&own, token.serial);
        }
        // Who cannot present its credential hands it out all the same.
        let here = credentials.keyring.get(token.credential).map(Arc::clone);
        let made_with = here.map_or(Maker::Elsewhere(token.credential), Maker::Here);
        let lifetime = token.expires_at.since(token.issued_at);
        let grant = Grant { access_token: token.text, lifetime, refresh_in: None, scope: None };
        let issued_at = self.member.clock.own(token.issued_at);
        let verdict = self.schedule(token.id, made_with, grant, issued_at);
        if let Verdict::Accepted(Arrival { token: fresh, .. }) = verdict {
            self.take_over(&fresh, token.serial);
        }
    }

    /// The fleet has no token, and what is held here is not shared: a resource has refused it
    /// somewhere, or it is of a credential that is not active any more. Whoever can fetches another
    /// one, also for those who cannot.
    pub(super) fn renew_if_gone(&mut self) {
        let Member { membership, shared, work, .. } = &*self.member;
        let Some(record) = shared.record().filter(|_| membership.is_some()) else { return };
        let is_gone = shared.token().is_none() && !work.awaits_token();
        if is_gone && self.member.may_present_here(record.active) {
            self.tell_refresh(RefreshEvent::Gone);
        }
    }

    /// Hands out what the fleet does.
    fn take_over(&mut self, token: &Arc<FreshToken>, serial: u64) {
        if token.usable_until > self.now {
            let held = self.member.tokens.numbered(token, serial);
            self.tell_refresh(RefreshEvent::Obtained(held));
        }
    }
}

impl Member {
    /// The store has told the time for the first time.
    fn correct_times(&mut self) {
        let Self { clock, standings, work, .. } = self;
        let mut correct = |time: &mut StoreTime| clock.correct(time);
        standings.ledger.each_time(&mut correct);
        work.each_time(&mut correct);
    }
}
