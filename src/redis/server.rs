//! A server, and how connections to it are opened.

use std::future::Future;
use std::io;

use redis::aio::{MultiplexedConnection, PubSub};
use redis::{
    AsyncConnectionConfig, ErrorKind, RedisConnectionInfo, RedisError, RedisResult, Value,
};

use super::address::Address;
use super::patience::{self, within};
use crate::clock::Clock;

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
    /// A connection for commands, and where it goes. Its clones share it. Another attempt begins at
    /// another address, if there are several.
    pub(super) async fn connect(
        &self,
        attempt: u64,
        clock: &dyn Clock,
    ) -> RedisResult<(MultiplexedConnection, Address)> {
        let mut outcome = Err(nowhere());
        for address in self.addresses(attempt, clock).await? {
            let opened = connect(&address, &self.login, clock);
            outcome = in_time(clock, opened).await.map(|connection| (connection, address));
            if outcome.is_ok() {
                break;
            }
        }
        let (mut connection, address) = outcome?;
        if matches!(self.topology, Topology::Sentinel { .. }) {
            in_time(clock, expect_primary(&mut connection)).await?;
        }
        Ok((connection, address))
    }

    /// A connection for subscriptions, and where it goes. In a cluster any node will do: they tell
    /// each other.
    pub(super) async fn listen(
        &self,
        attempt: u64,
        clock: &dyn Clock,
    ) -> RedisResult<(PubSub, Address)> {
        let mut outcome = Err(nowhere());
        for address in self.addresses(attempt, clock).await? {
            let opened = listen(&address, &self.login, clock);
            outcome = in_time(clock, opened).await.map(|connection| (connection, address));
            if outcome.is_ok() {
                break;
            }
        }
        outcome
    }

    /// Whether a connection to that address is still one to this server, as far as is known.
    pub(super) async fn is_at(&self, address: &Address, clock: &dyn Clock) -> bool {
        let is_settled = !matches!(self.topology, Topology::Sentinel { .. });
        is_settled
            || self.addresses(0, clock).await.is_ok_and(|addresses| addresses.contains(address))
    }

    /// One node of the cluster that this is.
    pub(super) fn node(&self, address: Address) -> Self {
        Self { topology: Topology::Standalone(address), login: self.login.clone() }
    }

    /// Where it may be; the first that can be reached will do.
    async fn addresses(&self, attempt: u64, clock: &dyn Clock) -> RedisResult<Vec<Address>> {
        match &self.topology {
            Topology::Standalone(address) => Ok(vec![address.clone()]),
            Topology::Sentinel { sentinels, login, name } => {
                let mut outcome = Err(nowhere());
                for sentinel in rotated(sentinels, attempt) {
                    outcome = in_time(clock, primary(&sentinel, login, name, clock)).await;
                    if outcome.is_ok() {
                        break;
                    }
                }
                outcome.map(|primary| vec![primary])
            }
            Topology::Cluster(nodes) => Ok(rotated(nodes, attempt)),
        }
    }
}

/// The same, beginning with another one at each attempt: the first may be the one that is wrong.
fn rotated(addresses: &[Address], attempt: u64) -> Vec<Address> {
    let count = addresses.len().max(1) as u64;
    let first = usize::try_from(attempt % count).unwrap_or_default();
    let (before, after) = addresses.split_at(first.min(addresses.len()));
    [after, before].concat()
}

async fn in_time<T>(
    clock: &dyn Clock,
    attempt: impl Future<Output = RedisResult<T>>,
) -> RedisResult<T> {
    let outcome = within(clock, patience::OPENING, attempt).await;
    outcome.unwrap_or_else(|| Err(io::Error::from(io::ErrorKind::TimedOut).into()))
}

async fn connect(
    address: &Address,
    login: &RedisConnectionInfo,
    clock: &dyn Clock,
) -> RedisResult<MultiplexedConnection> {
    // Whoever runs a command has a deadline of its own.
    let config = AsyncConnectionConfig::new().set_response_timeout(None);
    let stream = address.open(clock).await?;
    let (connection, served) =
        MultiplexedConnection::new_with_config(login, stream, config).await?;
    tokio::spawn(served);
    Ok(connection)
}

async fn listen(
    address: &Address,
    login: &RedisConnectionInfo,
    clock: &dyn Clock,
) -> RedisResult<PubSub> {
    PubSub::new(login, address.open(clock).await?).await
}

/// The sentinels may not know yet that it is a primary no more.
async fn expect_primary(connection: &mut MultiplexedConnection) -> RedisResult<()> {
    let role: Vec<Value> = redis::cmd("ROLE").query_async(connection).await?;
    if matches!(role.first(), Some(Value::BulkString(role)) if role == b"master") {
        return Ok(());
    }
    Err((ErrorKind::Client, "the sentinels name a replica").into())
}

/// Where the primary is, as a sentinel says.
async fn primary(
    sentinel: &Address,
    login: &RedisConnectionInfo,
    name: &str,
    clock: &dyn Clock,
) -> RedisResult<Address> {
    let mut connection = connect(sentinel, login, clock).await?;
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
