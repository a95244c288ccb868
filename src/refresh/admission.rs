//! Who waits for a token, who is served at once, and who is told that waiting is pointless.

use super::effect::RefreshEffect;
use super::event::Offer;
use super::lifecycle::Refresh;
use super::waiters::{TokenRefusal, TokenWait};
use crate::clock::Timestamp;
use crate::error::{Code, Failure};

impl Refresh {
    pub(super) fn admit(
        &mut self,
        wait: TokenWait,
        now: Timestamp,
        effects: &mut Vec<RefreshEffect>,
    ) {
        let outcome = match &self.token {
            Some(token) if token.runway(now) >= wait.min_validity => Some(Ok(())),
            // The endpoint has shown how long its tokens live; another one would live no longer.
            Some(token) if token.usable_life() < wait.min_validity => {
                Some(Err(TokenRefusal::LifetimeTooShort(token.usable_life())))
            }
            _ => self.refusal_at_once(wait.for_readiness, now).map(Err),
        };
        if let Some(outcome) = outcome {
            effects.push(RefreshEffect::Settle { waiter: wait.waiter, outcome });
        } else {
            self.tally.waits += 1;
            self.waiters.add(wait);
        }
    }

    /// Why waiting is pointless, if it is.
    fn refusal_at_once(&self, for_readiness: bool, now: Timestamp) -> Option<TokenRefusal> {
        let Offer { credentials, unreadable, awaits_sources, rejected, .. } = &self.offer;
        if let Some(failure) = unreadable {
            if for_readiness {
                return Some(TokenRefusal::CredentialUnavailable(failure.clone()));
            }
            if credentials.is_empty() && rejected.is_none() && !awaits_sources {
                return Some(self.unavailable(failure.clone(), now));
            }
        }
        if self.round.is_some() || *awaits_sources {
            return None;
        }
        // Nothing under way and the last word was final: a caller is told at once.
        let terminal = self.backoff.terminal().filter(|_| now < self.backoff.not_before(false));
        let failure = rejected.as_ref().map(|(failure, _)| failure).or(terminal)?;
        Some(self.unavailable(failure.clone(), now))
    }

    fn unavailable(&self, cause: Failure, now: Timestamp) -> TokenRefusal {
        let next = self.next_refresh().unwrap_or(now);
        TokenRefusal::Unavailable { retry_after: next.since(now), cause: Some(cause) }
    }

    pub(super) fn refuse_overdue(&mut self, now: Timestamp, effects: &mut Vec<RefreshEffect>) {
        for waiter in self.waiters.take_overdue(now) {
            let Offer { credentials, awaits_sources, is_withheld, rejected, .. } = &self.offer;
            let rejected = rejected.as_ref().map(|(failure, _)| failure.clone());
            let last = self.last_failure.as_ref().map(|(failure, _)| failure.clone());
            let missing = || {
                credentials.is_empty().then(|| {
                    Failure::new(
                        Code::CredentialUnavailable,
                        if *is_withheld {
                            "A change of the credential at the provider is prepared, and nobody presents \
                             it meanwhile. Cancel the preparation to have another token before that."
                        } else if *awaits_sources {
                            "The source of the credentials has not been read yet."
                        } else {
                            "No source of a credential yields one, and all of them are optional."
                        },
                    )
                })
            };
            let cause = rejected.or(last).or_else(missing);
            let retry_after = self.next_refresh().unwrap_or(now).since(now);
            let outcome = Err(TokenRefusal::Unavailable { retry_after, cause });
            effects.push(RefreshEffect::Settle { waiter, outcome });
        }
    }

    pub(super) fn refuse_the_hopeless(&mut self, now: Timestamp, effects: &mut Vec<RefreshEffect>) {
        for (waiter, for_readiness) in self.waiters.all() {
            if let Some(refusal) = self.refusal_at_once(for_readiness, now) {
                self.waiters.remove(waiter);
                effects.push(RefreshEffect::Settle { waiter, outcome: Err(refusal) });
            }
        }
    }
}
