//! The world of a scenario, and what may happen in it.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use super::Peer;
use crate::clock::StoreTime;
use crate::credential::CredentialId;
use crate::rotation::tests::interpreter;
use crate::rotation::tests::shelf::Shelf;
use crate::rotation::*;
use crate::verdict::Verdict;

pub(crate) const A: CredentialId = CredentialId::from_bytes([0xa; 8]);
pub(crate) const B: CredentialId = CredentialId::from_bytes([0xb; 8]);
pub(crate) const C: CredentialId = CredentialId::from_bytes([0xc; 8]);
pub(crate) const D: CredentialId = CredentialId::from_bytes([0xd; 8]);

pub(crate) const SECOND: Duration = Duration::from_secs(1);
pub(crate) const MINUTE: Duration = Duration::from_mins(1);
pub(crate) const HOUR: Duration = Duration::from_hours(1);

/// The world of one scenario. Member 0 is the one that most scenarios act through.
pub(crate) struct World {
    pub(crate) now: StoreTime,
    pub(crate) shelf: Shelf,
    pub(crate) peers: Vec<Peer>,
    pub(crate) presented: Vec<(StoreTime, CredentialId)>,
    pub(crate) notices: Vec<RotationNotice>,
    pub(crate) sinks: Vec<(StoreTime, TargetId, CredentialId)>,
    pub(crate) taken: Vec<Transition>,
    pub(crate) lifetime: Duration,
    /// Persist targets report by themselves.
    pub(crate) sink_outcome: Option<PersistOutcome>,
    pub(super) answers: BTreeMap<CallerId, Result<Settled, Refusal>>,
    pub(super) endpoint: BTreeMap<CredentialId, Verdict<Evidence>>,
    pub(super) next_nonce: u64,
    pub(super) next_caller: CallerId,
    sealed: BTreeSet<CredentialId>,
}

impl World {
    pub(super) const LATENCY: Duration = Duration::from_millis(50);
    const START: StoreTime = StoreTime::from_millis(10_000_000);

    /// One process that shares nothing; only A is accepted.
    pub(crate) fn process(configured: &[CredentialId]) -> Self {
        let mut world = Self::new(None);
        world.join(configured);
        world
    }

    /// A fleet whose members have these configurations; only A is accepted.
    pub(crate) fn fleet(configured: &[&[CredentialId]]) -> Self {
        let members = MemberTable { since: Self::START - HOUR, rows: BTreeMap::new() };
        let mut world = Self::new(Some(members));
        for configured in configured {
            world.join(configured);
        }
        world
    }

    fn new(members: Option<MemberTable>) -> Self {
        let mut world = Self {
            now: Self::START,
            shelf: Shelf { record: None, token: None, members, rejections: BTreeMap::new() },
            peers: Vec::new(),
            presented: Vec::new(),
            notices: Vec::new(),
            sinks: Vec::new(),
            taken: Vec::new(),
            lifetime: HOUR,
            sink_outcome: Some(PersistOutcome::Done),
            answers: BTreeMap::new(),
            endpoint: BTreeMap::new(),
            next_nonce: 1,
            next_caller: 1,
            sealed: BTreeSet::new(),
        };
        world.accept(A);
        world
    }

    /// Adds a member that starts now.
    pub(crate) fn join(&mut self, configured: &[CredentialId]) {
        self.peers.push(Peer::new(configured));
        self.read_all();
        self.tell(self.peers.len() - 1, RotationEvent::Ticked);
    }

    /// A member is told something, as its driver would do it.
    #[expect(clippy::needless_pass_by_value, reason = "scenarios read better")]
    pub(crate) fn tell(&mut self, peer: usize, event: RotationEvent) {
        interpreter::tell(self, peer, &event);
    }

    pub(crate) fn seal(&mut self, credential: CredentialId) {
        self.sealed.insert(credential);
        self.read_all();
    }

    /// A member dies; its row stays until it has been silent for long enough.
    pub(crate) fn crash(&mut self, peer: usize) {
        self.peers[peer].is_alive = false;
        self.peers[peer].view.callers.clear();
    }

    /// The store forgets a member that has been silent.
    pub(crate) fn forget(&mut self, peer: usize) {
        self.shelf.forget(peer);
        self.read_all();
    }

    /// The member table starts anew.
    pub(crate) fn renew_table(&mut self) {
        self.shelf.members.as_mut().expect("a fleet").since = self.now;
        self.read_all();
    }

    /// A member gets a credential that no source of its own yields.
    pub(crate) fn give(&mut self, peer: usize, credential: CredentialId) {
        self.peers[peer].view.held.insert(credential);
        self.read_all();
    }

    /// A member has a credential no longer: it has started again without it.
    pub(crate) fn take_away(&mut self, peer: usize, credential: CredentialId) {
        self.peers[peer].view.held.remove(&credential);
        self.read_all();
    }

    /// The record has one more fallback, which a member holds.
    pub(crate) fn stand_by(&mut self, peer: usize, credential: CredentialId) {
        self.shelf.record.as_mut().expect("a record").standby.push(credential);
        self.give(peer, credential);
    }

    /// A member's source yields something else.
    pub(crate) fn change(&mut self, peer: usize, from: CredentialId, to: CredentialId) {
        let view = &mut self.peers[peer].view;
        view.configured = vec![to];
        view.held.insert(to);
        self.read_all();
        self.tell(peer, RotationEvent::Changed { from: Some(from), to });
    }

    pub(crate) fn record(&self) -> &Record {
        self.shelf.record()
    }

    pub(crate) fn phase(&self) -> PhaseName {
        PhaseName::of(self.shelf.record.as_ref())
    }

    pub(crate) fn times_presented(&self, credential: CredentialId) -> usize {
        self.presented.iter().filter(|(_, presented)| *presented == credential).count()
    }

    pub(crate) fn took(&self, transition: Transition) -> usize {
        self.taken.iter().filter(|taken| **taken == transition).count()
    }

    /// Every live member that is awake reads the record and says so.
    pub(crate) fn read_all(&mut self) {
        let Self { shelf, peers, sealed, .. } = self;
        for (index, peer) in peers.iter_mut().enumerate().filter(|(_, peer)| peer.is_awake()) {
            peer.record.clone_from(&shelf.record);
            peer.view.token = shelf.token;
            shelf.acknowledge(index, &peer.view.held, &peer.view.targets);
        }
        for (index, peer) in peers.iter_mut().enumerate().filter(|(_, peer)| !peer.is_asleep) {
            let me = Some(MemberId(index as u64));
            let fleet = |members: &MemberTable| Fleet {
                me,
                census: members.census(me),
                sealed: sealed.clone(),
            };
            peer.view.fleet = shelf.members.as_ref().map(fleet);
        }
    }

    /// Every live member that is awake looks at the time and at what it has read.
    pub(super) fn tick_all(&mut self) {
        for index in 0..self.peers.len() {
            self.tick(index);
        }
    }

    fn tick(&mut self, peer: usize) {
        if self.peers[peer].is_awake() {
            self.tell(peer, RotationEvent::Ticked);
        }
    }

    /// Lets time pass, stopping at everything that is due.
    pub(crate) fn pass(&mut self, duration: Duration) {
        let end = self.now + duration;
        for _ in 0..20_000 {
            let awake = self.peers.iter().filter(|peer| peer.is_awake());
            let next = awake.filter_map(|peer| peer.next_due(self.now)).min();
            let Some(next) = next.filter(|at| *at <= end) else {
                self.now = end;
                return;
            };
            self.now = self.now.max(next);
            for index in 0..self.peers.len() {
                self.answer_probes(index);
                self.tick(index);
            }
        }
        panic!("ticks that change nothing are due again and again");
    }
}
