//! One step of a member: what happened, and what follows from it.

use std::sync::Arc;

use super::chance::Chance;
use super::deletions::Deletion;
use super::effect::{MemberEffect, MemberNotice};
use super::event::MemberEvent;
use super::item::Item;
use super::parts::Member;
use crate::clock::{StoreTime, Timestamp};
use crate::credential::{Credential, CredentialId};
use crate::refresh;
use crate::source::Configured;
use crate::token::FreshToken;

impl Member {
    /// Moves the member on.
    pub fn step(
        &mut self,
        event: MemberEvent,
        now: Timestamp,
        chance: &mut dyn Chance,
    ) -> Vec<MemberEffect> {
        let mut step = MemberStep { member: self, now, chance, effects: Vec::new() };
        step.take(event);
        // What is sent or told in a step does not come after a write that may forbid it.
        let operations = |effect: &mut MemberEffect| matches!(effect, MemberEffect::Store { .. });
        let last: Vec<MemberEffect> = step.effects.extract_if(.., operations).collect();
        step.effects.extend(last);
        step.effects
    }
}

/// One step of a member, with what it wants done so far.
pub(super) struct MemberStep<'a> {
    pub(super) member: &'a mut Member,
    pub(super) now: Timestamp,
    pub(super) chance: &'a mut dyn Chance,
    pub(super) effects: Vec<MemberEffect>,
}

impl MemberStep<'_> {
    /// The store's time at this moment.
    pub(super) fn store_now(&self) -> StoreTime {
        self.member.clock.now(self.now)
    }

    fn take(&mut self, event: MemberEvent) {
        self.member.clock.pass(self.now);
        if self.member.clock.is_unsure(self.now) && !self.member.shared.is_out() {
            // The process was frozen, or its clock has jumped: what it knows may be old.
            self.member.work.read_first();
        }
        if self.member.closed {
            if let MemberEvent::Wanted(wait) = event {
                self.tell_refresh(refresh::RefreshEvent::Wanted(wait));
            }
            return;
        }
        match event {
            MemberEvent::Wanted(wait) => self.tell_refresh(refresh::RefreshEvent::Wanted(wait)),
            MemberEvent::Cancelled(waiter) => {
                self.tell_refresh(refresh::RefreshEvent::Cancelled(waiter));
            }
            MemberEvent::Invalidated(serial) => self.invalidate(serial),
            MemberEvent::Configured { configured, is_followed } => {
                self.configure(configured, is_followed);
            }
            MemberEvent::Answered { request, sent_at, verdict, verify } => {
                self.answered(request, sent_at, verdict, verify);
            }
            MemberEvent::Asked { caller, ask, deadline } => self.asked(caller, ask, deadline),
            MemberEvent::Left(caller) => self.left(caller),
            MemberEvent::Persisted { write, outcome, message } => {
                self.persisted(write, outcome, message);
            }
            MemberEvent::PersistTried { place, is_writable } => {
                self.member.targets.trials.end(place, is_writable);
                self.end_trials();
            }
            MemberEvent::Stored { id, result } => self.stored(id, result),
            MemberEvent::Hinted(hint) => self.hinted(hint),
            MemberEvent::Reloaded => self.member.standings.ledger.forget_patience(),
            MemberEvent::Observed => self.member.work.want_ids(),
            MemberEvent::Identified | MemberEvent::Ticked => {}
            MemberEvent::Restarted => self.restart(),
            MemberEvent::Closed => {
                self.leave();
                self.member.closed = true;
                self.tell_refresh(refresh::RefreshEvent::Closed);
                return;
            }
        }
        self.expire();
        self.go_on();
        self.look_after_store();
        if self.member.refresh().wake_at().is_some_and(|at| at <= self.now) {
            self.tell_refresh(refresh::RefreshEvent::Ticked);
            self.update_offer();
            self.look_after_lease();
        }
    }

    /// What the store is to be asked for beside the work: nothing of it waits for its turn.
    fn look_after_store(&mut self) {
        if !self.member.shared.is_out() {
            self.delete_due();
        }
        self.beat_if_due();
        self.look_after_lease();
    }

    /// Whoever has waited long enough waits no longer.
    fn expire(&mut self) {
        let now = self.now;
        self.give_up_operations();
        for caller in self.member.calls.overdue(now) {
            self.time_out(caller);
        }
        if self.member.targets.deadline().is_some_and(|at| at <= now) {
            self.expire_writes();
            self.member.targets.trials.expire(now);
            self.end_trials();
        }
        if self.member.shared.is_retry_due(now) {
            self.load_again();
        }
    }

    fn configure(&mut self, configured: Configured, is_followed: bool) {
        self.member.credentials.read(&configured, is_followed);
        self.enqueue(Item::Configured(configured));
        if !is_followed {
            for (caller, request) in self.member.calls.sources_read() {
                self.member.work.push(Item::Asked { caller, request });
            }
        }
    }

    /// A resource does not accept the token: it goes, here and in the store.
    fn invalidate(&mut self, serial: u64) {
        let held = self.member.token(self.now).map(Arc::clone);
        self.tell_refresh(refresh::RefreshEvent::Invalidated(serial));
        let left = self.member.token(self.now).map(|held| held.serial);
        let Some(held) = held.filter(|held| held.serial == serial && left != Some(serial)) else {
            return;
        };
        self.member.tokens.invalidate(&held.token);
        self.delete(Deletion::Token(held.id));
        self.token_is_gone();
    }

    /// No token is shared any more, which may end a preparation.
    pub(super) fn token_is_gone(&mut self) {
        self.member.shared.forget_token();
        self.enqueue(Item::TICK);
    }

    fn restart(&mut self) {
        self.member.work.lose_requests();
        self.member.lease.lose();
        self.member.credentials.keyring.ask_again();
        self.member.targets.lose_files();
        self.ask_store_again();
        self.tell_refresh(refresh::RefreshEvent::Restarted);
        self.enqueue(Item::TICK);
    }

    /// Queues what concerns the record.
    pub(super) fn enqueue(&mut self, item: Item) {
        let needs_ids = self.member.needs_ids();
        self.member.work.enqueue(item, needs_ids);
    }

    /// Has the token lifecycle take a step, and passes on what it wants done.
    pub(super) fn tell_refresh(&mut self, event: refresh::RefreshEvent) {
        let random = self.chance.ratio();
        let effects = self.member.tokens.refresh.step(event, self.now, random);
        for effect in effects {
            match effect {
                refresh::RefreshEffect::Fetch { flight, credential } => {
                    self.request(&credential, Some(flight));
                }
                refresh::RefreshEffect::Publish(token) => {
                    self.effects.push(MemberEffect::Publish(token));
                }
                refresh::RefreshEffect::Withdraw => self.effects.push(MemberEffect::Withdraw),
                refresh::RefreshEffect::Settle { waiter, outcome } => {
                    self.effects.push(MemberEffect::Settle { waiter, outcome });
                }
                refresh::RefreshEffect::Notify(notice) => {
                    self.effects.push(MemberEffect::Notify(MemberNotice::Token(notice)));
                }
            }
        }
    }

    /// Sends a token request, unless one with this credential is under way.
    pub(super) fn send(&mut self, credential: &Arc<Credential>, flight: Option<u64>) {
        let Some(request) = self.member.work.request(credential, flight) else { return };
        let verify = self.member.verify_url(credential).cloned();
        let credential = Arc::clone(credential);
        self.effects.push(MemberEffect::Request { request, credential, verify });
    }

    /// Hands a token out, unless it is handed out already, or a later one of the same credential
    /// is.
    pub(super) fn install(&mut self, token: &Arc<FreshToken>, serial: u64) {
        if let Some(token) = self.member.tokens.to_hand_out(token, serial, self.now) {
            self.tell_refresh(refresh::RefreshEvent::Obtained(token));
        }
    }

    /// Forgets every token that was made with a credential, here and in the store.
    pub(super) fn drop_tokens(&mut self, id: CredentialId) {
        let member = &mut *self.member;
        member.tokens.forget(id);
        member.standings.ledger.forget_proof(id);
        self.delete(Deletion::TokensOf(id));
        if self.member.shared.token().is_some_and(|token| token.credential == id) {
            self.token_is_gone();
        }
        let held = self.member.tokens.held_of(self.now);
        if let Some((_, serial)) = held.filter(|(credential, _)| *credential == id) {
            self.tell_refresh(refresh::RefreshEvent::Dropped(serial));
        }
    }
}
