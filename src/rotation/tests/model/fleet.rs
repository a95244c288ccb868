//! The states and moves of a small fleet, each member of which runs the production `step`.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use super::history::Fault;
use crate::clock::Timestamp;
use crate::credential::CredentialId;
use crate::rotation::tests::world::{A, B, C, D, check_moves};
use crate::rotation::*;
use crate::verdict::tests::{accepted, rejected, unclear};
use crate::verdict::{Arrival, Verdict};

/// How much of everything happens at most. Only that ten minutes pass is not bounded: it
/// repeats itself.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
pub(super) struct Bounds {
    /// Members of the fleet.
    pub(super) peers: usize,
    /// Sources that change: to B, to C, and back.
    pub(super) edges: u8,
    /// Callers that hand B over without a source.
    pub(super) calls: u8,
    /// Preparations, leaks.
    pub(super) operators: u8,
    /// Callers that hand D over, which takes the place of whatever is open.
    pub(super) supersedes: u8,
    /// Members that die; each may start again, also with its first configuration.
    pub(super) crashes: u8,
    /// Secrets that die.
    pub(super) deaths: u8,
    /// Answers that say nothing.
    pub(super) unclear: u8,
    /// A store that loses its latest write.
    pub(super) failovers: u8,
    /// Members that are cut off from the store for longer than they count as live.
    pub(super) naps: u8,
    /// Times that a few seconds pass; each makes other distances between all moments.
    pub(super) pauses: u8,
}

/// One member.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(super) struct Peer {
    pub(super) is_alive: bool,
    pub(super) record: Option<Record>,
    pub(super) configured: Vec<CredentialId>,
    pub(super) held: BTreeSet<CredentialId>,
    pub(super) ledger: Ledger,
    pub(super) token: Option<Token>,
    pub(super) members: MemberTable,
    pub(super) probing: BTreeSet<CredentialId>,
    pub(super) callers: Vec<KeptCaller>,
}

/// The whole fleet with its store and its endpoint.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(super) struct State {
    pub(super) stored: Record,
    /// What a failover would bring back.
    pub(super) before: Option<(Record, Option<Token>)>,
    pub(super) token: Option<Token>,
    pub(super) members: MemberTable,
    pub(super) peers: Vec<Peer>,
    /// Credentials that the endpoint has stopped accepting, and when. C was never accepted.
    pub(super) died: BTreeMap<CredentialId, Timestamp>,
    pub(super) left: Bounds,
    pub(super) faults: BTreeSet<Fault>,
}

/// What may happen next.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(super) enum Move {
    /// The member reads record, token and members, says that it did, and looks at them.
    Beat(usize),
    /// The member looks at the time.
    Tick(usize),
    /// The endpoint answers a probe truly.
    Answer(usize, CredentialId),
    /// The endpoint answers a probe with something that says nothing.
    AnswerUnclear(usize, CredentialId),
    /// The member's token lifecycle presents the active credential.
    Refresh(usize),
    /// A source of the member changes.
    Edge(usize, CredentialId),
    /// A caller of the member hands B over.
    Call(usize),
    /// A caller of the member says that the active credential has leaked, and hands B over.
    Leak(usize),
    /// A caller of the member wants to prepare.
    Prepare(usize),
    /// A caller of the member hands D over, whatever is open.
    Supersede(usize),
    /// The member dies.
    Crash(usize),
    /// It starts again with what its sources yield now.
    Restart(usize),
    /// It starts again with its first configuration.
    RestartStale(usize),
    /// A secret dies.
    Die(CredentialId),
    /// The store loses its latest write.
    Failover,
    /// Time passes: a few seconds, or longer than an overlap.
    Pass(bool),
}

impl State {
    pub(super) const NOW: Timestamp = Timestamp::from_millis(100_000_000);
    const LIFE: Duration = Duration::from_mins(25);
    const OVERLAP: Duration = Duration::from_mins(8);
    const SHORT: Duration = Duration::from_secs(5);
    const LONG: Duration = Duration::from_mins(10);

    /// A is active, and everybody knows it.
    pub(super) fn new(bounds: Bounds) -> Self {
        let version = Version { incarnation: 1, epoch: 2, nonce: 2 };
        let stored = Record {
            version,
            generation: 2,
            active: A,
            phase: Phase::Stable,
            standby: Vec::new(),
            quarantined: Vec::new(),
            retired: Vec::new(),
            waiting: None,
            targets: BTreeMap::new(),
            history: Vec::new(),
        };
        let expires_at = Self::NOW + Self::LIFE;
        let token = Some(Token { credential: A, generation: 2, serial: 2, expires_at });
        let held = BTreeSet::from([A]);
        let row = MemberRow { acked: 2, holds: held.clone() };
        let rows = (0..bounds.peers as u64).map(|id| (MemberId(id), row.clone())).collect();
        let members = MemberTable { since: Timestamp::default(), rows };
        let peer = Peer {
            is_alive: true,
            record: Some(stored.clone()),
            configured: vec![A],
            held,
            ledger: Ledger::default(),
            token,
            members: members.clone(),
            probing: BTreeSet::new(),
            callers: Vec::new(),
        };
        Self {
            stored,
            before: None,
            token,
            members,
            peers: vec![peer; bounds.peers],
            died: BTreeMap::new(),
            left: bounds,
            faults: BTreeSet::new(),
        }
    }

    pub(super) fn is_accepted(&self, credential: CredentialId) -> bool {
        credential != C && !self.died.contains_key(&credential)
    }

    pub(super) fn moves(&self, moves: &mut Vec<Move>) {
        for (index, peer) in self.peers.iter().enumerate() {
            if !peer.is_alive {
                moves.extend([Move::Restart(index), Move::RestartStale(index)]);
                continue;
            }
            moves.push(Move::Beat(index));
            if peer.record.is_none() {
                // It has just started: nothing can be asked of it before its first reading.
                continue;
            }
            moves.push(Move::Tick(index));
            for credential in &peer.probing {
                moves.push(Move::Answer(index, *credential));
                if self.left.unclear > 0 {
                    moves.push(Move::AnswerUnclear(index, *credential));
                }
            }
            moves.push(Move::Refresh(index));
            if self.left.edges > 0 {
                let others = [A, B, C].into_iter().filter(|one| peer.configured != [*one]);
                moves.extend(others.map(|one| Move::Edge(index, one)));
            }
            if self.left.calls > 0 {
                moves.push(Move::Call(index));
            }
            if self.left.operators > 0 {
                moves.extend([Move::Leak(index), Move::Prepare(index)]);
            }
            if self.left.supersedes > 0 {
                moves.push(Move::Supersede(index));
            }
            if self.left.crashes > 0 {
                moves.push(Move::Crash(index));
            }
        }
        if self.left.deaths > 0 {
            let alive = [A, B].into_iter().filter(|one| !self.died.contains_key(one));
            moves.extend(alive.map(Move::Die));
        }
        if self.left.failovers > 0 && self.before.is_some() {
            moves.push(Move::Failover);
        }
        if self.left.pauses > 0 {
            moves.push(Move::Pass(false));
        }
        // No request takes so long.
        if self.peers.iter().all(|peer| peer.probing.is_empty()) {
            moves.push(Move::Pass(true));
        }
    }

    pub(super) fn after(&self, next: Move) -> Option<Self> {
        let mut state = self.clone();
        state.apply(next)?;
        state.normalise();
        (state != *self).then_some(state)
    }

    fn apply(&mut self, next: Move) -> Option<()> {
        match next {
            Move::Beat(peer) => self.beat(peer),
            Move::Tick(peer) => self.tell(peer, &RotationEvent::Ticked),
            Move::Answer(peer, credential) => {
                let verdict = if self.is_accepted(credential) {
                    let expires_at = Self::NOW + Self::LIFE;
                    let soft_at = Self::NOW + Self::LIFE / 2;
                    Verdict::Accepted(accepted(expires_at, soft_at))
                } else {
                    rejected()
                };
                self.answer(peer, credential, verdict);
            }
            Move::AnswerUnclear(peer, credential) => {
                self.left.unclear -= 1;
                self.answer_unclear(peer, credential);
            }
            Move::Refresh(peer) => {
                let member = &self.peers[peer];
                let record = member.record.as_ref()?;
                let is_due = member.token.is_none_or(|token| {
                    token.credential != record.active || token.expires_at <= Self::NOW + Self::LONG
                });
                if !is_due
                    || !record.may_present(record.active)
                    || !member.held.contains(&record.active)
                {
                    return None;
                }
                let active = record.active;
                self.present(peer, active);
            }
            Move::Edge(peer, to) => {
                self.left.edges -= 1;
                let member = &mut self.peers[peer];
                let from = member.configured.first().copied();
                member.configured = vec![to];
                member.held.insert(to);
                self.tell(peer, &RotationEvent::Changed { from, to });
            }
            Move::Call(peer) => {
                self.left.calls -= 1;
                let rotate = Rotate { candidate: Some(B), ..Rotate::default() };
                self.call(peer, rotate);
            }
            Move::Leak(peer) => {
                self.left.operators -= 1;
                let rotate = Rotate { candidate: Some(B), compromised: true, ..Rotate::default() };
                self.call(peer, rotate);
            }
            Move::Supersede(peer) => {
                self.left.supersedes -= 1;
                let rotate = Rotate { candidate: Some(D), supersede: true, ..Rotate::default() };
                self.call(peer, rotate);
            }
            Move::Prepare(peer) => {
                self.left.operators -= 1;
                let request = Request::Prepare { min_runway: Duration::from_mins(1) };
                self.tell(peer, &RotationEvent::Asked { caller: 1, request });
            }
            Move::Crash(peer) => {
                self.left.crashes -= 1;
                let member = &mut self.peers[peer];
                member.is_alive = false;
                member.record = None;
                member.held.clear();
                member.ledger = Ledger::default();
                member.token = None;
                member.probing.clear();
                member.callers.clear();
                member.members.rows.clear();
            }
            Move::Restart(peer) => self.restart(peer),
            Move::RestartStale(peer) => {
                if self.peers[peer].configured == [A] {
                    return None;
                }
                self.peers[peer].configured = vec![A];
                self.restart(peer);
            }
            Move::Die(credential) => {
                self.left.deaths -= 1;
                self.died.insert(credential, Self::NOW);
            }
            Move::Failover => {
                self.left.failovers -= 1;
                (self.stored, self.token) = self.before.take()?;
            }
            Move::Pass(true) => {
                self.cut_off()?;
                self.pass(Self::LONG);
            }
            Move::Pass(false) => {
                self.left.pauses -= 1;
                self.pass(Self::SHORT);
            }
        }
        Some(())
    }

    fn answer_unclear(&mut self, peer: usize, credential: CredentialId) {
        // What is due anyway happens with any answer.
        let mut quiet = self.clone();
        quiet.peers[peer].probing.remove(&credential);
        quiet.tell(peer, &RotationEvent::Ticked);
        self.answer(peer, credential, unclear());
        let is_same = self.stored.active == quiet.stored.active
            && self.stored.generation == quiet.stored.generation
            && self.stored.phase == quiet.stored.phase;
        self.blame(Fault::I18, !is_same);
    }

    fn call(&mut self, peer: usize, rotate: Rotate) {
        self.peers[peer].held.extend(rotate.candidate);
        self.tell(peer, &RotationEvent::Asked { caller: 1, request: Request::Rotate(rotate) });
    }

    fn restart(&mut self, peer: usize) {
        let member = &mut self.peers[peer];
        member.is_alive = true;
        member.held = member.configured.iter().copied().collect();
    }

    fn beat(&mut self, peer: usize) {
        let is_start = self.peers[peer].record.is_none();
        let known = self.peers[peer].record.as_ref().filter(|record| {
            record.version.incarnation == self.stored.version.incarnation
                && record.version.epoch > self.stored.version.epoch
        });
        // Read-repair: what this member has seen is newer than what the store still has.
        if let Some(known) = known {
            self.stored = known.clone();
            self.before = None;
        }
        let seen = self.peers[peer].record.as_ref().map_or(0, |record| record.version.epoch);
        self.blame(Fault::I4, self.stored.version.epoch < seen);
        let member = &mut self.peers[peer];
        member.record = Some(self.stored.clone());
        member.token = self.token;
        let row = MemberRow { acked: self.stored.version.epoch, holds: member.held.clone() };
        self.members.rows.insert(MemberId(peer as u64), row);
        member.members = self.members.clone();
        match member.configured.first().copied().filter(|_| is_start) {
            Some(first) => self.tell(peer, &RotationEvent::Started(first)),
            None => self.tell(peer, &RotationEvent::Ticked),
        }
    }

    fn answer(&mut self, peer: usize, credential: CredentialId, verdict: Verdict<Arrival>) {
        let Peer { probing, ledger, record, .. } = &mut self.peers[peer];
        probing.remove(&credential);
        ledger.note(credential, &verdict, record.as_ref(), &RotationPolicy::default(), Self::NOW);
        self.tell(peer, &RotationEvent::Answered { credential, verdict: verdict.into() });
    }

    pub(super) fn view(&self, peer: usize) -> View {
        let member = &self.peers[peer];
        let me = Some(MemberId(peer as u64));
        View {
            policy: RotationPolicy { overlap: Some(Self::OVERLAP), ..RotationPolicy::default() },
            nonce: self.next_nonce(),
            fleeting: BTreeSet::new(),
            configured: member.configured.clone(),
            held: member.held.clone(),
            ledger: member.ledger.clone(),
            token: member.token,
            fleet: Some(Fleet { me, members: member.members.clone(), sealed: BTreeSet::new() }),
            targets: Vec::new(),
            callers: member.callers.clone(),
            probing: member.probing.clone(),
            writing: BTreeSet::new(),
            stuck: BTreeSet::new(),
            clients: BTreeMap::new(),
        }
    }

    /// A step on what the member has read; one that loses has no effect, and the member reads
    /// again.
    fn tell(&mut self, peer: usize, event: &RotationEvent) {
        let view = self.view(peer);
        let Some(record) = self.peers[peer].record.clone() else { return };
        let done = step(Some(&record), &view, event, Self::NOW);
        check_moves(Some(&record), &done);
        if let Some(write) = &done.write {
            if write.admit(Some(&self.stored), Some(&self.members), Self::NOW).is_err() {
                return;
            }
            self.judge(peer, write, &done.transitions);
            let before = std::mem::replace(&mut self.stored, write.record.clone());
            self.before = (self.left.failovers > 0).then_some((before, self.token));
            if let TokenChange::Replace { credential, expires_at } = write.token {
                self.put_token(credential, write.record.generation, expires_at);
            }
            self.peers[peer].record = Some(self.stored.clone());
            self.peers[peer].token = self.token;
        }
        for effect in done.effects {
            self.perform(peer, effect);
        }
    }

    fn perform(&mut self, peer: usize, effect: RotationEffect) {
        match effect {
            RotationEffect::Probe(credential) => self.present(peer, credential),
            RotationEffect::Serve { credential, generation } => {
                let member = &self.peers[peer];
                let read = member.token.map_or(0, |token| token.serial);
                let proof = member.ledger.proof(credential).expect("a proof");
                let (stored, token) = (Some(&self.stored), self.token.as_ref());
                if admit_token(stored, token, credential, generation, read) {
                    self.put_token(credential, generation, proof.expires_at);
                    self.peers[peer].token = self.token;
                }
            }
            RotationEffect::DropTokens(credential) => {
                self.token = self.token.filter(|token| token.credential != credential);
            }
            RotationEffect::Keep(caller) => {
                let callers = &mut self.peers[peer].callers;
                callers.retain(|known| known.id != caller.id);
                callers.push(caller);
            }
            RotationEffect::Answer { caller, .. } => {
                self.peers[peer].callers.retain(|known| known.id != caller);
            }
            RotationEffect::Persist { .. } | RotationEffect::Notify(_) => {}
        }
    }

    fn present(&mut self, peer: usize, credential: CredentialId) {
        let member = &mut self.peers[peer];
        let record = member.record.as_ref();
        let is_retired = record.is_some_and(|record| record.role(credential) == Role::Retired);
        let is_bridged = record.is_some_and(|record| {
            matches!(record.phase, Phase::Prepared(_)) && record.active == credential
        });
        member.probing.insert(credential);
        self.blame(Fault::I2, is_retired);
        self.blame(Fault::Runway, is_bridged);
    }

    fn put_token(&mut self, credential: CredentialId, generation: u64, expires_at: Timestamp) {
        let before = self.token.map(|token| (token.generation, token.serial));
        let serial = self.token.map_or(0, |token| token.serial) + 1;
        self.blame(Fault::I8, before.is_some_and(|before| (generation, serial) <= before));
        self.token = Some(Token { credential, generation, serial, expires_at });
    }

    /// Whoever has not read the latest record for so long is cut off, and not live for the others.
    fn cut_off(&mut self) -> Option<()> {
        for (index, peer) in self.peers.iter_mut().enumerate() {
            let read = peer.record.as_ref().map(|record| record.version);
            if peer.is_alive && read == Some(self.stored.version) {
                peer.token = self.token;
            } else {
                if peer.is_alive {
                    self.left.naps = self.left.naps.checked_sub(1)?;
                }
                self.members.rows.remove(&MemberId(index as u64));
            }
        }
        for peer in self.peers.iter_mut().filter(|peer| peer.is_alive) {
            if peer.record.as_ref().is_some_and(|record| record.version == self.stored.version) {
                peer.members = self.members.clone();
            }
        }
        Some(())
    }

    fn pass(&mut self, by: Duration) {
        self.each_time(&mut |time| *time = *time - by);
        // A driver hands no expired token out, and forgets it.
        self.token = self.token.filter(|token| token.expires_at > Self::NOW);
    }
}
