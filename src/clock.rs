//! Time as a value.
//!
//! The core never reads a clock: it gets a [`Timestamp`]. This module has the one place that reads
//! the real clocks ([`SystemClock`]), and the clock that tests move by hand ([`ManualClock`]).

#[cfg(feature = "io")]
mod alarm;
mod manual;
#[cfg(any(feature = "io", test))]
mod system;

use std::future::{Future, pending};
use std::ops::{Add, Sub};
use std::pin::Pin;
use std::sync::Arc;
use std::time::Duration;

pub use manual::ManualClock;
#[cfg(feature = "io")]
pub use system::SystemClock;

/// A point on a process's own time line. The time line never goes back, and it counts suspension.
///
/// It is comparable only with other timestamps of the same [`Clock`].
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

/// A sleep that a [`Clock`] made.
pub type Sleep = Pin<Box<dyn Future<Output = ()> + Send>>;

/// The only source of time and of waiting.
pub trait Clock: Send + Sync + 'static {
    /// The current time on the process's own time line.
    fn now(&self) -> Timestamp;

    /// The instant `at` as people see it: milliseconds since 1970-01-01T00:00Z.
    fn utc_millis(&self, at: Timestamp) -> i64;

    /// Resolves at `at` or slightly before or after it. The caller reads [`Clock::now`] again.
    ///
    /// It may miss what the time line counts: the machine's suspension, and a wall clock that is
    /// set ahead.
    fn sleep_until(&self, at: Timestamp) -> Sleep;

    /// Resolves when sleeps that began earlier may have become too long.
    fn leap(self: Arc<Self>) -> Sleep {
        Box::pin(pending())
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
