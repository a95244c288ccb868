//! What simulations came across, by what went wrong in them.

use std::collections::BTreeMap;
use std::fmt;
use std::ops::AddAssign;
use std::time::Duration;

use super::outside::{Fault, Regime};

/// What one simulation came across.
#[derive(Debug, Default, Clone, Copy)]
pub(super) struct Figures {
    pub(super) virtual_time: Duration,
    /// Token lives that passed.
    pub(super) lives: u64,
    pub(super) requests: u64,
    pub(super) grants: u64,
    pub(super) rejections: u64,
    pub(super) rotations: u64,
    pub(super) retirements: u64,
    pub(super) calls: u64,
    pub(super) refusals: u64,
    pub(super) deaths: u64,
    pub(super) forks: u64,
    /// How often a function wrote a secret back.
    pub(super) writes: u64,
}

impl AddAssign for Figures {
    fn add_assign(&mut self, other: Self) {
        self.virtual_time += other.virtual_time;
        self.lives += other.lives;
        self.requests += other.requests;
        self.grants += other.grants;
        self.rejections += other.rejections;
        self.rotations += other.rotations;
        self.retirements += other.retirements;
        self.calls += other.calls;
        self.refusals += other.refusals;
        self.deaths += other.deaths;
        self.forks += other.forks;
        self.writes += other.writes;
    }
}

/// The figures of many, by the fault that was inflicted upon them.
#[derive(Debug, Default)]
pub(super) struct Table(BTreeMap<Fault, Figures>);

impl Table {
    pub(super) fn add(&mut self, regime: Regime, figures: Figures) {
        *self.0.entry(regime.fault).or_default() += figures;
    }

    pub(super) fn total(&self) -> Figures {
        let mut total = Figures::default();
        self.0.values().for_each(|figures| total += *figures);
        total
    }
}

impl fmt::Display for Table {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(
            f,
            "{:<16} {:>7} {:>9} {:>8} {:>8} {:>11} {:>10} {:>9} {:>9} {:>7} {:>8} {:>6} {:>7}",
            "fault",
            "lives",
            "rotations",
            "retired",
            "grants",
            "grants/life",
            "rejections",
            "requests",
            "calls",
            "refused",
            "deaths",
            "forks",
            "writes"
        )?;
        let rows = self.0.iter().map(|(fault, figures)| (format!("{fault:?}"), *figures));
        for (name, it) in rows.chain([("all".to_owned(), self.total())]) {
            #[expect(clippy::cast_precision_loss, reason = "for people")]
            let rate = it.grants as f64 / it.lives.max(1) as f64;
            writeln!(
                f,
                "{name:<16} {:>7} {:>9} {:>8} {:>8} {rate:>11.2} {:>10} {:>9} {:>9} {:>7} {:>8} {:>6} {:>7}",
                it.lives,
                it.rotations,
                it.retirements,
                it.grants,
                it.rejections,
                it.requests,
                it.calls,
                it.refusals,
                it.deaths,
                it.forks,
                it.writes
            )?;
        }
        Ok(())
    }
}
