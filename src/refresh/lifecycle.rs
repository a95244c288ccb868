//! The token lifecycle: what a machine holds, and its step.

use std::sync::Arc;

use super::backoff::Backoff;
use super::effect::{RefreshEffect, RefreshNotice, Retirement};
use super::event::{Offer, RefreshEvent};
use super::invalidation::{Believed, Invalidations};
use super::round::Round;
use super::tally::Tally;
use super::waiters::{TokenRefusal, Waiters};
use crate::clock::Timestamp;
use crate::credential::Credential;
use crate::error::Failure;
use crate::token::HeldToken;

/// The token lifecycle of one logical client.
///
/// **Calls.** [`Refresh::step`] with everything that happens, in the order in which it happened,
/// then the effects in their order. [`Refresh::wake_at`] says when [`RefreshEvent::Ticked`] is due;
/// a tick that comes early or twice changes nothing. The other methods only look.
///
/// **Guarantees.** At most one request is under way. A token is handed out until its expiry less
/// the margin, and not a tick longer; a failed refresh never takes it away. Two refreshes start at
/// least min(1 s, 10 % of life) apart, and never less than 100 ms. Every [`RefreshEvent::Wanted`]
/// is settled exactly once, at the latest at its deadline.
#[derive(Debug)]
pub struct Refresh {
    pub(super) offer: Offer,
    pub(super) token: Option<Arc<HeldToken>>,
    pub(super) last_serial: u64,
    pub(super) round: Option<Round>,
    /// When the latest refresh started.
    pub(super) started_at: Timestamp,
    pub(super) last_flight: u64,
    pub(super) backoff: Backoff,
    invalidations: Invalidations,
    pub(super) waiters: Waiters,
    pub(super) last_failure: Option<(Failure, Timestamp)>,
    /// Since when every refresh has failed.
    pub(super) failing_since: Option<Timestamp>,
    /// Since when no token is held, as long as none is.
    without_token: Timestamp,
    pub(super) tally: Tally,
    /// The fleet has no token, whatever is held here.
    pub(super) is_gone: bool,
    closed: bool,
}

impl Default for Refresh {
    fn default() -> Self {
        Self::new()
    }
}

impl Refresh {
    /// A machine that knows no credential yet and therefore does nothing.
    pub fn new() -> Self {
        Self {
            offer: Offer { awaits_sources: true, ..Offer::default() },
            token: None,
            last_serial: 0,
            round: None,
            started_at: Timestamp::default(),
            last_flight: 0,
            backoff: Backoff::default(),
            invalidations: Invalidations::default(),
            waiters: Waiters::default(),
            last_failure: None,
            failing_since: None,
            without_token: Timestamp::default(),
            tally: Tally::default(),
            is_gone: false,
            closed: false,
        }
    }

    /// The token that may be handed out at `now`.
    pub fn token(&self, now: Timestamp) -> Option<&Arc<HeldToken>> {
        self.token.as_ref().filter(|token| now < token.usable_until)
    }

    /// The token that is held, though it may have to be withdrawn at this moment.
    pub(crate) fn held(&self) -> Option<&Arc<HeldToken>> {
        self.token.as_ref()
    }

    /// Whether a token is held, though it may have to be withdrawn at this moment.
    pub(crate) fn has_token(&self) -> bool {
        self.token.is_some()
    }

    /// The highest serial of a token that was handed out.
    pub fn last_serial(&self) -> u64 {
        self.last_serial
    }

    /// What a token can be fetched with.
    pub fn offer(&self) -> &Offer {
        &self.offer
    }

    /// Whether a token request is under way.
    pub fn is_fetching(&self) -> bool {
        self.round.is_some()
    }

    /// What went wrong last, and when, if nothing went well since.
    pub fn last_failure(&self) -> Option<&(Failure, Timestamp)> {
        self.last_failure.as_ref()
    }

    /// Since when every refresh has failed, if the latest one did.
    pub fn failing_since(&self) -> Option<Timestamp> {
        self.failing_since
    }

    /// Since when no token is held, if none is.
    pub fn without_token_since(&self) -> Option<Timestamp> {
        self.token.is_none().then_some(self.without_token)
    }

    /// Since when resources refuse every token, as their latest reports say.
    pub fn refused_since(&self, now: Timestamp) -> Option<Timestamp> {
        self.invalidations.refused_since(now)
    }

    /// What has happened so far.
    pub fn tally(&self) -> &Tally {
        &self.tally
    }

    /// Counts an answer that rejected a credential.
    pub(crate) fn count_rejection(&mut self) {
        self.tally.credential_rejections += 1;
    }

    /// When the next attempt starts if nothing happens before; none while one is under way.
    pub fn next_refresh(&self) -> Option<Timestamp> {
        self.next_fetch().or_else(|| {
            let (_, at) = self.offer.rejected.as_ref().filter(|_| !self.closed)?;
            Some(*at)
        })
    }

    /// When it fetches by itself: what is rejected is tried again by the credential lifecycle.
    pub(super) fn next_fetch(&self) -> Option<Timestamp> {
        if self.closed || self.offer.credentials.is_empty() || self.round.is_some() {
            return None;
        }
        // Whoever waits although a token is held wants one that is usable for longer.
        let due = match &self.token {
            Some(token) if self.waiters.is_empty() && !self.is_gone => token.refresh_at,
            _ => Timestamp::default(),
        };
        let is_awaited = self.token.is_none() && !self.waiters.is_empty();
        Some(due.max(self.backoff.not_before(is_awaited)))
    }

    /// When [`RefreshEvent::Ticked`] is due.
    pub fn wake_at(&self) -> Option<Timestamp> {
        [
            self.token.as_ref().map(|token| token.usable_until),
            self.next_fetch(),
            self.waiters.first_deadline(),
        ]
        .into_iter()
        .flatten()
        .min()
    }

    /// Whether the request of that number is what a refresh waits for.
    pub fn awaits(&self, flight: u64) -> bool {
        self.round.is_some() && flight == self.last_flight
    }

    /// Moves the machine on. `random` is uniform in `0.0..1.0`.
    pub fn step(&mut self, event: RefreshEvent, now: Timestamp, random: f64) -> Vec<RefreshEffect> {
        let mut effects = Vec::new();
        if self.closed {
            if let RefreshEvent::Wanted(wait) = event {
                effects.push(RefreshEffect::Settle {
                    waiter: wait.waiter,
                    outcome: Err(TokenRefusal::Closed),
                });
            }
            return effects;
        }
        self.expire(now, &mut effects);
        match event {
            RefreshEvent::Wanted(wait) => self.admit(wait, now, &mut effects),
            RefreshEvent::Cancelled(waiter) => self.waiters.remove(waiter),
            RefreshEvent::Invalidated(serial) => self.invalidate(serial, now, &mut effects),
            RefreshEvent::Offered(offer) => self.take_offer(*offer, now, &mut effects),
            RefreshEvent::Answered { flight, verdict } => {
                if let Some(round) = self.round.take_if(|_| flight == self.last_flight) {
                    self.fall_back(round, &verdict, now, random, &mut effects);
                }
            }
            RefreshEvent::Withdrawn { flight } => {
                self.round.take_if(|_| flight == self.last_flight);
            }
            RefreshEvent::Obtained(token) => self.hand_out(token, now, &mut effects),
            RefreshEvent::Dropped(serial) => {
                if self.token.as_ref().is_some_and(|token| token.serial == serial) {
                    self.drop_token(Retirement::Dropped, now, &mut effects);
                    self.backoff.allow_early_attempt();
                }
            }
            RefreshEvent::Gone => self.is_gone = true,
            RefreshEvent::Ticked => {}
            RefreshEvent::Restarted => self.restart(&mut effects),
            RefreshEvent::Closed => self.close(&mut effects),
        }
        self.refuse_overdue(now, &mut effects);
        self.start_if_due(now, &mut effects);
        effects
    }

    fn expire(&mut self, now: Timestamp, effects: &mut Vec<RefreshEffect>) {
        if self.token.as_ref().is_some_and(|token| now >= token.usable_until) {
            self.drop_token(Retirement::Expired, now, effects);
        }
    }

    fn drop_token(&mut self, reason: Retirement, now: Timestamp, effects: &mut Vec<RefreshEffect>) {
        if let Some(token) = self.token.take() {
            self.without_token = now;
            effects.push(RefreshEffect::Withdraw);
            effects.push(RefreshEffect::Notify(RefreshNotice::TokenRetired {
                serial: token.serial,
                reason,
            }));
        }
    }

    fn invalidate(&mut self, serial: u64, now: Timestamp, effects: &mut Vec<RefreshEffect>) {
        let Some(token) = self.token.as_ref().filter(|token| token.serial == serial) else {
            return;
        };
        match self.invalidations.report(token, now) {
            Believed::Yes => {
                self.tally.invalidations += 1;
                self.drop_token(Retirement::Invalidated, now, effects);
                self.backoff.allow_early_attempt();
            }
            Believed::No { retry_after, is_told } => {
                self.tally.invalidations_ignored += 1;
                if is_told {
                    effects.push(RefreshEffect::Notify(RefreshNotice::InvalidateIgnored {
                        serial,
                        retry_after,
                    }));
                }
            }
        }
    }

    fn take_offer(&mut self, offer: Offer, now: Timestamp, effects: &mut Vec<RefreshEffect>) {
        let is_new = |one: &Arc<Credential>| {
            !self.offer.credentials.iter().any(|known| known.is_same_as(one))
        };
        if offer.credentials.iter().any(is_new) {
            self.backoff.forget_failures();
        }
        self.offer = offer;
        self.refuse_the_hopeless(now, effects);
    }

    fn restart(&mut self, effects: &mut Vec<RefreshEffect>) {
        self.round = None;
        self.tally.thread_restarts += 1;
        if let Some(token) = &self.token {
            effects.push(RefreshEffect::Publish(Arc::clone(token)));
        }
        effects.push(RefreshEffect::Notify(RefreshNotice::ThreadRestarted));
    }

    fn close(&mut self, effects: &mut Vec<RefreshEffect>) {
        self.closed = true;
        self.round = None;
        if self.token.take().is_some() {
            effects.push(RefreshEffect::Withdraw);
        }
        for (waiter, _) in self.waiters.all() {
            self.waiters.remove(waiter);
            effects.push(RefreshEffect::Settle { waiter, outcome: Err(TokenRefusal::Closed) });
        }
    }
}
