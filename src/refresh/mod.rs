//! The token lifecycle of one logical client, as a machine without clock, randomness or I/O.
//!
//! It decides when a token is fetched and with which credential, what is handed out, and who is
//! told. It does not send requests, wake itself or hold locks: the driver does.

mod admission;
mod backoff;
mod candidates;
mod effect;
mod event;
mod round;
mod tally;
mod waiters;

#[cfg(test)]
mod tests;

use std::sync::Arc;
use std::time::Duration;

use crate::clock::Timestamp;
use crate::error::{Code, Failure};
use crate::policy::Policy;
use crate::token::{Grant, HeldToken};
use crate::verdict::Verdict;
use backoff::Backoff;
pub use candidates::{Candidates, Usability};
pub use effect::{Effect, Notice, Retirement};
pub use event::{Configured, Event};
use round::Round;
pub use tally::Tally;
use waiters::Waiters;
pub use waiters::{Refusal, Wait, WaiterId};

/// How far the reading of the sources is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Sources {
    /// One of them has never answered yet.
    Pending,
    /// All have answered.
    Read,
    /// Every credential was rejected, and the sources are being asked for another one.
    AskedAgain,
}

/// The token lifecycle of one logical client.
///
/// **Calls.** [`Refresh::step`] with everything that happens, in the order in which it happened,
/// then the effects in their order. [`Refresh::wake_at`] says when [`Event::Ticked`] is due; a tick
/// that comes early or twice changes nothing. The other methods only look.
///
/// **Guarantees.** At most one request is under way. A token is handed out until its expiry less
/// the margin, and not a tick longer; a failed refresh never takes it away. Two refreshes start at
/// least min(1 s, 10 % of life) apart, and never less than 100 ms. Every [`Event::Wanted`] is
/// settled exactly once, at the latest at its deadline.
#[derive(Debug)]
pub struct Refresh {
    policy: Policy,
    candidates: Candidates,
    unreadable: Option<Failure>,
    sources: Sources,
    token: Option<Arc<HeldToken>>,
    serial: u64,
    round: Option<Round>,
    /// When the latest refresh started.
    started_at: Timestamp,
    last_flight: u64,
    backoff: Backoff,
    /// A credential that has never been tried should be, although a token is held.
    unproved: bool,
    invalidated_at: Option<Timestamp>,
    /// When it was last told that an invalidation was ignored.
    ignored_at: Option<Timestamp>,
    waiters: Waiters,
    last_failure: Option<(Failure, Timestamp)>,
    tally: Tally,
    closed: bool,
}

impl Refresh {
    /// Ignored invalidations are told at most once in so long.
    const IGNORED_GAP: Duration = Duration::from_secs(1);

    /// A machine that knows no credential yet and therefore does nothing.
    pub fn new(policy: Policy) -> Self {
        Self {
            policy,
            candidates: Candidates::default(),
            unreadable: None,
            sources: Sources::Pending,
            token: None,
            serial: 0,
            round: None,
            started_at: Timestamp::default(),
            last_flight: 0,
            backoff: Backoff::default(),
            unproved: false,
            invalidated_at: None,
            ignored_at: None,
            waiters: Waiters::default(),
            last_failure: None,
            tally: Tally::default(),
            closed: false,
        }
    }

    /// The token that may be handed out at `now`.
    pub fn token(&self, now: Timestamp) -> Option<&Arc<HeldToken>> {
        self.token.as_ref().filter(|token| now < token.usable_until)
    }

    /// The known credentials and what is known of them.
    pub fn candidates(&self) -> &Candidates {
        &self.candidates
    }

    /// Whether a token request is under way.
    pub fn is_fetching(&self) -> bool {
        self.round.is_some()
    }

    /// What went wrong last, and when, if nothing went well since.
    pub fn last_failure(&self) -> Option<&(Failure, Timestamp)> {
        self.last_failure.as_ref()
    }

    /// What has happened so far.
    pub fn tally(&self) -> &Tally {
        &self.tally
    }

    /// Why a required source yields nothing, if one does.
    pub fn unreadable_source(&self) -> Option<&Failure> {
        self.unreadable.as_ref()
    }

    /// When the next refresh starts if nothing happens before; none while one is under way.
    pub fn next_refresh(&self) -> Option<Timestamp> {
        let cannot = self.closed || self.sources == Sources::Pending || self.candidates.is_empty();
        if cannot || self.round.is_some() {
            return None;
        }
        // Whoever waits although a token is held wants one that is usable for longer.
        let due = match &self.token {
            Some(token) if !self.unproved && self.waiters.is_empty() => {
                token.refresh_at.min(self.candidates.recheck_at().unwrap_or(token.refresh_at))
            }
            _ => Timestamp::default(),
        };
        Some(due.max(self.backoff.not_before()))
    }

    /// When [`Event::Ticked`] is due.
    pub fn wake_at(&self) -> Option<Timestamp> {
        [
            self.token.as_ref().map(|token| token.usable_until),
            self.next_refresh(),
            self.waiters.first_deadline(),
        ]
        .into_iter()
        .flatten()
        .min()
    }

    /// Moves the machine on. `random` is uniform in `0.0..1.0`.
    pub fn step(&mut self, event: Event, now: Timestamp, random: f64) -> Vec<Effect> {
        let mut effects = Vec::new();
        if self.closed {
            if let Event::Wanted(wait) = event {
                effects.push(Effect::Settle { waiter: wait.waiter, outcome: Err(Refusal::Closed) });
            }
            return effects;
        }
        self.expire(now, &mut effects);
        match event {
            Event::Wanted(wait) => self.admit(wait, now, &mut effects),
            Event::Cancelled(waiter) => self.waiters.remove(waiter),
            Event::Invalidated(serial) => self.invalidate(serial, now, &mut effects),
            Event::Answered { flight, sent_at, verdict } => {
                self.answer(flight, sent_at, verdict, now, random, &mut effects);
            }
            Event::Configured(configured) => self.configure(configured, now, &mut effects),
            Event::Ticked => {}
            Event::Restarted => self.restart(&mut effects),
            Event::Closed => self.close(&mut effects),
        }
        self.refuse_overdue(now, &mut effects);
        self.start_if_due(now, &mut effects);
        effects
    }

    fn expire(&mut self, now: Timestamp, effects: &mut Vec<Effect>) {
        if self.token.as_ref().is_some_and(|token| now >= token.usable_until) {
            self.drop_token(Retirement::Expired, effects);
        }
    }

    fn drop_token(&mut self, reason: Retirement, effects: &mut Vec<Effect>) {
        if let Some(token) = self.token.take() {
            effects.push(Effect::Withdraw);
            effects.push(Effect::Notify(Notice::TokenRetired { serial: token.serial, reason }));
        }
    }

    fn invalidate(&mut self, serial: u64, now: Timestamp, effects: &mut Vec<Effect>) {
        let Some(token) = self.token.as_ref().filter(|token| token.serial == serial) else {
            return;
        };
        let window = Self::invalidation_window(token);
        let retry_after = self.invalidated_at.map_or(Duration::ZERO, |last| {
            (last + window).since(now).min((token.issued_at + window).since(now))
        });
        if retry_after > Duration::ZERO {
            self.tally.invalidations_ignored += 1;
            // Whoever ignores a 401 storm must not make an event storm of it.
            if self.ignored_at.is_none_or(|last| now >= last + Self::IGNORED_GAP) {
                self.ignored_at = Some(now);
                effects.push(Effect::Notify(Notice::InvalidateIgnored { serial, retry_after }));
            }
            return;
        }
        self.invalidated_at = Some(now);
        self.tally.invalidations += 1;
        self.drop_token(Retirement::Invalidated, effects);
        self.backoff.allow_early_attempt();
    }

    /// Within this time a second invalidation of a young token is not believed: a resource that
    /// answers 401 for reasons of its own must not become a storm of token requests.
    fn invalidation_window(token: &HeldToken) -> Duration {
        let life = token.expires_at.since(token.issued_at);
        (life / 10).min(Duration::from_secs(10))
    }

    fn configure(&mut self, configured: Configured, now: Timestamp, effects: &mut Vec<Effect>) {
        let initial = self.candidates.is_empty();
        let settles_at = (!initial && self.policy.propagation > Duration::ZERO)
            .then(|| now + self.policy.propagation);
        let changed = self.candidates.replace(configured.credentials, settles_at);
        self.unreadable = configured.unreadable;
        self.sources = if configured.pending { Sources::Pending } else { Sources::Read };
        if changed {
            self.unproved = !initial && self.candidates.first_is_untried();
            self.backoff.forget_failures();
        }
        self.refuse_the_hopeless(now, effects);
    }

    fn restart(&mut self, effects: &mut Vec<Effect>) {
        self.round = None;
        self.tally.thread_restarts += 1;
        if let Some(token) = &self.token {
            effects.push(Effect::Publish(Arc::clone(token)));
        }
        effects.push(Effect::Notify(Notice::ThreadRestarted));
    }

    fn close(&mut self, effects: &mut Vec<Effect>) {
        self.closed = true;
        self.round = None;
        if self.token.take().is_some() {
            effects.push(Effect::Withdraw);
        }
        for (waiter, _) in self.waiters.all() {
            self.waiters.remove(waiter);
            effects.push(Effect::Settle { waiter, outcome: Err(Refusal::Closed) });
        }
    }

    fn start_if_due(&mut self, now: Timestamp, effects: &mut Vec<Effect>) {
        if self.next_refresh().is_none_or(|due| now < due) {
            return;
        }
        if self.candidates.recheck_at().is_some_and(|at| now >= at) {
            self.candidates.recheck();
        }
        self.unproved = false;
        self.backoff.attempt_started(now);
        self.started_at = now;
        if let Some(round) = Round::start(&self.candidates) {
            self.fetch(round, effects);
        }
    }

    fn fetch(&mut self, round: Round, effects: &mut Vec<Effect>) {
        self.last_flight += 1;
        let credential = Arc::clone(round.current());
        self.round = Some(round);
        effects.push(Effect::Fetch { flight: self.last_flight, credential });
    }

    fn answer(
        &mut self,
        flight: u64,
        sent_at: Timestamp,
        verdict: Verdict,
        now: Timestamp,
        random: f64,
        effects: &mut Vec<Effect>,
    ) {
        let Some(round) = self.round.take_if(|_| flight == self.last_flight) else {
            return;
        };
        match verdict {
            Verdict::Accepted(grant) => self.accept(round, grant, sent_at, now, random, effects),
            Verdict::Rejected(failure) => {
                self.tally.credential_rejections += 1;
                if self.candidates.reject(round.current(), now) {
                    effects.push(Effect::Notify(Notice::CredentialRejected {
                        credential: Arc::clone(round.current()),
                        failure: failure.clone(),
                    }));
                }
                self.fall_back(round.rejected(failure, &self.candidates), now, random, effects);
            }
            Verdict::Refused(failure) => {
                self.fall_back(round.refused(failure, &self.candidates), now, random, effects);
            }
            Verdict::Misconfigured(failure) => self.fail(failure, true, now, random, effects),
            Verdict::Throttled(failure) | Verdict::Transient(failure) => {
                self.fail(failure, false, now, random, effects);
            }
        }
    }

    /// Goes on with the next credential of the list, or ends the round.
    fn fall_back(
        &mut self,
        round: Result<Round, round::Exhausted>,
        now: Timestamp,
        random: f64,
        effects: &mut Vec<Effect>,
    ) {
        match round {
            Ok(round) => self.fetch(round, effects),
            Err(exhausted) => {
                // A new secret may lie in a source already: callers wait until it has been read.
                if exhausted.every_one_rejected {
                    self.sources = Sources::AskedAgain;
                    effects.push(Effect::ReadSources);
                }
                self.fail(exhausted.failure, exhausted.every_one_rejected, now, random, effects);
            }
        }
    }

    fn accept(
        &mut self,
        round: Round,
        grant: Grant,
        sent_at: Timestamp,
        now: Timestamp,
        random: f64,
        effects: &mut Vec<Effect>,
    ) {
        let schedule = self.policy.schedule(&grant, sent_at, random);
        if schedule.usable_until <= now {
            let failure =
                unusable_on_arrival(&grant, schedule.expires_at.since(sent_at), now, sent_at);
            self.fail(failure, true, now, random, effects);
            return;
        }
        self.serial += 1;
        let (credential, refused) = round.into_accepted();
        let token = Arc::new(HeldToken {
            serial: self.serial,
            text: grant.access_token,
            credential,
            issued_at: sent_at,
            received_at: now,
            expires_at: schedule.expires_at,
            refresh_at: schedule.refresh_at,
            usable_until: schedule.usable_until,
        });
        let replaced = self.token.replace(Arc::clone(&token));
        self.last_failure = None;
        self.tally.succeeded(now.since(self.started_at));
        self.backoff.succeeded(schedule.expires_at.since(sent_at));
        self.candidates.accept(&token.credential);
        // The sources may have brought a new secret while the old one was asked with: it is next.
        self.unproved = self.unproved && self.candidates.first_is_untried();
        if !self.unproved {
            self.candidates.prefer(&token.credential);
        }

        effects.push(Effect::Publish(Arc::clone(&token)));
        for (waiter, outcome) in self.waiters.take_served(&token, now) {
            effects.push(Effect::Settle { waiter, outcome });
        }
        // A bare 401 was the secret's fault after all: another one is accepted at the same place.
        for (credential, failure) in refused {
            if self.candidates.reject(&credential, now) {
                effects.push(Effect::Notify(Notice::CredentialRejected { credential, failure }));
            }
        }
        effects.push(Effect::Notify(Notice::Token(token)));
        if let Some(old) = replaced {
            let reason = Retirement::Replaced;
            effects.push(Effect::Notify(Notice::TokenRetired { serial: old.serial, reason }));
        }
    }

    fn fail(
        &mut self,
        failure: Failure,
        terminal: bool,
        now: Timestamp,
        random: f64,
        effects: &mut Vec<Effect>,
    ) {
        let runway = self.token.as_ref().map(|token| token.runway(now));
        self.tally.failed(failure.code, now.since(self.started_at));
        self.backoff.failed(&failure, terminal, runway, now, random);
        // Nothing was learnt of a new secret: it is not forgotten until the next regular refresh.
        self.unproved = self.candidates.first_is_untried();
        self.last_failure = Some((failure.clone(), now));
        self.refuse_the_hopeless(now, effects);
        effects.push(Effect::Notify(Notice::RefreshFailed {
            failure,
            next_attempt: self.next_refresh().unwrap_or(now),
            runway: runway.unwrap_or_default(),
        }));
    }
}

fn unusable_on_arrival(
    grant: &Grant,
    life: Duration,
    now: Timestamp,
    sent_at: Timestamp,
) -> Failure {
    Failure::new(
        Code::Misconfigured,
        format!(
            "The token endpoint's token cannot be used: it lives {} ms, {} ms of them passed while it \
             was fetched, and the rest lies within the expiry margin. Ask for longer lived tokens, or \
             lower expiryMarginMs or raise maxTokenAgeMs (here the life used is {} ms).",
            grant.lifetime.as_millis(),
            now.since(sent_at).as_millis(),
            life.as_millis(),
        ),
    )
}
