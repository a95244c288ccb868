//! A server, and how connections to it are opened.

use redis::aio::{MultiplexedConnection, PubSub};
use redis::{
    AsyncConnectionConfig, ErrorKind, RedisConnectionInfo, RedisError, RedisResult, Value,
};

use super::address::Address;

/// A server, and as whom to use it.
#[derive(Clone)]
pub struct Server {
    /// Where it is.
    pub topology: Topology,
    /// The user, the password and the number of the database.
    pub login: RedisConnectionInfo,
}

/// How a server is found.
#[derive(Clone)]
pub enum Topology {
    /// It is always there.
    Standalone(Address),
    /// Sentinels know which server is the primary now.
    Sentinel {
        /// Where they are. The first one that replies is believed.
        sentinels: Vec<Address>,
        /// The user and the password for them.
        login: RedisConnectionInfo,
        /// What they call the primary.
        name: String,
    },
    /// These are nodes of a cluster. They tell which one has the keys.
    Cluster(Vec<Address>),
}

impl Server {
    /// A connection for commands. Its clones share it.
    pub(super) async fn connect(&self) -> RedisResult<MultiplexedConnection> {
        let mut outcome = Err(nowhere());
        for address in self.addresses().await? {
            outcome = connect(&address, &self.login).await;
            if outcome.is_ok() {
                break;
            }
        }
        let mut connection = outcome?;
        if matches!(self.topology, Topology::Sentinel { .. }) {
            // The sentinels may not know yet that it is a primary no more.
            let role: Vec<Value> = redis::cmd("ROLE").query_async(&mut connection).await?;
            if !matches!(role.first(), Some(Value::BulkString(role)) if role == b"master") {
                return Err((ErrorKind::Client, "the sentinels name a replica").into());
            }
        }
        Ok(connection)
    }

    /// A connection for subscriptions. In a cluster any node will do: they tell each other.
    pub(super) async fn listen(&self) -> RedisResult<PubSub> {
        let mut outcome = Err(nowhere());
        for address in self.addresses().await? {
            outcome = listen(&address, &self.login).await;
            if outcome.is_ok() {
                break;
            }
        }
        outcome
    }

    /// Where it may be; the first that can be reached will do.
    async fn addresses(&self) -> RedisResult<Vec<Address>> {
        match &self.topology {
            Topology::Standalone(address) => Ok(vec![address.clone()]),
            Topology::Sentinel { sentinels, login, name } => {
                let mut outcome = Err(nowhere());
                for sentinel in sentinels {
                    outcome = primary(sentinel, login, name).await;
                    if outcome.is_ok() {
                        break;
                    }
                }
                outcome.map(|primary| vec![primary])
            }
            Topology::Cluster(nodes) => Ok(nodes.clone()),
        }
    }

    /// One node of the cluster that this is.
    pub(super) fn node(&self, address: Address) -> Self {
        Self { topology: Topology::Standalone(address), login: self.login.clone() }
    }
}

async fn connect(
    address: &Address,
    login: &RedisConnectionInfo,
) -> RedisResult<MultiplexedConnection> {
    // Whoever runs a command has a deadline of its own.
    let config = AsyncConnectionConfig::new().set_response_timeout(None);
    let stream = address.open().await?;
    let (connection, served) =
        MultiplexedConnection::new_with_config(login, stream, config).await?;
    tokio::spawn(served);
    Ok(connection)
}

async fn listen(address: &Address, login: &RedisConnectionInfo) -> RedisResult<PubSub> {
    PubSub::new(login, address.open().await?).await
}

/// Where the primary is, as a sentinel says.
async fn primary(
    sentinel: &Address,
    login: &RedisConnectionInfo,
    name: &str,
) -> RedisResult<Address> {
    let mut connection = connect(sentinel, login).await?;
    let mut question = redis::cmd("SENTINEL");
    question.arg("GET-MASTER-ADDR-BY-NAME").arg(name);
    let told: Option<(String, u16)> = question.query_async(&mut connection).await?;
    let (host, port) = told.ok_or_else(|| {
        let story = format!("{sentinel} does not know {name:?}");
        RedisError::from((ErrorKind::Client, "the sentinels know no such primary", story))
    })?;
    Ok(Address::Tcp { host, port })
}

fn nowhere() -> RedisError {
    (ErrorKind::InvalidClientConfig, "no address is configured").into()
}
