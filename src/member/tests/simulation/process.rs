//! A process that may die at any moment, and the world around it: time, store, provider, places.

use std::collections::{BTreeMap, VecDeque};
use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use super::checks::Checks;
use super::counts::Counts;
use super::person::Deed;
use super::places::{self, Mood, Place};
use super::provider::{Key, Provider};
use super::regime::{Random, Regime};
use crate::clock::Clock;
use crate::clock::Timestamp;
use crate::credential::Credential;
use crate::member::tests::world::{Hands, START};
use crate::member::*;
use crate::policy::Policy;
use crate::refresh::WaiterId;
use crate::rotation::CallerId;
use crate::rotation::SinkOutcome;
use crate::source::{EntryPlace, Reading, Sources};
use crate::store::MemoryStore;
use crate::token::HeldToken;

pub(super) const SECOND: Duration = Duration::from_secs(1);
pub(super) const MINUTE: Duration = Duration::from_mins(1);

/// Something that takes place later.
#[derive(Debug)]
pub(super) enum Happening {
    Answer(u64),
    Identified(Arc<Credential>),
    Stored(Stored),
    Sink {
        write: u64,
        place: EntryPlace,
        credential: Arc<Credential>,
        outcome: SinkOutcome,
    },
    ReadingEnds,
    Poll,
    /// Somebody looks into the process.
    Observed,
    /// Of a person: it does not end with the process.
    Deed(Deed),
}

/// A token request under way.
#[derive(Debug, Clone)]
pub(super) struct Sent {
    pub(super) credential: Arc<Credential>,
    pub(super) at: Timestamp,
    pub(super) judged_at: Timestamp,
    pub(super) verify: bool,
}

pub(super) struct Sim {
    pub(super) random: Random,
    chance: Random,
    /// Whether somebody looks into a process, and when.
    curiosity: Random,
    pub(super) now: Timestamp,
    hands: Arc<Hands>,
    policy: Policy,
    pub(super) life: Duration,
    poll: Duration,
    pub(super) regime: Regime,
    /// Nobody gets a clear answer.
    pub(super) is_down: bool,
    pub(super) provider: Provider,
    pub(super) places: Vec<Place>,
    pub(super) member: Member,
    pub(super) store: MemoryStore,
    pub(super) sources: Sources,
    /// What the reading under way has found.
    pub(super) seen: Vec<Option<Reading>>,
    pub(super) process: u64,
    queue: BTreeMap<(Timestamp, u64), (u64, Happening)>,
    sequence: u64,
    effects: VecDeque<Effect>,
    pub(super) sent: BTreeMap<u64, Sent>,
    /// Writes to places that have no end for now.
    pub(super) hung: Vec<(u64, EntryPlace, Arc<Credential>)>,
    pub(super) handed_out: Option<Arc<HeldToken>>,
    /// Who waits for an answer, and when it is due.
    pub(super) callers: BTreeMap<CallerId, (Timestamp, Ask, Option<Key>)>,
    pub(super) waiters: BTreeMap<WaiterId, (Timestamp, Duration)>,
    pub(super) last_caller: u64,
    pub(super) configured: Vec<Key>,
    /// When anything last happened that may cost a token.
    pub(super) troubled_at: Timestamp,
    pub(super) checks: Checks,
    pub(super) counts: Counts,
    trace: VecDeque<String>,
    seed: u64,
    pub(super) is_traced: bool,
}

impl Sim {
    pub(super) fn new(seed: u64, policy: Policy, places: Vec<Place>, regime: Regime) -> Self {
        let mut random = Random(fastrand::Rng::with_seed(seed));
        let hands = Hands::at(START);
        let lives = [5 * MINUTE, 20 * MINUTE, 60 * MINUTE, 24 * 60 * MINUTE];
        let (life, poll) =
            (random.one_of(&lives), random.one_of(&[20 * SECOND, MINUTE, 5 * MINUTE]));
        let mut sim = Self {
            chance: Random(fastrand::Rng::with_seed(!seed)),
            curiosity: Random(fastrand::Rng::with_seed(seed.rotate_left(32))),
            random,
            now: START,
            member: Member::new(policy.clone()),
            store: MemoryStore::for_process(Arc::clone(&hands) as Arc<dyn Clock>),
            sources: places::sources(&places),
            seen: Vec::new(),
            hands,
            policy,
            life,
            poll,
            regime,
            is_down: false,
            provider: Provider::default(),
            places,
            process: 0,
            queue: BTreeMap::new(),
            sequence: 0,
            effects: VecDeque::new(),
            sent: BTreeMap::new(),
            hung: Vec::new(),
            handed_out: None,
            callers: BTreeMap::new(),
            waiters: BTreeMap::new(),
            last_caller: 0,
            configured: Vec::new(),
            troubled_at: START,
            checks: Checks::default(),
            counts: Counts::default(),
            trace: VecDeque::new(),
            seed,
            is_traced: false,
        };
        sim.start();
        sim
    }

    /// The process dies, and another one starts from what is there then.
    pub(super) fn crash(&mut self) {
        self.counts.crashes += 1;
        self.checks.stimulus(self.now);
        self.note(format_args!("the process dies"));
        self.trouble();
        if !self.callers.is_empty() && self.random.percent(70) {
            // Whoever asked asks again.
            let asks: Vec<_> = self.callers.values().cloned().collect();
            for (_, ask, key) in asks {
                let delay = SECOND + self.random.millis(20_000);
                self.later(delay, Happening::Deed(Deed::Again(ask, key)));
            }
        }
        self.checks.recovers(self);
        self.process += 1;
        self.member = Member::new(self.policy.clone());
        for place in &mut self.places {
            place.variables = None;
        }
        self.sources = places::sources(&self.places);
        self.effects.clear();
        self.sent.clear();
        self.hung.clear();
        self.handed_out = None;
        self.callers.clear();
        self.waiters.clear();
        self.configured.clear();
        self.checks.end_of_process(self.now);
        if !self.regime.store_survives {
            self.store = MemoryStore::for_process(Arc::clone(&self.hands) as Arc<dyn Clock>);
        }
        self.queue.retain(|_, (_, happening)| matches!(happening, Happening::Deed(_)));
        self.start();
    }

    fn start(&mut self) {
        self.later(Duration::ZERO, Happening::Poll);
        // What other processes share is looked into from the start.
        let unobserved = match self.curiosity.below(4) {
            _ if self.regime.store_survives => Duration::ZERO,
            0 => Duration::ZERO,
            1 => self.curiosity.millis(1000),
            2 => self.curiosity.millis(20 * 60_000),
            _ => return,
        };
        self.later(unobserved, Happening::Observed);
    }

    /// The thread dies: what it was doing is lost.
    pub(super) fn restart(&mut self) {
        self.counts.restarts += 1;
        self.trouble();
        self.sent.clear();
        self.queue.retain(|_, (_, happening)| {
            !matches!(happening, Happening::Answer(_) | Happening::Identified(_))
        });
        self.tell(Event::Restarted);
    }

    pub(super) fn trouble(&mut self) {
        self.troubled_at = self.now;
    }

    pub(super) fn later(&mut self, delay: Duration, happening: Happening) {
        self.sequence += 1;
        self.queue.insert((self.now + delay, self.sequence), (self.process, happening));
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

    /// Lets time pass, stopping at everything that is due.
    pub(super) fn pass(&mut self, duration: Duration) {
        let end = self.now + duration;
        let mut spins = 0;
        loop {
            spins += 1;
            assert!(spins < 5000 + duration.as_secs() * 20, "it does not come to rest");
            let queued = self.queue.first_key_value().map(|((at, _), _)| *at);
            let wake_at = self.member.wake_at(self.now);
            let next = [queued, wake_at].into_iter().flatten().min();
            let Some(next) = next.filter(|next| *next <= end) else { break };
            self.set(self.now.max(next));
            let happens = queued.is_some_and(|at| at <= self.now);
            let wakes = wake_at.is_some_and(|at| at <= self.now);
            if happens && !(wakes && self.random.percent(50)) {
                if let Some((_, (process, happening))) = self.queue.pop_first() {
                    self.take_place(process, happening);
                }
            } else {
                self.tell(Event::Ticked);
            }
        }
        self.set(self.now.max(end));
        self.tell(Event::Ticked);
    }

    /// The machine sleeps: nothing happens, but the clock goes on.
    pub(super) fn suspend(&mut self, duration: Duration) {
        self.counts.suspensions += 1;
        self.trouble();
        self.set(self.now + duration);
        self.trouble();
        self.checks.memory.is_unclear(self.now);
    }

    /// Nobody does anything any more, and everything works.
    pub(super) fn rest(&mut self) {
        self.queue.retain(|_, (_, happening)| !matches!(happening, Happening::Deed(_)));
        self.places.iter_mut().for_each(|place| place.is_unreadable = false);
        (0..self.places.len()).for_each(|place| self.change_mood(place, Mood::Well));
        for (write, place, credential) in std::mem::take(&mut self.hung) {
            let outcome = SinkOutcome::Failed;
            self.later(SECOND, Happening::Sink { write, place, credential, outcome });
        }
        self.regime = self.regime.calm();
        self.is_down = false;
        self.later(Duration::ZERO, Happening::Observed);
    }

    fn set(&mut self, now: Timestamp) {
        self.now = now;
        self.hands.set(now);
    }

    fn take_place(&mut self, process: u64, happening: Happening) {
        match happening {
            Happening::Deed(deed) => self.do_deed(deed),
            _ if process != self.process => {}
            Happening::Answer(request) => self.answer(request),
            Happening::Identified(credential) => {
                credential.kept_id();
                self.tell(Event::Identified);
            }
            Happening::Stored(stored) => self.tell(Event::Stored(stored)),
            Happening::Sink { write, place, credential, outcome } => {
                self.sink_written(write, place, &credential, outcome);
            }
            Happening::Poll => {
                self.read();
                self.later(self.poll, Happening::Poll);
            }
            Happening::ReadingEnds => self.end_reading(),
            Happening::Observed => self.tell(Event::Observed),
        }
    }

    pub(super) fn tell(&mut self, event: Event) {
        self.step(event);
        while let Some(effect) = self.effects.pop_front() {
            if self.regime.crashes > 0 && self.random.below(10_000) < self.regime.crashes {
                self.crash();
                return;
            }
            if let Some(event) = self.perform(effect) {
                self.step(event);
            }
        }
        self.check_rest();
    }

    fn step(&mut self, event: Event) {
        self.counts.steps += 1;
        if !matches!(event, Event::Ticked) {
            let told = if self.is_traced { format!("{event:?}") } else { String::new() };
            self.note(format_args!("{told:.200}"));
        }
        let before = self.member.record().cloned();
        let stored = matches!(event, Event::Stored(Stored::Written { .. }));
        let effects = self.member.step(event, self.now, &mut self.chance);
        self.check_step(before.as_ref(), stored, &effects);
        self.effects.extend(effects);
    }
}

impl Drop for Sim {
    #[expect(clippy::print_stderr, reason = "tells how to see it again")]
    fn drop(&mut self) {
        if !std::thread::panicking() {
            return;
        }
        if self.is_traced {
            self.trace.iter().for_each(|line| eprintln!("{line}"));
            eprintln!("the record: {:#?}", self.member.record());
            eprintln!("the ledger: {:?}", self.member.ledger());
        }
        eprintln!("ROTATION_SEED={} shows this run with everything that happened", self.seed);
    }
}
