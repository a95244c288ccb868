//! What was presented to the endpoint, and since when there is no token.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use super::provider::Key;
use crate::clock::Timestamp;
use crate::credential::CredentialId;
use crate::rotation::Record;

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

    /// The record was read or written. Whoever has no reply to a write hears no event of it.
    pub(super) fn reads(&mut self, before: Option<&Record>, after: &Record, now: Timestamp) {
        let next = |record: &Record| record.staged().map(|staged| staged.next);
        if let Some(staged) = next(after).filter(|it| before.and_then(next) != Some(*it)) {
            self.staged.insert(staged, now);
        }
    }

    /// The endpoint gave no clear answer since there is no token, and it is not long ago.
    pub(super) fn is_still_unclear(&self, now: Timestamp) -> bool {
        self.unclear_at > self.without_token && now.since(self.unclear_at) < PATIENCE
    }

    /// It was presented since there is no token.
    pub(super) fn is_tried(&self, id: CredentialId) -> bool {
        self.presented.get(&id).is_some_and(|at| *at >= self.without_token)
    }

    /// Its latest token was of no use when it came.
    pub(super) fn is_useless(&self, id: CredentialId) -> bool {
        self.useless.contains(&id)
    }

    pub(super) fn key(&self, id: CredentialId) -> Option<Key> {
        self.keys.get(&id).copied()
    }

    /// A candidate of its client that was staged later was accepted.
    pub(super) fn has_successor(
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
