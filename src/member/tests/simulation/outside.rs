//! Everything around a process: time, people, the provider, places, and how badly they behave.

use std::collections::{BTreeMap, VecDeque};
use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use super::counts::Counts;
use super::deed::Deed;
use super::history::History;
use super::places::{Mood, Place};
use super::provider::{Key, Provider};
use super::regime::{Random, Regime};
use super::{MINUTE, SECOND};
use crate::clock::Timestamp;
use crate::credential::Credential;
use crate::member::tests::peripherals::{
    Agenda, Delay, Delivery, Machine, PlaceWrite, Process, START, SourceReader, StepTaken, Witness,
};
use crate::member::{Ask, Chance, MemberEffect, MemberEvent};
use crate::refresh::WaiterId;
use crate::rotation::{CallerId, PersistOutcome};
use crate::source::{Configured, Reading};

/// Something that takes place later.
#[derive(Debug)]
pub(super) enum Happening {
    /// Something reaches the process of this number, if it still lives.
    Delivery(u64, Delivery),
    /// The sources are read, and again later.
    Poll(u64),
    /// Somebody looks into the process.
    Observed(u64),
    /// Of a person: it does not end with the process.
    Deed(Deed),
}

pub(super) struct Outside {
    pub(super) random: Random,
    chance: Random,
    /// Whether somebody looks into a process, and when.
    curiosity: Random,
    pub(super) now: Timestamp,
    pub(super) life: Duration,
    pub(super) poll: Duration,
    pub(super) regime: Regime,
    /// Nobody gets a clear answer.
    pub(super) is_down: bool,
    /// The store is out of reach.
    pub(super) is_store_down: bool,
    pub(super) provider: Provider,
    pub(super) places: Vec<Place>,
    /// How many processes have died.
    pub(super) process: u64,
    pub(super) agenda: Agenda<Happening>,
    /// Writes to places that have no end for now.
    pub(super) hung: Vec<PlaceWrite>,
    /// Who waits for an answer, and when it is due.
    pub(super) callers: BTreeMap<CallerId, (Timestamp, Ask, Option<Key>)>,
    pub(super) waiters: BTreeMap<WaiterId, (Timestamp, Duration)>,
    pub(super) last_caller: u64,
    pub(super) configured: Vec<Key>,
    /// When anything last happened that may cost a token.
    pub(super) troubled_at: Timestamp,
    pub(super) history: History,
    pub(super) counts: Counts,
    pub(super) trace: VecDeque<String>,
    pub(super) is_traced: bool,
}

impl Outside {
    pub(super) fn new(seed: u64, places: Vec<Place>, regime: Regime) -> Self {
        let mut random = Random(fastrand::Rng::with_seed(seed));
        let lives = [5 * MINUTE, 20 * MINUTE, 60 * MINUTE, 24 * 60 * MINUTE];
        let (life, poll) =
            (random.one_of(&lives), random.one_of(&[20 * SECOND, MINUTE, 5 * MINUTE]));
        Self {
            random,
            chance: Random(fastrand::Rng::with_seed(!seed)),
            curiosity: Random(fastrand::Rng::with_seed(seed.rotate_left(32))),
            now: START,
            life,
            poll,
            regime,
            is_down: false,
            is_store_down: false,
            provider: Provider::default(),
            places,
            process: 0,
            agenda: Agenda::default(),
            hung: Vec::new(),
            callers: BTreeMap::new(),
            waiters: BTreeMap::new(),
            last_caller: 0,
            configured: Vec::new(),
            troubled_at: START,
            history: History::default(),
            counts: Counts::default(),
            trace: VecDeque::new(),
            is_traced: false,
        }
    }

    /// A process begins to work.
    pub(super) fn starts(&mut self) {
        self.later(Duration::ZERO, Happening::Poll(self.process));
        let unobserved = match self.curiosity.below(4) {
            0 => Duration::ZERO,
            1 => self.curiosity.millis(1000),
            2 => self.curiosity.millis(20 * 60_000),
            _ => return,
        };
        self.later(unobserved, Happening::Observed(self.process));
    }

    /// The process dies, and whoever asked it something may ask again.
    pub(super) fn sees_death(&mut self, process: &Process) {
        self.counts.crashes += 1;
        self.history.stimulus(self.now);
        self.note(format_args!("the process dies"));
        self.trouble();
        if !self.callers.is_empty() && self.random.percent(70) {
            let asks: Vec<_> = self.callers.values().cloned().collect();
            for (_, ask, key) in asks {
                let delay = SECOND + self.random.millis(20_000);
                self.deed(delay, Deed::Again(ask, key));
            }
        }
        self.history.recovers(process, &self.places);
        self.process += 1;
        for place in &mut self.places {
            place.variables = None;
        }
        self.hung.clear();
        self.callers.clear();
        self.waiters.clear();
        self.configured.clear();
        self.history.end_of_process(self.now);
        self.agenda.retain(|happening| matches!(happening, Happening::Deed(_)));
    }

    /// The thread of the process dies: what it was doing is lost.
    pub(super) fn sees_restart(&mut self) {
        self.counts.restarts += 1;
        self.trouble();
        self.agenda.retain(|happening| {
            !matches!(
                happening,
                Happening::Delivery(
                    _,
                    Delivery::Answer(_) | Delivery::Identified(_) | Delivery::Stored(..)
                )
            )
        });
    }

    /// Nobody does anything any more, and everything works.
    pub(super) fn rests(&mut self) {
        self.agenda.retain(|happening| !matches!(happening, Happening::Deed(_)));
        self.places.iter_mut().for_each(|place| place.is_unreadable = false);
        (0..self.places.len()).for_each(|place| self.change_mood(place, Mood::Well));
        for write in std::mem::take(&mut self.hung) {
            let delivery = Delivery::Written(write, PersistOutcome::Failed, None);
            self.later(SECOND, Happening::Delivery(self.process, delivery));
        }
        self.regime = self.regime.calm();
        self.is_down = false;
        self.is_store_down = false;
        self.later(Duration::ZERO, Happening::Observed(self.process));
    }

    pub(super) fn trouble(&mut self) {
        self.troubled_at = self.now;
    }

    pub(super) fn later(&mut self, delay: Duration, happening: Happening) {
        self.agenda.plan(self.now + delay, happening);
    }

    pub(super) fn deed(&mut self, after: Duration, deed: Deed) {
        self.later(after, Happening::Deed(deed));
    }

    pub(super) fn note(&mut self, what: fmt::Arguments<'_>) {
        if !self.is_traced {
            return;
        }
        if self.trace.len() > 4000 {
            self.trace.pop_front();
        }
        let at = self.now.since(START).as_secs_f64();
        self.trace.push_back(format!("{at:.3} {what}"));
    }
}

impl Machine for Outside {
    fn chance(&mut self) -> &mut dyn Chance {
        &mut self.chance
    }

    fn dies_before(&mut self, _: &MemberEffect) -> bool {
        self.regime.crashes > 0 && self.random.below(10_000) < self.regime.crashes
    }

    fn deliver(&mut self, _: &Process, after: Duration, delivery: Delivery) {
        self.later(after, Happening::Delivery(self.process, delivery));
    }

    fn derives(&mut self, _: &Arc<Credential>) -> Delay {
        if self.regime.is_slow {
            Delay::After(Duration::from_millis(20) + self.random.millis(500))
        } else {
            Delay::AtOnce
        }
    }
}

impl SourceReader for Outside {
    fn reads(&mut self) -> (Vec<Option<Reading>>, Duration) {
        let found = self.places.iter().flat_map(Place::read).collect();
        let takes = if self.regime.is_slow { self.random.millis(300) } else { Duration::ZERO };
        (found, takes)
    }

    fn configures(&mut self, process: &Process, configured: &Configured) {
        let keys: Vec<Key> = configured.credentials.iter().map(|it| Key::of(it)).collect();
        for edge in &configured.edges {
            self.trouble();
            let record = process.member.record();
            self.history.named(Key::of(&edge.to), edge.is_start, record, self.now);
            self.note(format_args!("edge to {:?} start {}", Key::of(&edge.to), edge.is_start));
        }
        if keys != self.configured {
            self.trouble();
            self.note(format_args!("sources yield {keys:?}"));
            self.configured = keys;
        }
    }
}

impl Witness for Outside {
    fn tells(&mut self, event: &MemberEvent) {
        self.counts.steps += 1;
        if self.is_traced && !matches!(event, MemberEvent::Ticked) {
            let told = format!("{event:?}");
            self.note(format_args!("{told:.200}"));
        }
    }

    fn sees(&mut self, process: &Process, step: &StepTaken<'_>) {
        self.check_step(process, step);
    }

    fn sees_rest(&mut self, process: &Process) {
        self.check_rest(process);
    }
}
