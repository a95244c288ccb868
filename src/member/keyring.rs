//! The credentials that a member holds, by their ids.

use std::collections::BTreeMap;
use std::sync::Arc;

use crate::credential::{Credential, CredentialId};

/// What people may read of a credential.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Name {
    /// Its id.
    pub id: CredentialId,
    /// The human's name for it.
    pub label: Option<String>,
    /// The OAuth client id.
    pub client_id: String,
}

impl Name {
    /// Of a credential; takes about 20 ms of CPU time when its id was never asked for.
    pub fn of(credential: &Credential) -> Self {
        let (label, client_id) = (credential.label.clone(), credential.client_id.clone());
        Self { id: credential.id(), label, client_id }
    }
}

#[derive(Debug, Default)]
pub(super) struct Keyring {
    keys: BTreeMap<CredentialId, Arc<Credential>>,
    /// Names outlive the secrets: a retired credential is still told of.
    names: BTreeMap<CredentialId, Name>,
    /// Those whose ids are being derived.
    asked: Vec<Arc<Credential>>,
}

impl Keyring {
    /// Those of the credentials whose ids are not known and were not asked for.
    pub(super) fn ask_for(&mut self, unknown: &[Arc<Credential>]) -> Vec<Arc<Credential>> {
        self.asked.retain(|one| !one.has_id());
        let is_asked = |one: &Arc<Credential>| self.asked.iter().any(|it| Arc::ptr_eq(it, one));
        let new: Vec<_> = unknown.iter().filter(|one| !is_asked(one)).cloned().collect();
        self.asked.extend(new.iter().map(Arc::clone));
        new
    }

    /// Whoever derived them is gone.
    pub(super) fn ask_again(&mut self) {
        self.asked.clear();
    }

    /// What is said of it anew counts; what is not said stays as it was.
    pub(super) fn add(&mut self, credential: &Arc<Credential>) {
        let id = credential.id();
        let known = self.keys.get(&id);
        let name = self.names.get(&id).and_then(|name| name.label.as_ref());
        let label = credential.label.as_ref().or(name);
        let expires_at = credential.expires_at.or(known.and_then(|known| known.expires_at));
        let is_described =
            |one: &&Arc<Credential>| one.label.as_ref() == label && one.expires_at == expires_at;
        let described = known.into_iter().chain([credential]).find(is_described);
        let described =
            described.map_or_else(|| Arc::new(credential.described(label, expires_at)), Arc::clone);
        self.names.insert(id, Name::of(&described));
        self.keys.insert(id, described);
    }

    pub(super) fn get(&self, id: CredentialId) -> Option<&Arc<Credential>> {
        self.keys.get(&id)
    }

    pub(super) fn is_empty(&self) -> bool {
        self.keys.is_empty()
    }

    pub(super) fn ids(&self) -> impl Iterator<Item = CredentialId> {
        self.keys.keys().copied()
    }

    /// All that are held.
    pub(super) fn all(&self) -> impl Iterator<Item = &Arc<Credential>> {
        self.keys.values()
    }

    /// The OAuth client of each.
    pub(super) fn clients(&self) -> impl Iterator<Item = (CredentialId, Arc<str>)> {
        self.keys.iter().map(|(id, credential)| (*id, credential.client_id.as_str().into()))
    }

    /// The name; of a credential that was never here only the id is known.
    pub(super) fn name(&self, id: CredentialId) -> Name {
        let unknown = || Name { id, label: None, client_id: String::new() };
        self.names.get(&id).cloned().unwrap_or_else(unknown)
    }

    /// Whether anything refers to it, be its secret held or not.
    pub(super) fn knows(&self, id: CredentialId) -> bool {
        self.names.contains_key(&id)
    }

    /// Forgets the secrets of all but these, and the names that nothing refers to.
    pub(super) fn retain(
        &mut self,
        is_held: impl Fn(CredentialId) -> bool,
        is_named: impl Fn(CredentialId) -> bool,
    ) {
        self.keys.retain(|id, _| is_held(*id));
        self.names.retain(|id, _| is_named(*id) || self.keys.contains_key(id));
    }
}
