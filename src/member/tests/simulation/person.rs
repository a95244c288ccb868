//! The people: who rotates, what goes wrong with it, and what else happens meanwhile.

use std::time::Duration;

use super::places::{Mood, Place};
use super::process::{Happening, MINUTE, SECOND, Sim};
use super::provider::{Key, Kind};
use crate::member::*;
use crate::refresh::Wait;
use crate::secret::Secret;

/// Something that somebody does.
#[derive(Debug)]
pub(super) enum Deed {
    Announce(Key, Kind, Duration),
    Kill(Key),
    Edit(usize, Vec<Key>),
    Read,
    Ask(Ask, Option<Key>),
    /// The process died before it answered this.
    Again(Ask, Option<Key>),
    Unreadable(usize, bool),
    Mood(usize, Mood),
    Down(bool),
    Reload,
    Leave,
    Restart,
    Suspend(Duration),
    Crash,
    Invalidate,
    Want,
    Cancel,
}

impl Sim {
    pub(super) fn do_deed(&mut self, deed: Deed) {
        self.checks.stimulus(self.now);
        self.note(format_args!("{deed:?}"));
        match deed {
            Deed::Announce(key, kind, delay) => {
                self.trouble();
                self.provider.announce(key, kind, self.now, self.now + delay);
            }
            Deed::Kill(key) => {
                self.trouble();
                self.provider.kill(key, self.now);
            }
            Deed::Edit(place, keys) => {
                self.checks.edited(self.now);
                let place = &mut self.places[place];
                place.content = keys;
                place.variables = None;
            }
            Deed::Read => self.read(),
            Deed::Ask(ask, key) => self.ask(ask, key),
            Deed::Again(ask, key) => {
                if !matches!(ask, Ask::Request(Request::Prepare { .. })) {
                    self.ask(ask, key);
                }
            }
            Deed::Unreadable(place, is_unreadable) => {
                self.places[place].is_unreadable = is_unreadable;
            }
            Deed::Mood(place, mood) => self.change_mood(place, mood),
            Deed::Down(is_down) => {
                self.trouble();
                self.is_down = is_down;
            }
            Deed::Reload => {
                self.read();
                self.tell(Event::Reloaded);
            }
            Deed::Leave => {
                if let Some(caller) = self.callers.keys().next().copied() {
                    self.callers.remove(&caller);
                    self.trouble();
                    self.tell(Event::Left(caller));
                }
            }
            Deed::Restart => self.restart(),
            Deed::Suspend(duration) => self.suspend(duration),
            Deed::Crash => self.crash(),
            Deed::Invalidate => {
                self.trouble();
                let Some(held) = self.handed_out.clone() else { return };
                let process = self.process;
                self.tell(Event::Invalidated(held.serial));
                if process == self.process
                    && self.handed_out.as_ref().is_none_or(|left| left.serial != held.serial)
                {
                    self.checks.invalidates(held.text.expose());
                }
            }
            Deed::Want => self.want(),
            Deed::Cancel => {
                if let Some(waiter) = self.waiters.keys().next().copied() {
                    self.waiters.remove(&waiter);
                    self.tell(Event::Cancelled(waiter));
                }
            }
        }
    }

    fn want(&mut self) {
        self.last_caller += 1;
        let waiter = self.last_caller;
        let deadline = self.now + 5 * SECOND;
        let min_validity = if self.random.percent(80) { Duration::ZERO } else { self.life / 4 };
        self.waiters.insert(waiter, (deadline, min_validity));
        let wait = Wait { waiter, min_validity, deadline, for_readiness: false };
        let is_held = self.member.token(self.now).is_some() && min_validity == Duration::ZERO;
        self.tell(Event::Wanted(wait));
        assert!(!is_held || !self.waiters.contains_key(&waiter), "I1: a held token serves nobody");
    }

    pub(super) fn ask(&mut self, ask: impl Into<Ask>, key: Option<Key>) {
        let ask = ask.into();
        self.last_caller += 1;
        let caller = self.last_caller;
        let patience = if self.random.percent(80) { 15 * MINUTE } else { 5 * SECOND };
        let deadline = self.now + patience;
        self.trouble();
        match &ask {
            Ask::Request(Request::Rotate(Rotate { supersede, .. })) => {
                if let Some(key) = key {
                    self.checks.named(key, false, None, self.now);
                }
                // Without an argument what is configured is looked at, but for what is retired.
                if *supersede {
                    self.checks.retire_asked(self.now);
                }
            }
            Ask::Request(Request::Retire { .. }) => self.checks.retire_asked(self.now),
            _ => {}
        }
        self.callers.insert(caller, (deadline, ask.clone(), key));
        self.tell(Event::Asked { caller, ask, deadline: Some(deadline) });
    }

    pub(super) fn deed(&mut self, after: Duration, deed: Deed) {
        self.later(after, Happening::Deed(deed));
    }

    /// A secret that is in use nowhere.
    pub(super) fn new_key(&mut self) -> Key {
        let live = self.provider.live(self.now);
        let used: Vec<Key> = self.places.iter().flat_map(Place::yields).collect();
        loop {
            let key = Key(usize::try_from(self.random.below(super::POOL)).unwrap());
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

    /// What is active, as far as anybody knows.
    pub(super) fn active(&self) -> Option<Key> {
        let active = self.member.record().map(|record| record.active);
        let live = self.provider.live(self.now);
        let known = active.and_then(|active| {
            live.iter().copied().chain(self.configured.iter().copied()).find(|it| it.id() == active)
        });
        known.or_else(|| live.first().copied())
    }

    /// The process before its first rotation: one accepted secret, and perhaps a dead one before it.
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
