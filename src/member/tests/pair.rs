//! Two processes side by side: one store, and two ideas of the time.

use std::sync::Arc;
use std::time::Duration;

use super::peripherals::Hands;
use super::world::*;
use crate::clock::Clock;
use crate::policy::tests::DEFAULT;
use crate::rotation::Role;
use crate::store::MemoryStore;

const SECRETS: &[&str] = &["old", "new"];

/// How far the clock of the second process is ahead.
const SKEW: Duration = Duration::from_secs(2);

/// A store by its own clock, and two processes that share it.
struct Pair {
    worlds: [World; 2],
    store: MemoryStore,
    hands: Arc<Hands>,
}

impl Pair {
    /// The second process starts when the first one has a token, and has a fallback besides.
    fn new() -> Self {
        let hands = Hands::at(START);
        let store = MemoryStore::for_process(Arc::clone(&hands) as Arc<dyn Clock>);
        let world = |now| World::new(DEFAULT, accepts(SECRETS)).over(store.clone(), now);
        let worlds = [world(START), world(START + SKEW)];
        let mut pair = Self { worlds, store, hands };
        pair.worlds[0].configure(&["old"]);
        pair.pass(SECOND);
        pair.worlds[1].configure(SECRETS);
        pair.pass(SECOND);
        pair
    }

    /// Lets time pass for the store and both processes, stopping at everything that is due.
    fn pass(&mut self, duration: Duration) {
        let mut left = duration;
        for _ in 0..20_000 {
            let waits =
                self.worlds.iter().filter_map(|world| Some(world.next_at()?.since(world.now)));
            let Some(wait) = waits.min().filter(|wait| *wait <= left) else {
                self.advance(left);
                return;
            };
            left -= wait;
            self.advance(wait);
            for world in &mut self.worlds {
                if world.next_at().is_some_and(|at| at <= world.now) {
                    world.take_next();
                }
            }
        }
        panic!("it does not come to rest");
    }

    fn advance(&mut self, by: Duration) {
        self.hands.set(self.hands.now() + by);
        for world in &mut self.worlds {
            world.advance_to(world.now + by);
        }
    }

    /// What the stored record says of a secret.
    fn role(&self, secret: &str) -> Role {
        self.store.load().record.map_or(Role::Unknown, |record| record.role(id_of(secret)))
    }
}

#[test]
fn whoever_starts_later_reads_what_the_other_one_has_stored() {
    let pair = Pair::new();
    let [first, second] = &pair.worlds;
    assert_eq!(second.now.since(first.now), SKEW);
    assert_eq!(first.secrets_tried(), ["old"]);
    assert_eq!(first.member().record(), second.member().record());
    assert_eq!(pair.store.load().record.as_ref(), second.member().record());
    assert!(first.has_token() && second.has_token());
}

#[test]
fn whichever_effect_one_process_dies_before_the_other_one_goes_on() {
    for effects in 0.. {
        let mut pair = Pair::new();
        pair.worlds[0].script.dies_after = Some(effects);
        pair.worlds[0].rotate_to("new");
        pair.pass(30 * SECOND);
        let is_done = pair.worlds[0].is_alive;
        for _ in 0..120 {
            pair.pass(MINUTE);
            assert!(pair.worlds[1].has_token(), "the first one died after {effects} effects");
        }
        let is_active = [pair.role("old"), pair.role("new")].contains(&Role::Active);
        assert!(is_active, "the first one died after {effects} effects");
        if is_done {
            assert!(effects > 3, "the rotation has several effects");
            return;
        }
    }
}
