//! What people intend: rotations, right and wrong, and what goes on around them.

use std::time::Duration;

use super::deed::Deed;
use super::outside::Outside;
use super::places::Mood;
use super::provider::{Key, Kind};
use super::sim::Sim;
use crate::member::*;
use crate::rotation;
use crate::verdict::Verify;

impl Sim {
    /// One rotation, right or wrong, with what goes on around it.
    pub(super) fn rotate(&mut self) {
        let next = self.outside.new_key();
        let kind = match self.outside.random.below(12) {
            0 => Kind::Narrow,
            1 => Kind::Unfit(Verify::Refused),
            2 => Kind::Unfit(Verify::Failed),
            _ => Kind::Usual,
        };
        let is_wrong = self.outside.random.percent(30);
        let active = self.active();
        match self.outside.random.below(10) {
            0 | 1 => {
                let min_runway = self.outside.life / self.outside.random.one_of(&[1, 2, 4]);
                self.ask(Request::Prepare { min_runway }, Some(next));
                if self.outside.random.percent(20) {
                    let after = self.outside.random_delay();
                    self.outside.deed(after, Deed::Ask(Request::CancelPreparation.into(), None));
                }
            }
            2 => self.outside.regenerate(next),
            4..7 if self.outside.regime.has_moods => self.rotate_beside_a_bad_place(next, active),
            3 if !is_wrong => {
                self.outside.provider.announce(next, kind, self.outside.now, self.outside.now);
                self.outside.trouble();
                if let Request::Rotate(Rotate { candidate, rotation, verify, .. }) =
                    self.outside.rotate_to(next)
                {
                    let (supersede, compromised) = (false, true);
                    let ask = Request::Rotate(Rotate {
                        candidate,
                        rotation,
                        supersede,
                        compromised,
                        verify,
                    });
                    self.ask(ask, Some(next));
                }
                if let Some(active) = active {
                    let after = self.outside.random_delay();
                    self.outside.deed(after, Deed::Kill(active));
                }
            }
            _ => {
                let after = self.outside.random_delay();
                if !is_wrong {
                    let delay = self.outside.propagation();
                    let early = self.outside.random_delay().min(after);
                    self.outside
                        .deed(after.saturating_sub(early), Deed::Announce(next, kind, delay));
                }
                self.outside.tell_new(next, after);
                if let Some(active) = active {
                    self.outside.end_of(active, after, is_wrong);
                }
            }
        }
        if let Some(active) = active.filter(|_| self.outside.random.percent(12)) {
            // Back again.
            let place =
                usize::try_from(self.outside.random.below(self.outside.places.len() as u64))
                    .unwrap();
            let after = self.outside.random.millis(400_000);
            self.outside.deed(after, Deed::Edit(place, vec![active]));
        }
        if self.outside.random.percent(10) {
            let other = self.outside.new_key();
            let after = self.outside.random.millis(20_000);
            let delay = self.outside.propagation();
            self.outside.deed(after, Deed::Announce(other, Kind::Usual, delay));
            self.outside.tell_new(other, after);
        }
        self.meddle();
    }

    /// A person hands a secret over while it cannot be kept; the old one lives, dies, or is
    /// dead already.
    fn rotate_beside_a_bad_place(&mut self, next: Key, active: Option<Key>) {
        let moods = [Mood::Failing, Mood::Hanging, Mood::ReadOnly];
        for place in 0..self.outside.places.len() {
            let mood = self.outside.random.one_of(&moods);
            self.do_deed(Deed::Mood(place, mood));
            let below = self.outside.random.one_of(&[20_000, 300_000, 800_000, 5_000_000]);
            let back = self.outside.random.millis(below);
            self.outside.deed(back, Deed::Mood(place, Mood::Well));
        }
        let after = self.outside.random_delay();
        self.do_deed(Deed::Announce(next, Kind::Usual, Duration::ZERO));
        let ask = self.outside.rotate_to(next);
        self.outside.deed(after, Deed::Ask(ask.into(), Some(next)));
        if let Some(active) = active.filter(|_| self.outside.random.percent(70)) {
            let below = self.outside.random.one_of(&[1, 20_000, 900_000]);
            let at = self.outside.random.millis(below);
            self.outside.deed(at, Deed::Kill(active));
        }
        for _ in 0..self.outside.random.below(12) {
            let at = self.outside.random.millis(2_000_000);
            self.outside.deed(at, Deed::Want);
        }
    }

    /// What else happens meanwhile.
    pub(super) fn meddle(&mut self) {
        for _ in 0..self.outside.random.below(7) {
            let below = self.outside.random.one_of(&[1000, 20_000, 600_000]);
            let after = self.outside.random.millis(below);
            let latest = self.process.member.latest_rotation().map(|it| it.rotation);
            let place =
                usize::try_from(self.outside.random.below(self.outside.places.len() as u64))
                    .unwrap();
            let deed = match (self.outside.random.below(20), latest) {
                (0, Some(rotation)) => Deed::Ask(Request::RollBack(rotation).into(), None),
                (1, Some(rotation)) => {
                    let force = self.outside.random.percent(40);
                    Deed::Ask(Request::Retire { rotation, force }.into(), None)
                }
                (2, Some(rotation)) => {
                    let until = self.outside.random.one_of(&[
                        Until::Everywhere,
                        Until::Persisted,
                        Until::Retired,
                    ]);
                    Deed::Ask(Ask::Until(rotation, until), None)
                }
                (3, _) => Deed::Leave,
                (4, _) => Deed::Restart,
                (5, _) if self.outside.random.percent(30) => {
                    Deed::Suspend(Duration::from_secs(self.outside.random.below(5 * 3600)))
                }
                (6, _) if self.outside.random.percent(30) => Deed::Crash,
                (7 | 8, _) => Deed::Invalidate,
                (9, _) => Deed::Cancel,
                (10, _) => Deed::Reload,
                (11, _) if self.outside.random.percent(30) => Deed::Edit(place, Vec::new()),
                (12, _) => {
                    let back = after + self.outside.random.millis(60_000);
                    self.outside.deed(back, Deed::Unreadable(place, false));
                    Deed::Unreadable(place, true)
                }
                (14..17, _) if self.outside.regime.has_moods => {
                    let below = self.outside.random.one_of(&[40_000, 400_000, 5_000_000]);
                    let back = after + self.outside.random.millis(below);
                    self.outside.deed(back, Deed::Mood(place, Mood::Well));
                    let moods = [Mood::Failing, Mood::Failing, Mood::Hanging, Mood::ReadOnly];
                    Deed::Mood(place, self.outside.random.one_of(&moods))
                }
                (13, _) if self.outside.random.percent(30) => {
                    let back = after + self.outside.random.millis(1_500_000);
                    self.outside.deed(back, Deed::Down(false));
                    Deed::Down(true)
                }
                (17, _) if self.outside.regime.store_faults > 0 => {
                    let below = self.outside.random.one_of(&[60_000, 1_500_000, 20_000_000]);
                    let back = after + self.outside.random.millis(below);
                    self.outside.deed(back, Deed::StoreDown(false));
                    Deed::StoreDown(true)
                }
                _ => Deed::Want,
            };
            self.outside.deed(after, deed);
        }
    }

    /// Nothing that is configured works: somebody puts it right.
    pub(super) fn mend(&mut self) {
        let live = self.outside.provider.live(self.outside.now);
        let is_good = |key: &Key| {
            let role = self.process.member.record().map(|record| record.role(key.id()));
            live.contains(key) && role != Some(rotation::Role::Retired)
        };
        if self.outside.configured.iter().any(is_good) || self.outside.random.percent(20) {
            return;
        }
        let next = self.outside.new_key();
        self.do_deed(Deed::Announce(next, Kind::Usual, Duration::ZERO));
        let place =
            usize::try_from(self.outside.random.below(self.outside.places.len() as u64)).unwrap();
        self.do_deed(Deed::Edit(place, vec![next]));
        self.do_deed(Deed::Read);
    }

    /// What is active, as far as anybody knows.
    pub(super) fn active(&self) -> Option<Key> {
        let active = self.process.member.record().map(|record| record.active);
        let live = self.outside.provider.live(self.outside.now);
        let known = active.and_then(|active| {
            live.iter()
                .copied()
                .chain(self.outside.configured.iter().copied())
                .find(|it| it.id() == active)
        });
        known.or_else(|| live.first().copied())
    }
}

impl Outside {
    /// When the old secret dies: before, while or after the new one is proved, or late.
    fn end_of(&mut self, active: Key, after: Duration, is_wrong: bool) {
        let at = match self.random.below(if is_wrong { 30 } else { 6 }) {
            0 => after.saturating_sub(self.random.millis(3000)),
            1 => after + self.random.millis(10_000),
            2 => after + self.random.millis(600_000),
            3 => after + Duration::from_mins(70),
            _ => return,
        };
        self.deed(at, Deed::Kill(active));
    }
}
