//! Hints of changes, as they come from a subscription.

use futures_util::StreamExt;
use redis::aio::PubSub;

use super::server::unavailable;
use crate::store::{Hint, Hints, Unavailable};

/// A subscription to the changes of one logical client.
pub struct RedisHints {
    subscription: PubSub,
}

impl RedisHints {
    pub(super) fn new(subscription: PubSub) -> Self {
        Self { subscription }
    }
}

impl Hints for RedisHints {
    async fn next(&mut self) -> Result<Hint, Unavailable> {
        let lost = || Unavailable { reason: "the subscription has ended".to_owned() };
        loop {
            let message = self.subscription.on_message().next().await.ok_or_else(lost)?;
            let told: String = message.get_payload().map_err(|error| unavailable(&error))?;
            // An empty one only tries whether it may be sent.
            if !told.is_empty() {
                let unknown = || Unavailable { reason: "a hint has an unknown form".to_owned() };
                return hint(&told).ok_or_else(unknown);
            }
        }
    }
}

/// `<epoch> <serial> <1, if the token is there>`
fn hint(told: &str) -> Option<Hint> {
    let mut parts = told.split(' ');
    let (epoch, serial) = (parts.next()?.parse().ok()?, parts.next()?.parse().ok()?);
    let has_token = parts.next()? == "1";
    Some(Hint { epoch, serial, has_token })
}
