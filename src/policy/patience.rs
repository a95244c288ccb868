//! How long callers, sources, tasks and threads are waited for.

use std::time::Duration;

use super::schedule::Policy;
use crate::clock::Timestamp;

/// How long a call waits that asks for anything but a token or a rotation.
pub const REQUEST: Duration = Duration::from_mins(5);

/// How long a task that panicked stays away: a panic at every start must not become a busy loop.
pub const TASK_RESTART: Duration = Duration::from_secs(1);

/// How long the thread rests before it starts over: what ended it may happen again at once.
pub const THREAD_RESTART: Duration = Duration::from_millis(500);

/// The longest wait for a token, a year: no instant overflows.
const LONGEST_WAIT: Duration = Duration::from_hours(24 * 365);

impl Policy {
    /// When a caller that wants a token now is refused: after `timeout`, or after the default.
    pub fn wait_deadline(&self, timeout: Option<Duration>, now: Timestamp) -> Timestamp {
        now + timeout.unwrap_or(self.acquire_timeout).min(LONGEST_WAIT)
    }

    /// How long a reading waits for silent sources.
    ///
    /// It is half of what a caller waits, so that what the others yield can still serve the caller.
    pub fn source_patience(&self) -> Duration {
        self.acquire_timeout / 2
    }
}

#[cfg(test)]
mod tests {
    use super::super::schedule::tests::DEFAULT;
    use super::*;

    const NOW: Timestamp = Timestamp::from_millis(1000);

    #[test]
    fn a_caller_waits_as_long_as_it_says_or_as_long_as_the_options_say() {
        assert_eq!(DEFAULT.wait_deadline(None, NOW), NOW + Duration::from_secs(5));
        let second = Duration::from_secs(1);
        assert_eq!(DEFAULT.wait_deadline(Some(second), NOW), NOW + second);
    }

    #[test]
    fn an_endless_wait_is_a_year_long() {
        let deadline = DEFAULT.wait_deadline(Some(Duration::MAX), NOW);
        assert_eq!(deadline.since(NOW), Duration::from_hours(24 * 365));
    }

    #[test]
    fn silent_sources_leave_a_caller_half_of_its_time() {
        assert_eq!(DEFAULT.source_patience(), Duration::from_millis(2500));
    }
}
