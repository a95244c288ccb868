//! The signers among the handles of a process.

use std::sync::Arc;
use std::time::Duration;

use super::{Entries, Registry};
use crate::api::{ErrorMessage, HandleId, KeysForm, SignerSettings};
use crate::driver::key_set::KeySet;
use crate::driver::listener::Listener;
use crate::driver::manager::Manager;
use crate::driver::signer::Signer;
use crate::error::Code;
use crate::refresh::WaiterId;
use crate::source::Reading;

/// Where the keys of a signer come from.
pub(super) enum SignerHome {
    Keys(Arc<KeySet>),
    Lent(Arc<Manager>),
}

impl Registry {
    /// Opens a signer.
    ///
    /// `start` starts the thread, which reads the sources of configured keys.
    pub(in crate::driver) fn open_signer(
        &self,
        settings: SignerSettings,
        listener: Arc<dyn Listener>,
        start: impl FnOnce() -> Result<(), ErrorMessage>,
    ) -> Result<(HandleId, Arc<Signer>), ErrorMessage> {
        let mut entries = self.lock();
        let clock = self.clock_of(settings.clock, &entries)?;
        let handle = entries.next_id();
        let SignerSettings { scheme, sign_with, tolerance, clock: clock_id, keys } = settings;
        let signer = Arc::new(Signer::new((handle, listener), scheme, sign_with, tolerance));
        let home = match keys {
            KeysForm::Configured { specs, entries: sources, initial, source_poll_ms } => {
                let poll = Duration::from_millis(source_poll_ms.max(1));
                let keys = KeySet::new(Arc::clone(&signer), (clock_id, clock), specs, poll);
                keys.begin(sources, initial)?;
                entries.run(start)?;
                entries.unserved.insert(handle);
                SignerHome::Keys(Arc::new(keys))
            }
            KeysForm::Lent { handle: of, grace_ms } => {
                let manager = entries.handles.get(&of).and_then(|id| entries.managers.get(id));
                let manager = manager.map(Arc::clone).ok_or_else(|| {
                    ErrorMessage::new(Code::Closed, "The TokenManager of the signer is closed.")
                })?;
                manager.lend(Arc::clone(&signer), grace_ms)?;
                SignerHome::Lent(manager)
            }
        };
        entries.signers.insert(handle, home);
        drop(entries);
        self.changed.notify_one();
        Ok((handle, signer))
    }

    /// Has a caller wait for a key; its answer comes as a message. None where a manager lends them.
    pub(in crate::driver) fn wait_for_key(&self, signer: HandleId) -> Option<WaiterId> {
        Some(self.key_set(signer)?.wait())
    }

    /// The key set of a signer.
    pub(in crate::driver) fn key_set(&self, signer: HandleId) -> Option<Arc<KeySet>> {
        self.lock().key_set(signer).map(Arc::clone)
    }

    /// The JavaScript sources of a signer were read.
    pub(in crate::driver) fn keys_read(&self, signer: HandleId, readings: Vec<Option<Reading>>) {
        if let Some(keys) = self.key_set(signer) {
            keys.javascript_read(readings);
        }
    }

    pub(super) fn key_sets(&self) -> Vec<Arc<KeySet>> {
        self.lock().key_sets().map(|(_, keys)| Arc::clone(keys)).collect()
    }
}

impl Entries {
    pub(super) fn key_set(&self, signer: HandleId) -> Option<&Arc<KeySet>> {
        match self.signers.get(&signer)? {
            SignerHome::Keys(keys) => Some(keys),
            SignerHome::Lent(_) => None,
        }
    }

    pub(super) fn key_sets(&self) -> impl Iterator<Item = (HandleId, &Arc<KeySet>)> {
        self.signers.iter().filter_map(|(id, home)| match home {
            SignerHome::Keys(keys) => Some((*id, keys)),
            SignerHome::Lent(_) => None,
        })
    }

    /// Ends what was done for a signer that is closed.
    pub(super) fn close_signer(&mut self, signer: HandleId, home: SignerHome) {
        match home {
            SignerHome::Lent(manager) => manager.take_back(signer),
            SignerHome::Keys(keys) => {
                keys.close();
                if !self.unserved.remove(&signer) {
                    self.gone.push(signer);
                }
            }
        }
    }
}
