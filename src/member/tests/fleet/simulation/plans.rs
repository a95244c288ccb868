//! What people intend with a fleet, in any order, and what goes wrong meanwhile.

use std::time::Duration;

use super::deeds::Deed;
use super::group::Group;
use super::outside::{Fault, Outside};
use crate::member::tests::peripherals::{MINUTE, SECOND};
use crate::member::tests::simulation::Key;
use crate::member::{Ask, Candidate, Request, Rotate};
use crate::rotation::Role;
use crate::secret::Secret;

/// So many secrets there are; each is used again and again.
const POOL: u64 = 24;

impl Group {
    /// One change of the secret: the provider takes it, the configuration is deployed, and somebody
    /// asks for the rotation, in any order; one or two of the last may be left out.
    pub(super) fn rotate(&mut self) {
        let (next, old) = (self.outside.new_key(), self.outside.newest());
        let mut delays = [0, 0, 0].map(|_| self.outside.random.millis(90_000));
        let [provided, deployed, asked] = &mut delays;
        if self.outside.random.percent(30) {
            // All at once, as a script does it.
            (*deployed, *asked) = (*provided, *provided);
        }
        self.outside.deed(*provided, Deed::Announce(next));
        if let Some(old) = old {
            let after = if self.outside.regime.keeps_secrets {
                *provided.max(deployed).max(asked) + self.outside.random.millis(900_000)
            } else {
                // Regenerate: the old one ends with that.
                *provided
            };
            self.outside.deed(after, Deed::Revoke(old));
        }
        let way = self.outside.random.below(4);
        if way != 0 {
            self.deploy(next, old, *deployed);
        }
        if way == 0 || self.outside.random.percent(50) {
            let place = self.outside.any_place();
            let ask = rotate_to(next, self.outside.random.percent(30));
            self.outside.deed(*asked, Deed::Ask(place, ask, Some(next)));
        }
        if way == 0 {
            // The new secret reaches the others later.
            let later = *asked + Duration::from_secs(self.outside.random.below(400));
            self.deploy(next, old, later);
        }
        self.outside.meddle();
    }

    /// The new secret reaches every place, by a change of its source or by a deploy.
    fn deploy(&mut self, next: Key, old: Option<Key>, after: Duration) {
        let is_list = self.outside.random.percent(50);
        let restarts = self.outside.random.percent(50);
        let stale = self.outside.random.percent(20).then(|| self.outside.any_place());
        for place in 0..self.outside.nodes.len() {
            let mut keys = vec![next];
            keys.extend(old.filter(|_| is_list));
            if self.outside.random.percent(20) {
                keys.reverse();
            }
            let mut at = after + self.outside.random.millis(30_000);
            if stale == Some(place) {
                at += 10 * MINUTE;
            }
            let deed =
                if restarts { Deed::Deploy(place, keys) } else { Deed::Configure(place, keys) };
            self.outside.deed(at, deed);
        }
    }

    /// Nothing that is configured works: somebody puts it right, everywhere.
    pub(super) fn mend(&mut self) {
        let record = self.store.load().record;
        let now = self.outside.now;
        let is_good = |key: &Key| {
            let role = record.as_ref().map(|record| record.role(key.id()));
            self.outside.provider.accepts(*key, now) && role != Some(Role::Retired)
        };
        let is_well = self.outside.nodes.iter().all(|node| node.configured.iter().any(is_good));
        if !is_well {
            let next = self.outside.new_key();
            self.do_deed(Deed::Announce(next));
            for place in 0..self.outside.nodes.len() {
                self.outside.deed(SECOND, Deed::Configure(place, vec![next]));
            }
            self.pass(2 * MINUTE);
        }
    }

    /// Everything works from now on, and everybody has the same configuration.
    pub(super) fn rest(&mut self) {
        self.outside.is_calm = true;
        (self.outside.is_store_down, self.outside.is_endpoint_down) = (false, false);
        self.outside.agenda.retain(|happening| {
            !matches!(
                happening,
                super::outside::Happening::Deed(
                    Deed::Kill(..)
                        | Deed::Freeze(..)
                        | Deed::Failover
                        | Deed::Flush
                        | Deed::StoreDown(true)
                        | Deed::EndpointDown(true)
                        | Deed::CutOff(_, true)
                        | Deed::Jump(..)
                        | Deed::Deploy(..)
                        | Deed::Configure(..)
                        | Deed::Ask(..)
                        | Deed::Revoke(_)
                        | Deed::Announce(_)
                        | Deed::Invalidate(_)
                )
            )
        });
        for place in 0..self.outside.nodes.len() {
            self.outside.nodes[place].is_cut_off = false;
            self.outside.nodes[place].frozen_until = self.outside.now;
            self.start(place);
        }
        let next = self.outside.new_key();
        self.do_deed(Deed::Announce(next));
        for place in 0..self.outside.nodes.len() {
            self.outside.deed(SECOND, Deed::Configure(place, vec![next]));
        }
    }
}

impl Outside {
    /// A secret that is in use nowhere.
    pub(super) fn new_key(&mut self) -> Key {
        let live = self.provider.live(self.now);
        loop {
            let key = Key(usize::try_from(self.random.below(POOL)).unwrap() * 4);
            let is_used = self.nodes.iter().any(|node| node.configured.contains(&key));
            if !live.contains(&key) && !is_used {
                return key;
            }
        }
    }

    /// The secret that the provider accepts, the latest one.
    fn newest(&self) -> Option<Key> {
        self.provider.live(self.now).last().copied()
    }

    fn any_place(&mut self) -> usize {
        usize::try_from(self.random.below(self.nodes.len() as u64)).unwrap()
    }

    /// What goes wrong in the minutes to come.
    fn meddle(&mut self) {
        for _ in 0..self.random.below(6) {
            let after = self.random.millis(300_000);
            let place = self.any_place();
            let below = self.random.one_of(&[2, 30, 400]);
            let lasts = Duration::from_secs(1 + self.random.below(below));
            if self.random.percent(20) {
                self.deed(after, Deed::Invalidate(place));
            }
            let faults = [
                Fault::Deaths,
                Fault::Freezes,
                Fault::Partitions,
                Fault::Outages,
                Fault::Failovers,
                Fault::Flushes,
                Fault::Jumps,
                Fault::Endpoint,
            ];
            let fault = match self.regime.fault {
                Fault::Everything => self.random.one_of(&faults),
                fault => fault,
            };
            match fault {
                Fault::Nothing | Fault::Operations | Fault::Everything => {}
                Fault::Deaths => self.deed(after, Deed::Kill(place, lasts)),
                Fault::Freezes => self.deed(after, Deed::Freeze(place, lasts)),
                Fault::Partitions => {
                    self.deed(after, Deed::CutOff(place, true));
                    self.deed(after + lasts, Deed::CutOff(place, false));
                }
                Fault::Outages => {
                    self.deed(after, Deed::StoreDown(true));
                    self.deed(after + lasts, Deed::StoreDown(false));
                }
                Fault::Failovers => {
                    let lost = self.random.millis(10_000);
                    self.deed(after.saturating_sub(lost), Deed::Replicate);
                    self.deed(after, Deed::Failover);
                }
                Fault::Flushes => self.deed(after, Deed::Flush),
                Fault::Jumps => self.deed(after, Deed::Jump(place, lasts)),
                Fault::Endpoint => {
                    self.deed(after, Deed::EndpointDown(true));
                    self.deed(after + lasts, Deed::EndpointDown(false));
                }
            }
        }
    }
}

fn rotate_to(key: Key, is_verified: bool) -> Ask {
    let candidate = Some(Candidate {
        label: None,
        client_id: Some(key.client_id().to_owned()),
        client_secret: Secret::new(key.secret()),
        expires_at: None,
    });
    let verify = is_verified.then(|| "https://resource.example/me".parse().unwrap());
    Request::Rotate(Rotate { candidate, verify, ..Rotate::default() }).into()
}
