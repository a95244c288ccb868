//! Hints of changes, as they come from a subscription.

use tokio::sync::broadcast::Receiver;
use tokio::sync::broadcast::error::RecvError;

use crate::store::{Hint, Hints, Unavailable};

/// A subscription to the changes of one logical client.
pub struct RedisHints {
    messages: Receiver<String>,
}

impl RedisHints {
    pub(super) fn new(messages: Receiver<String>) -> Self {
        Self { messages }
    }
}

impl Hints for RedisHints {
    async fn next(&mut self) -> Result<Hint, Unavailable> {
        loop {
            match self.messages.recv().await {
                // An empty one only tries whether it may be sent. What nobody understands tells of
                // nothing that a member could load.
                Ok(told) => {
                    if let Some(hint) = hint(&told) {
                        return Ok(hint);
                    }
                }
                Err(RecvError::Lagged(_)) => {}
                Err(RecvError::Closed) => {
                    return Err(Unavailable { reason: "the subscription has ended".to_owned() });
                }
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
