//! What people and accidents do to a fleet.

use std::time::Duration;

use super::group::Group;
use super::outside::Happening;
use crate::member::tests::peripherals::{MINUTE, SECOND};
use crate::member::tests::simulation::{Key, Kind};
use crate::member::{Ask, MemberEvent};
use crate::refresh::TokenWait;

/// Something that somebody does, or that happens.
#[derive(Debug)]
pub(super) enum Deed {
    /// The provider accepts another secret.
    Announce(Key),
    /// The provider accepts a secret no longer.
    Revoke(Key),
    /// A running process is configured otherwise.
    Configure(usize, Vec<Key>),
    /// A process ends as it should, and another one starts with this configuration.
    Deploy(usize, Vec<Key>),
    Ask(usize, Ask, Option<Key>),
    /// A process dies at once, and starts again after that.
    Kill(usize, Duration),
    Start(usize),
    Freeze(usize, Duration),
    CutOff(usize, bool),
    StoreDown(bool),
    EndpointDown(bool),
    /// What a replica has at this moment is what a failover leaves.
    Replicate,
    Failover,
    Flush,
    /// A clock goes ahead.
    Jump(usize, Duration),
    /// A resource refuses the token of a place.
    Invalidate(usize),
    /// Somebody wants a token everywhere, and again after a while.
    WantEverywhere,
}

impl Group {
    pub(super) fn do_deed(&mut self, deed: Deed) {
        if !matches!(deed, Deed::WantEverywhere | Deed::Replicate) {
            self.outside.note(format_args!("{deed:?}"));
            self.outside.trouble();
        }
        match deed {
            Deed::Announce(key) => {
                let now = self.outside.now;
                self.outside.passed.remove(&key.id());
                self.outside.provider.announce(key, Kind::Usual, now, now);
            }
            Deed::Revoke(key) => self.outside.provider.kill(key, self.outside.now),
            Deed::Configure(place, keys) => {
                self.outside.nodes[place].configured = keys;
                self.read(place);
            }
            Deed::Deploy(place, keys) => {
                self.tell(place, MemberEvent::Closed);
                self.end(place);
                self.outside.nodes[place].configured = keys;
                self.outside.deed(SECOND, Deed::Start(place));
            }
            Deed::Ask(place, ask, key) => self.ask(place, ask, key),
            Deed::Kill(place, back) => {
                self.end(place);
                self.outside.deed(back, Deed::Start(place));
            }
            Deed::Start(place) => self.start(place),
            Deed::Freeze(place, duration) => {
                self.outside.nodes[place].frozen_until = self.outside.now + duration;
            }
            Deed::CutOff(place, is_cut_off) => self.outside.nodes[place].is_cut_off = is_cut_off,
            Deed::StoreDown(is_down) => self.outside.is_store_down = is_down,
            Deed::EndpointDown(is_down) => self.outside.is_endpoint_down = is_down,
            Deed::Replicate => self.replicate(),
            Deed::Failover => self.fail_over(),
            Deed::Flush => self.store.restore(None),
            Deed::Jump(place, by) => self.jump(place, by),
            Deed::Invalidate(place) => self.invalidate(place),
            Deed::WantEverywhere => {
                for place in 0..self.outside.nodes.len() {
                    self.want(place);
                }
                let again = 10 * SECOND + self.outside.random.millis(20_000);
                self.outside.deed(again, Deed::WantEverywhere);
            }
        }
    }

    fn ask(&mut self, place: usize, ask: Ask, key: Option<Key>) {
        if !self.outside.nodes[place].is_alive {
            return;
        }
        if let Some(key) = key {
            self.outside.named(key);
        }
        let caller = self.outside.next_number();
        let deadline = Some(self.processes[place].now() + 12 * MINUTE);
        self.outside.nodes[place].callers.insert(caller, ask.clone());
        self.tell(place, MemberEvent::Asked { caller, ask, deadline });
    }

    fn want(&mut self, place: usize) {
        if !self.outside.nodes[place].is_alive || self.is_frozen(place) {
            return;
        }
        self.outside.figures.calls += 1;
        let waiter = self.outside.next_number();
        let deadline = self.processes[place].now() + 5 * SECOND;
        self.outside.nodes[place].waiters.insert(waiter, self.outside.now + 5 * SECOND);
        let is_held = self.processes[place].handed_out.is_some();
        let min_validity = Duration::ZERO;
        let wait = TokenWait { waiter, min_validity, deadline, for_readiness: false };
        self.tell(place, MemberEvent::Wanted(wait));
        let still_waits = self.outside.nodes[place].waiters.contains_key(&waiter);
        assert!(!(is_held && still_waits), "I1: a held token serves nobody");
    }

    fn invalidate(&mut self, place: usize) {
        let number = self.outside.nodes[place].number;
        let Some(held) = self.processes[place].handed_out.clone() else { return };
        self.tell(place, MemberEvent::Invalidated(held.serial));
        let node = &mut self.outside.nodes[place];
        let left = self.processes[place].handed_out.as_ref().map(|left| left.id);
        if node.number == number && left != Some(held.id) {
            node.invalidated = Some(held.text.expose().to_owned());
        }
    }

    pub(super) fn jump(&mut self, place: usize, by: Duration) {
        let outside = &mut self.outside;
        outside.nodes[place].ahead += by;
        self.set_clock(place);
    }

    /// What the agenda holds for the process at a place is forgotten.
    pub(super) fn forget_deliveries(&mut self, place: usize) {
        self.outside.agenda.retain(|happening| match happening {
            Happening::Delivery(at, ..) | Happening::Hint(at, ..) => *at != place,
            Happening::Deed(_) => true,
        });
    }
}
