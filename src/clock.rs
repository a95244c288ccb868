//! Time as a value.
//!
//! The core never reads a clock: it is given a [`Timestamp`]. This file holds the one place that
//! reads the real clocks ([`SystemClock`]) and the clock that tests turn by hand ([`ManualClock`]).

use std::collections::BTreeMap;
use std::future::Future;
use std::ops::{Add, Sub};
use std::pin::Pin;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::{Context, Poll, Waker};
use std::time::Duration;

/// A point on a process's own time line, which never goes back and counts suspension.
///
/// It is comparable only with other timestamps of the same [`Clock`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub struct Timestamp(Duration);

impl Timestamp {
    /// A timestamp so many milliseconds after the clock's origin.
    pub const fn from_millis(millis: u64) -> Self {
        Self(Duration::from_millis(millis))
    }

    /// How long after `earlier` this is; zero when it is not after it.
    pub fn since(self, earlier: Self) -> Duration {
        self.0.saturating_sub(earlier.0)
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

    /// The instant `at` for people: milliseconds since 1970-01-01T00:00Z.
    fn utc_millis(&self, at: Timestamp) -> i64;

    /// Resolves at `at` or somewhat before or after it; the caller looks at [`Clock::now`] again.
    fn sleep_until(&self, at: Timestamp) -> Sleep;

    /// How long a sleep may be relied upon, where the machine may be suspended meanwhile.
    fn longest_sleep(&self) -> Option<Duration> {
        None
    }
}

/// Where the time line of a [`SystemClock`] stands, and which readings it was derived from.
#[cfg(any(feature = "io", test))]
#[derive(Debug, Clone, Copy, Default)]
struct Anchor {
    /// The monotonic reading, in time since boot.
    boot: Duration,
    /// The wall clock's reading at the same moment, in milliseconds since 1970.
    wall_millis: i64,
    /// The position on our time line at the same moment.
    elapsed: Duration,
}

#[cfg(any(feature = "io", test))]
impl Anchor {
    /// Differences below this are the two clocks' ordinary disagreement.
    const TOLERANCE_MILLIS: i64 = 100;

    /// The anchor after a new pair of readings: the same one while the clocks agree.
    ///
    /// A wall clock that ran ahead of the monotonic one is taken at its word, because that is what
    /// a thawed container or a restored snapshot looks like: tokens age by the difference. A wall
    /// clock that was put back changes only the instants shown to people.
    fn corrected(self, boot: Duration, wall_millis: i64) -> Self {
        let elapsed = self.elapsed_at(boot);
        let ahead = wall_millis - self.wall_at(elapsed);
        if ahead.abs() <= Self::TOLERANCE_MILLIS {
            return self;
        }
        let frozen = Duration::from_millis(u64::try_from(ahead).unwrap_or(0));
        Self { boot, wall_millis, elapsed: elapsed.saturating_add(frozen) }
    }

    fn elapsed_at(self, boot: Duration) -> Duration {
        self.elapsed.saturating_add(boot.saturating_sub(self.boot))
    }

    fn wall_at(self, elapsed: Duration) -> i64 {
        let millis = |d: Duration| i64::try_from(d.as_millis()).unwrap_or(i64::MAX);
        self.wall_millis.saturating_add(millis(elapsed)).saturating_sub(millis(self.elapsed))
    }
}

/// The machine's clocks: monotonic, counting suspension, checked against the wall clock.
#[cfg(feature = "io")]
#[derive(Debug)]
pub struct SystemClock {
    anchor: Mutex<Anchor>,
}

#[cfg(feature = "io")]
impl SystemClock {
    /// A clock whose time line starts now.
    pub fn new() -> Self {
        let (boot, wall_millis) = Self::read();
        Self { anchor: Mutex::new(Anchor { boot, wall_millis, elapsed: Duration::ZERO }) }
    }

    fn read() -> (Duration, i64) {
        use std::time::{SystemTime, UNIX_EPOCH};
        #[expect(clippy::disallowed_methods, reason = "the one place that reads the wall clock")]
        let wall = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
        (boot_time(), i64::try_from(wall.as_millis()).unwrap_or(i64::MAX))
    }
}

/// Time since boot, suspension included.
#[cfg(all(feature = "io", unix))]
fn boot_time() -> Duration {
    use rustix::time::{ClockId, clock_gettime};
    // Apple's CLOCK_MONOTONIC counts sleep; Linux has a clock of its own for that.
    #[cfg(any(target_os = "linux", target_os = "android"))]
    const CLOCK: ClockId = ClockId::Boottime;
    #[cfg(not(any(target_os = "linux", target_os = "android")))]
    const CLOCK: ClockId = ClockId::Monotonic;
    Duration::try_from(clock_gettime(CLOCK)).unwrap_or_default()
}

/// Time since the first call; the performance counter behind `Instant` counts suspension here.
#[cfg(all(feature = "io", not(unix)))]
fn boot_time() -> Duration {
    use std::sync::OnceLock;
    use std::time::Instant;
    static FIRST: OnceLock<Instant> = OnceLock::new();
    #[expect(clippy::disallowed_methods, reason = "the one place that reads the monotonic clock")]
    let now = Instant::now();
    now.saturating_duration_since(*FIRST.get_or_init(|| now))
}

#[cfg(feature = "io")]
impl Default for SystemClock {
    fn default() -> Self {
        Self::new()
    }
}

#[cfg(feature = "io")]
impl Clock for SystemClock {
    fn now(&self) -> Timestamp {
        let (boot, wall_millis) = Self::read();
        let mut anchor = self.anchor.lock().unwrap_or_else(PoisonError::into_inner);
        *anchor = anchor.corrected(boot, wall_millis);
        Timestamp(anchor.elapsed_at(boot))
    }

    fn utc_millis(&self, at: Timestamp) -> i64 {
        self.anchor.lock().unwrap_or_else(PoisonError::into_inner).wall_at(at.0)
    }

    fn sleep_until(&self, at: Timestamp) -> Sleep {
        let pause = at.since(self.now());
        #[expect(clippy::disallowed_methods, reason = "the one place that sleeps")]
        let sleep = tokio::time::sleep(pause);
        Box::pin(sleep)
    }

    fn longest_sleep(&self) -> Option<Duration> {
        Some(Duration::from_secs(1))
    }
}

/// A clock that moves only when it is told to.
#[derive(Debug, Default)]
pub struct ManualClock {
    /// What its origin is called, in milliseconds since 1970.
    epoch_millis: i64,
    state: Mutex<ManualState>,
}

#[derive(Debug, Default)]
struct ManualState {
    now: Timestamp,
    /// Who sleeps, and who was woken and has not looked at the clock since.
    sleepers: BTreeMap<SleeperId, Waker>,
    last_sleeper: u64,
}

/// In the order in which they are due.
type SleeperId = (Timestamp, u64);

impl ManualClock {
    /// A clock that stands at its origin, so many milliseconds after 1970-01-01T00:00Z.
    pub fn new(epoch_millis: i64) -> Arc<Self> {
        Arc::new(Self { epoch_millis, state: Mutex::default() })
    }

    /// Moves the time on and wakes every sleeper whose time has come.
    pub fn advance(&self, by: Duration) {
        let due: Vec<Waker> = {
            let mut state = self.lock();
            state.now = state.now + by;
            let now = state.now;
            state.sleepers.range(..=(now, u64::MAX)).map(|(_, waker)| waker.clone()).collect()
        };
        due.into_iter().for_each(Waker::wake);
    }

    /// Moves the time on to so many milliseconds after 1970; a time in the past changes nothing.
    pub fn advance_to(&self, utc_millis: i64) {
        let ahead = utc_millis.saturating_sub(self.utc_millis(self.lock().now));
        self.advance(Duration::from_millis(u64::try_from(ahead).unwrap_or(0)));
    }

    /// When the first sleeper wakes, in milliseconds since 1970.
    pub fn next_wake(&self) -> Option<i64> {
        let first = self.lock().sleepers.keys().next().copied();
        // Rounded up: at that time it is due.
        first.map(|(at, _)| self.utc_millis(at + Duration::from_nanos(999_999)))
    }

    /// Whether somebody's time has come who has not looked at the clock since.
    pub fn is_waking(&self) -> bool {
        let state = self.lock();
        state.sleepers.keys().next().is_some_and(|(at, _)| *at <= state.now)
    }

    fn utc_millis(&self, at: Timestamp) -> i64 {
        self.epoch_millis.saturating_add(i64::try_from(at.0.as_millis()).unwrap_or(i64::MAX))
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
        // Known from the start: whoever asks for the next wake-up must not miss one.
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

    const START: Anchor =
        Anchor { boot: Duration::from_secs(50), wall_millis: 1_000_000, elapsed: Duration::ZERO };

    #[test]
    fn clocks_that_agree_leave_the_anchor_alone() {
        let anchor = START.corrected(Duration::from_secs(60), 1_010_040);
        assert_eq!(anchor.boot, START.boot);
        assert_eq!(anchor.elapsed_at(Duration::from_secs(60)), Duration::from_secs(10));
    }

    #[test]
    fn a_thaw_that_only_the_wall_clock_saw_ages_the_time_line() {
        let anchor = START.corrected(Duration::from_secs(60), 1_310_000);
        assert_eq!(anchor.elapsed_at(Duration::from_secs(60)), Duration::from_secs(310));
        assert_eq!(anchor.wall_at(Duration::from_secs(310)), 1_310_000);
    }

    #[test]
    fn a_wall_clock_put_back_never_makes_the_time_line_younger() {
        let anchor = START.corrected(Duration::from_secs(60), 500_000);
        assert_eq!(anchor.elapsed_at(Duration::from_secs(60)), Duration::from_secs(10));
        assert_eq!(anchor.wall_at(Duration::from_secs(10)), 500_000);
    }

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
