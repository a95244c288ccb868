//! Virtual time, and a clock that a test sets.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use crate::clock::{Clock, Sleep, Timestamp};

pub(crate) const SECOND: Duration = Duration::from_secs(1);
pub(crate) const MINUTE: Duration = Duration::from_mins(1);
pub(crate) const HOUR: Duration = Duration::from_hours(1);

/// When every test starts.
pub(crate) const START: Timestamp = Timestamp::from_millis(1_000_000);

/// The hands of one clock: each process has its own, and so has a store.
#[derive(Debug)]
pub(crate) struct Hands(Mutex<Timestamp>);

impl Hands {
    pub(crate) fn at(now: Timestamp) -> Arc<Self> {
        Arc::new(Self(Mutex::new(now)))
    }

    /// Sets them, also back.
    pub(crate) fn set(&self, now: Timestamp) {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner) = now;
    }
}

impl Clock for Hands {
    fn now(&self) -> Timestamp {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn utc_millis(&self, at: Timestamp) -> i64 {
        i64::try_from(at.since(Timestamp::default()).as_millis()).unwrap_or(i64::MAX)
    }

    fn sleep_until(&self, _: Timestamp) -> Sleep {
        unreachable!("nobody sleeps in virtual time")
    }
}
