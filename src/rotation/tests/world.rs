//! A store, a token endpoint, members and the time between them.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use crate::clock::Timestamp;
use crate::credential::CredentialId;
use crate::rotation::*;
pub(super) use crate::verdict::Verify;
use crate::verdict::tests::accepted;
pub(super) use crate::verdict::tests::{refused, rejected, throttled, unclear};
use crate::verdict::{Arrival, Verdict};

pub(super) const A: CredentialId = CredentialId::from_bytes([0xa; 8]);
pub(super) const B: CredentialId = CredentialId::from_bytes([0xb; 8]);
pub(super) const C: CredentialId = CredentialId::from_bytes([0xc; 8]);
pub(super) const D: CredentialId = CredentialId::from_bytes([0xd; 8]);

pub(super) const SECOND: Duration = Duration::from_secs(1);
pub(super) const MINUTE: Duration = Duration::from_mins(1);
pub(super) const HOUR: Duration = Duration::from_hours(1);

type Outcome = Result<Settled, Refusal>;

/// One member: what it has read, and what it knows besides.
pub(super) struct Peer {
    pub(super) view: View,
    pub(super) record: Option<Record>,
    pub(super) is_alive: bool,
    /// It reads nothing until it is woken.
    pub(super) is_asleep: bool,
    probes: Vec<(Timestamp, CredentialId)>,
}

/// The world of one scenario. Member 0 is the one that most scenarios act through.
pub(super) struct World {
    pub(super) now: Timestamp,
    pub(super) stored: Option<Record>,
    pub(super) token: Option<Token>,
    pub(super) peers: Vec<Peer>,
    pub(super) presented: Vec<(Timestamp, CredentialId)>,
    pub(super) notices: Vec<RotationNotice>,
    pub(super) sinks: Vec<(Timestamp, TargetId, CredentialId)>,
    pub(super) taken: Vec<Transition>,
    pub(super) lifetime: Duration,
    /// Persist targets report by themselves.
    pub(super) sink_outcome: Option<PersistOutcome>,
    answers: BTreeMap<CallerId, Outcome>,
    endpoint: BTreeMap<CredentialId, Verdict<Arrival>>,
    is_fleet: bool,
    members: MemberTable,
    sealed: BTreeSet<CredentialId>,
    next_nonce: u64,
    next_caller: CallerId,
}

impl World {
    const LATENCY: Duration = Duration::from_millis(50);

    /// One process that shares nothing; only A is accepted.
    pub(super) fn process(configured: &[CredentialId]) -> Self {
        let mut world = Self::new(false);
        world.join(configured);
        world
    }

    /// A fleet whose members have these configurations; only A is accepted.
    pub(super) fn fleet(configured: &[&[CredentialId]]) -> Self {
        let mut world = Self::new(true);
        for configured in configured {
            world.join(configured);
        }
        world
    }

    fn new(is_fleet: bool) -> Self {
        let now = Timestamp::from_millis(10_000_000);
        let mut world = Self {
            now,
            stored: None,
            token: None,
            peers: Vec::new(),
            presented: Vec::new(),
            notices: Vec::new(),
            sinks: Vec::new(),
            taken: Vec::new(),
            lifetime: HOUR,
            sink_outcome: Some(PersistOutcome::Done),
            answers: BTreeMap::new(),
            endpoint: BTreeMap::new(),
            is_fleet,
            members: MemberTable { since: now - HOUR, rows: BTreeMap::new() },
            sealed: BTreeSet::new(),
            next_nonce: 1,
            next_caller: 1,
        };
        world.accept(A);
        world
    }

    /// Adds a member that starts now.
    pub(super) fn join(&mut self, configured: &[CredentialId]) {
        self.peers.push(Peer {
            view: View {
                configured: configured.to_vec(),
                held: configured.iter().copied().collect(),
                ..View::default()
            },
            record: None,
            is_alive: true,
            is_asleep: false,
            probes: Vec::new(),
        });
        self.read_all();
        self.tell(self.peers.len() - 1, RotationEvent::Ticked);
    }

    /// The endpoint gives tokens for it from now on.
    pub(super) fn accept(&mut self, credential: CredentialId) {
        self.accept_with(credential, None, None);
    }

    pub(super) fn answer_with(&mut self, credential: CredentialId, verdict: Verdict<Arrival>) {
        self.endpoint.insert(credential, verdict);
    }

    pub(super) fn accept_with(
        &mut self,
        credential: CredentialId,
        scope: Option<&str>,
        verify: Option<Verify>,
    ) {
        let scope = scope.map(str::to_owned);
        let arrival = Arrival { scope, verify, ..accepted(self.now, self.now) };
        self.endpoint.insert(credential, Verdict::Accepted(arrival));
    }

    /// The endpoint does not accept it any more.
    pub(super) fn kill(&mut self, credential: CredentialId) {
        self.endpoint.insert(credential, rejected());
    }

    pub(super) fn seal(&mut self, credential: CredentialId) {
        self.sealed.insert(credential);
        self.read_all();
    }

    /// A member dies; its row stays until it has been silent for long enough.
    pub(super) fn crash(&mut self, peer: usize) {
        self.peers[peer].is_alive = false;
        self.peers[peer].view.callers.clear();
    }

    /// The store forgets a member that has been silent.
    pub(super) fn forget(&mut self, peer: usize) {
        self.members.rows.remove(&MemberId(peer as u64));
        self.read_all();
    }

    /// The member table starts anew.
    pub(super) fn renew_table(&mut self) {
        self.members.since = self.now;
        self.read_all();
    }

    /// A member gets a credential that no source of its own yields.
    pub(super) fn give(&mut self, peer: usize, credential: CredentialId) {
        self.peers[peer].view.held.insert(credential);
        self.read_all();
    }

    /// A member's source yields something else.
    pub(super) fn change(&mut self, peer: usize, from: CredentialId, to: CredentialId) {
        let view = &mut self.peers[peer].view;
        view.configured = vec![to];
        view.held.insert(to);
        self.read_all();
        self.tell(peer, RotationEvent::Changed { from: Some(from), to });
    }

    /// A caller of member 0 asks for something.
    pub(super) fn ask(&mut self, request: Request) -> CallerId {
        self.ask_of(0, request)
    }

    pub(super) fn ask_of(&mut self, peer: usize, request: Request) -> CallerId {
        let id = self.next_caller;
        self.next_caller += 1;
        if let Request::Rotate(Rotate { candidate: Some(candidate), .. }) = &request {
            self.give(peer, *candidate);
        }
        self.tell(peer, RotationEvent::Asked { caller: id, request });
        id
    }

    pub(super) fn rotate(&mut self, candidate: CredentialId) -> CallerId {
        self.ask(Request::Rotate(Rotate { candidate: Some(candidate), ..Rotate::default() }))
    }

    /// Undoes the rotation whose overlap is open.
    pub(super) fn roll_back(&mut self) -> CallerId {
        self.ask(Request::RollBack(self.open_rotation()))
    }

    /// Ends the overlap that is open.
    pub(super) fn retire(&mut self, force: bool) -> CallerId {
        self.ask(Request::Retire { rotation: self.open_rotation(), force })
    }

    /// The rotation whose overlap is open, or one that nobody knows.
    pub(super) fn open_rotation(&self) -> RotationId {
        let overlap = self.stored.as_ref().and_then(Record::open_overlap);
        overlap.map_or_else(|| RotationId::new("unknown"), |overlap| overlap.rotation.clone())
    }

    /// A caller does not wait any longer.
    pub(super) fn leave(&mut self, id: CallerId) {
        let callers = &mut self.peers[0].view.callers;
        let index = callers.iter().position(|caller| caller.id == id).expect("it waits");
        let caller = callers.remove(index);
        self.tell(0, RotationEvent::Left(caller));
    }

    pub(super) fn outcome(&self, caller: CallerId) -> Option<&Outcome> {
        self.answers.get(&caller)
    }

    pub(super) fn code(&self, caller: CallerId) -> Option<&'static str> {
        let refusal = self.outcome(caller)?.as_ref().err()?;
        Some(refusal.code().as_str())
    }

    pub(super) fn is_active(&self, caller: CallerId) -> bool {
        matches!(self.outcome(caller), Some(Ok(Settled::Active { .. })))
    }

    pub(super) fn record(&self) -> &Record {
        self.stored.as_ref().expect("a record")
    }

    pub(super) fn phase(&self) -> PhaseName {
        PhaseName::of(self.stored.as_ref())
    }

    pub(super) fn times_presented(&self, credential: CredentialId) -> usize {
        self.presented.iter().filter(|(_, presented)| *presented == credential).count()
    }

    pub(super) fn took(&self, transition: Transition) -> usize {
        self.taken.iter().filter(|taken| **taken == transition).count()
    }

    /// Every live member that is awake reads the record and says so.
    pub(super) fn read_all(&mut self) {
        for index in 0..self.peers.len() {
            let peer = &mut self.peers[index];
            if !peer.is_alive || peer.is_asleep {
                continue;
            }
            peer.record.clone_from(&self.stored);
            peer.view.token = self.token;
            let acked = self.stored.as_ref().map_or(0, |record| record.version.epoch);
            let row = MemberRow { acked, holds: peer.view.held.clone() };
            self.members.rows.insert(MemberId(index as u64), row);
        }
        for (index, peer) in self.peers.iter_mut().enumerate().filter(|(_, peer)| !peer.is_asleep) {
            let (members, sealed) = (self.members.clone(), self.sealed.clone());
            let me = Some(MemberId(index as u64));
            peer.view.fleet = self.is_fleet.then_some(Fleet { me, members, sealed });
        }
    }

    /// A member is told something, as its driver would do it.
    #[expect(clippy::needless_pass_by_value, reason = "scenarios read better")]
    pub(super) fn tell(&mut self, peer: usize, event: RotationEvent) {
        for _ in 0..3 {
            self.next_nonce += 1;
            self.peers[peer].view.nonce = self.next_nonce;
            let member = &self.peers[peer];
            let done = step(member.record.as_ref(), &member.view, &event, self.now);
            check_moves(member.record.as_ref(), &done);
            if !done.write.as_ref().is_none_or(|write| self.store(write)) {
                // It lost: it reads and decides anew, and nothing of that step has happened.
                self.peers[peer].is_asleep = false;
                self.read_all();
                continue;
            }
            self.taken.extend(&done.transitions);
            self.read_all();
            let wrote = done.write.is_some();
            for effect in done.effects {
                self.perform(peer, effect);
            }
            // Whoever reads another record looks at it.
            for index in (0..self.peers.len()).filter(|_| wrote) {
                if self.is_awake(index) {
                    self.tell(index, RotationEvent::Ticked);
                }
            }
            return;
        }
        panic!("a member alone cannot lose three times");
    }

    fn store(&mut self, write: &Write) -> bool {
        let members = self.is_fleet.then_some(&self.members);
        if write.admit(self.stored.as_ref(), members, self.now).is_err() {
            return false;
        }
        self.stored = Some(write.record.clone());
        if let TokenChange::Replace { credential, expires_at } = write.token {
            self.put_token(credential, write.record.generation, expires_at);
        }
        true
    }

    fn put_token(&mut self, credential: CredentialId, generation: u64, expires_at: Timestamp) {
        let serial = self.token.map_or(0, |token| token.serial) + 1;
        self.token = Some(Token { credential, generation, serial, expires_at });
    }

    fn perform(&mut self, peer: usize, effect: RotationEffect) {
        match effect {
            RotationEffect::Probe(credential) => {
                let due = self.now + Self::LATENCY;
                self.peers[peer].view.probing.insert(credential);
                self.peers[peer].probes.push((due, credential));
                self.presented.push((self.now, credential));
            }
            RotationEffect::Serve { credential, generation } => {
                let proof = self.peers[peer].view.ledger.proof(credential).expect("a proof");
                let read = self.peers[peer].view.token.map_or(0, |token| token.serial);
                let (stored, token) = (self.stored.as_ref(), self.token.as_ref());
                if admit_token(stored, token, credential, generation, read) {
                    self.put_token(credential, generation, proof.expires_at);
                    self.read_all();
                }
            }
            RotationEffect::DropTokens(credential) => {
                self.token = self.token.filter(|token| token.credential != credential);
            }
            RotationEffect::Persist { target, credential } => {
                self.sinks.push((self.now, target, credential));
                match self.sink_outcome {
                    Some(outcome) => {
                        self.tell(peer, RotationEvent::Persisted { target, credential, outcome });
                    }
                    None => {
                        self.peers[peer].view.writing.insert(target);
                    }
                }
            }
            RotationEffect::Keep(caller) => {
                let callers = &mut self.peers[peer].view.callers;
                callers.retain(|known| known.id != caller.id);
                callers.push(caller);
            }
            RotationEffect::Answer { caller, outcome } => {
                self.peers[peer].view.callers.retain(|known| known.id != caller);
                assert!(
                    self.answers.insert(caller, outcome).is_none(),
                    "a caller is answered twice"
                );
            }
            RotationEffect::Notify(notice) => self.notices.push(notice),
        }
    }

    /// Lets time pass, stopping at everything that is due.
    pub(super) fn pass(&mut self, duration: Duration) {
        let end = self.now + duration;
        for _ in 0..20_000 {
            let Some(next) = self.next_due().filter(|at| *at <= end) else {
                self.now = end;
                return;
            };
            self.now = self.now.max(next);
            for index in 0..self.peers.len() {
                self.answer_probes(index);
                if self.is_awake(index) {
                    self.tell(index, RotationEvent::Ticked);
                }
            }
        }
        panic!("ticks that change nothing are due again and again");
    }

    fn is_awake(&self, peer: usize) -> bool {
        self.peers[peer].is_alive && !self.peers[peer].is_asleep
    }

    fn next_due(&self) -> Option<Timestamp> {
        let awake = self.peers.iter().filter(|peer| peer.is_alive && !peer.is_asleep);
        awake
            .flat_map(|peer| {
                let wake_at = wake_at(peer.record.as_ref(), &peer.view, self.now);
                peer.probes.iter().map(|(at, _)| *at).chain(wake_at)
            })
            .min()
    }

    fn answer_probes(&mut self, peer: usize) {
        while let Some(index) = self.peers[peer].probes.iter().position(|(at, _)| *at <= self.now) {
            let (_, credential) = self.peers[peer].probes.remove(index);
            self.peers[peer].view.probing.remove(&credential);
            if !self.is_awake(peer) {
                continue;
            }
            let known = self.endpoint.get(&credential).cloned();
            let mut verdict = known.unwrap_or_else(rejected);
            if let Verdict::Accepted(arrival) = &mut verdict {
                let (expires_at, soft_at) =
                    (self.now + self.lifetime, self.now + self.lifetime / 2);
                arrival.token = accepted(expires_at, soft_at).token;
            }
            self.answered(peer, credential, verdict);
        }
    }

    /// An answer of the endpoint reaches a member, also one that no probe asked for.
    pub(super) fn answered(
        &mut self,
        peer: usize,
        credential: CredentialId,
        verdict: Verdict<Arrival>,
    ) {
        let now = self.now;
        let Peer { view, record, .. } = &mut self.peers[peer];
        let policy = view.policy;
        view.ledger.note(credential, &verdict, record.as_ref(), &policy, now);
        self.tell(peer, RotationEvent::Answered { credential, verdict: verdict.into() });
    }

    /// The token lifecycle refreshes with a credential.
    pub(super) fn refresh(&mut self, peer: usize, credential: CredentialId) {
        self.perform(peer, RotationEffect::Probe(credential));
        self.pass(Self::LATENCY);
    }
}

/// A step takes only moves that the table has, and no credential has two roles.
pub(super) fn check_moves(before: Option<&Record>, done: &RotationStep) {
    let from = PhaseName::of(before);
    let after = done.write.as_ref().map(|write| &write.record).or(before);
    let mut reached = BTreeSet::from([from]);
    for transition in &done.transitions {
        let row = TABLE.iter().find(|row| row.transition == *transition).expect("a row");
        let moves = row.moves.iter().filter(|(from, _)| reached.contains(from));
        reached = moves.map(|(_, to)| *to).collect();
    }
    let to = PhaseName::of(after);
    assert!(reached.contains(&to), "{from:?} to {to:?} by {:?}", done.transitions);
    if let Some(record) = after {
        let all = all_roles(record);
        let unique: BTreeSet<CredentialId> = all.iter().copied().collect();
        assert_eq!(all.len(), unique.len(), "a credential has two roles: {record:?}");
    }
}

/// Every credential in every role but the waiting one, which may have another besides.
pub(super) fn all_roles(record: &Record) -> Vec<CredentialId> {
    let mut all = vec![record.active];
    all.extend(record.staged().map(|staged| staged.next));
    all.extend(record.overlap().map(|overlap| overlap.previous));
    all.extend(&record.standby);
    all.extend(record.quarantined.iter().map(|known| known.credential));
    all.extend(record.retired.iter().map(|known| known.credential));
    all
}
