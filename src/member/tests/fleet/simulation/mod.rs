//! Fleets in a world that misbehaves: years of refreshes and rotations in virtual time, from a seed.
//!
//! The members and their store are the production ones. Each process has a clock of its own, which
//! jumps ahead now and then. Store operations are slow, refused, or lost after they took place;
//! processes die, freeze or are cut off; the store is down, loses its latest writes, or all of them;
//! secrets are regenerated, deployed and rotated in any order. `FLEET_SEED=n` shows one run again,
//! `ROTATION_CHECK=long` makes many more, from the seed `FLEET_FROM` on.

mod around;
mod checks;
mod deeds;
mod figures;
mod group;
mod outside;
mod plans;

use std::time::Duration;

use crate::member::tests::peripherals::MINUTE;
use crate::member::tests::search;
use crate::member::tests::simulation::Random;
use figures::{Figures, Table};
use group::Group;
use outside::{Fault, Regime};

/// One run: some rotations under one regime, then peace.
fn run(seed: u64, is_traced: bool) -> (Regime, Figures) {
    let mut random = Random(fastrand::Rng::with_seed(seed ^ 0xf1ee7));
    let regime = Regime {
        members: usize::try_from(1 + random.below(5)).unwrap(),
        fault: random.one_of(&Fault::ALL),
        life: random.one_of(&[5 * MINUTE, 20 * MINUTE]),
        is_slow: random.percent(50),
        keeps_secrets: random.percent(50),
        writes_back: random.percent(40),
    };
    let mut group = Group::new(seed, regime);
    group.outside.is_traced = is_traced;
    group.begin();
    group.pass(MINUTE);
    for _ in 0..4 {
        group.rotate();
        let minutes = random.one_of(&[2, 12, 40]);
        group.pass(Duration::from_secs(random.below(60)) + minutes * MINUTE);
        group.mend();
    }
    group.rest();
    group.pass(25 * MINUTE);
    let before = group.outside.figures.grants;
    group.pass(15 * MINUTE);
    group.await_one_token();
    group.check_settled_down();
    // A token is refreshed when a quarter of its life is left.
    let until_refresh = regime.life * 3 / 4;
    group.check_peace(group.outside.figures.grants - before, 15 * MINUTE, until_refresh);
    group.outside.figures.lives =
        group.outside.figures.virtual_time.as_secs() / until_refresh.as_secs();
    (regime, group.outside.figures)
}

#[test]
#[expect(clippy::print_stderr, reason = "figures for people")]
fn years_of_a_fleet_keep_every_invariant() {
    if let Some(seed) = search::number("FLEET_SEED") {
        let (regime, figures) = run(seed, true);
        eprintln!("{regime:?}: {figures:?}");
        return;
    }
    let (rotations, grants) = if search::is_long() { (100_000, 1_000_000) } else { (60, 500) };
    search::search(
        search::number("FLEET_FROM").unwrap_or_default(),
        |seed| run(seed, false),
        |table: &mut Table, (regime, figures)| table.add(regime, figures),
        |table| {
            let total = table.total();
            total.rotations >= rotations && total.grants >= grants
        },
    );
}
