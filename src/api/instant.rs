//! Instants as JavaScript sees them.

use std::time::Duration;

use serde::Serialize;

use crate::clock::{Clock, Timestamp};

/// An instant for people: milliseconds since 1970-01-01T00:00Z.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(transparent)]
pub struct UtcMillis(pub i64);

/// Turns timestamps into instants for people. It knows the present and never reads a clock.
#[derive(Clone, Copy)]
pub struct Calendar<'a> {
    now: Timestamp,
    clock: &'a dyn Clock,
}

impl<'a> Calendar<'a> {
    /// The calendar of a clock on which it is `now`.
    pub fn new(now: Timestamp, clock: &'a dyn Clock) -> Self {
        Self { now, clock }
    }

    /// The present.
    pub fn now(self) -> Timestamp {
        self.now
    }

    /// The instant of a timestamp.
    pub fn utc(self, at: Timestamp) -> UtcMillis {
        UtcMillis(self.clock.utc_millis(at))
    }
}

/// Whole milliseconds, as JavaScript counts durations.
pub(super) fn millis(duration: Duration) -> u64 {
    u64::try_from(duration.as_millis()).unwrap_or(u64::MAX)
}
