//! One member: its parts, and what each step of the credential lifecycle is shown of them.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::time::Duration;

use super::calls::Calls;
use super::credentials::Credentials;
use super::deletions::Deletions;
use super::laggards::Laggards;
use super::lease::LeaseHold;
use super::membership::Membership;
use super::operations::Operations;
use super::rotations::Rotations;
use super::shared::Shared;
use super::standing::Standings;
use super::store_clock::StoreClock;
use super::targets::Targets;
use super::tokens::Tokens;
use super::work::Work;
use crate::clock::{StoreTime, Timestamp};
use crate::credential::{Credential, CredentialId};
use crate::error::Failure;
use crate::policy::Policy;
use crate::refresh::Refresh;
use crate::rotation::{self, Ledger, MemberId, Record, Role, View};
use crate::token::HeldToken;

/// One member: its token, its credentials, and what it knows of the record.
///
/// **Calls.** [`Member::step`] with everything that happens, in the order in which it happened,
/// then the effects in their order. Store operations are the last effects of a step; until the
/// one that stores or reads the record is reported as
/// [`MemberEvent::Stored`](super::MemberEvent::Stored), what concerns the record waits. [`Member::wake_at`] says when [`MemberEvent::Ticked`](super::MemberEvent::Ticked)
/// is due; a tick that comes early or twice changes nothing.
///
/// **Guarantees.** Those of [`Refresh`] and of [`rotation::step`]. A step is taken once the store
/// has the write, never before; one whose outcome is unknown is taken again on what is stored by
/// then. At most one request with each credential is under way.
#[derive(Debug)]
pub struct Member {
    pub(super) policy: Policy,
    pub(super) credentials: Credentials,
    pub(super) calls: Calls,
    pub(super) work: Work,
    pub(super) clock: StoreClock,
    pub(super) shared: Shared,
    pub(super) tokens: Tokens,
    pub(super) operations: Operations,
    pub(super) deletions: Deletions,
    /// None where one process shares nothing.
    pub(super) membership: Option<Membership>,
    pub(super) lease: LeaseHold,
    pub(super) standings: Standings,
    pub(super) rotations: Rotations,
    pub(super) laggards: Laggards,
    pub(super) targets: Targets,
    pub(super) closed: bool,
}

impl Member {
    /// How long until a store that cannot be reached is asked again.
    pub(super) const STORE_PATIENCE: Duration = Duration::from_secs(1);

    /// A member that knows no credential and no record yet.
    pub fn new(policy: Policy) -> Self {
        Self {
            policy,
            credentials: Credentials::new(),
            calls: Calls::default(),
            work: Work::default(),
            clock: StoreClock::default(),
            shared: Shared::default(),
            tokens: Tokens::default(),
            operations: Operations::default(),
            deletions: Deletions::default(),
            membership: None,
            lease: LeaseHold::new(),
            standings: Standings::default(),
            rotations: Rotations::default(),
            laggards: Laggards::default(),
            targets: Targets::default(),
            closed: false,
        }
    }

    /// The same as a member of a fleet.
    pub fn in_fleet(policy: Policy, me: MemberId) -> Self {
        let mut member = Self::new(policy);
        member.membership = Some(Membership::new(me));
        // Nothing is shared without ids.
        member.work.want_ids();
        member
    }

    /// The token that may be handed out at `now`.
    pub fn token(&self, now: Timestamp) -> Option<&Arc<HeldToken>> {
        self.refresh().token(now)
    }

    /// The token lifecycle, to look at.
    pub fn refresh(&self) -> &Refresh {
        &self.tokens.refresh
    }

    /// The record as this member knows it.
    pub fn record(&self) -> Option<&Record> {
        self.shared.record()
    }

    /// Whether tokens of a credential may be handed out: not if it has leaked.
    pub(super) fn may_use_token_of(&self, credential: CredentialId) -> bool {
        self.record().is_none_or(|record| record.may_use_token_of(credential))
    }

    /// What the endpoint's answers say of each credential.
    pub fn ledger(&self) -> &Ledger {
        &self.standings.ledger
    }

    /// Why a required source yields nothing, if one does.
    pub fn unreadable_source(&self) -> Option<&Failure> {
        self.credentials.unreadable()
    }

    /// A time of what is shared, as this member's clock tells it.
    pub fn own_time(&self, at: StoreTime) -> Timestamp {
        self.clock.own(at)
    }

    /// When [`MemberEvent::Ticked`](super::MemberEvent::Ticked) is due.
    pub fn wake_at(&self, now: Timestamp) -> Option<Timestamp> {
        if self.closed {
            return None;
        }
        let all = [
            self.refresh().wake_at(),
            self.rotation_wake_at(now),
            self.outage_wake_at(),
            self.shared.retry_at(),
            self.deletions.due_at().filter(|_| !self.shared.is_out()),
            self.operations.deadline(),
            self.beat_at(),
            self.lease_wake_at(),
            self.unknown_wake_at(now),
            self.targets.deadline(),
            self.calls.deadline(),
        ];
        all.into_iter().flatten().min()
    }

    /// When the credential lifecycle goes on by itself; not while it waits for something else.
    pub(super) fn rotation_wake_at(&self, now: Timestamp) -> Option<Timestamp> {
        if !self.work.is_done() || self.credentials.keyring.is_empty() || !self.has_read() {
            return None;
        }
        let (record, view, stepped_at) = (self.record(), self.view(), self.work.stepped_at());
        let store_now = self.clock.now(now);
        // What became due since the latest step is due, whatever came first.
        let missed = (stepped_at < store_now).then(|| rotation::wake_at(record, &view, stepped_at));
        let next =
            rotation::wake_at(record, &view, store_now).into_iter().chain(missed.flatten()).min();
        next.map(|at| self.clock.due(at, now))
    }

    /// Whether ids are derived as soon as there is something to derive them of. Once they are, it
    /// stays so.
    ///
    /// To derive one takes 20 ms of CPU time. A process that gets its tokens, and nothing else,
    /// needs none: until then there is no record, and what would make the first one waits.
    pub fn needs_ids(&self) -> bool {
        self.record().is_some() || self.work.needs_ids()
    }

    /// What the credential lifecycle is shown at this moment.
    pub(super) fn view(&self) -> View {
        let Self { credentials, shared, targets, .. } = self;
        let (writing, stuck) = targets.under_way();
        let (entries, is_in_fleet) = (credentials.entries(), self.membership.is_some());
        View {
            policy: self.rotation_policy(),
            nonce: 0,
            configured: credentials.configured_ids(),
            fleeting: credentials.fleeting(),
            held: self.held_ids(),
            clients: credentials.keyring.clients().collect(),
            ledger: self.standings.ledger.clone(),
            token: shared.token(),
            fleet: shared.fleet().cloned(),
            targets: targets.specs(shared.record(), entries, is_in_fleet),
            files: if is_in_fleet {
                targets.files(shared.record(), entries)
            } else {
                BTreeMap::new()
            },
            callers: self.calls.kept().to_vec(),
            probing: self.probing(),
            writing,
            stuck,
        }
    }

    /// The options that concern rotations.
    pub(super) fn rotation_policy(&self) -> rotation::RotationPolicy {
        let Policy { overlap, propagation, .. } = self.policy;
        rotation::RotationPolicy { overlap, propagation }
    }

    /// The credentials that the credential lifecycle does not ask about.
    fn probing(&self) -> BTreeSet<CredentialId> {
        let has_id = |one: &&Arc<Credential>| one.has_id();
        let mut probing: BTreeSet<CredentialId> =
            self.requested().filter(has_id).map(|it| it.id()).collect();
        if self.record().is_none() && !self.refresh().has_token() {
            // The first token is the token lifecycle's matter, at its own pace.
            let known = self.presentable();
            let open = known.iter().filter(|one| !self.standings.is_rejected(one));
            probing.extend(open.filter(has_id).map(|one| one.id()));
        }
        probing
    }

    /// The credentials whose answer is not taken up yet, or whose request waits for the lease.
    fn requested(&self) -> impl Iterator<Item = &Arc<Credential>> {
        self.work.under_way().chain(self.lease.awaiting())
    }

    /// Forgets what nothing refers to any more.
    pub(super) fn prune(&mut self) {
        let Self { credentials, calls, work, lease, shared, tokens, standings, .. } = self;
        let configured = credentials.configured_of_late();
        let named: BTreeSet<CredentialId> = calls.awaited().chain(calls.asked_for()).collect();
        let record = shared.record();
        let role = |id| record.map_or(Role::Unknown, |record| record.role(id));
        let asked = work.under_way().chain(lease.awaiting());
        let asked = asked.filter(|it| it.has_id()).map(|it| it.id());
        let asked: BTreeSet<CredentialId> =
            asked.chain(work.taken_in().map(|(id, _)| id)).chain(shared.offered()).collect();
        let accepted = |id| record.is_none() && standings.ledger.proof(id).is_some();
        let is_held = |id| {
            configured.contains(&id)
                || named.contains(&id)
                // An acceptance that comes after it was withdrawn counts all the same.
                || asked.contains(&id)
                || accepted(id)
                || !matches!(role(id), Role::Unknown | Role::Retired)
        };
        let in_history =
            |id| record.is_some_and(|it| it.history.iter().any(|past| past.candidate == id));
        let keyring = &mut credentials.keyring;
        keyring.retain(is_held, |id| role(id) != Role::Unknown || in_history(id));
        let is_held = |id| keyring.get(id).is_some();
        standings.retain(is_held, |id| keyring.knows(id));
        tokens.retain(is_held);
    }
}
