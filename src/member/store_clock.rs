//! What time it is for the store, by this member's own clock.

use std::time::Duration;

use crate::clock::{StoreTime, Timestamp};

/// The distance between two clocks, as far as the replies of the store have shown it.
///
/// The store of one process goes by the same clock, and never tells the time.
#[derive(Debug, Default)]
pub(super) struct StoreClock {
    /// By how many milliseconds the store's clock is ahead; none before it has told the time.
    ahead: Option<i64>,
    /// The latest time that was reckoned with.
    latest: StoreTime,
    /// When the store last told the time, by this member's clock.
    heard_at: Timestamp,
}

impl StoreClock {
    /// For so long this member's clock is relied upon: it may have jumped, and with it what this
    /// member would write. Two beats come in that time.
    const TRUST: Duration = Duration::from_secs(10);

    /// The store has told the time in a reply to what was asked at one instant, and heard at another.
    ///
    /// The true distance lies between those that the two instants give. What was known stays while
    /// it is possible, lest the time jumps with the delay of each reply.
    ///
    /// Returns whether it was the first time: what was noted before is told in this member's own
    /// time.
    pub(super) fn hear(
        &mut self,
        asked_at: Timestamp,
        heard_at: Timestamp,
        told: StoreTime,
    ) -> bool {
        let is_first = self.ahead.is_none();
        let distance = |own: Timestamp| signed(told).saturating_sub(signed(StoreTime::of(own)));
        let (least, most) = (distance(heard_at), distance(asked_at));
        if is_first {
            // What was reckoned with until now was this member's own time.
            self.latest = StoreTime::default();
        }
        self.ahead = Some(self.ahead.map_or(most, |known| known.max(least).min(most)));
        self.heard_at = heard_at;
        self.pass(heard_at);
        is_first
    }

    /// Another member has seen this moment already, by a clock that is a little ahead.
    pub(super) fn reach(&mut self, moment: StoreTime) {
        self.latest = self.latest.max(moment);
    }

    /// Corrects a time that was noted before the store had told the time.
    pub(super) fn correct(&self, time: &mut StoreTime) {
        *time = self.at(Timestamp::from_millis(time.millis()));
    }

    /// Whether the store has told the time too long ago to go by it.
    pub(super) fn is_unsure(&self, own: Timestamp) -> bool {
        self.ahead.is_some() && own > self.heard_at + Self::TRUST
    }

    /// Time passes.
    pub(super) fn pass(&mut self, own: Timestamp) {
        self.latest = self.now(own);
    }

    /// The store's time at this moment. It never goes back, and stands still while nothing is heard
    /// of it.
    pub(super) fn now(&self, own: Timestamp) -> StoreTime {
        let own = if self.is_unsure(own) { self.heard_at + Self::TRUST } else { own };
        self.latest.max(self.at(own))
    }

    /// An instant of this member's, as the store would tell it.
    pub(super) fn at(&self, own: Timestamp) -> StoreTime {
        unsigned(signed(StoreTime::of(own)).saturating_add(self.ahead.unwrap_or_default()))
    }

    /// The same, by how far it is from this moment: this member's clock may have jumped since the
    /// store told the time, and nothing that is told to others may lie so far ahead.
    pub(super) fn told(&self, own: Timestamp, now: Timestamp) -> StoreTime {
        let present = self.now(now);
        let by_distance =
            if own >= now { present + own.since(now) } else { present - now.since(own) };
        self.at(own).min(by_distance)
    }

    /// A time of the store's, as this member's clock tells it.
    pub(super) fn own(&self, at: StoreTime) -> Timestamp {
        let own = unsigned(signed(at).saturating_sub(self.ahead.unwrap_or_default()));
        Timestamp::from_millis(own.millis())
    }

    /// When this member's clock has come to a time of the store's; what has come is due now.
    pub(super) fn due(&self, at: StoreTime, now: Timestamp) -> Timestamp {
        if at <= self.now(now) { now } else { self.own(at) }
    }
}

fn signed(time: StoreTime) -> i64 {
    i64::try_from(time.millis()).unwrap_or(i64::MAX)
}

fn unsigned(millis: i64) -> StoreTime {
    StoreTime::from_millis(u64::try_from(millis).unwrap_or_default())
}

#[cfg(test)]
mod tests {
    use super::*;

    const fn own(millis: u64) -> Timestamp {
        Timestamp::from_millis(millis)
    }

    const fn store(millis: u64) -> StoreTime {
        StoreTime::from_millis(millis)
    }

    #[test]
    fn the_distance_stays_while_it_is_possible_and_moves_as_little_as_it_must() {
        let mut clock = StoreClock::default();
        assert_eq!(clock.at(own(10_000)), store(10_000));
        clock.hear(own(10_000), own(10_200), store(70_100));
        assert_eq!(clock.at(own(10_000)), store(70_100), "as if it had been told at once");
        clock.hear(own(20_000), own(20_300), store(80_100));
        assert_eq!(clock.at(own(20_000)), store(80_100));
        clock.hear(own(30_000), own(30_010), store(90_050));
        assert_eq!(clock.at(own(30_000)), store(90_050), "it was less than that");
        clock.hear(own(40_000), own(40_010), store(100_090));
        assert_eq!(clock.at(own(40_000)), store(100_080), "the nearer end");
        assert_eq!(clock.own(store(100_080)), own(40_000));
    }

    #[test]
    fn before_the_store_has_told_the_time_it_is_this_members_own() {
        let mut clock = StoreClock::default();
        clock.pass(own(10_000));
        assert_eq!(clock.now(own(11_000)), store(11_000));
        clock.hear(own(12_000), own(12_000), store(3_000));
        assert_eq!(clock.now(own(13_000)), store(4_000));
    }

    #[test]
    fn the_time_never_goes_back() {
        let mut clock = StoreClock::default();
        clock.hear(own(10_000), own(10_000), store(50_000));
        clock.hear(own(11_000), own(11_000), store(41_000));
        assert_eq!(clock.now(own(12_000)), store(50_000));
        assert_eq!(clock.due(store(50_000), own(12_000)), own(12_000), "it has come");
        assert_eq!(clock.due(store(50_001), own(12_000)), own(20_001));
        clock.hear(own(21_000), own(21_000), store(51_000));
        assert_eq!(clock.now(own(21_000)), store(51_000));
    }

    #[test]
    fn the_time_stands_still_while_the_store_does_not_tell_it() {
        let mut clock = StoreClock::default();
        clock.hear(own(10_000), own(10_000), store(50_000));
        assert!(!clock.is_unsure(own(20_000)) && clock.is_unsure(own(20_001)));
        clock.pass(own(500_000));
        assert_eq!(clock.now(own(500_000)), store(60_000), "its clock may have jumped");
        clock.hear(own(500_000), own(500_000), store(55_000));
        assert_eq!(clock.now(own(500_000)), store(60_000));
        assert_eq!(clock.now(own(509_000)), store(64_000));
    }

    #[test]
    fn no_distance_is_too_large() {
        let mut clock = StoreClock::default();
        clock.hear(own(u64::MAX / 2), own(u64::MAX / 2), store(1));
        assert_eq!(clock.at(own(u64::MAX / 2)), store(1));
        assert_eq!(clock.at(own(5)), store(0));
        assert!(clock.own(store(u64::MAX)) >= own(5));
    }
}
