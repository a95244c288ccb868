//! What has a task on the driver's thread.

use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;

use super::clients::Clients;
use super::key_set::KeySet;
use super::key_task;
use super::manager::Manager;
use super::registry::Registry;
use super::task;

/// A manager, or the keys of a signer.
pub(super) enum Served {
    Manager(Arc<Manager>),
    Keys(Arc<KeySet>),
}

impl Served {
    /// Its task, which runs until the supervisor drops it.
    pub(super) fn run(
        self,
        id: u64,
        registry: Arc<Registry>,
        clients: Arc<Clients>,
    ) -> Pin<Box<dyn Future<Output = ()> + Send>> {
        match self {
            Self::Manager(manager) => Box::pin(task::run(id, manager, registry, clients)),
            Self::Keys(keys) => Box::pin(key_task::run(id, keys, registry)),
        }
    }
}
