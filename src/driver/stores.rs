//! The stores of one runtime, and the connections that they share.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};

use redis::RedisConnectionInfo;

use crate::api::{RedisAddress, RedisLogin, RedisSettings, RedisTopology, StoreSettings};
use crate::clock::Clock;
use crate::redis::{Address, Connections, Keys, RedisStore, Server, Topology, WeakConnections};

/// Managers whose stores are on the same server share its connections; a thousand of them need two.
#[derive(Default)]
pub(super) struct Stores(Mutex<HashMap<RedisSettings, WeakConnections>>);

impl Stores {
    /// The store of the managers of that name. Its connections last as long as somebody keeps one
    /// on the same server.
    pub(super) fn open(
        &self,
        settings: &StoreSettings,
        name: &str,
        clock: &Arc<dyn Clock>,
    ) -> RedisStore {
        let StoreSettings { redis, prefix } = settings;
        RedisStore::new(self.connections(redis, clock), Keys::new(prefix, name))
    }

    fn connections(&self, settings: &RedisSettings, clock: &Arc<dyn Clock>) -> Connections {
        let mut known = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(connections) = known.get(settings).and_then(WeakConnections::upgrade) {
            return connections;
        }
        known.retain(|_, connections| connections.upgrade().is_some());
        let connections = Connections::open(&server(settings), clock);
        known.insert(settings.clone(), connections.downgrade());
        connections
    }
}

fn server(settings: &RedisSettings) -> Server {
    let all = |addresses: &[RedisAddress]| addresses.iter().map(address).collect();
    let topology = match &settings.topology {
        RedisTopology::Standalone(at) => Topology::Standalone(address(at)),
        RedisTopology::Sentinel { sentinels, login: user, name } => {
            Topology::Sentinel { sentinels: all(sentinels), login: login(user), name: name.clone() }
        }
        RedisTopology::Cluster(nodes) => Topology::Cluster(all(nodes)),
    };
    Server { topology, login: login(&settings.login).set_db(settings.database) }
}

fn address(settings: &RedisAddress) -> Address {
    match settings {
        RedisAddress::Tcp { host, port } => Address::Tcp { host: host.clone(), port: *port },
        RedisAddress::Unix(path) => Address::Unix(path.clone()),
    }
}

fn login(settings: &RedisLogin) -> RedisConnectionInfo {
    let mut login = RedisConnectionInfo::default();
    if let Some(username) = &settings.username {
        login = login.set_username(username);
    }
    if let Some(password) = &settings.password {
        login = login.set_password(password.expose());
    }
    login
}
