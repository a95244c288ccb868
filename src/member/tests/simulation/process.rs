//! A process that may die at any moment, and the world around it: time, store, provider, places.

use std::collections::{BTreeMap, VecDeque};
use std::fmt;
use std::time::Duration;

use super::checks::Checks;
use super::counts::Counts;
use super::person::Deed;
use super::places::{self, Place};
use super::provider::{Key, Kind, Provider};
use crate::clock::Clock;
use crate::credential::Credential;
use crate::error::Code;
use crate::member::tests::world::{
    Hands, OWNER, START, misconfigured, refused, rejected, throttled, transient,
};
use crate::member::*;
use crate::refresh::WaiterId;
use crate::rotation::{SinkOutcome, Verify};
use crate::secret::Secret;
use crate::source::{EntryPlace, Sources};
use crate::store::MemoryStore;
use crate::token::Grant;
use crate::verdict::Verdict;

pub(super) const SECOND: Duration = Duration::from_secs(1);
pub(super) const MINUTE: Duration = Duration::from_mins(1);

pub(super) struct Random(pub(super) fastrand::Rng);

impl Random {
    pub(super) fn below(&mut self, end: u64) -> u64 {
        self.0.u64(..end)
    }

    pub(super) fn percent(&mut self, chance: u64) -> bool {
        self.below(100) < chance
    }

    pub(super) fn millis(&mut self, below: u64) -> Duration {
        Duration::from_millis(self.below(below))
    }

    pub(super) fn one_of<T: Copy>(&mut self, list: &[T]) -> T {
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
pub(super) struct Regime {
    /// Of a hundred token requests, so many have no clear answer.
    pub(super) faults: u64,
    /// Of a thousand store operations, so many fail, and as many more have no answer.
    pub(super) store_faults: u64,
    /// Of ten thousand effects, so many see the end of the process.
    pub(super) crashes: u64,
    /// Of a hundred writes to sinks, so many fail.
    pub(super) sink_faults: u64,
    /// A sink can never be written.
    pub(super) is_read_only: bool,
    /// The store outlives the process.
    pub(super) store_survives: bool,
    /// Operations of the store and derivations of ids take time.
    pub(super) is_slow: bool,
}

impl Regime {
    pub(super) fn calm(self) -> Self {
        let Self { store_survives, is_slow, .. } = self;
        Self { store_survives, is_slow, ..Self::default() }
    }
}

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
    sources: Sources,
    pub(super) process: u64,
    queue: BTreeMap<(Timestamp, u64), (u64, Happening)>,
    sequence: u64,
    effects: VecDeque<Effect>,
    pub(super) sent: BTreeMap<u64, Sent>,
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
            random,
            now: START,
            member: Member::new(policy.clone()),
            store: MemoryStore::for_process(Arc::clone(&hands) as Arc<dyn Clock>),
            sources: places::sources(&places),
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
        sim.later(Duration::ZERO, Happening::Poll);
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
        self.handed_out = None;
        self.callers.clear();
        self.waiters.clear();
        self.configured.clear();
        self.checks.end_of_process();
        if !self.regime.store_survives {
            self.store = MemoryStore::for_process(Arc::clone(&self.hands) as Arc<dyn Clock>);
        }
        self.queue.retain(|_, (_, happening)| matches!(happening, Happening::Deed(_)));
        self.later(Duration::ZERO, Happening::Poll);
    }

    /// The thread dies: what it was doing is lost.
    pub(super) fn restart(&mut self) {
        self.counts.restarts += 1;
        self.trouble();
        self.sent.clear();
        self.queue.retain(|_, (_, happening)| {
            !matches!(
                happening,
                Happening::Answer(_) | Happening::Identified(_) | Happening::Sink { .. }
            )
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
        if self.trace.len() > 400 {
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
    }

    /// Nobody does anything any more, and everything works.
    pub(super) fn rest(&mut self) {
        self.queue.retain(|_, (_, happening)| !matches!(happening, Happening::Deed(_)));
        self.places.iter_mut().for_each(|place| place.is_unreadable = false);
        self.regime = self.regime.calm();
        self.is_down = false;
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
                credential.id();
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
        }
    }

    pub(super) fn read(&mut self) {
        if self.sources.begin(self.now).is_some() {
            let takes = if self.regime.is_slow { self.random.millis(300) } else { Duration::ZERO };
            self.later(takes, Happening::ReadingEnds);
        }
    }

    fn end_reading(&mut self) {
        self.sources.javascript_read(OWNER, places::readings(&self.places));
        let (configured, _) = self.sources.finish();
        let is_followed = self.sources.take_again();
        let keys: Vec<Key> = configured.credentials.iter().map(|it| Key::of(it)).collect();
        for edge in &configured.edges {
            self.trouble();
            self.checks.named(Key::of(&edge.to), edge.is_start, self.member.record(), self.now);
            self.note(format_args!("edge to {:?} start {}", Key::of(&edge.to), edge.is_start));
        }
        if keys != self.configured {
            self.trouble();
            self.note(format_args!("sources yield {keys:?}"));
            self.configured = keys;
        }
        self.tell(Event::Configured { configured, is_followed });
        if is_followed {
            self.read();
        }
    }

    fn answer(&mut self, request: u64) {
        let Some(sent) = self.sent.remove(&request) else { return };
        let key = Key::of(&sent.credential);
        let (verdict, token) = self.judge(key, &sent);
        let is_accepted = matches!(verdict, Verdict::Accepted(_));
        let verify = (sent.verify && is_accepted).then(|| match self.provider.kind(key) {
            Kind::Unfit(verify) => verify,
            _ if self.random.percent(self.regime.faults / 3) => Verify::Failed,
            _ => Verify::Passed,
        });
        self.note(format_args!("answer to {key:?}: {} {verify:?}", name_of(&verdict)));
        let is_narrow = matches!(&verdict, Verdict::Accepted(grant) if grant.scope.as_deref() == Some("a"))
            && self.checks.would_narrow(key, self.member.record());
        let is_unfit = is_narrow || verify.is_some_and(|verify| verify != Verify::Passed);
        if let Some(issued) = token.and_then(|token| self.provider.issued.get_mut(&token)) {
            issued.unfit = is_unfit;
        }
        // A scope that is too narrow is a rejection, whatever the resource says.
        let has_failed = verify == Some(Verify::Failed) && !is_narrow;
        self.checks.answered(key, &verdict, (is_unfit, has_failed), self.now);
        self.tell(Event::Answered { request, sent_at: sent.at, verdict, verify });
    }

    fn judge(&mut self, key: Key, sent: &Sent) -> (Verdict, Option<String>) {
        if self.random.percent(self.regime.faults) || self.is_down {
            self.counts.faults += 1;
            self.trouble();
            let wait = Duration::from_secs(self.random.below(90));
            return match self.random.below(6) {
                0 => (throttled(wait), None),
                1 => (refused(), None),
                2 => (misconfigured(), None),
                3 => {
                    let access_token = Secret::new("useless");
                    let lifetime = self.random.millis(3000).min(self.now.since(sent.at));
                    let grant = Grant { access_token, lifetime, refresh_in: None, scope: None };
                    (Verdict::Accepted(grant), None)
                }
                _ => (transient(), None),
            };
        }
        if !self.provider.accepts(key, sent.judged_at) {
            let is_bare = self.random.percent(15);
            return (if is_bare { refused() } else { rejected() }, None);
        }
        let text = self.provider.issue(key, sent.at + self.life, self.now);
        let scope = match self.provider.kind(key) {
            Kind::Narrow => Some("a".to_owned()),
            _ => Some("a b".to_owned()),
        };
        let access_token = Secret::new(text.clone());
        let grant = Grant { access_token, lifetime: self.life, refresh_in: None, scope };
        (Verdict::Accepted(grant), Some(text))
    }

    fn sink_written(
        &mut self,
        write: u64,
        place: EntryPlace,
        credential: &Arc<Credential>,
        outcome: SinkOutcome,
    ) {
        if outcome == SinkOutcome::Done {
            let written = &mut self.places[place.index];
            written.content = vec![Key::of(credential)];
            if written.is_environment {
                written.variables = Some(Key::of(credential));
            }
            self.sources.written(place, credential);
        }
        self.note(format_args!("sink {} {:?}: {outcome:?}", place.index, Key::of(credential)));
        self.tell(Event::SinkWritten { write, outcome, message: None });
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

    /// Performs an effect; answers what the member is to be told of it at once.
    fn perform(&mut self, effect: Effect) -> Option<Event> {
        match effect {
            Effect::Request { request, credential, verify } => {
                self.check_request(&credential);
                let slow = if self.random.percent(5) { 20_000 } else { 400 };
                let takes = self.random.millis(slow);
                let judged_at = self.now + takes.mul_f64(self.random.0.f64());
                self.counts.requests += 1;
                self.note(format_args!("request with {:?}", Key::of(&credential)));
                let (at, verify) = (self.now, verify.is_some());
                self.sent.insert(request, Sent { credential, at, judged_at, verify });
                self.later(takes, Happening::Answer(request));
            }
            Effect::Identify(credential) => {
                if self.regime.is_slow {
                    let takes = Duration::from_millis(20) + self.random.millis(500);
                    self.later(takes, Happening::Identified(credential));
                } else {
                    credential.id();
                    return Some(Event::Identified);
                }
            }
            Effect::ReadSources => self.read(),
            Effect::Load => return self.operate(|store| Stored::Loaded(Box::new(store.load()))),
            Effect::Write(write, fresh) => {
                self.check_write(&write, fresh.as_ref());
                return self.operate(move |store| match store.write(&write, fresh.as_ref()) {
                    Ok(written) => Stored::Written { serial: written.serial },
                    Err(_) => Stored::Refused,
                });
            }
            Effect::WriteToken(token) => {
                return self.operate(move |store| match store.put_token(&token) {
                    Ok(serial) => Stored::Written { serial: Some(serial) },
                    Err(_) => Stored::Refused,
                });
            }
            Effect::Forget(serial) => drop(self.store.invalidate(serial)),
            Effect::ForgetTokensOf(id) => {
                if self.random.below(1000) >= self.regime.store_faults {
                    self.store.drop_tokens(id);
                }
            }
            Effect::Publish(token) => {
                self.check_published(&token);
                self.handed_out = Some(token);
            }
            Effect::Withdraw => self.handed_out = None,
            Effect::Settle { waiter, outcome } => {
                let wait = self.waiters.remove(&waiter);
                let (_, min_validity) = wait.expect("who is settled still waits");
                self.check_settled(min_validity, outcome.as_ref().err());
            }
            Effect::WriteSink { write, place, credential, .. } => {
                self.write_sink(write, place, credential);
            }
            Effect::ReplaceVariables { place, credential } => {
                if self.places[place.index].is_environment {
                    self.places[place.index].variables = Some(Key::of(&credential));
                    self.sources.written(place, &credential);
                }
            }
            Effect::Answer { caller, outcome } => self.caller_answered(caller, &outcome),
            Effect::Notify(notice) => self.counts.note(&notice),
        }
        None
    }

    /// One operation of the store: it may fail, or its answer be lost or late.
    fn operate(&mut self, operation: impl FnOnce(&MemoryStore) -> Stored) -> Option<Event> {
        let faults = self.regime.store_faults;
        let draw = self.random.below(1000);
        let stored = if draw < faults {
            None
        } else {
            if draw >= 1000 - faults / 2 {
                self.write_as_another();
            }
            Some(operation(&self.store))
        };
        let is_lost = stored.is_none() || (faults..faults * 2).contains(&draw);
        if is_lost {
            self.counts.store_faults += 1;
            self.trouble();
        }
        let stored = stored.filter(|_| !is_lost).unwrap_or(Stored::Unknown);
        if self.regime.is_slow && self.random.percent(50) {
            let takes = self.random.millis(200);
            self.later(takes, Happening::Stored(stored));
            return None;
        }
        Some(Event::Stored(stored))
    }

    /// Another process writes the same once more: what this one has read is old.
    fn write_as_another(&mut self) {
        let Some(record) = self.store.load().record else { return };
        self.counts.others += 1;
        let expect = Some(record.version);
        let mut record = record;
        record.version.epoch += 1;
        record.version.nonce = self.random.bits();
        let token = rotation::TokenChange::Keep;
        let write = rotation::Write { expect, record, token, barrier: None };
        self.store.write(&write, None).unwrap();
    }

    fn write_sink(&mut self, write: u64, place: EntryPlace, credential: Arc<Credential>) {
        self.counts.sink_writes += 1;
        let outcome = if self.regime.is_read_only {
            SinkOutcome::Impossible
        } else if self.random.percent(self.regime.sink_faults) {
            self.trouble();
            SinkOutcome::Failed
        } else {
            SinkOutcome::Done
        };
        let takes = self.random.millis(1000);
        self.later(takes, Happening::Sink { write, place, credential, outcome });
    }

    fn caller_answered(&mut self, caller: CallerId, outcome: &Result<Answer, Denial>) {
        let Some((deadline, ask, key)) = self.callers.remove(&caller) else {
            panic!("caller {caller} is answered twice, or has left");
        };
        self.note(format_args!("caller {caller} is answered {outcome:?}"));
        let is_late = self.now > deadline && self.troubled_at < deadline;
        assert!(!is_late, "a caller is answered after its deadline");
        self.counts.answered(outcome);
        self.check_answer(&ask, key, outcome);
        if let (Ok(Answer::Prepared { .. }), Some(next)) = (outcome, key) {
            self.regenerate(next);
        }
    }
}

fn name_of(verdict: &Verdict) -> &'static str {
    match verdict {
        Verdict::Accepted(_) => "accepted",
        Verdict::Rejected(_) => "rejected",
        Verdict::Refused(_) => "refused",
        Verdict::Misconfigured(failure) if failure.code == Code::Misconfigured => "misconfigured",
        Verdict::Misconfigured(_) | Verdict::Transient(_) => "transient",
        Verdict::Throttled(_) => "throttled",
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
