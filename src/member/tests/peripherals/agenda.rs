//! What takes place later.

use std::collections::BTreeMap;

use crate::clock::Timestamp;

/// Things and their times; what is due at the same time takes place in the order of its planning.
#[derive(Debug)]
pub(crate) struct Agenda<T> {
    planned: BTreeMap<(Timestamp, u64), T>,
    sequence: u64,
}

impl<T> Default for Agenda<T> {
    fn default() -> Self {
        Self { planned: BTreeMap::new(), sequence: 0 }
    }
}

impl<T> Agenda<T> {
    pub(crate) fn plan(&mut self, at: Timestamp, thing: T) {
        self.sequence += 1;
        self.planned.insert((at, self.sequence), thing);
    }

    /// When the next thing takes place.
    pub(crate) fn next_at(&self) -> Option<Timestamp> {
        self.planned.first_key_value().map(|((at, _), _)| *at)
    }

    /// Takes the next thing from the agenda, whatever its time.
    pub(crate) fn take_next(&mut self) -> Option<T> {
        self.planned.pop_first().map(|(_, thing)| thing)
    }

    /// Drops everything else.
    pub(crate) fn retain(&mut self, keeps: impl Fn(&T) -> bool) {
        self.planned.retain(|_, thing| keeps(thing));
    }
}
