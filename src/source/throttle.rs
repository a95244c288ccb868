//! Limits how often a source may change: each change may be a rotation, with requests to the token
//! endpoint.

use std::time::Duration;

use crate::clock::Timestamp;

/// Admits changes at once while they are few, and then at a steady pace. A source that is refused
/// comes again with its latest value.
#[derive(Debug, Default)]
pub(super) struct Throttle {
    /// When the admitted changes would all have passed at the steady pace.
    paid_until: Timestamp,
    /// The latest change was not admitted.
    has_refused: bool,
}

impl Throttle {
    /// No person, deployment or mounted secret makes more changes in a row.
    const BURST: u32 = 10;
    const PACE: Duration = Duration::from_secs(1);

    /// How many new credentials in one list count as one more change: each id takes 20 ms of CPU
    /// time.
    const NEW_CREDENTIALS: usize = 10;

    /// Whether a change with so many new credentials is admitted now.
    pub(super) fn admits(&mut self, new: usize, now: Timestamp) -> bool {
        self.has_refused = self.next() > now;
        if self.has_refused {
            return false;
        }
        let cost = u32::try_from(1 + new / Self::NEW_CREDENTIALS).unwrap_or(u32::MAX);
        self.paid_until = self.paid_until.max(now) + Self::PACE.saturating_mul(cost);
        true
    }

    /// Forgets that a change was refused.
    pub(super) fn forget_refusal(&mut self) {
        self.has_refused = false;
    }

    /// When the refused change will be admitted, if one was refused.
    pub(super) fn awaited(&self) -> Option<Timestamp> {
        self.has_refused.then(|| self.next())
    }

    fn next(&self) -> Timestamp {
        self.paid_until - Self::PACE * (Self::BURST - 1)
    }

    /// Whether no earlier change counts any more.
    pub(super) fn is_calm(&self, now: Timestamp) -> bool {
        self.paid_until <= now
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const START: Timestamp = Timestamp::from_millis(1_000_000);

    /// How many of 100 attempts a second are admitted in each of the first seconds.
    fn admitted(throttle: &mut Throttle, new: usize, seconds: u64) -> Vec<usize> {
        let at =
            |second: u64, attempt: u64| START + Duration::from_millis(second * 1000 + attempt * 10);
        let in_second =
            |second| (0..100).filter(|it| throttle.admits(new, at(second, *it))).count();
        (0..seconds).map(in_second).collect()
    }

    #[test]
    fn a_few_changes_are_admitted_at_once_and_then_one_a_second() {
        let mut throttle = Throttle::default();
        assert_eq!(admitted(&mut throttle, 1, 4), [10, 1, 1, 1]);
        let later = START + Duration::from_secs(3);
        assert!(!throttle.is_calm(later));
        assert!(throttle.is_calm(later + Throttle::PACE * Throttle::BURST));
    }

    #[test]
    fn a_change_a_second_is_always_admitted() {
        let mut throttle = Throttle::default();
        for second in 0..1000 {
            assert!(throttle.admits(1, START + Duration::from_secs(second)));
        }
    }

    #[test]
    fn long_lists_of_new_credentials_count_for_more() {
        let mut throttle = Throttle::default();
        let per_second = admitted(&mut throttle, 400, 60);
        assert_eq!(
            per_second.iter().sum::<usize>(),
            2,
            "41 s are paid for, of which 9 s in advance"
        );
        assert_eq!(admitted(&mut Throttle::default(), 9, 1), [10], "short ones do not");
    }

    #[test]
    fn what_is_refused_is_admitted_when_it_was_said_to_be() {
        let mut throttle = Throttle::default();
        while throttle.admits(1, START) {}
        let next = throttle.awaited().unwrap();
        assert!(next > START && !throttle.admits(1, next - Duration::from_nanos(1)));
        assert!(throttle.admits(1, next));
        assert_eq!(throttle.awaited(), None);
    }
}
