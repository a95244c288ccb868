//! Where secrets come from, and how they reach the process.

use std::time::Duration;

use super::deed::Deed;
use super::outside::Outside;
use super::places::Place;
use super::provider::{Key, Kind};
use super::{POOL, SECOND};
use crate::member::*;
use crate::secret::Secret;

impl Outside {
    /// A secret that is in use nowhere.
    pub(super) fn new_key(&mut self) -> Key {
        let live = self.provider.live(self.now);
        let used: Vec<Key> = self.places.iter().flat_map(Place::yields).collect();
        loop {
            let key = Key(usize::try_from(self.random.below(POOL)).unwrap());
            if !live.contains(&key) && !used.contains(&key) {
                return key;
            }
        }
    }

    pub(super) fn rotate_to(&mut self, key: Key) -> Request<Candidate> {
        let candidate = Candidate {
            label: None,
            client_id: Some(key.client_id().to_owned()),
            client_secret: Secret::new(key.secret()),
            expires_at: None,
        };
        let named = self.random.below(4);
        let url = "https://resource.example/me".parse().unwrap();
        Request::Rotate(Rotate {
            candidate: Some(candidate),
            rotation: (named == 0).then(|| RotationId::new(&format!("change-{}", key.0))),
            supersede: self.random.percent(20),
            compromised: false,
            verify: self.random.percent(40).then_some(url),
        })
    }

    /// The process before its first rotation: one accepted secret, and perhaps a dead one before
    /// it.
    pub(super) fn begin(&mut self) {
        let first = self.new_key();
        self.provider.announce(first, Kind::Usual, self.now, self.now);
        let place = usize::try_from(self.random.below(self.places.len() as u64)).unwrap();
        self.places[place].content = vec![first];
        if self.random.percent(30) && !self.places[place].is_environment {
            let wrong = self.new_key();
            let index = usize::try_from(self.random.below(2)).unwrap();
            self.places[place].content.insert(index, wrong);
        }
    }

    /// A person who was told that the active secret may be replaced does so.
    pub(super) fn regenerate(&mut self, next: Key) {
        let after = SECOND + self.random.millis(120_000);
        let client = next.client_id();
        let mut old = self.provider.live(self.now);
        old.retain(|it| it.client_id() == client);
        for key in old {
            self.deed(after, Deed::Kill(key));
        }
        let delay = self.propagation();
        self.deed(after, Deed::Announce(next, Kind::Usual, delay));
        let told = after + self.random_delay();
        self.tell_new(next, told);
    }

    pub(super) fn propagation(&mut self) -> Duration {
        if self.random.percent(40) { self.random.millis(12_000) } else { Duration::ZERO }
    }

    pub(super) fn random_delay(&mut self) -> Duration {
        let below = self.random.one_of(&[200, 4000, 30_000]);
        self.random.millis(below)
    }

    /// The new secret reaches the process in one way or another.
    pub(super) fn tell_new(&mut self, next: Key, after: Duration) {
        let place = usize::try_from(self.random.below(self.places.len() as u64)).unwrap();
        let old = self.places[place].content.clone();
        let is_list = !self.places[place].is_environment;
        match self.random.below(6) {
            0 | 1 => {
                let ask = self.rotate_to(next);
                self.deed(after, Deed::Ask(ask.into(), Some(next)));
            }
            2 => self.deed(after, Deed::Edit(place, vec![next])),
            3 if is_list => {
                let first = old.first().copied();
                self.deed(after, Deed::Edit(place, [next].into_iter().chain(first).collect()));
            }
            4 if is_list => {
                let first = old.first().copied();
                self.deed(after, Deed::Edit(place, first.into_iter().chain([next]).collect()));
            }
            _ => {
                self.deed(after, Deed::Edit(place, vec![next]));
                let (rotation, verify) = (None, None);
                let (supersede, compromised) = (false, false);
                let ask = Request::Rotate(Rotate {
                    candidate: None,
                    rotation,
                    supersede,
                    compromised,
                    verify,
                });
                self.deed(after, Deed::Ask(ask.into(), None));
            }
        }
        if self.random.percent(50) {
            self.deed(after + SECOND / 2, Deed::Read);
        }
    }
}
