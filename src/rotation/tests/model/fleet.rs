//! The states of a small fleet, each member of which runs the production `step`.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use super::bounds::Bounds;
use super::fault::Fault;
use crate::clock::StoreTime;
use crate::credential::CredentialId;
use crate::rotation::tests::ground::Ground;
use crate::rotation::tests::shelf::Shelf;
use crate::rotation::tests::world::{A, C};
use crate::rotation::*;
use crate::token::TokenId;

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
    /// Read as retired in a record that was lost, and not named since.
    pub(super) buried: BTreeSet<CredentialId>,
}

/// The right to ask the endpoint.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(super) struct Lease {
    pub(super) holder: usize,
    /// Its holder has read what is stored since it has it.
    pub(super) has_read: bool,
}

/// The whole fleet with its store and its endpoint.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(super) struct State {
    pub(super) shelf: Shelf,
    /// What a failover would bring back.
    pub(super) before: Option<(Record, Option<Token>)>,
    pub(super) peers: Vec<Peer>,
    pub(super) lease: Option<Lease>,
    /// A lease has ended too early.
    pub(super) has_lapsed: bool,
    /// The store has lost something.
    pub(super) has_lost: bool,
    /// Credentials that the endpoint has stopped accepting, and when. C was never accepted.
    pub(super) died: BTreeMap<CredentialId, StoreTime>,
    pub(super) left: Bounds,
    pub(super) faults: BTreeSet<Fault>,
}

impl State {
    pub(super) const NOW: StoreTime = StoreTime::from_millis(100_000_000);
    pub(super) const LIFE: Duration = Duration::from_mins(25);
    const OVERLAP: Duration = Duration::from_mins(8);

    /// A is active, and everybody knows it.
    pub(super) fn new(bounds: Bounds) -> Self {
        let version = Version { incarnation: 1, epoch: 2, nonce: 2 };
        let stored = Record {
            version,
            generation: 2,
            active: A,
            client: "app".into(),
            scope: None,
            verify: BTreeMap::new(),
            phase: Phase::Stable,
            standby: Vec::new(),
            quarantined: Vec::new(),
            retired: Vec::new(),
            waiting: None,
            targets: BTreeMap::new(),
            history: Vec::new(),
            lineage: Lineage::default(),
        };
        let expires_at = Self::NOW + Self::LIFE;
        let token =
            Some(Token { id: TokenId(2), credential: A, generation: 2, serial: 2, expires_at });
        let held = BTreeSet::from([A]);
        let row = MemberRow { acked: 2, holds: held.clone(), ..MemberRow::default() };
        let rows = (0..bounds.peers as u64).map(|id| (MemberId(id), row.clone())).collect();
        let members = MemberTable { since: StoreTime::default(), rows };
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
            buried: BTreeSet::new(),
        };
        Self {
            shelf: Shelf {
                record: Some(stored),
                token,
                members: Some(members),
                rejections: BTreeMap::new(),
            },
            before: None,
            peers: vec![peer; bounds.peers],
            lease: None,
            has_lapsed: false,
            has_lost: false,
            died: BTreeMap::new(),
            left: bounds,
            faults: BTreeSet::new(),
        }
    }

    pub(super) fn is_accepted(&self, credential: CredentialId) -> bool {
        credential != C && !self.died.contains_key(&credential)
    }

    /// What a member can present.
    pub(super) fn held(&self, peer: usize) -> BTreeSet<CredentialId> {
        let Peer { held, buried, .. } = &self.peers[peer];
        held.difference(buried).copied().collect()
    }

    /// Whether the member may ask the endpoint now; if not, it asks for the lease where that is free.
    fn may_ask(&mut self, peer: usize) -> bool {
        // Whoever acquires it reads what is stored before anything else.
        let has_read = self.peers[peer].record == self.shelf.record;
        let lease = *self.lease.get_or_insert(Lease { holder: peer, has_read });
        lease.holder == peer && lease.has_read
    }

    /// Whoever has asked what it wanted to gives the lease up.
    pub(super) fn give_lease_up(&mut self) {
        self.lease.take_if(|lease| lease.has_read && self.peers[lease.holder].probing.is_empty());
    }
}

impl Ground for State {
    fn now(&self) -> StoreTime {
        Self::NOW
    }

    fn shelf(&mut self) -> &mut Shelf {
        &mut self.shelf
    }

    fn last_read(&self, peer: usize) -> Option<&Record> {
        self.peers[peer].record.as_ref()
    }

    fn view(&mut self, peer: usize) -> View {
        let member = &self.peers[peer];
        let me = Some(MemberId(peer as u64));
        View {
            policy: RotationPolicy { overlap: Some(Self::OVERLAP), ..RotationPolicy::default() },
            nonce: self.next_nonce(),
            fleeting: BTreeSet::new(),
            configured: member.configured.clone(),
            held: self.held(peer),
            ledger: member.ledger.clone(),
            token: member.token,
            fleet: Some(Fleet { me, census: member.members.census(me), sealed: BTreeSet::new() }),
            targets: Vec::new(),
            files: BTreeMap::new(),
            callers: member.callers.clone(),
            probing: member.probing.clone(),
            writing: BTreeSet::new(),
            stuck: BTreeSet::new(),
            clients: BTreeMap::new(),
        }
    }

    fn callers(&mut self, peer: usize) -> &mut Vec<KeptCaller> {
        &mut self.peers[peer].callers
    }

    fn probes(&mut self, peer: usize, credential: CredentialId) {
        if !self.may_ask(peer) {
            // It is wanted again at the next step.
            return;
        }
        let mut others = self.peers.iter().enumerate().filter(|(index, _)| *index != peer);
        let is_second = others.any(|(_, other)| other.is_alive && !other.probing.is_empty());
        let member = &mut self.peers[peer];
        let record = member.record.as_ref();
        let is_retired = record.is_some_and(|record| record.role(credential) == Role::Retired)
            || member.buried.contains(&credential);
        let is_bridged = record.is_some_and(|record| {
            matches!(record.phase, Phase::Prepared(_)) && record.active == credential
        });
        member.probing.insert(credential);
        self.blame(Fault::I2, is_retired);
        self.blame(Fault::I3, is_second && !self.has_lapsed);
        self.blame(Fault::Runway, is_bridged);
    }

    /// No member has a target to persist to.
    fn persists(&mut self, _: usize, _: TargetId, _: CredentialId) -> Option<PersistOutcome> {
        None
    }

    fn writes(&mut self, peer: usize, before: &Shelf, done: &RotationStep) {
        if let Some(was) = &before.record {
            self.judge(peer, before, done);
            self.before = (self.left.failovers > 0).then(|| (was.clone(), before.token));
        }
        self.peers[peer].record.clone_from(&self.shelf.record);
        self.peers[peer].token = self.shelf.token;
    }

    fn serves(&mut self, peer: usize, before: Option<Token>) {
        self.judge_token(before);
        self.peers[peer].token = self.shelf.token;
    }

    /// It reads at some other time.
    fn loses(&mut self, _: usize) -> bool {
        false
    }
}
