//! The connections of a process to one server, or to one cluster.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};

use redis::{ScriptInvocation, Value};
use tokio::sync::broadcast::Receiver;

use super::address::Address;
use super::connection::Connection;
use super::fault::CommandFailure;
use super::server::Server;
use super::subscription::Subscriptions;
use crate::clock::Clock;
use crate::store::Unavailable;

/// One connection for commands and one for subscriptions, which all stores on a server share. In a
/// cluster there is one for commands to each node that has keys of a store.
#[derive(Clone)]
pub struct Connections {
    shared: Arc<SharedConnections>,
}

struct SharedConnections {
    server: Server,
    clock: Arc<dyn Clock>,
    commands: Arc<Connection>,
    nodes: Mutex<BTreeMap<Address, Arc<Connection>>>,
    subscriptions: Subscriptions,
}

impl Connections {
    /// A command is sent on so many times at most.
    const MOST_REDIRECTS: usize = 5;

    /// Begins to connect to a server, on the current runtime.
    pub fn open(server: &Server, clock: &Arc<dyn Clock>) -> Self {
        let commands = Arc::new(Connection::open(server.clone(), Arc::clone(clock)));
        let subscriptions = Subscriptions::new(server.clone(), Arc::clone(clock));
        let (server, clock) = (server.clone(), Arc::clone(clock));
        let nodes = Mutex::default();
        let shared = SharedConnections { server, clock, commands, nodes, subscriptions };
        Self { shared: Arc::new(shared) }
    }

    /// Runs a script where its keys are. `place` is the node that had them last.
    pub(super) async fn run(
        &self,
        script: &ScriptInvocation<'_>,
        place: &NodeOfKeys,
    ) -> Result<Value, Unavailable> {
        for _ in 0..=Self::MOST_REDIRECTS {
            let connection = self.connection(place.get());
            match connection.run(script).await {
                Ok(value) => return Ok(value),
                Err(CommandFailure::Elsewhere(node)) => place.set(Some(node)),
                Err(CommandFailure::Unavailable(unavailable)) => {
                    // Another node may have the keys by now: whichever replies knows.
                    place.set(None);
                    return Err(unavailable);
                }
            }
        }
        let reason = "the nodes of the cluster do not agree on where the keys are".to_owned();
        Err(Unavailable { reason })
    }

    /// Listens on a channel.
    pub(super) async fn listen(&self, channel: String) -> Result<Receiver<String>, Unavailable> {
        self.shared.subscriptions.listen(channel).await
    }

    fn connection(&self, node: Option<Address>) -> Arc<Connection> {
        let SharedConnections { server, clock, commands, nodes, .. } = &*self.shared;
        let Some(node) = node else { return Arc::clone(commands) };
        let mut nodes = nodes.lock().unwrap_or_else(PoisonError::into_inner);
        let open = || Arc::new(Connection::open(server.node(node.clone()), Arc::clone(clock)));
        Arc::clone(nodes.entry(node.clone()).or_insert_with(open))
    }
}

/// The node of a cluster that has the keys of a store, if that is known.
#[derive(Default)]
pub(super) struct NodeOfKeys(Mutex<Option<Address>>);

impl NodeOfKeys {
    fn get(&self) -> Option<Address> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    fn set(&self, node: Option<Address>) {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner) = node;
    }
}
