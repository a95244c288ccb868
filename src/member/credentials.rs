//! The credentials of a member: what the sources yield, and which secrets are here.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use super::keyring::Keyring;
use crate::credential::{Credential, CredentialId};
use crate::error::Failure;
use crate::source::{Configured, EntryPlace, Yielded};

/// What the sources yield, as it was read and as it is taken up, and the secrets by their ids.
#[derive(Debug)]
pub(super) struct Credentials {
    /// The credentials whose ids are known.
    pub(super) keyring: Keyring,
    /// What the sources yield; the first token is fetched before the ids are known.
    configured: Vec<Arc<Credential>>,
    /// The configured credentials whose ids are known.
    taken_up: Vec<Arc<Credential>>,
    /// What each entry of the configuration yields.
    entries: Vec<Yielded>,
    unreadable: Option<Failure>,
    awaits_sources: bool,
    /// What was written to the environment variables of an entry.
    replaced: BTreeMap<EntryPlace, CredentialId>,
}

impl Credentials {
    /// Nothing was read yet.
    pub(super) fn new() -> Self {
        Self {
            keyring: Keyring::default(),
            configured: Vec::new(),
            taken_up: Vec::new(),
            entries: Vec::new(),
            unreadable: None,
            awaits_sources: true,
            replaced: BTreeMap::new(),
        }
    }

    /// The sources were read; what they yield is taken up once its ids are known.
    pub(super) fn read(&mut self, configured: &Configured, is_followed: bool) {
        self.configured.clone_from(&configured.credentials);
        self.unreadable.clone_from(&configured.unreadable);
        self.awaits_sources = configured.pending || is_followed;
    }

    /// The ids of what the sources yield are known.
    pub(super) fn take_up(&mut self, credentials: Vec<Arc<Credential>>, entries: Vec<Yielded>) {
        for credential in &credentials {
            self.keyring.add(credential);
        }
        self.taken_up = credentials;
        self.entries = entries;
        let is_there = |place| self.entries.iter().any(|entry| entry.place == place);
        self.replaced.retain(|place, _| is_there(*place));
    }

    /// What the sources yield.
    pub(super) fn configured(&self) -> &[Arc<Credential>] {
        &self.configured
    }

    /// The ids of what the sources yield, in the order of the configuration.
    pub(super) fn configured_ids(&self) -> Vec<CredentialId> {
        self.taken_up.iter().map(|it| it.id()).collect()
    }

    /// The ids that are known of what the sources yield, and of what was taken up last.
    pub(super) fn configured_of_late(&self) -> BTreeSet<CredentialId> {
        let both = self.configured.iter().chain(&self.taken_up);
        both.filter(|it| it.has_id()).map(|it| it.id()).collect()
    }

    /// What each entry of the configuration yields.
    pub(super) fn entries(&self) -> &[Yielded] {
        &self.entries
    }

    /// Why a required source yields nothing, if one does.
    pub(super) fn unreadable(&self) -> Option<&Failure> {
        self.unreadable.as_ref()
    }

    /// Whether a source was asked and has not answered.
    pub(super) fn awaits_sources(&self) -> bool {
        self.awaits_sources
    }

    /// The sources are being read again.
    pub(super) fn await_sources(&mut self) {
        self.awaits_sources = true;
    }

    /// The credentials whose secrets are here, also those that are not presented any more.
    pub(super) fn known(&self) -> impl Iterator<Item = &Arc<Credential>> {
        // Of two that are the same the one in the keyring is the one that everything is known of.
        let is_new = |one: &&Arc<Credential>| !one.has_id() || self.keyring.get(one.id()).is_none();
        self.keyring.all().chain(self.configured.iter().filter(is_new))
    }

    /// The entries that read environment variables, and yield this credential.
    pub(super) fn readers_of_variables(&self, yielded: CredentialId) -> Vec<EntryPlace> {
        let yields_it = |entry: &&Yielded| entry.credentials.iter().any(|one| one.id() == yielded);
        let readers = self.entries.iter().filter(|entry| entry.has_variables);
        readers.filter(yields_it).map(|entry| entry.place).collect()
    }

    /// The variables of an entry hold this credential from now on.
    pub(super) fn replace_variables(&mut self, place: EntryPlace, credential: CredentialId) {
        self.replaced.insert(place, credential);
    }

    /// The place of an entry was written: its variables are not all that holds the credential.
    pub(super) fn written_back(&mut self, place: EntryPlace) {
        self.replaced.remove(&place);
    }

    /// What would not be read again by another process: nothing yields it but variables that were
    /// written here, or sources that hold nothing any more.
    pub(super) fn fleeting(&self) -> BTreeSet<CredentialId> {
        let ids = |entry: &Yielded| {
            let known = entry.credentials.iter().filter(|it| it.has_id());
            known.map(|it| it.id()).collect::<Vec<_>>()
        };
        let is_kept = |id: &CredentialId| {
            let entries = self.entries.iter().filter(|entry| !entry.is_emptied);
            let mut yielding = entries.filter(|entry| ids(entry).contains(id));
            yielding.any(|entry| self.replaced.get(&entry.place) != Some(id))
        };
        let emptied = self.entries.iter().filter(|entry| entry.is_emptied);
        self.replaced
            .values()
            .copied()
            .chain(emptied.flat_map(ids))
            .filter(|id| !is_kept(id))
            .collect()
    }
}
