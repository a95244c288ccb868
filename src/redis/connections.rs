//! The connections of a process to one server, or to one cluster.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError, Weak};

use redis::{ScriptInvocation, Value};
use tokio::sync::broadcast::Receiver;

use super::address::Address;
use super::connection::Connection;
use super::fault::CommandFailure;
use super::server::{Server, Topology};
use super::subscription::Subscriptions;
use crate::clock::Clock;
use crate::store::Unavailable;

/// One connection for commands and one for subscriptions, which all stores on a server share. In a
/// cluster there are two to each node that has keys of a store.
#[derive(Clone)]
pub struct Connections {
    shared: Arc<SharedConnections>,
}

/// Connections that are open for as long as somebody else uses them.
pub struct WeakConnections(Weak<SharedConnections>);

impl WeakConnections {
    /// The connections, if they are open.
    pub fn upgrade(&self) -> Option<Connections> {
        self.0.upgrade().map(|shared| Connections { shared })
    }
}

struct SharedConnections {
    server: Server,
    clock: Arc<dyn Clock>,
    first: Arc<ConnectionPair>,
    /// Those that a store uses; whoever uses it no more lets it go.
    nodes: Mutex<BTreeMap<Address, Weak<ConnectionPair>>>,
}

struct ConnectionPair {
    commands: Connection,
    subscriptions: Subscriptions,
}

impl ConnectionPair {
    fn open(server: Server, clock: &Arc<dyn Clock>) -> Arc<Self> {
        let subscriptions = Subscriptions::new(server.clone(), Arc::clone(clock));
        let commands = Connection::open(server, Arc::clone(clock));
        Arc::new(Self { commands, subscriptions })
    }
}

impl Connections {
    /// A command is sent on so many times at most.
    const MOST_REDIRECTS: usize = 5;

    /// Begins to connect to a server, on the current runtime.
    pub fn open(server: &Server, clock: &Arc<dyn Clock>) -> Self {
        let first = ConnectionPair::open(server.clone(), clock);
        let (server, clock) = (server.clone(), Arc::clone(clock));
        let shared = SharedConnections { server, clock, first, nodes: Mutex::default() };
        Self { shared: Arc::new(shared) }
    }

    /// The same, which does not keep them open.
    pub fn downgrade(&self) -> WeakConnections {
        WeakConnections(Arc::downgrade(&self.shared))
    }

    /// Runs a script where its keys are. `place` is the node that had them last.
    pub(super) async fn run(
        &self,
        script: &ScriptInvocation<'_>,
        place: &NodeOfKeys,
    ) -> Result<Value, Unavailable> {
        for _ in 0..=Self::MOST_REDIRECTS {
            match self.pair(place).commands.run(script).await {
                Ok(value) => return Ok(value),
                Err(CommandFailure::Elsewhere(node)) => place.set(self.node(node)),
                Err(CommandFailure::Unavailable(unavailable)) => {
                    // Another node may have the keys by now, and whoever named this one not know.
                    if place.take().is_some() {
                        self.shared.first.commands.leave(&unavailable);
                    }
                    return Err(unavailable);
                }
            }
        }
        let reason = "the nodes of the cluster do not agree on where the keys are".to_owned();
        Err(Unavailable { reason })
    }

    /// Listens on a channel. Every node of a cluster hears what is said on any of them, but the one
    /// that has the keys hears it at once.
    pub(super) async fn listen(
        &self,
        channel: String,
        place: &NodeOfKeys,
    ) -> Result<Receiver<String>, Unavailable> {
        self.pair(place).subscriptions.listen(channel).await
    }

    /// Whether commands may have to be sent to another node than the first.
    pub(super) fn is_to_cluster(&self) -> bool {
        matches!(self.shared.server.topology, Topology::Cluster(_))
    }

    fn pair(&self, place: &NodeOfKeys) -> Arc<ConnectionPair> {
        place.get().unwrap_or_else(|| Arc::clone(&self.shared.first))
    }

    /// The connections to a node, which are opened unless another store uses it.
    fn node(&self, address: Address) -> Arc<ConnectionPair> {
        let SharedConnections { server, clock, nodes, .. } = &*self.shared;
        let mut nodes = nodes.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(pair) = nodes.get(&address).and_then(Weak::upgrade) {
            return pair;
        }
        let pair = ConnectionPair::open(server.node(address.clone()), clock);
        nodes.retain(|_, pair| pair.strong_count() > 0);
        nodes.insert(address, Arc::downgrade(&pair));
        pair
    }
}

/// The connections to the node of a cluster that has the keys of a store, if that is known.
#[derive(Default)]
pub(super) struct NodeOfKeys(Mutex<Option<Arc<ConnectionPair>>>);

impl NodeOfKeys {
    fn get(&self) -> Option<Arc<ConnectionPair>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    fn set(&self, node: Arc<ConnectionPair>) {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner) = Some(node);
    }

    fn take(&self) -> Option<Arc<ConnectionPair>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).take()
    }
}
