//! Turns the machine's clocks into one time line.

use std::time::Duration;
#[cfg(feature = "io")]
use std::{
    sync::{Arc, Mutex, PoisonError},
    time::Instant,
};

#[cfg(feature = "io")]
use super::{
    alarm::Alarm,
    interface::{Clock, Sleep},
    timestamp::Timestamp,
};

/// A position on the time line of a [`SystemClock`], and the readings that it comes from.
#[derive(Debug, Clone, Copy, Default)]
struct Anchor {
    /// The monotonic reading, in time since boot.
    boot: Duration,
    /// The wall clock's reading at the same moment, in milliseconds since 1970.
    wall_millis: i64,
    /// The position on our time line at the same moment.
    elapsed: Duration,
}

impl Anchor {
    /// The two clocks always disagree a little. Differences up to this are ignored.
    const TOLERANCE_MILLIS: i64 = 100;

    /// The anchor after a new pair of readings. It stays the same while the clocks agree.
    ///
    /// A wall clock that ran ahead of the monotonic one is believed, because a thawed container or
    /// a restored snapshot looks like that: tokens age by the difference. A wall clock that was set
    /// back changes only the instants that people see.
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

/// The machine's clocks: monotonic, counting suspension, and checked against the wall clock.
#[cfg(feature = "io")]
#[derive(Debug)]
pub struct SystemClock {
    anchor: Mutex<Anchor>,
    /// When the time line began, on the clock that sleeps use. That clock may stand still while the
    /// machine is suspended.
    began: Instant,
    /// How far the time line was ahead of that clock at the last check.
    lead: Mutex<Duration>,
}

#[cfg(feature = "io")]
impl SystemClock {
    /// How much too long a sleep may be without harm.
    const TOLERANCE: Duration = Duration::from_millis(20);

    /// A clock whose time line starts now.
    pub fn new() -> Self {
        let began = sleepers_now();
        let (boot, wall_millis) = Self::read();
        let anchor = Anchor { boot, wall_millis, elapsed: Duration::ZERO };
        Self { anchor: Mutex::new(anchor), began, lead: Mutex::default() }
    }

    /// Whether the time line has moved ahead of the clock that sleeps use since the last check.
    fn has_leapt(&self) -> bool {
        let elapsed = self.now().since(Timestamp::default());
        // Read second, so that a pause by the scheduler between the two readings is not a lead.
        let lead = elapsed.saturating_sub(sleepers_now().saturating_duration_since(self.began));
        let mut known = self.lead.lock().unwrap_or_else(PoisonError::into_inner);
        let has_leapt = lead > *known + Self::TOLERANCE;
        if has_leapt {
            *known = lead;
        }
        has_leapt
    }

    fn read() -> (Duration, i64) {
        use std::time::{SystemTime, UNIX_EPOCH};
        #[expect(clippy::disallowed_methods, reason = "the one place that reads the wall clock")]
        let wall = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
        (boot_time(), i64::try_from(wall.as_millis()).unwrap_or(i64::MAX))
    }
}

#[cfg(feature = "io")]
#[expect(clippy::disallowed_methods, reason = "the one place that reads the monotonic clock")]
fn sleepers_now() -> Instant {
    Instant::now()
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
    static FIRST: OnceLock<Instant> = OnceLock::new();
    let now = sleepers_now();
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
        Timestamp::default() + anchor.elapsed_at(boot)
    }

    fn utc_millis(&self, at: Timestamp) -> i64 {
        self.anchor
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .wall_at(at.since(Timestamp::default()))
    }

    fn sleep_until(&self, at: Timestamp) -> Sleep {
        let pause = at.since(self.now());
        #[expect(clippy::disallowed_methods, reason = "the one place that sleeps")]
        let sleep = tokio::time::sleep(pause);
        Box::pin(sleep)
    }

    fn leap(self: Arc<Self>) -> Sleep {
        Box::pin(async move {
            let mut alarm = Alarm::new();
            loop {
                // Set before the clocks are read, so that the alarm reports whatever happens later.
                alarm.set();
                if self.has_leapt() {
                    return;
                }
                alarm.rings().await;
            }
        })
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

    #[cfg(feature = "io")]
    #[test]
    fn a_thaw_that_nobody_told_of_is_a_leap_once() {
        let clock = SystemClock::new();
        assert!(!clock.has_leapt());
        clock.anchor.lock().unwrap().wall_millis -= 5_000;
        assert!(clock.has_leapt());
        assert!(!clock.has_leapt(), "sleeps that begin now count it");
        clock.anchor.lock().unwrap().wall_millis += 5_000;
        assert!(!clock.has_leapt(), "the wall clock was put back");
    }

    #[test]
    fn a_wall_clock_put_back_never_makes_the_time_line_younger() {
        let anchor = START.corrected(Duration::from_secs(60), 500_000);
        assert_eq!(anchor.elapsed_at(Duration::from_secs(60)), Duration::from_secs(10));
        assert_eq!(anchor.wall_at(Duration::from_secs(10)), 500_000);
    }
}
