//! Nothing that the endpoint has accepted is forgotten while it may be all that is left.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use super::process::{SECOND, Sim};
use super::provider::{Key, Kind};
use crate::clock::Timestamp;
use crate::credential::CredentialId;
use crate::error::Code;
use crate::member::{Notice, What};
use crate::refresh::Refusal;
use crate::rotation::{Record, Role, Transition};

/// What was presented to the endpoint, and since when nobody has a token.
#[derive(Debug, Default)]
pub(super) struct Memory {
    /// Since when no token is handed out.
    without_token: Timestamp,
    /// When the endpoint last gave an answer that says nothing, or took long for one.
    unclear_at: Timestamp,
    presented: BTreeMap<CredentialId, Timestamp>,
    staged: BTreeMap<CredentialId, Timestamp>,
    keys: BTreeMap<CredentialId, Key>,
    /// Those whose latest token was of no use when it came.
    useless: BTreeSet<CredentialId>,
}

/// A call that has waited so long is not refused before everything was tried.
const WAITED: Duration = Duration::from_secs(5);

/// The longest patience after an answer that says nothing, and what the endpoint asks for.
const PATIENCE: Duration = Duration::from_secs(110);

impl Memory {
    pub(super) fn loses_token(&mut self, now: Timestamp) {
        self.without_token = now;
    }

    pub(super) fn presents(&mut self, key: Key, now: Timestamp) {
        self.presented.insert(key.id(), now);
        self.keys.insert(key.id(), key);
    }

    pub(super) fn is_unclear(&mut self, now: Timestamp) {
        self.unclear_at = now;
    }

    pub(super) fn answered(&mut self, key: Key, is_useless: bool) {
        if is_useless {
            self.useless.insert(key.id());
        } else {
            self.useless.remove(&key.id());
        }
    }

    pub(super) fn note(&mut self, notice: &Notice, now: Timestamp) {
        let Notice::Rotation(change) = notice else { return };
        if let (What::Moved(Transition::Staged, _), Some(next)) = (&change.what, &change.next) {
            self.staged.insert(next.id, now);
        }
    }

    /// A candidate of its client that was staged later was accepted.
    fn has_successor(
        &self,
        one: CredentialId,
        accepted: &BTreeMap<CredentialId, (Timestamp, Timestamp)>,
    ) -> bool {
        let Some(key) = self.keys.get(&one) else { return false };
        let staged_at = self.staged.get(&one).copied().unwrap_or_default();
        let is_later = |other: &CredentialId| {
            let at = self.staged.get(other).filter(|at| **at > staged_at);
            let is_of_client =
                self.keys.get(other).is_some_and(|it| it.client_id() == key.client_id());
            is_of_client && at.is_some_and(|at| accepted.get(other).is_some_and(|it| it.0 >= *at))
        };
        self.keys.keys().any(is_later)
    }
}

impl Sim {
    /// A caller of `getToken` gets none: everything that the endpoint has accepted was tried.
    pub(super) fn check_forgotten(&mut self, waited: Duration, refusal: Option<&Refusal>) {
        let Some(Refusal::Unavailable { cause, .. }) = refusal else { return };
        let is_hopeless = cause
            .as_ref()
            .is_some_and(|cause| matches!(cause.code, Code::Degraded | Code::CredentialRejected));
        let memory = &self.checks.memory;
        let is_unclear = memory.unclear_at > memory.without_token
            && self.now.since(memory.unclear_at) < PATIENCE;
        let is_waiting = self.sent.values().any(|sent| sent.at + 2 * SECOND < self.now);
        let is_stuck = self.regime.store_faults > 0 || self.is_stranded();
        if waited < WAITED && !is_hopeless || is_unclear || is_waiting || is_stuck {
            return;
        }
        self.counts.refusals += 1;
        let known = self.checks.accepted.keys().filter(|id| self.is_to_be_tried(**id));
        let forgotten = known.filter(|id| {
            let is_being = self.sent.values().any(|sent| Key::of(&sent.credential).id() == **id);
            !is_being && memory.presented.get(id).is_none_or(|at| *at < memory.without_token)
        });
        let forgotten: Vec<_> = forgotten.collect();
        assert!(
            forgotten.is_empty(),
            "{forgotten:?} was accepted, and not tried since there is no token: {cause:?}"
        );
    }

    fn is_to_be_tried(&self, id: CredentialId) -> bool {
        let is_useless = self.checks.memory.useless.contains(&id);
        if is_useless || self.checks.denied.contains_key(&id) || self.checks.retired.contains(&id) {
            return false;
        }
        let record = self.member.record();
        let role = record.map_or(Role::Unknown, |record| record.role(id));
        let is_dropped = role == Role::Unknown
            && (self.checks.memory.has_successor(id, &self.checks.accepted)
                || record.is_some_and(|record| record.standby.len() >= Record::MOST_STRAYS));
        // One that was given up for its scope is not what anybody waits for.
        let key = self.checks.memory.keys.get(&id);
        let is_narrow = key.is_some_and(|key| self.provider.kind(*key) == Kind::Narrow);
        role != Role::Retired && !is_dropped && !(is_narrow && role == Role::Quarantined)
    }
}
