//! Everything around the processes of a fleet: time, the provider, the ways to the store.

use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::fmt;
use std::time::Duration;

use super::deeds::Deed;
use super::figures::Figures;
use crate::clock::Timestamp;
use crate::credential::CredentialId;
use crate::member::Ask;
use crate::member::tests::peripherals::{Agenda, Delivery, START};
use crate::member::tests::simulation::{Key, Provider, Random};
use crate::refresh::WaiterId;
use crate::rotation::CallerId;
use crate::store::Hint;

/// What goes wrong in a run.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Fault {
    Nothing,
    /// Operations of the store fail, or lose their replies.
    Operations,
    /// Processes die.
    Deaths,
    /// Processes freeze for a while.
    Freezes,
    /// Processes cannot reach the store for a while.
    Partitions,
    /// Nobody can, for a while.
    Outages,
    /// The store loses its latest writes.
    Failovers,
    /// The store loses everything.
    Flushes,
    /// Clocks jump ahead.
    Jumps,
    /// The endpoint gives no clear answer for a while.
    Endpoint,
    /// All of that.
    Everything,
}

impl Fault {
    pub(super) const ALL: [Self; 11] = [
        Self::Nothing,
        Self::Operations,
        Self::Deaths,
        Self::Freezes,
        Self::Partitions,
        Self::Outages,
        Self::Failovers,
        Self::Flushes,
        Self::Jumps,
        Self::Endpoint,
        Self::Everything,
    ];
}

/// How a run is.
#[derive(Debug, Clone, Copy)]
pub(super) struct Regime {
    pub(super) members: usize,
    pub(super) fault: Fault,
    pub(super) life: Duration,
    /// Store operations and readings take time.
    pub(super) is_slow: bool,
    /// The provider accepts the old secret beside the new one for a while.
    pub(super) keeps_secrets: bool,
    /// Most places have a function that writes a promoted secret back.
    pub(super) writes_back: bool,
}

/// Something that takes place later.
#[derive(Debug)]
pub(super) enum Happening {
    /// Something reaches the process of that number at a place, if it still lives.
    Delivery(usize, u64, Delivery),
    Hint(usize, u64, Hint),
    Deed(Deed),
}

/// What is around one process.
pub(super) struct Node {
    /// How many processes have run at this place.
    pub(super) number: u64,
    pub(super) is_alive: bool,
    /// By how much its clock is ahead of everybody's time.
    pub(super) ahead: Duration,
    pub(super) frozen_until: Timestamp,
    pub(super) is_cut_off: bool,
    /// What it is configured with.
    pub(super) configured: Vec<Key>,
    /// It has a function that writes back.
    pub(super) has_function: bool,
    pub(super) chance: Random,
    pub(super) waiters: BTreeMap<WaiterId, Timestamp>,
    pub(super) callers: BTreeMap<CallerId, Ask>,
    /// Read as retired, and not named since.
    pub(super) retired: BTreeSet<CredentialId>,
    pub(super) last_serial: u64,
    pub(super) invalidated: Option<String>,
}

impl Node {
    pub(super) fn new(number: u64, chance: Random) -> Self {
        Self {
            number,
            is_alive: true,
            ahead: Duration::ZERO,
            frozen_until: Timestamp::default(),
            is_cut_off: false,
            configured: Vec::new(),
            has_function: false,
            chance,
            waiters: BTreeMap::new(),
            callers: BTreeMap::new(),
            retired: BTreeSet::new(),
            last_serial: 0,
            invalidated: None,
        }
    }
}

#[expect(clippy::struct_excessive_bools, reason = "independent switches of the world")]
pub(super) struct Outside {
    pub(super) random: Random,
    pub(super) regime: Regime,
    pub(super) now: Timestamp,
    pub(super) agenda: Agenda<Happening>,
    pub(super) provider: Provider,
    pub(super) nodes: Vec<Node>,
    pub(super) is_store_down: bool,
    pub(super) is_endpoint_down: bool,
    /// Whether faults are still inflicted.
    pub(super) is_calm: bool,
    /// When anything last happened that may cost a token.
    pub(super) troubled_at: Timestamp,
    /// When each secret was last accepted, and was not.
    pub(super) accepted: BTreeMap<CredentialId, Timestamp>,
    /// The secrets whose tokens a resource has accepted since the provider took them.
    pub(super) passed: BTreeSet<CredentialId>,
    pub(super) rejected: VecDeque<(Timestamp, CredentialId)>,
    pub(super) last_number: u64,
    pub(super) figures: Figures,
    pub(super) trace: VecDeque<String>,
    pub(super) is_traced: bool,
}

impl Outside {
    pub(super) fn new(seed: u64, regime: Regime) -> Self {
        Self {
            random: Random(fastrand::Rng::with_seed(seed)),
            regime,
            now: START,
            agenda: Agenda::default(),
            provider: Provider::default(),
            nodes: Vec::new(),
            is_store_down: false,
            is_endpoint_down: false,
            is_calm: false,
            troubled_at: START,
            accepted: BTreeMap::new(),
            passed: BTreeSet::new(),
            rejected: VecDeque::new(),
            last_number: 0,
            figures: Figures::default(),
            trace: VecDeque::new(),
            is_traced: false,
        }
    }

    /// Whether this is inflicted upon the fleet.
    pub(super) fn suffers(&self, fault: Fault) -> bool {
        !self.is_calm && (self.regime.fault == fault || self.regime.fault == Fault::Everything)
    }

    pub(super) fn later(&mut self, after: Duration, happening: Happening) {
        self.agenda.plan(self.now + after, happening);
    }

    pub(super) fn deed(&mut self, after: Duration, deed: Deed) {
        self.later(after, Happening::Deed(deed));
    }

    pub(super) fn trouble(&mut self) {
        self.troubled_at = self.now;
    }

    pub(super) fn next_number(&mut self) -> u64 {
        self.last_number += 1;
        self.last_number
    }

    /// Whether a place can reach the store.
    pub(super) fn reaches_store(&self, place: usize) -> bool {
        !self.is_store_down && !self.nodes[place].is_cut_off
    }

    /// A secret is named by somebody: what was retired may come back.
    pub(super) fn named(&mut self, key: Key) {
        for node in &mut self.nodes {
            node.retired.remove(&key.id());
        }
    }

    pub(super) fn note(&mut self, what: fmt::Arguments<'_>) {
        if !self.is_traced {
            return;
        }
        if self.trace.len() > 6000 {
            self.trace.pop_front();
        }
        let at = self.now.since(START).as_secs_f64();
        self.trace.push_back(format!("{at:.3} {what}"));
    }
}
