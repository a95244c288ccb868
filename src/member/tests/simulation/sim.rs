//! A process that may die at any moment, in the surroundings that a seed gives it.

use std::sync::Arc;
use std::time::Duration;

use super::outside::{Happening, Outside};
use super::places::{self, Place};
use super::regime::Regime;
use crate::clock::{Clock, Timestamp};
use crate::member::tests::peripherals::{Died, Hands, Process, START};
use crate::member::{Member, MemberEvent};
use crate::policy::Policy;
use crate::store::MemoryStore;

pub(super) struct Sim {
    pub(super) process: Process,
    pub(super) outside: Outside,
    hands: Arc<Hands>,
    policy: Policy,
    seed: u64,
}

impl Sim {
    pub(super) fn new(seed: u64, policy: Policy, places: Vec<Place>, regime: Regime) -> Self {
        let hands = Hands::at(START);
        let store = MemoryStore::for_process(Arc::clone(&hands) as Arc<dyn Clock>);
        let member = Member::new(policy.clone());
        let sources = places::sources(&places);
        let process = Process::new(member, store, sources, Arc::clone(&hands));
        let mut outside = Outside::new(seed, places, regime);
        outside.starts();
        Self { process, outside, hands, policy, seed }
    }

    /// The process dies, and another one starts from what is there then.
    pub(super) fn crash(&mut self) {
        self.outside.sees_death(&self.process);
        let store = MemoryStore::for_process(Arc::clone(&self.hands) as Arc<dyn Clock>);
        let member = Member::new(self.policy.clone());
        let sources = places::sources(&self.outside.places);
        self.process = Process::new(member, store, sources, Arc::clone(&self.hands));
        self.outside.starts();
    }

    /// The thread dies: what it was doing is lost.
    pub(super) fn restart(&mut self) {
        self.outside.sees_restart();
        let ended = self.process.restart(&mut self.outside);
        self.go_on_after(ended);
    }

    /// Lets time pass, stopping at everything that is due.
    pub(super) fn pass(&mut self, duration: Duration) {
        let end = self.outside.now + duration;
        let mut spins = 0;
        loop {
            spins += 1;
            assert!(spins < 5000 + duration.as_secs() * 20, "it does not come to rest");
            let planned = self.outside.agenda.next_at();
            let wake_at = self.process.wake_at();
            let next = [planned, wake_at].into_iter().flatten().min();
            let Some(next) = next.filter(|next| *next <= end) else { break };
            self.set(self.outside.now.max(next));
            let now = self.outside.now;
            let happens = planned.is_some_and(|at| at <= now);
            let wakes = wake_at.is_some_and(|at| at <= now);
            if happens && !(wakes && self.outside.random.percent(50)) {
                if let Some(happening) = self.outside.agenda.take_next() {
                    self.take_place(happening);
                }
            } else {
                self.tell(MemberEvent::Ticked);
            }
        }
        self.set(self.outside.now.max(end));
        self.tell(MemberEvent::Ticked);
    }

    /// The machine sleeps: nothing happens, but the clock goes on.
    pub(super) fn suspend(&mut self, duration: Duration) {
        self.outside.counts.suspensions += 1;
        self.outside.trouble();
        self.set(self.outside.now + duration);
        self.outside.trouble();
        self.outside.history.memory.is_unclear(self.outside.now);
        // What was edited before may not have been read.
        self.outside.history.edited(self.outside.now);
    }

    fn set(&mut self, now: Timestamp) {
        self.outside.now = now;
        self.hands.set(now);
    }

    fn take_place(&mut self, happening: Happening) {
        match happening {
            Happening::Deed(deed) => self.do_deed(deed),
            Happening::Delivery(process, delivery) if process == self.outside.process => {
                let ended = self.process.receive(delivery, &mut self.outside);
                self.go_on_after(ended);
            }
            Happening::Poll(process) if process == self.outside.process => {
                self.read();
                self.outside.later(self.outside.poll, Happening::Poll(process));
            }
            Happening::Observed(process) if process == self.outside.process => {
                self.tell(MemberEvent::Observed);
            }
            Happening::Delivery(..) | Happening::Poll(_) | Happening::Observed(_) => {}
        }
    }

    pub(super) fn read(&mut self) {
        self.process.read(&mut self.outside);
    }

    pub(super) fn tell(&mut self, event: MemberEvent) {
        let ended = self.process.tell(event, &mut self.outside);
        self.go_on_after(ended);
    }

    fn go_on_after(&mut self, ended: Result<(), Died>) {
        if ended.is_err() {
            self.crash();
        }
    }
}

impl Drop for Sim {
    #[expect(clippy::print_stderr, reason = "tells how to see it again")]
    fn drop(&mut self) {
        if !std::thread::panicking() {
            return;
        }
        if self.outside.is_traced {
            self.outside.trace.iter().for_each(|line| eprintln!("{line}"));
            eprintln!("the record: {:#?}", self.process.member.record());
            eprintln!("the ledger: {:?}", self.process.member.ledger());
        }
        eprintln!("ROTATION_SEED={} shows this run with everything that happened", self.seed);
    }
}
