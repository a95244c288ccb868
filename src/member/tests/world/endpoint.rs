//! What the endpoint says to a token request.

use std::collections::VecDeque;
use std::time::Duration;

use super::HOUR;
use crate::clock::Timestamp;
use crate::credential::Credential;
use crate::error::{Code, Failure};
use crate::secret::Secret;
use crate::token::Grant;
use crate::verdict::Verdict;

pub(crate) fn granted(lifetime: Duration) -> Verdict {
    let access_token = Secret::new("token");
    Verdict::Accepted(Grant { access_token, lifetime, refresh_in: None, scope: None })
}

pub(crate) fn with_scope(scope: &str) -> Verdict {
    let (access_token, scope) = (Secret::new("token"), Some(scope.to_owned()));
    Verdict::Accepted(Grant { access_token, lifetime: HOUR, refresh_in: None, scope })
}

pub(crate) fn rejected() -> Verdict {
    Verdict::Rejected(Failure::new(Code::CredentialRejected, "rejected"))
}

pub(crate) fn refused() -> Verdict {
    let failure = Failure::new(Code::CredentialRejected, "refused");
    Verdict::Refused(Failure { retryable: true, ..failure })
}

pub(crate) fn transient() -> Verdict {
    Verdict::Transient(Failure::new(Code::Endpoint, "down"))
}

pub(crate) fn misconfigured() -> Verdict {
    Verdict::Misconfigured(Failure::new(Code::Misconfigured, "invalid_scope"))
}

pub(crate) fn ambiguous() -> Verdict {
    Verdict::Ambiguous(Failure::new(Code::Misconfigured, "invalid_request"))
}

pub(crate) fn throttled(retry_after: Duration) -> Verdict {
    let failure = Failure::new(Code::Throttled, "slow down");
    Verdict::Throttled(Failure { retry_after: Some(retry_after), ..failure })
}

pub(crate) fn accepts(
    secrets: &'static [&'static str],
) -> impl Fn(&Credential, Timestamp) -> Verdict {
    move |credential, _| {
        if secrets.contains(&credential.client_secret.expose()) {
            granted(HOUR)
        } else {
            rejected()
        }
    }
}

/// Gives these verdicts in turn, then hour-long tokens.
pub(crate) fn script(verdicts: Vec<Verdict>) -> impl FnMut(&Credential, Timestamp) -> Verdict {
    let mut verdicts = VecDeque::from(verdicts);
    move |_, _| verdicts.pop_front().unwrap_or_else(|| granted(HOUR))
}
