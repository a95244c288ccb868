//! The callers that wait for a token.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use crate::clock::Timestamp;
use crate::error::Failure;
use crate::token::HeldToken;

/// Names a waiting caller.
pub type WaiterId = u64;

/// A caller that wants a token.
#[derive(Debug, Clone)]
pub struct TokenWait {
    /// The id that its outcome is for.
    pub waiter: WaiterId,
    /// How long the token must still be usable; zero takes any.
    pub min_validity: Duration,
    /// Until when it waits.
    pub deadline: Timestamp,
    /// Whether it asks if the configuration works: an unreadable source refuses it at once.
    pub for_readiness: bool,
}

/// Why a caller gets no token.
#[derive(Debug, Clone, PartialEq)]
pub enum TokenRefusal {
    /// There is no token, and none came in time or can come.
    Unavailable {
        /// When asking again is worth it.
        retry_after: Duration,
        /// What stands in the way, where it is known.
        cause: Option<Failure>,
    },
    /// A required source of a credential yields nothing.
    CredentialUnavailable(Failure),
    /// Even a new token may not be handed out for longer than this.
    LifetimeTooShort(Duration),
    /// The manager was closed.
    Closed,
}

/// The callers that wait. There may be thousands: nothing that happens for each of them looks at
/// all of them.
#[derive(Debug, Default)]
pub(super) struct Waiters {
    waits: BTreeMap<WaiterId, TokenWait>,
    deadlines: BTreeSet<(Timestamp, WaiterId)>,
}

impl Waiters {
    pub(super) fn add(&mut self, wait: TokenWait) {
        self.deadlines.insert((wait.deadline, wait.waiter));
        self.waits.insert(wait.waiter, wait);
    }

    pub(super) fn remove(&mut self, waiter: WaiterId) {
        if let Some(wait) = self.waits.remove(&waiter) {
            self.deadlines.remove(&(wait.deadline, waiter));
        }
    }

    pub(super) fn all(&self) -> Vec<(WaiterId, bool)> {
        self.waits.values().map(|wait| (wait.waiter, wait.for_readiness)).collect()
    }

    pub(super) fn first_deadline(&self) -> Option<Timestamp> {
        self.deadlines.first().map(|(deadline, _)| *deadline)
    }

    pub(super) fn is_empty(&self) -> bool {
        self.waits.is_empty()
    }

    pub(super) fn take_overdue(&mut self, now: Timestamp) -> Vec<WaiterId> {
        let mut overdue = Vec::new();
        while self.first_deadline().is_some_and(|deadline| deadline <= now)
            && let Some((_, waiter)) = self.deadlines.pop_first()
        {
            self.waits.remove(&waiter);
            overdue.push(waiter);
        }
        overdue
    }

    /// Everyone, with what a fresh token means for them.
    pub(super) fn take_served(
        &mut self,
        token: &HeldToken,
        now: Timestamp,
    ) -> Vec<(WaiterId, Result<(), TokenRefusal>)> {
        let runway = token.runway(now);
        self.deadlines.clear();
        std::mem::take(&mut self.waits)
            .into_values()
            .map(|wait| {
                let enough = runway >= wait.min_validity;
                let outcome = if enough {
                    Ok(())
                } else {
                    Err(TokenRefusal::LifetimeTooShort(token.usable_life()))
                };
                (wait.waiter, outcome)
            })
            .collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn whoever_waits_the_shortest_is_refused_first_and_whoever_left_is_not() {
        let at = Timestamp::from_millis;
        let mut waiters = Waiters::default();
        for (waiter, deadline) in [(1, 30), (2, 10), (3, 20), (4, 10)] {
            let deadline = at(deadline);
            waiters.add(TokenWait {
                waiter,
                min_validity: Duration::ZERO,
                deadline,
                for_readiness: false,
            });
        }
        waiters.remove(2);
        assert_eq!(waiters.first_deadline(), Some(at(10)));
        assert!(waiters.take_overdue(at(9)).is_empty());
        assert_eq!(waiters.take_overdue(at(20)), vec![4, 3]);
        assert_eq!((waiters.first_deadline(), waiters.all()), (Some(at(30)), vec![(1, false)]));
        waiters.remove(1);
        assert_eq!((waiters.first_deadline(), waiters.is_empty()), (None, true));
    }
}
