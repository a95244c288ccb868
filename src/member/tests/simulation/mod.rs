//! A member in a world that misbehaves: years of rotations in virtual time, from a seed.
//!
//! The member, its sources and its store are the production ones, driven as the driver does. The
//! process may die before any effect, the store may fail or lose its answer, the endpoint, the
//! people and the clock do what they do. `ROTATION_SEED=n` shows one run again,
//! `ROTATION_CHECK=long` makes many more, from the seed `ROTATION_FROM` on.

mod access;
mod changes;
mod checks;
mod clientele;
mod counts;
mod deed;
mod endpoint;
mod forgotten;
mod health;
mod history;
mod memory;
mod outside;
mod persisting;
mod person;
mod places;
mod plans;
mod provider;
mod regime;
mod secrets;
mod sim;

use std::time::Duration;

use super::peripherals::{MINUTE, SECOND};
use super::search;
use crate::policy::Policy;
use crate::policy::tests::DEFAULT;
use counts::Counts;
use places::Place;
pub(super) use provider::{Key, Kind, Provider};
pub(super) use regime::Random;
use regime::Regime;
use sim::Sim;

/// So many secrets there are; each is used again and again.
const POOL: u64 = 48;

const ROTATIONS_OF_A_RUN: u64 = 16;

fn regime(random: &mut Random) -> Regime {
    let is_rough = random.percent(60);
    Regime {
        faults: if is_rough { random.one_of(&[0, 10, 40]) } else { 0 },
        store_faults: if random.percent(30) { 40 } else { 0 },
        crashes: random.one_of(&[0, 0, 10, 60]),
        sink_faults: random.one_of(&[0, 30]),
        has_moods: random.percent(50),
        is_slow: random.percent(50),
    }
}

fn places(random: &mut Random) -> Vec<Place> {
    match random.below(6) {
        0 => vec![Place::list(false)],
        1 => vec![Place::list(true)],
        2 => vec![Place::list(true), Place::list(false)],
        3 => vec![Place::environment(random.percent(50))],
        4 => vec![Place::environment(true), Place::list(false)],
        _ => vec![Place::list(true), Place::environment(false), Place::list(true)],
    }
}

/// One run: some rotations under one regime, then peace.
fn run(seed: u64, is_traced: bool) -> Counts {
    let mut random = Random(fastrand::Rng::with_seed(seed ^ 0x5eed));
    let overlap = random.one_of(&[None, Some(MINUTE), Some(20 * SECOND), Some(Duration::ZERO)]);
    let propagation = random.one_of(&[Duration::ZERO, 10 * SECOND]);
    let policy = Policy { propagation, overlap, ..DEFAULT };
    let (places, regime) = (places(&mut random), regime(&mut random));
    let mut sim = Sim::new(seed, policy, places, regime);
    sim.outside.is_traced = is_traced;
    sim.outside.begin();
    sim.pass(5 * SECOND);
    for _ in 0..ROTATIONS_OF_A_RUN {
        sim.rotate();
        let minutes = random.one_of(&[0, 1, 12, 12, 75]);
        sim.pass(Duration::from_secs(random.below(60)) + minutes * MINUTE);
        if random.percent(40) {
            sim.outside.regime = regime.calm();
            sim.pass(8 * MINUTE);
            sim.outside.regime = regime;
        }
        sim.mend();
    }
    sim.outside.rests();
    sim.pass(180 * MINUTE);
    sim.outside.check_settled_down(&sim.process);
    sim.outside.counts
}

#[test]
#[expect(clippy::print_stderr, reason = "figures for people")]
fn years_of_rotations_keep_every_invariant() {
    if let Some(seed) = search::number("ROTATION_SEED") {
        let counts = run(seed, true);
        eprintln!("{counts}");
        return;
    }
    let least = if search::is_long() { 100_000 } else { 1_200 };
    search::search(
        search::number("ROTATION_FROM").unwrap_or_default(),
        |seed| run(seed, false),
        |counts: &mut Counts, of_run| *counts += of_run,
        |counts| counts.completed() >= least,
    );
}
