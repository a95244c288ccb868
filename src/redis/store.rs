//! The store: operations become runs of the script.

use std::fmt;

use redis::aio::MultiplexedConnection;
use redis::{RedisError, Value};

use super::arguments;
use super::hints::RedisHints;
use super::keys::Keys;
use super::replies;
use super::script;
use super::server::{Server, unavailable};
use crate::clock::StoreTime;
use crate::rotation::Refused;
use crate::store::{Operation, Reply, Store, Unavailable};

/// A store in Redis, of one logical client.
pub struct RedisStore {
    server: Server,
    keys: Keys,
    connection: MultiplexedConnection,
}

impl RedisStore {
    /// Connects to a server, and tries whether it lets this user run what operations need.
    pub async fn open(server: Server, keys: Keys) -> Result<Self, Unavailable> {
        let mut connection = server.connect().await.map_err(|error| unavailable(&error))?;
        let denied: Vec<String> = script::probe(&keys)
            .invoke_async(&mut connection)
            .await
            .map_err(|error| unavailable(&error))?;
        if !denied.is_empty() {
            let reason = format!("the user may not run {}", denied.join(", "));
            return Err(Unavailable { reason });
        }
        Ok(Self { server, keys, connection })
    }

    /// Performs an operation by the server's time, or at another one, which only a test sets.
    pub(super) async fn perform_at(
        &self,
        operation: &Operation,
        at: Option<StoreTime>,
    ) -> Result<Reply, Unavailable> {
        let Some(run) = arguments::run_of(operation, &self.keys, at) else {
            // A promotion without its token would be half of one.
            return Ok(Reply::Refused(Refused::Stale));
        };
        let mut connection = self.connection.clone();
        let value: Value =
            run.invoke_async(&mut connection).await.map_err(|error| unavailable(&error))?;
        let unreadable = |error: replies::Unreadable| Unavailable { reason: error.to_string() };
        replies::reply_to(operation, value).map_err(unreadable)
    }
}

/// Shows no login.
impl fmt::Debug for RedisStore {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("RedisStore").field("keys", &self.keys).finish_non_exhaustive()
    }
}

impl Store for RedisStore {
    type Hints = RedisHints;

    async fn perform(&self, operation: &Operation) -> Result<Reply, Unavailable> {
        self.perform_at(operation, None).await
    }

    async fn subscribe(&self) -> Result<RedisHints, Unavailable> {
        let subscribe = async {
            let mut subscription = self.server.listen().await?;
            subscription.subscribe(self.keys.channel()).await?;
            Ok(RedisHints::new(subscription))
        };
        subscribe.await.map_err(|error: RedisError| unavailable(&error))
    }
}
