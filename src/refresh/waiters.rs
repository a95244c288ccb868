//! The callers that wait for a token.

use std::collections::BTreeMap;
use std::time::Duration;

use crate::clock::Timestamp;
use crate::error::Failure;
use crate::token::HeldToken;

/// Names a waiting caller.
pub type WaiterId = u64;

/// A caller that wants a token.
#[derive(Debug, Clone)]
pub struct Wait {
    /// Who.
    pub waiter: WaiterId,
    /// How long the token must still be usable; zero takes any.
    pub min_validity: Duration,
    /// When it is refused.
    pub deadline: Timestamp,
    /// It asks whether the configuration works: an unreadable source refuses it at once.
    pub for_readiness: bool,
}

/// Why a caller gets no token.
#[derive(Debug, Clone, PartialEq)]
pub enum Refusal {
    /// There is none and none came in time, or none can come.
    Unavailable {
        /// When asking again is worth it.
        retry_after: Duration,
        /// What stands in the way, where it is known.
        cause: Option<Failure>,
    },
    /// A required source of a credential yields nothing.
    CredentialUnavailable(Failure),
    /// A new token may be handed out for only so long.
    LifetimeTooShort(Duration),
    /// The manager was closed.
    Closed,
}

#[derive(Debug, Default)]
pub(super) struct Waiters(BTreeMap<WaiterId, Wait>);

impl Waiters {
    pub(super) fn add(&mut self, wait: Wait) {
        self.0.insert(wait.waiter, wait);
    }

    pub(super) fn remove(&mut self, waiter: WaiterId) {
        self.0.remove(&waiter);
    }

    pub(super) fn all(&self) -> Vec<(WaiterId, bool)> {
        self.0.values().map(|wait| (wait.waiter, wait.for_readiness)).collect()
    }

    pub(super) fn first_deadline(&self) -> Option<Timestamp> {
        self.0.values().map(|wait| wait.deadline).min()
    }

    pub(super) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    pub(super) fn take_overdue(&mut self, now: Timestamp) -> Vec<WaiterId> {
        self.0.extract_if(.., |_, wait| wait.deadline <= now).map(|(waiter, _)| waiter).collect()
    }

    /// Everyone, with what a fresh token means for them.
    pub(super) fn take_served(
        &mut self,
        token: &HeldToken,
        now: Timestamp,
    ) -> Vec<(WaiterId, Result<(), Refusal>)> {
        let runway = token.runway(now);
        std::mem::take(&mut self.0)
            .into_values()
            .map(|wait| {
                let enough = runway >= wait.min_validity;
                let outcome = if enough {
                    Ok(())
                } else {
                    Err(Refusal::LifetimeTooShort(token.usable_life()))
                };
                (wait.waiter, outcome)
            })
            .collect()
    }
}
