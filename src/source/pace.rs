//! How often sources are read.

use std::time::Duration;

use crate::clock::Timestamp;

/// What a reading covers.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Extent {
    /// Files, environment variables and functions.
    All,
    /// Files and environment variables, which cost next to nothing; no function is called.
    Cheap,
}

/// When everything was last read, and when at least the cheap sources were.
#[derive(Debug)]
pub(super) struct Pace {
    poll: Duration,
    all_at: Timestamp,
    cheap_at: Timestamp,
}

impl Pace {
    /// How often cheap sources are read without a token, when a new secret should be found at once.
    const CHEAP: Duration = Duration::from_secs(1);
    const ALL: Duration = Duration::from_secs(5);

    pub(super) fn new(poll: Duration) -> Self {
        Self { poll, all_at: Timestamp::default(), cheap_at: Timestamp::default() }
    }

    pub(super) fn reads(&mut self, extent: Extent, now: Timestamp) {
        self.cheap_at = now;
        if extent == Extent::All {
            self.all_at = now;
        }
    }

    /// Makes a reading of everything due at once.
    pub(super) fn read_soon(&mut self) {
        self.all_at = Timestamp::default();
    }

    /// Returns what is read next, and when. Sources that are read equally often are read at the
    /// same instants, so that the process wakes up once for all of them.
    pub(super) fn next(&self, has_token: bool) -> (Extent, Timestamp) {
        if has_token {
            return (Extent::All, self.all_at.next_of_every(self.poll));
        }
        let all = self.all_at.next_of_every(self.poll.min(Self::ALL));
        let cheap = self.cheap_at.next_of_every(self.poll.min(Self::CHEAP));
        if all <= cheap { (Extent::All, all) } else { (Extent::Cheap, cheap) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const START: Timestamp = Timestamp::from_millis(1_000_000);

    fn readings(poll: Duration, has_token: bool) -> Vec<(Extent, u64)> {
        let mut pace = Pace::new(poll);
        pace.reads(Extent::All, START);
        let next = || {
            let (extent, at) = pace.next(has_token);
            pace.reads(extent, at);
            (extent, at.since(START).as_secs())
        };
        std::iter::repeat_with(next).take(6).collect()
    }

    #[test]
    fn with_a_token_everything_is_read_at_the_usual_pace() {
        let read = readings(Duration::from_secs(10), true);
        assert_eq!(read[..3], [(Extent::All, 10), (Extent::All, 20), (Extent::All, 30)]);
    }

    #[test]
    fn without_a_token_files_are_read_every_second_and_functions_called_every_five() {
        use Extent::{All, Cheap};
        let read = readings(Duration::from_secs(10), false);
        assert_eq!(read, [(Cheap, 1), (Cheap, 2), (Cheap, 3), (Cheap, 4), (All, 5), (Cheap, 6)]);
    }

    #[test]
    fn who_has_read_at_another_time_reads_with_the_others_from_then_on() {
        for millis in [1, 4_999, 9_999] {
            let mut pace = Pace::new(Duration::from_secs(10));
            pace.reads(Extent::All, START + Duration::from_millis(millis));
            assert_eq!(pace.next(true), (Extent::All, START + Duration::from_secs(10)));
        }
    }

    #[test]
    fn a_shorter_poll_stays_what_it_is() {
        let read = readings(Duration::from_secs(1), false);
        assert!(read.iter().all(|(extent, _)| *extent == Extent::All), "{read:?}");
    }
}
