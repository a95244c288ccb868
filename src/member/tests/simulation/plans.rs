//! What people intend: rotations, right and wrong, and what goes on around them.

use std::time::Duration;

use super::person::Deed;
use super::places::Mood;
use super::process::Sim;
use super::provider::{Key, Kind};
use crate::member::*;
use crate::rotation;
use crate::verdict::Verify;

impl Sim {
    /// One rotation, right or wrong, with what goes on around it.
    pub(super) fn rotate(&mut self) {
        let next = self.new_key();
        let kind = match self.random.below(12) {
            0 => Kind::Narrow,
            1 => Kind::Unfit(Verify::Refused),
            2 => Kind::Unfit(Verify::Failed),
            _ => Kind::Usual,
        };
        let is_wrong = self.random.percent(30);
        let active = self.active();
        match self.random.below(10) {
            0 | 1 => {
                let min_runway = self.life / self.random.one_of(&[1, 2, 4]);
                self.ask(Request::Prepare { min_runway }, Some(next));
                if self.random.percent(20) {
                    let after = self.random_delay();
                    self.deed(after, Deed::Ask(Request::CancelPreparation.into(), None));
                }
            }
            2 => self.regenerate(next),
            4..7 if self.regime.has_moods => self.rotate_beside_a_bad_place(next, active),
            3 if !is_wrong => {
                self.provider.announce(next, kind, self.now, self.now);
                self.trouble();
                if let Request::Rotate(Rotate { candidate, rotation, verify, .. }) =
                    self.rotate_to(next)
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
                    let after = self.random_delay();
                    self.deed(after, Deed::Kill(active));
                }
            }
            _ => {
                let after = self.random_delay();
                if !is_wrong {
                    let delay = self.propagation();
                    let early = self.random_delay().min(after);
                    self.deed(after.saturating_sub(early), Deed::Announce(next, kind, delay));
                }
                self.tell_new(next, after);
                if let Some(active) = active {
                    self.end_of(active, after, is_wrong);
                }
            }
        }
        if let Some(active) = active.filter(|_| self.random.percent(12)) {
            // Back again.
            let place = usize::try_from(self.random.below(self.places.len() as u64)).unwrap();
            let after = self.random.millis(400_000);
            self.deed(after, Deed::Edit(place, vec![active]));
        }
        if self.random.percent(10) {
            let other = self.new_key();
            let after = self.random.millis(20_000);
            let delay = self.propagation();
            self.deed(after, Deed::Announce(other, Kind::Usual, delay));
            self.tell_new(other, after);
        }
        self.meddle();
    }

    /// A person hands a secret over while it cannot be kept, and the old one lives, dies, or is dead already.
    fn rotate_beside_a_bad_place(&mut self, next: Key, active: Option<Key>) {
        let moods = [Mood::Failing, Mood::Hanging, Mood::ReadOnly];
        for place in 0..self.places.len() {
            let mood = self.random.one_of(&moods);
            self.do_deed(Deed::Mood(place, mood));
            let below = self.random.one_of(&[20_000, 300_000, 800_000, 5_000_000]);
            let back = self.random.millis(below);
            self.deed(back, Deed::Mood(place, Mood::Well));
        }
        let after = self.random_delay();
        self.do_deed(Deed::Announce(next, Kind::Usual, Duration::ZERO));
        let ask = self.rotate_to(next);
        self.deed(after, Deed::Ask(ask.into(), Some(next)));
        if let Some(active) = active.filter(|_| self.random.percent(70)) {
            let below = self.random.one_of(&[1, 20_000, 900_000]);
            let at = self.random.millis(below);
            self.deed(at, Deed::Kill(active));
        }
        for _ in 0..self.random.below(12) {
            let at = self.random.millis(2_000_000);
            self.deed(at, Deed::Want);
        }
    }

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

    /// What else happens meanwhile.
    pub(super) fn meddle(&mut self) {
        for _ in 0..self.random.below(7) {
            let below = self.random.one_of(&[1000, 20_000, 600_000]);
            let after = self.random.millis(below);
            let latest = self.member.latest_rotation().map(|it| it.rotation);
            let place = usize::try_from(self.random.below(self.places.len() as u64)).unwrap();
            let deed = match (self.random.below(20), latest) {
                (0, Some(rotation)) => Deed::Ask(Request::RollBack(rotation).into(), None),
                (1, Some(rotation)) => {
                    let force = self.random.percent(40);
                    Deed::Ask(Request::Retire { rotation, force }.into(), None)
                }
                (2, Some(rotation)) => {
                    let until =
                        self.random.one_of(&[Until::Everywhere, Until::Persisted, Until::Retired]);
                    Deed::Ask(Ask::Until(rotation, until), None)
                }
                (3, _) => Deed::Leave,
                (4, _) => Deed::Restart,
                (5, _) if self.random.percent(30) => {
                    Deed::Suspend(Duration::from_secs(self.random.below(5 * 3600)))
                }
                (6, _) if self.random.percent(30) => Deed::Crash,
                (7 | 8, _) => Deed::Invalidate,
                (9, _) => Deed::Cancel,
                (10, _) => Deed::Reload,
                (11, _) if self.random.percent(30) => Deed::Edit(place, Vec::new()),
                (12, _) => {
                    let back = after + self.random.millis(60_000);
                    self.deed(back, Deed::Unreadable(place, false));
                    Deed::Unreadable(place, true)
                }
                (14..17, _) if self.regime.has_moods => {
                    let below = self.random.one_of(&[40_000, 400_000, 5_000_000]);
                    let back = after + self.random.millis(below);
                    self.deed(back, Deed::Mood(place, Mood::Well));
                    let moods = [Mood::Failing, Mood::Failing, Mood::Hanging, Mood::ReadOnly];
                    Deed::Mood(place, self.random.one_of(&moods))
                }
                (13, _) if self.random.percent(30) => {
                    let back = after + self.random.millis(1_500_000);
                    self.deed(back, Deed::Down(false));
                    Deed::Down(true)
                }
                _ => Deed::Want,
            };
            self.deed(after, deed);
        }
    }

    /// Nothing that is configured works: somebody puts it right.
    pub(super) fn mend(&mut self) {
        let live = self.provider.live(self.now);
        let is_good = |key: &Key| {
            let role = self.member.record().map(|record| record.role(key.id()));
            live.contains(key) && role != Some(rotation::Role::Retired)
        };
        if self.configured.iter().any(is_good) || self.random.percent(20) {
            return;
        }
        let next = self.new_key();
        self.do_deed(Deed::Announce(next, Kind::Usual, Duration::ZERO));
        let place = usize::try_from(self.random.below(self.places.len() as u64)).unwrap();
        self.do_deed(Deed::Edit(place, vec![next]));
        self.do_deed(Deed::Read);
    }
}
