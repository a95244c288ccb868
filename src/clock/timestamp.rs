//! A point in time, as the core knows it.

use std::ops::{Add, Sub};
use std::time::Duration;

/// A point on a process's own time line. The time line never goes back, and it counts suspension.
///
/// It is comparable only with other timestamps of the same [`Clock`](super::Clock).
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub struct Timestamp(Duration);

impl Timestamp {
    /// A timestamp this many milliseconds after the clock's origin.
    pub const fn from_millis(millis: u64) -> Self {
        Self(Duration::from_millis(millis))
    }

    /// How long after `earlier` this is; zero if it is not after it.
    pub fn since(self, earlier: Self) -> Duration {
        self.0.saturating_sub(earlier.0)
    }

    /// The first instant after this one that is a multiple of `period` after the clock's origin. So
    /// everything with the same period happens at the same instants.
    #[must_use]
    pub fn next_of_every(self, period: Duration) -> Self {
        let past = self.0.as_nanos().checked_rem(period.as_nanos()).unwrap_or(0);
        let past = Duration::from_nanos(u64::try_from(past).unwrap_or(0));
        Self((self.0.saturating_sub(past)).saturating_add(period))
    }
}

impl Add<Duration> for Timestamp {
    type Output = Self;

    fn add(self, duration: Duration) -> Self {
        Self(self.0.saturating_add(duration))
    }
}

impl Sub<Duration> for Timestamp {
    type Output = Self;

    fn sub(self, duration: Duration) -> Self {
        Self(self.0.saturating_sub(duration))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_has_the_same_period_comes_at_the_same_instants() {
        let next = |millis, period| {
            Timestamp::from_millis(millis).next_of_every(Duration::from_millis(period))
        };
        assert_eq!(next(0, 10), Timestamp::from_millis(10));
        assert_eq!(next(9, 10), Timestamp::from_millis(10));
        assert_eq!(next(10, 10), Timestamp::from_millis(20));
        assert_eq!(next(7, 0), Timestamp::from_millis(7), "without a period it is at once");
    }
}
