//! The credentials of a member as people may read of them: which there are, in which role, and what
//! the endpoint said last.

use std::sync::Arc;

use super::keyring::Name;
use super::parts::Member;
use super::standing::{CredentialStanding, CredentialState};
use crate::clock::Timestamp;
use crate::credential::Credential;
use crate::rotation::{self, Persisted, Record, Role};

impl Member {
    /// The credentials whose secrets are here, also those that are not presented any more.
    pub fn known(&self) -> impl Iterator<Item = &Arc<Credential>> {
        self.credentials.known()
    }

    /// The credentials that may still be presented.
    pub fn held(&self) -> impl Iterator<Item = &Arc<Credential>> {
        let record = self.record();
        let is_retired = move |one: &&Arc<Credential>| {
            record.is_some_and(|it| one.has_id() && it.role(one.id()) == Role::Retired)
        };
        self.known().filter(move |one| !is_retired(one))
    }

    /// Every known credential: the active one and what stands in for it, then the others, retired
    /// ones last.
    pub fn credentials(&self) -> Vec<CredentialState> {
        let record = self.record();
        let order = record.into_iter().flat_map(Record::in_use);
        let keyring = &self.credentials.keyring;
        let configured = self.credentials.configured();
        let known = order.filter_map(|id| keyring.get(id)).cloned();
        let mut list: Vec<Arc<Credential>> = known.collect();
        for credential in configured.iter().chain(keyring.all()) {
            if !list.iter().any(|known| known.is_same_as(credential)) {
                list.push(Arc::clone(credential));
            }
        }
        let foreseen = self.foreseen();
        let describe = |credential: Arc<Credential>| {
            let id = credential.has_id().then(|| credential.id());
            let role = record.zip(id).map(|(record, id)| record.role(id)).or_else(|| {
                let is_active = foreseen?.is_same_as(&credential);
                Some(if is_active { Role::Active } else { Role::Standby })
            });
            let standing =
                id.map_or(CredentialStanding::Unknown, |id| self.standings.of(id, &self.clock));
            let standing = self.latest_answer(&credential).unwrap_or(standing);
            let is_configured = configured.iter().any(|one| one.is_same_as(&credential));
            let is_in_use = is_configured || role == Some(Role::Active);
            CredentialState { credential: Ok(credential), role, standing, is_in_use }
        };
        let forgotten = record.into_iter().flat_map(|record| record.retired.iter().rev());
        let forgotten = forgotten.map(|retired| retired.credential);
        let forgotten = forgotten.filter(|id| keyring.get(*id).is_none());
        let named = forgotten.map(|id| CredentialState {
            credential: Err(keyring.name(id)),
            role: Some(Role::Retired),
            standing: CredentialStanding::Unknown,
            is_in_use: false,
        });
        list.into_iter().map(describe).chain(named).collect()
    }

    /// What webhooks are signed and verified with, the active one first, then the previous one, then
    /// the candidate. Before there is a record: what the first one would make active, else the
    /// first configured credential.
    pub fn signing(&self) -> Vec<(Role, Arc<Credential>)> {
        let Some(record) = self.record() else {
            let first = self.foreseen().or_else(|| self.credentials.configured().first());
            return first.map(|one| (Role::Active, Arc::clone(one))).into_iter().collect();
        };
        let previous = record.open_overlap().map(|overlap| overlap.previous);
        let next = record.staged().map(|staged| staged.next);
        let ids =
            [(Role::Active, Some(record.active)), (Role::Previous, previous), (Role::Next, next)];
        let held = |id| self.credentials.keyring.get(id).map(Arc::clone);
        ids.into_iter().filter_map(|(role, id)| Some((role, held(id?)?))).collect()
    }

    /// What an answer says that waits for the credential's id: callers have the token of it
    /// already.
    fn latest_answer(&self, credential: &Credential) -> Option<CredentialStanding> {
        if credential.has_id() && self.credentials.keyring.get(credential.id()).is_some() {
            return None;
        }
        let held = self.refresh().held().and_then(|held| held.made_with.here());
        let is_accepted =
            held.into_iter().chain(self.foreseen()).any(|it| it.is_same_as(credential));
        is_accepted.then_some(CredentialStanding::Accepted)
    }

    /// Since when no known credential is accepted, if none is.
    pub fn degraded_since(&self) -> Option<Timestamp> {
        match self.record()?.phase {
            rotation::Phase::Degraded { since } => Some(self.clock.own(since)),
            _ => None,
        }
    }

    /// The active credential and since when it is so, where nothing keeps it beyond this process,
    /// and no source has brought its successor.
    pub fn unkept(&self) -> Option<(Name, Timestamp)> {
        let record = self.record().filter(|_| !self.keeps_active())?;
        let is_written_next = record.persisted(&self.view(), record.active) == Persisted::Pending;
        let is_well = is_written_next || record.is_succeeded(&self.view());
        (!is_well)
            .then(|| (self.credentials.keyring.name(record.active), self.shared.active_since()))
    }
}
