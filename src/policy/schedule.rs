//! When a token is refreshed and how long it may be used.

use std::time::Duration;

use crate::clock::Timestamp;
use crate::token::Grant;

/// The rules of one logical client, from its options.
#[derive(Debug, Clone, PartialEq)]
pub struct Policy {
    /// How long before expiry a token is refreshed. Default: the smaller of 10 min and 25 % of
    /// life.
    pub refresh_before: Option<Duration>,
    /// By which part of that window a refresh may come earlier, at random. Default 0.1.
    pub jitter_ratio: f64,
    /// How close to its expiry a token is still used. Default: the smaller of 30 s and 5 % of life.
    pub expiry_margin: Option<Duration>,
    /// How long a token is used at most, whatever its endpoint says.
    pub max_token_age: Option<Duration>,
    /// How much life a token always has left, if it lives long enough.
    pub min_runway: Option<Duration>,
    /// How long a caller waits while there is no token. Default 5 s.
    pub acquire_timeout: Duration,
    /// How long rejections of a credential that just appeared do not count.
    pub propagation: Duration,
    /// How long the previous credential stays a fallback after a promotion. Default:
    /// min(max(remaining life of the old token, 5 min), 1 h).
    pub overlap: Option<Duration>,
    /// How long one attempt to persist a credential may take. Default 30 s.
    pub persist_timeout: Duration,
    /// After how long a token is refreshed at the latest, which shows whether its secret still
    /// works. Zero: only when it is due. Default 6 h.
    pub prove_every: Duration,
}

/// The instants of one token's life, in order: `issued ≤ refresh ≤ soft ≤ usable_until ≤ expires`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Schedule {
    /// When it expires.
    pub expires_at: Timestamp,
    /// When its soft window begins: it expires soon.
    pub soft_at: Timestamp,
    /// When its successor is fetched: then, or earlier to see whether its secret still works.
    pub refresh_at: Timestamp,
    /// How long it is handed out.
    pub usable_until: Timestamp,
}

impl Policy {
    /// A `Retry-After` beyond this is held to be a mistake of the server.
    pub(crate) const LONGEST_RETRY_AFTER: Duration = Duration::from_mins(3);
    /// The longest life that counts, 100 years: no sum of instants overflows.
    const LONGEST_LIFE: Duration = Duration::from_hours(24 * 365 * 100);

    /// Lays out the life of a token that was asked for at `issued_at`.
    ///
    /// `random` is uniform in `0.0..1.0` and moves the refresh earlier, never later.
    pub fn schedule(&self, grant: &Grant, issued_at: Timestamp, random: f64) -> Schedule {
        let life = self.max_token_age.map_or(grant.lifetime, |age| age.min(grant.lifetime));
        let life = life.min(Self::LONGEST_LIFE);
        let margin = self
            .expiry_margin
            .unwrap_or_else(|| (life / 20).min(Duration::from_secs(30)))
            .min(life);
        let usable_until = issued_at + life - margin;

        let window = self
            .refresh_before
            .unwrap_or_else(|| (life / 4).min(Duration::from_mins(10)))
            .max(self.min_runway.unwrap_or_default())
            .min(life / 2);
        // One that lies beyond the life that is used here would leave a gap.
        let asked = grant.refresh_in.filter(|refresh_in| issued_at + *refresh_in < usable_until);
        let jitter = window.mul_f64(self.jitter_ratio * random);
        let refresh_at = match asked {
            Some(refresh_in) => issued_at + refresh_in,
            None => issued_at + life - window - jitter,
        };
        let soft_at = refresh_at.max(issued_at).min(usable_until);
        let early = jitter.min(self.prove_every.mul_f64(self.jitter_ratio * random));
        let proved_at = issued_at + self.prove_every - early;
        let refresh_at = if self.prove_every.is_zero() { soft_at } else { soft_at.min(proved_at) };
        Schedule { expires_at: issued_at + life, soft_at, refresh_at, usable_until }
    }

    /// The least time between the starts of two refreshes of a token with this life.
    ///
    /// A server that issues tokens for a few milliseconds is not asked all the time.
    pub fn minimum_gap(life: Duration) -> Duration {
        (life / 10).clamp(Duration::from_millis(100), Duration::from_secs(1))
    }
}

#[cfg(test)]
pub(crate) mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::secret::Secret;

    pub(crate) const DEFAULT: Policy = Policy {
        refresh_before: None,
        jitter_ratio: 0.1,
        expiry_margin: None,
        max_token_age: None,
        min_runway: None,
        acquire_timeout: Duration::from_secs(5),
        propagation: Duration::ZERO,
        overlap: None,
        persist_timeout: Duration::from_secs(30),
        prove_every: Duration::ZERO,
    };

    fn grant(lifetime: Duration) -> Grant {
        Grant { access_token: Secret::new("t"), lifetime, refresh_in: None, scope: None }
    }

    fn seconds(schedule: Schedule) -> [f64; 3] {
        [schedule.refresh_at, schedule.usable_until, schedule.expires_at]
            .map(|at| at.since(Timestamp::default()).as_secs_f64())
    }

    #[test]
    fn a_day_is_refreshed_ten_minutes_and_left_thirty_seconds_before_its_end() {
        let day = grant(Duration::from_hours(24));
        assert_eq!(
            seconds(DEFAULT.schedule(&day, Timestamp::default(), 0.0)),
            [85_800.0, 86_370.0, 86_400.0]
        );
    }

    #[test]
    fn jitter_comes_early_by_at_most_a_tenth_of_the_window() {
        let day = grant(Duration::from_hours(24));
        assert_eq!(seconds(DEFAULT.schedule(&day, Timestamp::default(), 1.0))[0], 85_800.0 - 60.0);
    }

    #[test]
    fn five_minutes_and_one_second_scale_down() {
        let five_minutes = grant(Duration::from_mins(5));
        let one_second = grant(Duration::from_secs(1));
        assert_eq!(
            seconds(DEFAULT.schedule(&five_minutes, Timestamp::default(), 0.0)),
            [225.0, 285.0, 300.0]
        );
        assert_eq!(
            seconds(DEFAULT.schedule(&one_second, Timestamp::default(), 0.0)),
            [0.75, 0.95, 1.0]
        );
    }

    #[test]
    fn a_wide_window_is_held_to_half_of_the_life() {
        let policy = Policy { refresh_before: Some(Duration::from_hours(48)), ..DEFAULT };
        let hour = grant(Duration::from_hours(1));
        assert_eq!(seconds(policy.schedule(&hour, Timestamp::default(), 0.0))[0], 1800.0);
    }

    #[test]
    fn the_endpoints_refresh_in_is_obeyed() {
        let grant =
            Grant { refresh_in: Some(Duration::from_secs(60)), ..grant(Duration::from_hours(1)) };
        assert_eq!(seconds(DEFAULT.schedule(&grant, Timestamp::default(), 0.9))[0], 60.0);
    }

    #[test]
    fn a_refresh_in_beyond_the_life_that_is_used_leaves_no_gap() {
        let policy = Policy { max_token_age: Some(Duration::from_mins(50)), ..DEFAULT };
        let grant =
            Grant { refresh_in: Some(Duration::from_hours(2)), ..grant(Duration::from_hours(4)) };
        assert_eq!(seconds(policy.schedule(&grant, Timestamp::default(), 0.0))[0], 2400.0);
    }

    #[test]
    fn a_long_lived_token_is_refreshed_so_often_that_a_dead_secret_is_noticed_in_time() {
        let policy = Policy { prove_every: Duration::from_hours(6), ..DEFAULT };
        let day = grant(Duration::from_hours(24));
        let at = |policy: &Policy, grant: &Grant, random| {
            seconds(policy.schedule(grant, Timestamp::default(), random))[0]
        };
        assert_eq!(at(&policy, &day, 0.0), 21_600.0);
        assert_eq!(at(&policy, &day, 1.0), 21_600.0 - 60.0, "as much earlier as any refresh");
        let minute = Policy { prove_every: Duration::from_mins(1), ..DEFAULT };
        assert_eq!(at(&minute, &day, 1.0), 54.0, "and a tenth of it at the most");
        let asked = Grant { refresh_in: Some(Duration::from_hours(20)), ..day.clone() };
        assert_eq!(at(&policy, &asked, 0.0), 21_600.0);
        let six = grant(Duration::from_hours(6));
        for random in [0.0, 0.5] {
            assert_eq!(at(&policy, &six, random), at(&DEFAULT, &six, random), "nothing changes");
        }
    }

    #[test]
    fn fifty_minutes_means_fifty_minutes() {
        let policy = Policy { max_token_age: Some(Duration::from_mins(50)), ..DEFAULT };
        let day = grant(Duration::from_hours(24));
        assert_eq!(seconds(policy.schedule(&day, Timestamp::default(), 0.0))[2], 3000.0);
    }

    proptest! {
        #[test]
        fn the_instants_are_always_in_order(
            life in 0_u64..4_000_000_000_000,
            refresh_before in proptest::option::of(0_u64..10_000_000_000),
            margin in proptest::option::of(0_u64..10_000_000_000),
            age in proptest::option::of(1_u64..10_000_000_000),
            runway in proptest::option::of(0_u64..10_000_000_000),
            refresh_in in proptest::option::of(0_u64..u64::MAX),
            prove_every in 0_u64..10_000_000_000,
            jitter_ratio in 0.0..=1.0,
            random in 0.0..1.0,
            issued in 0_u64..4_000_000_000_000,
        ) {
            let millis = |value: Option<u64>| value.map(Duration::from_millis);
            let policy = Policy {
                refresh_before: millis(refresh_before),
                jitter_ratio,
                expiry_margin: millis(margin),
                max_token_age: millis(age),
                min_runway: millis(runway),
                prove_every: Duration::from_millis(prove_every),
                ..DEFAULT
            };
            let grant = Grant { refresh_in: millis(refresh_in), ..grant(Duration::from_millis(life)) };
            let issued = Timestamp::from_millis(issued);
            let schedule = policy.schedule(&grant, issued, random);
            prop_assert!(issued <= schedule.refresh_at);
            prop_assert!(schedule.refresh_at <= schedule.soft_at);
            prop_assert!(schedule.soft_at <= schedule.usable_until);
            prop_assert!(schedule.usable_until <= schedule.expires_at);
        }
    }
}
