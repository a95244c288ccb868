//! The work of a pool: what is queued, what has begun, and who still waits for it.

use std::collections::HashMap;
use std::path::{Path, PathBuf};

use super::order::{Order, Unfinished};
use crate::driver::manager::ManagerId;
use crate::driver::queue::{Queue, Ticket};
use crate::policy::work::{MOST_ABANDONED, WorkLimits, WorkLoad};

/// All work that has not returned.
pub(super) struct Roster<T> {
    limits: WorkLimits,
    queue: Queue<T>,
    begun: HashMap<Ticket, Begun>,
    places: HashMap<Ticket, PathBuf>,
}

/// Work that has begun and not returned.
#[derive(Debug, Clone, Copy)]
struct Begun {
    /// Its thread does not count.
    is_slow: bool,
    fate: Fate,
}

/// Who still waits for work.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Fate {
    Wanted,
    /// Nobody: its manager was closed.
    Abandoned,
    /// Nobody: it has taken too long.
    GivenUp,
}

/// What became of work when somebody looked at it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Looked {
    /// It has not begun, or has returned.
    Elsewhere,
    /// It has begun and not returned.
    Begun,
    /// The same, and its thread does not count from now on: another one may take its place.
    Slow,
}

impl<T> Roster<T> {
    pub(super) fn new(limits: WorkLimits) -> Self {
        let (begun, places) = (HashMap::new(), HashMap::new());
        Self { limits, queue: Queue::default(), begun, places }
    }

    /// Queues a piece of work.
    pub(super) fn push(&mut self, order: Order, work: T) -> Ticket {
        let ticket = self.queue.push(order.owner, order.urgency, work);
        self.places.extend(order.place.map(|place| (ticket, place)));
        ticket
    }

    /// Whether some work may begin now.
    pub(super) fn has_next(&self) -> bool {
        self.queue.has_next(|owner| self.limits.admit(load(&self.begun, owner)))
    }

    /// Begins the next piece of work, if one may begin now.
    pub(super) fn begin_next(&mut self) -> Option<(Ticket, T)> {
        let Self { limits, queue, begun, .. } = self;
        let (ticket, work) = queue.pop(|owner| limits.admit(load(begun, owner)))?;
        begun.insert(ticket, Begun { is_slow: false, fate: Fate::Wanted });
        Some((ticket, work))
    }

    /// A piece of work has returned.
    pub(super) fn end(&mut self, ticket: Ticket) {
        self.begun.remove(&ticket);
        self.places.remove(&ticket);
    }

    /// Takes a piece of work out of the queue; returns whether it was there.
    pub(super) fn withdraw(&mut self, ticket: Ticket) -> bool {
        let was_queued = self.queue.remove(ticket).is_some();
        if was_queued {
            self.places.remove(&ticket);
        }
        was_queued
    }

    /// Nothing that is queued will ever begin.
    pub(super) fn clear(&mut self) {
        self.queue.clear();
        self.places.clear();
    }

    /// Looks at work that takes its time. From then on its thread does not count, unless too many
    /// do not.
    pub(super) fn look(&mut self, ticket: Ticket, fate: Fate) -> Looked {
        let slow = self.begun.values().filter(|it| it.is_slow).count();
        let Some(begun) = self.begun.get_mut(&ticket) else { return Looked::Elsewhere };
        if begun.fate == Fate::Wanted {
            begun.fate = fate;
        }
        if begun.is_slow || slow >= self.limits.slow {
            return Looked::Begun;
        }
        begun.is_slow = true;
        Looked::Slow
    }

    /// Why nothing may begin at this place before something there has returned, if so.
    pub(super) fn hangs_at(&self, place: &Path) -> Option<Unfinished> {
        let there = self.places.iter().filter(|(_, it)| *it == place).map(|(ticket, _)| ticket);
        let fates = there.filter_map(|ticket| self.begun.get(ticket)).map(|begun| begun.fate);
        let (mut abandoned, mut given_up) = (0, 0);
        for fate in fates {
            abandoned += usize::from(fate == Fate::Abandoned);
            given_up += usize::from(fate == Fate::GivenUp);
        }
        match given_up {
            0 => (abandoned >= MOST_ABANDONED).then_some(Unfinished::Abandoned),
            _ => Some(Unfinished::Hangs),
        }
    }

    /// How much has begun and not returned.
    #[cfg(test)]
    pub(super) fn begun(&self) -> usize {
        self.begun.len()
    }
}

impl<T> std::fmt::Debug for Roster<T> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Roster").field("begun", &self.begun).finish_non_exhaustive()
    }
}

/// What is at work, as far as it concerns this manager.
fn load(begun: &HashMap<Ticket, Begun>, owner: ManagerId) -> WorkLoad {
    let mut load = WorkLoad::default();
    for (ticket, Begun { is_slow, .. }) in begun {
        let is_own = usize::from(ticket.owner == owner);
        if *is_slow {
            load.slow_of_one += is_own;
        } else {
            load.at_once += 1;
            load.of_one += is_own;
        }
    }
    load
}
