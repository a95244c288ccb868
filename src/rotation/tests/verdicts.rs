//! What an endpoint may answer.

use std::time::Duration;

use crate::clock::StoreTime;
use crate::error::{Code, Failure};
use crate::rotation::Evidence;
use crate::verdict::Verdict;

/// What the ledger looks at of a token that came.
pub(super) fn accepted(expires_at: StoreTime, soft_at: StoreTime) -> Evidence {
    Evidence { expires_at, soft_at, scope: None, verify: None }
}

pub(super) fn rejected() -> Verdict<Evidence> {
    Verdict::Rejected(Failure::new(Code::CredentialRejected, "rejected"))
}

pub(super) fn refused() -> Verdict<Evidence> {
    Verdict::Refused(Failure::new(Code::CredentialRejected, "refused"))
}

pub(super) fn unclear() -> Verdict<Evidence> {
    Verdict::Transient(Failure::new(Code::Endpoint, "down"))
}

pub(super) fn throttled(retry_after: Duration) -> Verdict<Evidence> {
    let failure = Failure::new(Code::Throttled, "slow down");
    Verdict::Throttled(Failure { retry_after: Some(retry_after), ..failure })
}
