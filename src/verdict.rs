//! What an answer of the token endpoint says about the credential it was asked with.

use std::sync::Arc;
use std::time::Duration;

use crate::error::Failure;
use crate::token::{FreshToken, Grant};

/// The meaning of one token request's outcome.
///
/// It is made once, where the answer is judged, and everything that follows from the answer is
/// decided by it: what the ledger notes of the credential, and whether the refresh goes on with the
/// next one. `T` is what an accepted answer brought: the [`Grant`] as it came, then an [`Arrival`].
///
/// Only [`Verdict::Accepted`] and [`Verdict::Rejected`] say something certain about the credential.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Verdict<T = Grant> {
    /// A usable token: the credential is good.
    Accepted(T),
    /// The endpoint does not know this client or secret, or not for this grant.
    Rejected(Failure),
    /// A 401 or 403 without a code that is known: it is about the secret if another credential is
    /// accepted meanwhile, and otherwise perhaps about a gateway that stands before the endpoint.
    Refused(Failure),
    /// The request is wrong, or this credential: the answers to the others show which.
    Ambiguous(Failure),
    /// The request itself is wrong; another credential would fare no better.
    Misconfigured(Failure),
    /// Too many requests; nothing else is known.
    Throttled(Failure),
    /// No answer, or one that does not count; worth trying again.
    Transient(Failure),
}

/// A token that has come, and what is known of it besides.
#[derive(Debug, Clone)]
pub struct Arrival {
    /// The token, with the instants of its life.
    pub token: Arc<FreshToken>,
    /// The granted scope, where the endpoint named it.
    pub scope: Option<String>,
    /// What the request with this token brought, where a caller wants one.
    pub verify: Option<Verify>,
}

/// The outcome of the request that a caller wants made with the token of a candidate.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Verify {
    /// The answer was 2xx.
    Passed,
    /// 401 or 403.
    Refused,
    /// Anything else.
    Failed,
}

impl<T> Verdict<T> {
    /// What went wrong; none of an accepted answer.
    pub fn failure(&self) -> Option<&Failure> {
        match self {
            Self::Accepted(_) => None,
            Self::Rejected(failure)
            | Self::Refused(failure)
            | Self::Ambiguous(failure)
            | Self::Misconfigured(failure)
            | Self::Throttled(failure)
            | Self::Transient(failure) => Some(failure),
        }
    }

    /// Whether another credential may fare better.
    pub fn is_about_the_credential(&self) -> bool {
        matches!(self, Self::Rejected(_) | Self::Refused(_))
    }

    /// Whether trying again is pointless until somebody changes something.
    pub fn is_final(&self) -> bool {
        matches!(self, Self::Ambiguous(_) | Self::Misconfigured(_))
    }

    /// How long the endpoint asked to be left alone.
    pub fn retry_after(&self) -> Option<Duration> {
        self.failure()?.retry_after
    }

    /// The same with what `arrive` makes of an accepted answer.
    pub fn and_then<U>(self, arrive: impl FnOnce(T) -> Verdict<U>) -> Verdict<U> {
        match self {
            Self::Accepted(brought) => arrive(brought),
            Self::Rejected(failure) => Verdict::Rejected(failure),
            Self::Refused(failure) => Verdict::Refused(failure),
            Self::Ambiguous(failure) => Verdict::Ambiguous(failure),
            Self::Misconfigured(failure) => Verdict::Misconfigured(failure),
            Self::Throttled(failure) => Verdict::Throttled(failure),
            Self::Transient(failure) => Verdict::Transient(failure),
        }
    }

    /// The same where another credential is known: what is ambiguous may be about this one, which
    /// shows when the other is accepted.
    #[must_use]
    pub fn beside_another_credential(self) -> Self {
        match self {
            Self::Ambiguous(failure) => Self::Refused(failure),
            verdict => verdict,
        }
    }
}
