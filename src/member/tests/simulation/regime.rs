//! Chance, and how badly the world behaves.

use std::time::Duration;

use crate::member::Chance;

pub(crate) struct Random(pub(crate) fastrand::Rng);

impl Random {
    pub(crate) fn below(&mut self, end: u64) -> u64 {
        self.0.u64(..end)
    }

    pub(crate) fn percent(&mut self, chance: u64) -> bool {
        self.below(100) < chance
    }

    pub(crate) fn millis(&mut self, below: u64) -> Duration {
        Duration::from_millis(self.below(below))
    }

    pub(crate) fn one_of<T: Copy>(&mut self, list: &[T]) -> T {
        list[usize::try_from(self.below(list.len() as u64)).unwrap()]
    }
}

impl Chance for Random {
    fn bits(&mut self) -> u64 {
        self.0.u64(..)
    }
}

/// How badly the world behaves.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Regime {
    /// Of a hundred token requests, so many have no clear answer.
    pub(crate) faults: u64,
    /// Of a thousand store operations, so many fail, and as many more have no answer.
    pub(crate) store_faults: u64,
    /// Of ten thousand effects, so many see the end of the process.
    pub(crate) crashes: u64,
    /// Of a hundred writes to persist targets, so many fail.
    pub(crate) sink_faults: u64,
    /// Places fail, hang or become read-only for a while.
    pub(crate) has_moods: bool,
    /// Operations of the store and derivations of ids take time.
    pub(crate) is_slow: bool,
}

impl Regime {
    pub(crate) fn calm(self) -> Self {
        Self { is_slow: self.is_slow, ..Self::default() }
    }
}
