//! A clock for tests, which they move by hand.

use std::collections::BTreeMap;
use std::future::Future;
use std::pin::Pin;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::{Context, Poll, Waker};
use std::time::Duration;

use super::interface::{Clock, Sleep};
use super::timestamp::Timestamp;

/// A clock that moves only when it is told to.
#[derive(Debug, Default)]
pub struct ManualClock {
    /// The time at the clock's origin, in milliseconds since 1970.
    epoch_millis: i64,
    state: Mutex<ManualState>,
}

#[derive(Debug, Default)]
struct ManualState {
    now: Timestamp,
    /// Everyone who sleeps, and everyone who was woken and has not read the clock since.
    sleepers: BTreeMap<SleeperId, Waker>,
    last_sleeper: u64,
}

/// Identifies a sleeper. The order of ids is the order in which the sleepers are due.
type SleeperId = (Timestamp, u64);

impl ManualClock {
    /// A clock that stands at its origin, this many milliseconds after 1970-01-01T00:00Z.
    pub fn new(epoch_millis: i64) -> Arc<Self> {
        Arc::new(Self { epoch_millis, state: Mutex::default() })
    }

    /// Moves the time forward and wakes every sleeper that is due.
    pub fn advance(&self, by: Duration) {
        let due: Vec<Waker> = {
            let mut state = self.lock();
            state.now = state.now + by;
            let now = state.now;
            state.sleepers.range(..=(now, u64::MAX)).map(|(_, waker)| waker.clone()).collect()
        };
        due.into_iter().for_each(Waker::wake);
    }

    /// Moves the time forward to this many milliseconds after 1970. A time in the past changes
    /// nothing.
    pub fn advance_to(&self, utc_millis: i64) {
        let ahead = utc_millis.saturating_sub(self.utc_millis(self.lock().now));
        self.advance(Duration::from_millis(u64::try_from(ahead).unwrap_or(0)));
    }

    /// When the first sleeper is due, in milliseconds since 1970.
    pub fn next_wake(&self) -> Option<i64> {
        let first = self.lock().sleepers.keys().next().copied();
        // Rounded up, so that the sleeper is due at that time.
        first.map(|(at, _)| self.utc_millis(at + Duration::from_nanos(999_999)))
    }

    /// Whether a sleeper is due that has not read the clock since.
    pub fn is_waking(&self) -> bool {
        let state = self.lock();
        state.sleepers.keys().next().is_some_and(|(at, _)| *at <= state.now)
    }

    fn utc_millis(&self, at: Timestamp) -> i64 {
        let elapsed = at.since(Timestamp::default()).as_millis();
        self.epoch_millis.saturating_add(i64::try_from(elapsed).unwrap_or(i64::MAX))
    }

    fn lock(&self) -> MutexGuard<'_, ManualState> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Clock for Arc<ManualClock> {
    fn now(&self) -> Timestamp {
        self.lock().now
    }

    fn utc_millis(&self, at: Timestamp) -> i64 {
        ManualClock::utc_millis(self, at)
    }

    fn sleep_until(&self, at: Timestamp) -> Sleep {
        let mut state = self.lock();
        state.last_sleeper += 1;
        let id = (at, state.last_sleeper);
        // Registered at once, so that `next_wake` misses no sleeper that was not polled yet.
        state.sleepers.insert(id, Waker::noop().clone());
        Box::pin(ManualSleep { clock: Self::clone(self), id })
    }
}

/// A sleep on a [`ManualClock`].
struct ManualSleep {
    clock: Arc<ManualClock>,
    id: SleeperId,
}

impl Future for ManualSleep {
    type Output = ();

    fn poll(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<()> {
        let mut state = self.clock.lock();
        if state.now >= self.id.0 {
            state.sleepers.remove(&self.id);
            return Poll::Ready(());
        }
        state.sleepers.insert(self.id, context.waker().clone());
        Poll::Pending
    }
}

impl Drop for ManualSleep {
    fn drop(&mut self) {
        self.clock.lock().sleepers.remove(&self.id);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_manual_clock_knows_who_sleeps_and_who_has_not_woken_up_yet() {
        let clock = ManualClock::new(1_000);
        let mut context = Context::from_waker(Waker::noop());
        let mut first = clock.sleep_until(Timestamp::from_millis(50));
        let mut second = clock.sleep_until(Timestamp::from_millis(70));
        assert!(first.as_mut().poll(&mut context).is_pending());
        assert!(second.as_mut().poll(&mut context).is_pending());
        assert_eq!(clock.next_wake(), Some(1_050));

        clock.advance_to(1_050);
        assert!(clock.is_waking());
        assert!(first.as_mut().poll(&mut context).is_ready());
        assert!(!clock.is_waking());
        assert_eq!(clock.next_wake(), Some(1_070));

        let mut late = clock.sleep_until(Timestamp::from_millis(50));
        assert!(clock.is_waking(), "it is due already and does not know");
        assert!(late.as_mut().poll(&mut context).is_ready());
        assert!(!clock.is_waking());

        drop(second);
        assert_eq!(clock.next_wake(), None, "who no longer sleeps is not waited for");
        clock.advance_to(0);
        assert_eq!(clock.now(), Timestamp::from_millis(50));
    }
}
