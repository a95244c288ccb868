//! The store: operations become runs of the script.

use std::fmt;

use redis::{FromRedisValue, Value};

use super::arguments;
use super::connections::{Connections, NodeOfKeys};
use super::hints::RedisHints;
use super::keys::Keys;
use super::replies;
use super::script;
use crate::clock::StoreTime;
use crate::rotation::Refused;
use crate::store::{Operation, Reply, Store, Unavailable};

/// A store in Redis, of one logical client.
pub struct RedisStore {
    connections: Connections,
    keys: Keys,
    node: NodeOfKeys,
}

impl RedisStore {
    /// The store with these keys.
    pub fn new(connections: Connections, keys: Keys) -> Self {
        Self { connections, keys, node: NodeOfKeys::default() }
    }

    /// What other stores on the same server may share.
    pub fn connections(&self) -> &Connections {
        &self.connections
    }

    /// Tries whether the user may run what operations need; names what it may not.
    pub async fn probe(&self) -> Result<(), Unavailable> {
        let value = self.connections.run(&script::probe(&self.keys), &self.node).await?;
        let unknown = |_| Unavailable { reason: "a reply has an unknown form".to_owned() };
        let denied = Vec::<String>::from_redis_value(value).map_err(unknown)?;
        if denied.is_empty() {
            return Ok(());
        }
        Err(Unavailable { reason: format!("the user may not run {}", denied.join(", ")) })
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
        let value: Value = self.connections.run(&run, &self.node).await?;
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
        if self.connections.is_to_cluster() {
            // Any command finds the node that has the keys.
            self.probe().await?;
        }
        let messages = self.connections.listen(self.keys.channel(), &self.node).await?;
        Ok(RedisHints::new(messages))
    }
}
