//! Where the members of a fleet meet.

use std::path::PathBuf;

use serde::Deserialize;

use crate::secret::Secret;

/// What the managers of one name share beyond this process, and where.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct StoreSettings {
    /// The server.
    pub redis: RedisSettings,
    /// What the names of the keys begin with.
    pub prefix: String,
}

/// A Redis server, or Valkey, and as whom to use it.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct RedisSettings {
    /// Where it is.
    pub topology: RedisTopology,
    /// As whom to use it.
    pub login: RedisLogin,
    /// The number of the database.
    #[serde(default)]
    pub database: i64,
}

/// How a server is found.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub enum RedisTopology {
    /// It is always there.
    Standalone(RedisAddress),
    /// Sentinels know which server is the primary now.
    Sentinel {
        /// Where they are.
        sentinels: Vec<RedisAddress>,
        /// As whom to ask them.
        login: RedisLogin,
        /// What they call the primary.
        name: String,
    },
    /// These are nodes of a cluster.
    Cluster(Vec<RedisAddress>),
}

/// Where a server listens.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub enum RedisAddress {
    /// On a port.
    Tcp {
        /// Its name or address.
        host: String,
        /// Its port.
        port: u16,
    },
    /// On a socket of this machine.
    Unix(PathBuf),
}

/// A user and a password.
#[derive(Debug, Clone, Default, PartialEq, Eq, Hash, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct RedisLogin {
    /// The user; none: the default one.
    #[serde(default)]
    pub username: Option<String>,
    /// The password; none: the server asks for none.
    #[serde(default)]
    pub password: Option<Secret>,
}

impl RedisSettings {
    /// Every password in it.
    pub fn passwords(&self) -> impl Iterator<Item = &Secret> {
        let of_sentinels = match &self.topology {
            RedisTopology::Sentinel { login, .. } => login.password.as_ref(),
            RedisTopology::Standalone(_) | RedisTopology::Cluster(_) => None,
        };
        self.login.password.iter().chain(of_sentinels)
    }
}
