//! The processes of a fleet, and the time that passes for them.

use std::sync::Arc;
use std::time::Duration;

use super::around::Around;
use super::deeds::Deed;
use super::outside::{Happening, Node, Outside, Regime};
use crate::clock::{Clock, Timestamp};
use crate::member::tests::peripherals::{Died, Hands, Process, SECOND, START};
use crate::member::tests::simulation::Random;
use crate::member::{Member, MemberEvent};
use crate::persist::PersistTarget;
use crate::policy::Policy;
use crate::policy::tests::DEFAULT;
use crate::rotation::MemberId;
use crate::source::{EntrySpec, SourceSpec, Sources};
use crate::store::{MemoryHints, MemoryStore, StoreSnapshot};

pub(super) struct Group {
    pub(super) processes: Vec<Process>,
    pub(super) outside: Outside,
    pub(super) store: MemoryStore,
    hints: Vec<MemoryHints>,
    /// The clock of each process, and when that wants to be woken by it.
    clocks: Vec<(Arc<Hands>, Option<Timestamp>)>,
    /// The store's clock.
    hands: Arc<Hands>,
    policy: Policy,
    replica: Option<StoreSnapshot>,
    seed: u64,
}

impl Group {
    pub(super) fn new(seed: u64, regime: Regime) -> Self {
        let hands = Hands::at(START);
        let store = MemoryStore::for_fleet(Arc::clone(&hands) as Arc<dyn Clock>);
        Self {
            processes: Vec::new(),
            outside: Outside::new(seed, regime),
            store,
            hints: Vec::new(),
            clocks: Vec::new(),
            hands,
            policy: Policy { overlap: Some(2 * Duration::from_mins(1)), ..DEFAULT },
            replica: None,
            seed,
        }
    }

    /// Every place gets its first process.
    pub(super) fn begin(&mut self) {
        let first = self.outside.new_key();
        self.do_deed(Deed::Announce(first));
        for place in 0..self.outside.regime.members {
            let ahead = self.outside.random.millis(1000 * 3600);
            let mut node = Node::new(0, Random(fastrand::Rng::new()));
            (node.ahead, node.is_alive, node.configured) = (ahead, false, vec![first]);
            node.has_function = self.outside.regime.writes_back && self.outside.random.percent(80);
            self.outside.nodes.push(node);
            let hands = Hands::at(START + ahead);
            self.clocks.push((Arc::clone(&hands), None));
            self.processes.push(self.process(place, hands));
            self.hints.push(self.store.subscribe());
            let after = self.outside.random.millis(3000);
            self.outside.deed(after, Deed::Start(place));
        }
        self.outside.deed(SECOND, Deed::WantEverywhere);
    }

    fn process(&self, place: usize, hands: Arc<Hands>) -> Process {
        let Node { number, has_function, .. } = self.outside.nodes[place];
        let member = Member::in_fleet(self.policy.clone(), MemberId(number << 8 | place as u64));
        let source = SourceSpec::Js { index: 0 };
        let list = EntrySpec {
            label: None,
            optional: true,
            expires_at: None,
            has_variables: false,
            persist: has_function.then_some(PersistTarget::Js { index: 0 }),
            source,
        };
        let mut sources = Sources::new(SECOND, 10 * SECOND);
        sources.add(Process::OWNER, vec![list], vec![None]);
        Process::new(member, self.store.clone(), sources, hands)
    }

    /// A process starts at a place where none runs.
    pub(super) fn start(&mut self, place: usize) {
        if self.outside.nodes[place].is_alive {
            return;
        }
        let number = self.outside.next_number();
        let chance = Random(fastrand::Rng::with_seed(self.seed ^ number << 32));
        let before = &self.outside.nodes[place];
        let node = Node {
            ahead: before.ahead,
            configured: before.configured.clone(),
            is_cut_off: before.is_cut_off,
            has_function: before.has_function,
            ..Node::new(number, chance)
        };
        self.outside.nodes[place] = node;
        self.processes[place] = self.process(place, Arc::clone(&self.clocks[place].0));
        self.hints[place] = self.store.subscribe();
        self.set_clock(place);
        self.read(place);
    }

    /// The process at a place is gone.
    pub(super) fn end(&mut self, place: usize) {
        self.outside.figures.deaths += 1;
        self.outside.trouble();
        let node = &mut self.outside.nodes[place];
        node.is_alive = false;
        node.waiters.clear();
        node.callers.clear();
        self.clocks[place].1 = None;
        self.forget_deliveries(place);
    }

    pub(super) fn is_frozen(&self, place: usize) -> bool {
        self.outside.now < self.outside.nodes[place].frozen_until
    }

    /// The sources of a place are read.
    pub(super) fn read(&mut self, place: usize) {
        if self.outside.nodes[place].is_alive {
            let mut around = Around { outside: &mut self.outside, place };
            self.processes[place].read(&mut around);
            self.after(place, Ok(()));
        }
    }

    pub(super) fn tell(&mut self, place: usize, event: MemberEvent) {
        if self.outside.nodes[place].is_alive {
            let mut around = Around { outside: &mut self.outside, place };
            let ended = self.processes[place].tell(event, &mut around);
            self.after(place, ended);
        }
    }

    /// A process has done what it had to do, or has died of it.
    fn after(&mut self, place: usize, ended: Result<(), Died>) {
        if ended.is_err() {
            self.end(place);
            let back = self.outside.random.millis(20_000);
            self.outside.deed(back, Deed::Start(place));
        } else {
            self.clocks[place].1 = self.processes[place].wake_at();
        }
        self.announce();
    }

    /// What the store announces is on its way, or is lost.
    fn announce(&mut self) {
        for place in 0..self.hints.len() {
            while let Some(hint) = self.hints[place].try_next() {
                let is_lost = self.outside.random.percent(5);
                if self.outside.reaches_store(place) && !is_lost {
                    let number = self.outside.nodes[place].number;
                    let after = self.outside.random.millis(40);
                    self.outside.later(after, Happening::Hint(place, number, hint));
                }
            }
        }
    }

    /// Lets time pass, stopping at everything that is due.
    pub(super) fn pass(&mut self, duration: Duration) {
        let end = self.outside.now + duration;
        self.outside.figures.virtual_time += duration;
        let mut spins = 0;
        loop {
            spins += 1;
            assert!(spins < 20_000 + duration.as_secs() * 200, "it does not come to rest");
            let planned = self.outside.agenda.next_at();
            let woken =
                (0..self.clocks.len()).filter_map(|place| Some((self.wakes_at(place)?, place)));
            let woken = woken.min();
            let next = planned.into_iter().chain(woken.map(|(at, _)| at)).min();
            let Some(next) = next.filter(|next| *next <= end) else { break };
            self.set_time(self.outside.now.max(next));
            match woken.filter(|(at, _)| planned.is_none_or(|planned| *at < planned)) {
                Some((_, place)) => self.tell(place, MemberEvent::Ticked),
                None => {
                    if let Some(happening) = self.outside.agenda.take_next() {
                        self.take_place(happening);
                    }
                }
            }
        }
        self.set_time(end);
    }

    /// When a process wants to be told that time has passed.
    fn wakes_at(&self, place: usize) -> Option<Timestamp> {
        let node = &self.outside.nodes[place];
        let own = self.clocks[place].1.filter(|_| node.is_alive)?;
        Some(self.outside.global(place, own).max(node.frozen_until))
    }

    fn set_time(&mut self, now: Timestamp) {
        self.outside.now = now;
        self.hands.set(now);
        (0..self.clocks.len()).for_each(|place| self.set_clock(place));
    }

    pub(super) fn set_clock(&mut self, place: usize) {
        let own = self.outside.now + self.outside.nodes[place].ahead;
        self.clocks[place].0.set(own);
    }

    fn take_place(&mut self, happening: Happening) {
        let place = match &happening {
            Happening::Deed(_) => None,
            Happening::Delivery(place, ..) | Happening::Hint(place, ..) => Some(*place),
        };
        if let Some(place) = place.filter(|place| self.is_frozen(*place)) {
            let until = self.outside.nodes[place].frozen_until;
            let after = until.since(self.outside.now);
            return self.outside.later(after, happening);
        }
        let is_running = |place: usize, number| {
            self.outside.nodes[place].number == number && self.outside.nodes[place].is_alive
        };
        match happening {
            Happening::Deed(deed) => self.do_deed(deed),
            Happening::Delivery(place, number, delivery) if is_running(place, number) => {
                let mut around = Around { outside: &mut self.outside, place };
                let ended = self.processes[place].receive(delivery, &mut around);
                self.after(place, ended);
            }
            Happening::Hint(place, number, hint) if is_running(place, number) => {
                self.tell(place, MemberEvent::Hinted(hint));
            }
            Happening::Delivery(..) | Happening::Hint(..) => {}
        }
    }

    pub(super) fn replicate(&mut self) {
        let stored = self.store.load();
        if stored.token.is_some() {
            self.replica = Some(stored);
        }
    }

    pub(super) fn fail_over(&mut self) {
        if let Some(replica) = self.replica.clone() {
            self.store.restore(Some(replica));
        }
    }

    /// A token that has just come reaches everybody.
    pub(super) fn await_one_token(&mut self) {
        let stored = self.store.load().token.map(|token| token.id);
        let held = |process: &Process| process.handed_out.as_ref().map(|held| held.id);
        if !self.processes.iter().all(|process| held(process) == stored) {
            self.pass(5 * SECOND);
        }
    }

    /// All trouble has ended long ago.
    pub(super) fn check_settled_down(&self) {
        for place in 0..self.processes.len() {
            self.outside.check_place_settled(place, &self.processes[place]);
        }
    }

    /// In peace a fleet fetches one token for each life, and one more where a retirement is proved.
    /// While a function that hangs for ever holds a retirement up, everybody proves it once a life.
    pub(super) fn check_peace(&self, grants: u64, during: Duration, until_refresh: Duration) {
        let record = self.store.load().record.expect("a record");
        let lives = during.as_secs() / until_refresh.as_secs();
        let hangs = |process: &Process| !process.member.view().stuck.is_empty();
        let is_held_up = record.overlap().is_some_and(|overlap| overlap.overdue)
            && self.processes.iter().any(hangs);
        let provers = if is_held_up { self.processes.len() as u64 } else { 0 };
        let most = lives + 2 + provers * lives;
        assert!(
            grants <= most || !self.outside.has_good(&record),
            "I3: {grants} tokens in {during:?} of peace: {record:#?}"
        );
    }
}

impl Drop for Group {
    #[expect(clippy::print_stderr, reason = "tells how to see it again")]
    fn drop(&mut self) {
        if !std::thread::panicking() {
            return;
        }
        if self.outside.is_traced {
            self.outside.trace.iter().for_each(|line| eprintln!("{line}"));
            eprintln!("stored: {:#?}", self.store.load());
        }
        let (seed, regime) = (self.seed, self.outside.regime);
        eprintln!("FLEET_SEED={seed} shows this run with everything that happened: {regime:?}");
    }
}
