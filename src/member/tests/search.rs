//! Runs of a simulation, from one seed after another, on all processors.

use std::fmt::Display;
use std::num::NonZero;
use std::panic::{RefUnwindSafe, catch_unwind};
use std::sync::Mutex;
use std::sync::atomic::AtomicU64;
use std::sync::atomic::Ordering::Relaxed;
use std::thread::available_parallelism;

/// A search ends when so many runs have failed.
const MOST_FAILURES: u64 = 10;

/// A long search tells its figures after so many runs.
const TOLD_EVERY: u64 = 1000;

/// Runs from that seed on until there is enough of everything. A run that fails says so, and names
/// its seed; the others go on, and the search fails at the end.
#[expect(clippy::print_stderr, reason = "figures for people")]
pub(super) fn search<Run: Send, Tally: Default + Display + Send>(
    first: u64,
    run: impl Fn(u64) -> Run + RefUnwindSafe + Sync,
    add: impl Fn(&mut Tally, Run) + Sync,
    is_enough: impl Fn(&Tally) -> bool + Sync,
) {
    let (next, failed) = (AtomicU64::new(first), AtomicU64::new(0));
    let tally = Mutex::new(Tally::default());
    let go_on = || {
        while failed.load(Relaxed) < MOST_FAILURES && !is_enough(&tally.lock().unwrap()) {
            let seed = next.fetch_add(1, Relaxed);
            let Ok(outcome) = catch_unwind(|| run(seed)) else {
                failed.fetch_add(1, Relaxed);
                continue;
            };
            let mut tally = tally.lock().unwrap();
            add(&mut tally, outcome);
            if (seed - first) % TOLD_EVERY == TOLD_EVERY - 1 {
                eprintln!("{} runs so far\n{tally}", seed - first + 1);
            }
        }
    };
    std::thread::scope(|scope| {
        (0..available_parallelism().map_or(1, NonZero::get)).for_each(|_| _ = scope.spawn(go_on));
    });
    eprintln!("{} runs\n{}", next.into_inner() - first, tally.into_inner().unwrap());
    assert_eq!(failed.into_inner(), 0, "runs failed");
}

/// A number from the environment.
#[expect(clippy::disallowed_methods, reason = "read by a test, before any thread")]
pub(super) fn number(name: &str) -> Option<u64> {
    std::env::var(name).ok().map(|text| text.parse().unwrap())
}

/// Whether many runs are wanted.
#[expect(clippy::disallowed_methods, reason = "read by a test, before any thread")]
pub(super) fn is_long() -> bool {
    std::env::var("ROTATION_CHECK").is_ok_and(|length| length == "long")
}
