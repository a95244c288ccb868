//! Rings when it is time to check whether sleeps have become too long.

use std::time::Duration;

#[cfg(target_os = "linux")]
use timer::Timer;

/// How often the clocks are checked if the system does not report that they were set.
const TICK: Duration = Duration::from_secs(1);

/// How often they are checked if the system does report it: a process that was restored elsewhere
/// gets no report.
#[cfg(target_os = "linux")]
const LONGEST: Duration = Duration::from_mins(1);

/// Rings when the machine was resumed or its wall clock was set, if the system reports that, and
/// also from time to time.
pub(super) struct Alarm {
    #[cfg(target_os = "linux")]
    timer: Option<Timer>,
}

impl Alarm {
    /// An alarm for the current runtime.
    pub(super) fn new() -> Self {
        Self {
            #[cfg(target_os = "linux")]
            timer: Timer::new().ok(),
        }
    }

    /// From now on, [`Alarm::rings`] reports whatever happens.
    pub(super) fn set(&mut self) {
        // A sandbox may have no such timer.
        #[cfg(target_os = "linux")]
        self.timer.take_if(|timer| timer.set(LONGEST).is_err());
    }

    pub(super) async fn rings(&mut self) {
        #[cfg(target_os = "linux")]
        if let Some(timer) = &self.timer {
            if timer.ends().await.is_err() {
                self.timer = None;
            }
            return;
        }
        #[expect(clippy::disallowed_methods, reason = "a clock waits for its own sake")]
        tokio::time::sleep(TICK).await;
    }
}

#[cfg(target_os = "linux")]
mod timer {
    use std::io;
    use std::os::fd::OwnedFd;
    use std::time::Duration;

    use rustix::io::Errno;
    use rustix::time::{
        ClockId, Itimerspec, TimerfdClockId, TimerfdFlags, TimerfdTimerFlags, Timespec,
        clock_gettime, timerfd_create, timerfd_settime,
    };
    use tokio::io::Interest;
    use tokio::io::unix::AsyncFd;

    /// A kernel timer on the wall clock. It ends early if that clock is set or the machine resumes
    /// (`timerfd_create(2)`: `TFD_TIMER_CANCEL_ON_SET`).
    pub(super) struct Timer(AsyncFd<OwnedFd>);

    impl Timer {
        pub(super) fn new() -> io::Result<Self> {
            let flags = TimerfdFlags::NONBLOCK | TimerfdFlags::CLOEXEC;
            let timer = timerfd_create(TimerfdClockId::Realtime, flags)?;
            #[expect(unsafe_code, reason = "tokio has no other way to wait for a descriptor")]
            // SAFETY: an `OwnedFd` is open, and is the same descriptor, for as long as it lives.
            let timer = unsafe { AsyncFd::register_with_interest(timer, Interest::READABLE) }?;
            Ok(Self(timer))
        }

        pub(super) fn set(&self, longest: Duration) -> io::Result<()> {
            let longest = Timespec::try_from(longest).map_err(io::Error::other)?;
            let end = clock_gettime(ClockId::Realtime) + longest;
            let end = Itimerspec { it_interval: Timespec::default(), it_value: end };
            let flags = TimerfdTimerFlags::ABSTIME | TimerfdTimerFlags::CANCEL_ON_SET;
            match timerfd_settime(self.0.get_ref(), flags, &end) {
                // The clock was set after the last report. The timer counts from now on all the
                // same.
                Ok(_) | Err(Errno::CANCELED) => Ok(()),
                Err(error) => Err(error.into()),
            }
        }

        pub(super) async fn ends(&self) -> io::Result<()> {
            loop {
                let mut ready = self.0.readable().await?;
                let read = rustix::io::read(self.0.get_ref(), &mut [0; size_of::<u64>()]);
                ready.clear_ready();
                match read {
                    Ok(_) | Err(Errno::CANCELED) => return Ok(()),
                    Err(Errno::AGAIN | Errno::INTR) => {}
                    Err(error) => return Err(error.into()),
                }
            }
        }
    }
    #[cfg(test)]
    mod tests {
        use super::*;

        #[tokio::test]
        async fn it_ends_by_itself_each_time_it_is_set() {
            let timer = Timer::new().unwrap();
            for _ in 0..3 {
                timer.set(Duration::from_millis(1)).unwrap();
                timer.ends().await.unwrap();
            }
        }
    }
}
