//! One refresh after the other: when one starts, what its answers mean for it, how it ends.

use std::sync::Arc;

use super::effect::{RefreshEffect, RefreshNotice, Retirement};
use super::lifecycle::Refresh;
use super::round::Round;
use crate::clock::Timestamp;
use crate::error::{Code, Failure};
use crate::token::HeldToken;
use crate::verdict::{Arrival, Verdict};

impl Refresh {
    pub(super) fn start_if_due(&mut self, now: Timestamp, effects: &mut Vec<RefreshEffect>) {
        if self.next_fetch().is_none_or(|due| now < due) {
            return;
        }
        self.backoff.attempt_started(now);
        self.started_at = now;
        if let Some(round) = Round::start(&self.offer.credentials) {
            self.fetch(round, effects);
        }
    }

    fn fetch(&mut self, round: Round, effects: &mut Vec<RefreshEffect>) {
        self.last_flight += 1;
        let credential = Arc::clone(round.current());
        self.round = Some(round);
        effects.push(RefreshEffect::Fetch { flight: self.last_flight, credential });
    }

    /// Goes on with the next credential, or ends the round.
    pub(super) fn fall_back(
        &mut self,
        round: Round,
        verdict: &Verdict<Arrival>,
        now: Timestamp,
        random: f64,
        effects: &mut Vec<RefreshEffect>,
    ) {
        let Some(failure) = verdict.failure().cloned() else {
            return self.backoff.brought_nothing(now, random);
        };
        if !verdict.is_about_the_credential() {
            return self.fail(failure, verdict.is_final(), now, random, effects);
        }
        match round.next(failure, &self.offer.credentials) {
            Ok(round) => self.fetch(round, effects),
            Err(failure) => {
                // The same answer to each of them is about the request.
                let is_terminal = failure.code == Code::Misconfigured;
                self.fail(failure, is_terminal, now, random, effects);
            }
        }
    }

    /// Hands a token out; whoever waits for one is served.
    pub(super) fn hand_out(
        &mut self,
        token: Arc<HeldToken>,
        now: Timestamp,
        effects: &mut Vec<RefreshEffect>,
    ) {
        if self.round.take().is_some() {
            self.tally.succeeded(now.since(self.started_at));
        }
        self.backoff.succeeded(token.expires_at.since(token.issued_at));
        self.last_failure = None;
        self.failing_since = None;
        self.is_gone = false;
        self.last_serial = self.last_serial.max(token.serial);
        let replaced = self.token.replace(Arc::clone(&token));
        effects.push(RefreshEffect::Publish(Arc::clone(&token)));
        for (waiter, outcome) in self.waiters.take_served(&token, now) {
            effects.push(RefreshEffect::Settle { waiter, outcome });
        }
        effects.push(RefreshEffect::Notify(RefreshNotice::Token(token)));
        if let Some(old) = replaced {
            let reason = Retirement::Replaced;
            effects.push(RefreshEffect::Notify(RefreshNotice::TokenRetired {
                serial: old.serial,
                reason,
            }));
        }
    }

    fn fail(
        &mut self,
        failure: Failure,
        terminal: bool,
        now: Timestamp,
        random: f64,
        effects: &mut Vec<RefreshEffect>,
    ) {
        let runway = self.token.as_ref().map(|token| token.runway(now));
        self.tally.failed(failure.code, now.since(self.started_at));
        self.backoff.failed(&failure, terminal, runway, now, random);
        self.last_failure = Some((failure.clone(), now));
        self.failing_since.get_or_insert(now);
        self.refuse_the_hopeless(now, effects);
        effects.push(RefreshEffect::Notify(RefreshNotice::RefreshFailed {
            failure,
            next_attempt: self.next_refresh().unwrap_or(now),
            runway: runway.unwrap_or_default(),
        }));
    }
}
