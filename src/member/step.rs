//! One step of a member: what happened, and what follows from it.

use std::sync::Arc;

use super::chance::Chance;
use super::effect::{Effect, Notice};
use super::event::Event;
use super::item::Item;
use super::parts::Member;
use super::tokens::Tokens;
use crate::clock::Timestamp;
use crate::credential::{Credential, CredentialId};
use crate::refresh;
use crate::source::Configured;
use crate::token::FreshToken;

impl Member {
    /// Moves the member on.
    pub fn step(&mut self, event: Event, now: Timestamp, chance: &mut dyn Chance) -> Vec<Effect> {
        let mut step = Step { member: self, now, chance, effects: Vec::new() };
        step.take(event);
        // What is sent or told in a step does not come after a write that may forbid it.
        let operations = |effect: &mut Effect| {
            matches!(effect, Effect::Load | Effect::Write(..) | Effect::WriteToken(_))
        };
        let last: Vec<Effect> = step.effects.extract_if(.., operations).collect();
        step.effects.extend(last);
        step.effects
    }
}

/// One step of a member, with what it wants done so far.
pub(super) struct Step<'a> {
    pub(super) member: &'a mut Member,
    pub(super) now: Timestamp,
    pub(super) chance: &'a mut dyn Chance,
    pub(super) effects: Vec<Effect>,
}

impl Step<'_> {
    fn take(&mut self, event: Event) {
        if self.member.closed {
            if let Event::Wanted(wait) = event {
                self.tell_refresh(refresh::Event::Wanted(wait));
            }
            return;
        }
        match event {
            Event::Wanted(wait) => self.tell_refresh(refresh::Event::Wanted(wait)),
            Event::Cancelled(waiter) => self.tell_refresh(refresh::Event::Cancelled(waiter)),
            Event::Invalidated(serial) => self.invalidate(serial),
            Event::Configured { configured, is_followed } => {
                self.configure(configured, is_followed);
            }
            Event::Answered { request, sent_at, verdict, verify } => {
                self.answered(request, sent_at, verdict, verify);
            }
            Event::Asked { caller, ask, deadline } => self.asked(caller, ask, deadline),
            Event::Left(caller) => self.left(caller),
            Event::SinkWritten { write, outcome, message } => {
                self.sink_written(write, outcome, message);
            }
            Event::SinkTried { place, is_writable } => {
                self.member.persist.trials.end(place, is_writable);
                self.end_trials();
            }
            Event::Stored(stored) => self.stored(stored),
            Event::Reloaded => self.member.standings.ledger.forget_patience(),
            Event::Observed => self.member.work.want_ids(),
            Event::Identified | Event::Ticked => {}
            Event::Restarted => self.restart(),
            Event::Closed => {
                self.member.closed = true;
                self.tell_refresh(refresh::Event::Closed);
                return;
            }
        }
        self.expire();
        self.go_on();
        if self.member.refresh().wake_at().is_some_and(|at| at <= self.now) {
            self.tell_refresh(refresh::Event::Ticked);
            self.update_offer();
        }
    }

    /// Whoever has waited long enough waits no longer.
    fn expire(&mut self) {
        let now = self.now;
        for caller in self.member.calls.overdue(now) {
            self.time_out(caller);
        }
        if self.member.persist.deadline().is_some_and(|at| at <= now) {
            self.expire_writes();
            self.member.persist.trials.expire(now);
            self.end_trials();
        }
        if self.member.shared.is_retry_due(now) {
            self.effects.push(Effect::Load);
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
        self.tell_refresh(refresh::Event::Invalidated(serial));
        let left = self.member.token(self.now).map(|held| held.serial);
        let Some(held) = held.filter(|held| held.serial == serial && left != Some(serial)) else {
            return;
        };
        self.member.tokens.invalidate(&held.token);
        let shared = self.member.shared.token();
        self.effects.push(Effect::Forget(Tokens::serial_in_store(&held, shared)));
        self.token_is_gone();
    }

    /// No token is shared any more, which may end a preparation.
    pub(super) fn token_is_gone(&mut self) {
        self.member.shared.forget_token();
        self.enqueue(Item::TICK);
    }

    fn restart(&mut self) {
        self.member.work.lose_requests();
        self.member.credentials.keyring.ask_again();
        self.member.persist.lose_files();
        self.tell_refresh(refresh::Event::Restarted);
        self.enqueue(Item::TICK);
    }

    /// Queues what concerns the record.
    pub(super) fn enqueue(&mut self, item: Item) {
        let needs_ids = self.member.needs_ids();
        self.member.work.enqueue(item, needs_ids);
    }

    /// Has the token lifecycle take a step, and passes on what it wants done.
    pub(super) fn tell_refresh(&mut self, event: refresh::Event) {
        let random = self.chance.ratio();
        let effects = self.member.tokens.refresh.step(event, self.now, random);
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

    /// Sends a token request, unless one with this credential is under way.
    pub(super) fn request(&mut self, credential: &Arc<Credential>, flight: Option<u64>) {
        let Some(request) = self.member.work.request(credential, flight) else { return };
        let verify = self.member.verify_url(credential).cloned();
        let credential = Arc::clone(credential);
        self.effects.push(Effect::Request { request, credential, verify });
    }

    /// Hands a token out, unless it is handed out already, or a later one of the same credential
    /// is.
    pub(super) fn install(&mut self, token: &Arc<FreshToken>, serial: u64) {
        if let Some(token) = self.member.tokens.to_hand_out(token, serial, self.now) {
            self.tell_refresh(refresh::Event::Obtained(token));
        }
    }

    /// Forgets every token that was made with a credential, here and in the store.
    pub(super) fn drop_tokens(&mut self, id: CredentialId) {
        let member = &mut *self.member;
        member.tokens.forget(id);
        member.standings.ledger.forget_proof(id);
        self.effects.push(Effect::ForgetTokensOf(id));
        if self.member.shared.token().is_some_and(|token| token.credential == id) {
            self.token_is_gone();
        }
        let held = self.member.tokens.held_of(self.now);
        if let Some((_, serial)) = held.filter(|(credential, _)| *credential == id) {
            self.tell_refresh(refresh::Event::Dropped(serial));
        }
    }
}
