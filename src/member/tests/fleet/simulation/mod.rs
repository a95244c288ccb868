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

use std::num::NonZero;
use std::panic::catch_unwind;
use std::sync::Mutex;
use std::sync::atomic::AtomicU64;
use std::sync::atomic::Ordering::Relaxed;
use std::thread::available_parallelism;
use std::time::Duration;

use crate::member::tests::peripherals::MINUTE;
use crate::member::tests::simulation::Random;
use figures::{Figures, Table};
use group::Group;
use outside::{Fault, Regime};

/// A search ends when so many runs have failed.
const MOST_FAILURES: u64 = 10;

/// A long search tells its figures after so many runs.
const TOLD_EVERY: u64 = 1000;

/// One run: some rotations under one regime, then peace.
fn run(seed: u64, is_traced: bool) -> (Regime, Figures) {
    let mut random = Random(fastrand::Rng::with_seed(seed ^ 0xf1ee7));
    let regime = Regime {
        members: usize::try_from(2 + random.below(4)).unwrap(),
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

/// Runs from that seed on until there is enough of everything. A run that fails says so, and names
/// its seed; the others go on.
#[expect(clippy::print_stderr, reason = "figures for people")]
fn search(first: u64, is_enough: impl Fn(Figures) -> bool + Sync) -> (u64, u64, Table) {
    let (next, failed) = (AtomicU64::new(first), AtomicU64::new(0));
    let table = Mutex::new(Table::default());
    let go_on = || {
        while failed.load(Relaxed) < MOST_FAILURES && !is_enough(table.lock().unwrap().total()) {
            let seed = next.fetch_add(1, Relaxed);
            match catch_unwind(|| run(seed, false)) {
                Ok((regime, figures)) => {
                    let mut table = table.lock().unwrap();
                    table.add(regime, figures);
                    if (seed - first) % TOLD_EVERY == TOLD_EVERY - 1 {
                        eprintln!("{} runs so far\n{table}", seed - first + 1);
                    }
                }
                Err(_) => _ = failed.fetch_add(1, Relaxed),
            }
        }
    };
    std::thread::scope(|scope| {
        (0..available_parallelism().map_or(1, NonZero::get)).for_each(|_| _ = scope.spawn(go_on));
    });
    (next.into_inner() - first, failed.into_inner(), table.into_inner().unwrap())
}

#[test]
#[expect(clippy::disallowed_methods, reason = "read by a test, before any thread")]
#[expect(clippy::print_stderr, reason = "figures for people")]
fn years_of_a_fleet_keep_every_invariant() {
    let number = |name| std::env::var(name).ok().map(|text| text.parse::<u64>().unwrap());
    if let Some(seed) = number("FLEET_SEED") {
        let (regime, figures) = run(seed, true);
        eprintln!("{regime:?}: {figures:?}");
        return;
    }
    let is_long = std::env::var("ROTATION_CHECK").is_ok_and(|length| length == "long");
    let (rotations, grants) = if is_long { (100_000, 1_000_000) } else { (60, 500) };
    let is_enough = |total: Figures| total.rotations >= rotations && total.grants >= grants;
    let (runs, failed, table) = search(number("FLEET_FROM").unwrap_or_default(), is_enough);
    eprintln!("{runs} runs\n{table}");
    assert_eq!(failed, 0, "runs failed");
}
