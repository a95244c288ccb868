//! When the next refresh may start.

use std::time::Duration;

use crate::clock::Timestamp;
use crate::error::{Code, Failure};
use crate::policy::Policy;

/// Keeps refreshes apart: by a minimum gap always, by more after failures.
#[derive(Debug, Default)]
pub(super) struct Backoff {
    failures: u32,
    terminal: Option<Failure>,
    /// Until when the minimum gap after the last start lasts.
    gap_until: Timestamp,
    /// When our own patience after failures ends.
    retry_at: Timestamp,
    /// When the latest failure came, if it was one that may pass by itself.
    passing_at: Option<Timestamp>,
    /// Until when the endpoint asked to be left alone.
    throttled_until: Timestamp,
    life: Option<Duration>,
}

impl Backoff {
    const FIRST: Duration = Duration::from_secs(1);
    const LONGEST: Duration = Duration::from_mins(1);
    /// The gap while no token's life is known.
    const FIRST_GAP: Duration = Duration::from_secs(1);
    /// Whoever waits for a token does not wait longer for what may have passed by now.
    const LONGEST_FOR_CALLERS: Duration = Duration::from_secs(5);

    /// When the next refresh may start; sooner where callers wait after a failure that may pass by
    /// itself.
    pub(super) fn not_before(&self, is_awaited: bool) -> Timestamp {
        let early = self.passing_at.map(|at| at + Self::LONGEST_FOR_CALLERS);
        let early = early.filter(|_| is_awaited).unwrap_or(self.retry_at);
        self.gap_until.max(self.retry_at.min(early)).max(self.throttled_until)
    }

    /// The last failure, when trying again at once cannot help.
    pub(super) fn terminal(&self) -> Option<&Failure> {
        self.terminal.as_ref()
    }

    pub(super) fn attempt_started(&mut self, now: Timestamp) {
        self.gap_until = now + self.life.map_or(Self::FIRST_GAP, Policy::minimum_gap);
    }

    pub(super) fn succeeded(&mut self, life: Duration) {
        let gap = Policy::minimum_gap(life);
        let started = self.gap_until - self.life.map_or(Self::FIRST_GAP, Policy::minimum_gap);
        *self = Self { life: Some(life), gap_until: started + gap, ..Self::default() };
    }

    /// `runway` is how long a held token may still be handed out: within it there is always another
    /// attempt, however long the wait would otherwise be.
    pub(super) fn failed(
        &mut self,
        failure: &Failure,
        terminal: bool,
        runway: Option<Duration>,
        now: Timestamp,
        random: f64,
    ) {
        let wait = self.patience(random);
        self.retry_at = now + runway.map_or(wait, |left| wait.min(left / 2));
        self.passing_at = (failure.code == Code::Endpoint).then_some(now);

        let asked = failure.retry_after.unwrap_or_default().min(Policy::LONGEST_RETRY_AFTER);
        let asked = asked.mul_f64(1.0 + random / 10.0).min(Policy::LONGEST_RETRY_AFTER);
        let asked = runway.map_or(asked, |left| asked.min(left / 10 * 9));
        self.throttled_until = match failure.code {
            // Without a wish of the endpoint our own patience is what keeps the distance.
            Code::Throttled => (now + asked).max(self.retry_at),
            _ => now + asked,
        };
        self.failures = self.failures.saturating_add(1);
        self.terminal = terminal.then(|| failure.clone());
    }

    /// The answer was a token, which nobody may be handed yet.
    pub(super) fn brought_nothing(&mut self, now: Timestamp, random: f64) {
        self.retry_at = now + self.patience(random);
        self.passing_at = Some(now);
        self.failures = self.failures.saturating_add(1);
    }

    /// Uniform between d/2 and d, where d doubles from 2 s to 60 s: the first wait is 1 s to 2 s.
    fn patience(&self, random: f64) -> Duration {
        let ceiling = (Self::FIRST * 2)
            .saturating_mul(2_u32.saturating_pow(self.failures.min(16)))
            .min(Self::LONGEST);
        ceiling.mul_f64(0.5 + random / 2.0)
    }

    /// A new reason to try does not wait for our patience, only for the endpoint's.
    pub(super) fn allow_early_attempt(&mut self) {
        self.retry_at = Timestamp::default();
    }

    /// What failed may succeed now: the credentials are others.
    pub(super) fn forget_failures(&mut self) {
        self.failures = 0;
        self.terminal = None;
        self.allow_early_attempt();
    }
}
