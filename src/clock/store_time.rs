//! A point in time, as a store tells it.

use std::ops::{Add, Sub};
use std::time::Duration;

use serde::{Deserialize, Serialize};

use super::timestamp::Timestamp;

/// A point on the time line of a store, in whole milliseconds.
///
/// Everything that the members of a fleet share is told in it. It is comparable only with other
/// points of the same store: each process has a clock of its own, the [`Timestamp`]s of which mean
/// nothing to another one.
#[derive(
    Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default, Serialize, Deserialize,
)]
pub struct StoreTime(u64);

impl StoreTime {
    /// The point this many milliseconds after the origin.
    pub const fn from_millis(millis: u64) -> Self {
        Self(millis)
    }

    /// How many milliseconds after the origin it is.
    pub const fn millis(self) -> u64 {
        self.0
    }

    /// The time of a store that goes by a process's own clock.
    pub fn of(own: Timestamp) -> Self {
        Self(whole_millis(own.since(Timestamp::default())))
    }

    /// How long after `earlier` this is; zero if it is not after it.
    pub fn since(self, earlier: Self) -> Duration {
        Duration::from_millis(self.0.saturating_sub(earlier.0))
    }
}

impl Add<Duration> for StoreTime {
    type Output = Self;

    fn add(self, duration: Duration) -> Self {
        Self(self.0.saturating_add(whole_millis(duration)))
    }
}

impl Sub<Duration> for StoreTime {
    type Output = Self;

    fn sub(self, duration: Duration) -> Self {
        Self(self.0.saturating_sub(whole_millis(duration)))
    }
}

fn whole_millis(duration: Duration) -> u64 {
    u64::try_from(duration.as_millis()).unwrap_or(u64::MAX)
}
