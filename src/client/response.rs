//! What an answer of the token endpoint means (RFC 6749 §5, and how servers deviate from it).

use std::time::Duration;

use serde::Deserialize;
use serde_json::Value;

use super::request::traces;
use super::retry_after;
use crate::credential::Credential;
use crate::error::{Code, Failure};
use crate::provider::Endpoint;
use crate::secret::Secret;
use crate::token::Grant;
use crate::verdict::Verdict;

/// An answer as it came, whole.
#[derive(Debug, Clone, Default)]
pub struct Answer {
    /// The HTTP status.
    pub status: u16,
    /// The `Retry-After` header.
    pub retry_after: Option<String>,
    /// The `Date` header.
    pub date: Option<String>,
    /// The body. It may hold a token, and is therefore never printed.
    pub body: Body,
}

/// The bytes of an answer.
#[derive(Clone, Default)]
pub struct Body(pub Vec<u8>);

impl std::fmt::Debug for Body {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "[{} bytes]", self.0.len())
    }
}

/// The members of an answer that count; each may have any type, since servers differ.
#[derive(Deserialize)]
struct Members {
    access_token: Option<Value>,
    token_type: Option<Value>,
    expires_in: Option<Value>,
    refresh_in: Option<Value>,
    scope: Option<Value>,
    error: Option<Value>,
    error_description: Option<Value>,
    description: Option<Value>,
}

/// No lifetime is counted longer: 100 years.
const LONGEST_LIFE: f64 = 100.0 * 365.0 * 86_400.0;

/// So much of what a server says is shown.
const LONGEST_DESCRIPTION: usize = 256;

/// Judges an answer to a request that was made with this credential.
///
/// `secrets` are others that the server may know, such as earlier tokens: like the credential, they
/// are never repeated.
pub fn judge(
    answer: &Answer,
    endpoint: &Endpoint,
    credential: &Credential,
    secrets: &[Secret],
    now_millis: i64,
) -> Verdict {
    let members: Option<Members> = serde_json::from_slice(&answer.body.0).ok();
    let own = members.as_ref().and_then(|it| it.access_token.as_ref()).and_then(Value::as_str);
    let mut hidden = traces(credential);
    hidden.extend(secrets.iter().cloned().chain(own.map(Secret::new)));
    hidden.retain(|it| !it.expose().is_empty());
    // Longest first: what contains another one is found whole.
    hidden.sort_by_key(|it| std::cmp::Reverse(it.expose().len()));
    Judge { answer, endpoint, credential, hidden, now_millis }.verdict(members.as_ref())
}

struct Judge<'a> {
    answer: &'a Answer,
    endpoint: &'a Endpoint,
    credential: &'a Credential,
    /// What must not be shown, the longest first.
    hidden: Vec<Secret>,
    now_millis: i64,
}

impl Judge<'_> {
    fn verdict(&self, members: Option<&Members>) -> Verdict {
        match (self.answer.status, members) {
            (200..300, None) => Verdict::Transient(self.failure(
                Code::Endpoint,
                None,
                "did not answer with JSON; is something else listening at this address?",
            )),
            (200..300, Some(members)) if is_present(members.error.as_ref()) => {
                self.oauth_error(400, members)
            }
            (200..300, Some(members)) => self.grant(members),
            (300..400, _) => Verdict::Misconfigured(self.failure(
                Code::Misconfigured,
                None,
                "answered with a redirect, which is not followed; give the final address as tokenUrl",
            )),
            (429, _) => Verdict::Throttled(self.throttled(members)),
            (408 | 425 | 500.., _) => Verdict::Transient(self.failure(
                Code::Endpoint,
                members,
                "failed; it is asked again",
            )),
            (status, Some(members)) if is_present(members.error.as_ref()) => {
                self.oauth_error(status, members)
            }
            (401 | 403, _) => Verdict::Refused(self.failure(
                Code::CredentialRejected,
                members,
                "refused the request without saying why; check the client secret, and whether a \
                 gateway stands before the endpoint",
            )),
            (400..500, Some(members)) => Verdict::Misconfigured(self.failure(
                Code::Misconfigured,
                Some(members),
                "does not accept the request; check tokenUrl and the provider's options",
            )),
            _ => Verdict::Transient(self.failure(
                Code::Endpoint,
                None,
                "gave an answer that a token endpoint does not give; it is asked again",
            )),
        }
    }

    fn oauth_error(&self, status: u16, members: &Members) -> Verdict {
        let error = members.error.as_ref().and_then(Value::as_str).unwrap_or_default();
        let rejected = |advice| {
            Verdict::Rejected(self.failure(Code::CredentialRejected, Some(members), advice))
        };
        match (error, status) {
            ("invalid_client", _) => rejected("does not accept this client id with this secret"),
            ("unauthorized_client", _) => rejected(
                "does not let this client use the client-credentials grant; check the client's grant type there",
            ),
            ("access_denied" | "invalid_grant", 401 | 403) => {
                rejected("denies this client access; check the client's permissions there")
            }
            ("invalid_request", _) if self.description(members).is_some_and(|text| {
                text.to_ascii_lowercase().starts_with("rate limit exceeded")
            }) =>
            {
                Verdict::Throttled(self.throttled(Some(members)))
            }
            ("temporarily_unavailable" | "server_error", _) => Verdict::Transient(self.failure(
                Code::Endpoint,
                Some(members),
                "is not available; it is asked again",
            )),
            ("invalid_request" | "invalid_scope" | "unsupported_grant_type", _) => {
                Verdict::Misconfigured(self.failure(
                    Code::Misconfigured,
                    Some(members),
                    "does not accept the request; check scope, audience, resource, params and clientAuth",
                ))
            }
            (_, 401 | 403) => Verdict::Refused(self.failure(
                Code::CredentialRejected,
                Some(members),
                "refused the request; check the client secret, and whether a gateway stands before the endpoint",
            )),
            _ => Verdict::Misconfigured(self.failure(
                Code::Misconfigured,
                Some(members),
                "does not accept the request; check the provider's options",
            )),
        }
    }

    fn grant(&self, members: &Members) -> Verdict {
        let unusable =
            |advice: &str| Verdict::Misconfigured(self.failure(Code::Misconfigured, None, advice));
        let Some(token) = members.access_token.as_ref().and_then(Value::as_str) else {
            return unusable("answered without an access_token; is tokenUrl the token endpoint?");
        };
        if !is_b64token(token) {
            return unusable(
                "answered with an access_token that must not stand in a header (RFC 6750 §2.1)",
            );
        }
        let is_bearer = match &members.token_type {
            None | Some(Value::Null) => true,
            Some(kind) => kind.as_str().is_some_and(|kind| kind.eq_ignore_ascii_case("bearer")),
        };
        if !is_bearer {
            return unusable(
                "answered with a token_type other than Bearer, which is all that is supported",
            );
        }
        let lifetime = match members.expires_in.as_ref().and_then(seconds) {
            None => self.endpoint.default_lifetime,
            Some(seconds) if seconds <= 0.0 => {
                return unusable(
                    "answered with a token that is expired already (expires_in is not above 0)",
                );
            }
            Some(seconds) => duration(seconds),
        };
        Verdict::Accepted(Grant {
            access_token: Secret::new(token),
            lifetime,
            refresh_in: members
                .refresh_in
                .as_ref()
                .and_then(seconds)
                .filter(|seconds| *seconds > 0.0)
                .map(duration),
            scope: members
                .scope
                .as_ref()
                .and_then(Value::as_str)
                .map(|scope| self.presentable(scope)),
        })
    }

    fn throttled(&self, members: Option<&Members>) -> Failure {
        self.failure(
            Code::Throttled,
            members,
            "asks for fewer token requests; it is asked again later",
        )
    }

    fn failure(&self, code: Code, members: Option<&Members>, story: &str) -> Failure {
        let status = self.answer.status;
        let oauth_error = members
            .and_then(|members| members.error.as_ref())
            .and_then(Value::as_str)
            .map(|error| self.presentable(error));
        let description = members.and_then(|members| self.description(members));
        let said = match (&oauth_error, &description) {
            (Some(error), Some(text)) => format!("{status} {error}: {text}"),
            (Some(error), None) => format!("{status} {error}"),
            (None, Some(text)) => format!("{status}: {text}"),
            (None, None) => format!("{status}"),
        };
        let message = format!(
            "The token endpoint {} {story} (client id {}, answer {said}).",
            address(self.endpoint),
            self.credential.client_id,
        );
        let header = self.answer.retry_after.as_deref();
        Failure {
            status: Some(status),
            oauth_error,
            description,
            retry_after: header.and_then(|header| {
                retry_after::parse(header, self.answer.date.as_deref(), self.now_millis)
            }),
            ..Failure::new(code, message)
        }
    }

    fn description(&self, members: &Members) -> Option<String> {
        let text = members.error_description.as_ref().or(members.description.as_ref())?;
        text.as_str().map(|text| self.presentable(text))
    }

    /// What a server says, as it may be shown: no secret, no token, no control character, not too
    /// long.
    fn presentable(&self, text: &str) -> String {
        // First, since a space in the place of a tab may complete a secret.
        let text: String =
            text.chars().map(|char| if char.is_control() { ' ' } else { char }).collect();
        let mut rest = text.as_str();
        let mut shown = Vec::new();
        while let Some(char) = rest.chars().next()
            && shown.len() < LONGEST_DESCRIPTION
        {
            let hidden = self.hidden.iter().find(|hidden| rest.starts_with(hidden.expose()));
            if hidden.is_some() {
                shown.extend("[redacted]".chars());
            } else {
                shown.push(char);
            }
            rest = &rest[hidden.map_or(char.len_utf8(), |hidden| hidden.expose().len())..];
        }
        shown.into_iter().take(LONGEST_DESCRIPTION).collect()
    }
}

/// The endpoint as it may be shown: without user, query or fragment.
pub(super) fn address(endpoint: &Endpoint) -> String {
    let url = &endpoint.token_url;
    let port = url.port().map(|port| format!(":{port}")).unwrap_or_default();
    format!("{}://{}{port}{}", url.scheme(), url.host_str().unwrap_or_default(), url.path())
}

fn is_present(value: Option<&Value>) -> bool {
    value.is_some_and(|value| !value.is_null())
}

/// `b64token` of RFC 6750 §2.1.
fn is_b64token(text: &str) -> bool {
    let body = text.trim_end_matches('=');
    !body.is_empty()
        && body.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"-._~+/".contains(&byte))
}

/// A number of seconds, which some servers send as text.
fn seconds(value: &Value) -> Option<f64> {
    let number = match value {
        Value::Number(number) => number.as_f64()?,
        Value::String(text) => text.trim().parse().ok()?,
        _ => return None,
    };
    (!number.is_nan()).then_some(number)
}

/// Down to the millisecond, so that a token is never used longer than it lives.
fn duration(seconds: f64) -> Duration {
    let whole = Duration::from_secs_f64(seconds.clamp(0.0, LONGEST_LIFE));
    Duration::from_millis(u64::try_from(whole.as_millis()).unwrap_or(u64::MAX))
}

#[cfg(test)]
mod properties;
#[cfg(test)]
mod tests;
