//! The people who use the process: what they do to it, and ask of it.

use std::time::Duration;

use super::deed::Deed;
use super::provider::Key;
use super::sim::Sim;
use super::{MINUTE, SECOND};
use crate::member::*;
use crate::refresh::TokenWait;

impl Sim {
    pub(super) fn do_deed(&mut self, deed: Deed) {
        self.outside.history.stimulus(self.outside.now);
        self.outside.note(format_args!("{deed:?}"));
        match deed {
            Deed::Announce(key, kind, delay) => {
                self.outside.trouble();
                self.outside.provider.announce(
                    key,
                    kind,
                    self.outside.now,
                    self.outside.now + delay,
                );
            }
            Deed::Kill(key) => {
                self.outside.trouble();
                self.outside.provider.kill(key, self.outside.now);
            }
            Deed::Edit(place, keys) => {
                self.outside.history.edited(self.outside.now);
                let place = &mut self.outside.places[place];
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
                self.outside.places[place].is_unreadable = is_unreadable;
            }
            Deed::Mood(place, mood) => self.outside.change_mood(place, mood),
            Deed::Down(is_down) => {
                self.outside.trouble();
                self.outside.is_down = is_down;
            }
            Deed::StoreDown(is_down) => {
                self.outside.trouble();
                self.outside.is_store_down = is_down;
                self.outside.counts.outages += u64::from(is_down);
            }
            Deed::Reload => {
                self.read();
                self.tell(MemberEvent::Reloaded);
            }
            Deed::Leave => {
                if let Some((caller, (_, ask, _))) = self.outside.callers.pop_first() {
                    self.outside.history.leaves(&ask, self.outside.now);
                    self.outside.trouble();
                    self.tell(MemberEvent::Left(caller));
                }
            }
            Deed::Restart => self.restart(),
            Deed::Suspend(duration) => self.suspend(duration),
            Deed::Crash => self.crash(),
            Deed::Invalidate => {
                self.outside.trouble();
                let Some(held) = self.process.handed_out.clone() else { return };
                let process = self.outside.process;
                self.tell(MemberEvent::Invalidated(held.serial));
                if process == self.outside.process
                    && self
                        .process
                        .handed_out
                        .as_ref()
                        .is_none_or(|left| left.serial != held.serial)
                {
                    self.outside.history.invalidates(held.text.expose());
                }
            }
            Deed::Want => self.want(),
            Deed::Cancel => {
                if let Some(waiter) = self.outside.waiters.keys().next().copied() {
                    self.outside.waiters.remove(&waiter);
                    self.tell(MemberEvent::Cancelled(waiter));
                }
            }
        }
    }

    fn want(&mut self) {
        self.outside.last_caller += 1;
        let waiter = self.outside.last_caller;
        let deadline = self.outside.now + 5 * SECOND;
        let min_validity =
            if self.outside.random.percent(80) { Duration::ZERO } else { self.outside.life / 4 };
        self.outside.waiters.insert(waiter, (deadline, min_validity));
        let wait = TokenWait { waiter, min_validity, deadline, for_readiness: false };
        let is_held =
            self.process.member.token(self.outside.now).is_some() && min_validity == Duration::ZERO;
        self.tell(MemberEvent::Wanted(wait));
        assert!(
            !is_held || !self.outside.waiters.contains_key(&waiter),
            "I1: a held token serves nobody"
        );
    }

    pub(super) fn ask(&mut self, ask: impl Into<Ask>, key: Option<Key>) {
        let ask = ask.into();
        self.outside.last_caller += 1;
        let caller = self.outside.last_caller;
        let patience = if self.outside.random.percent(80) { 15 * MINUTE } else { 5 * SECOND };
        let deadline = self.outside.now + patience;
        self.outside.trouble();
        match &ask {
            Ask::Request(Request::Rotate(Rotate { supersede, .. })) => {
                if let Some(key) = key {
                    self.outside.history.named(key, false, None, self.outside.now);
                }
                // Without an argument what is configured is looked at, but for what is retired.
                if *supersede {
                    self.outside.history.retire_asked(self.outside.now);
                }
            }
            Ask::Request(Request::Retire { .. }) => {
                self.outside.history.retire_asked(self.outside.now);
            }
            _ => {}
        }
        self.outside.callers.insert(caller, (deadline, ask.clone(), key));
        self.tell(MemberEvent::Asked { caller, ask, deadline: Some(deadline) });
    }
}
