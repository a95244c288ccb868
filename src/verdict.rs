//! What an answer of the token endpoint says about the credential it was asked with.

use crate::error::Failure;
use crate::token::Grant;

/// The meaning of one token request's outcome.
///
/// Only [`Verdict::Accepted`] and [`Verdict::Rejected`] say something certain about the credential;
/// the others never change what is known of it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Verdict {
    /// A usable token: the credential is good.
    Accepted(Grant),
    /// The endpoint knows this client or secret not, or not for this grant.
    Rejected(Failure),
    /// A 401 or 403 without a code that is known: the secret, or a gateway that stands before the endpoint.
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
