//! The verdict on an answer: a token, or an error judged by its code or its status.

use std::time::Duration;

use super::account::{Account, Said};
use super::answer::TokenResponse;
use super::body::BodyReading;
use super::codes::{ErrorClass, mentions_rate_limit, tells_of_rate_limit};
use super::members::{JsonMember, JsonMembers};
use crate::client::request::advice;
use crate::credential::Credential;
use crate::error::{Code, Failure};
use crate::provider::Endpoint;
use crate::redaction::Known;
use crate::secret::Secret;
use crate::token::Grant;
use crate::verdict::Verdict;

/// The longest lifetime that counts, in seconds: 100 years.
pub(super) const LONGEST_LIFE: f64 = 100.0 * 365.0 * 86_400.0;

/// Judges the answer to a request with this credential.
///
/// No text in the verdict repeats the client secret, a `known` secret or a token of the answer
/// itself.
pub fn judge(
    answer: &TokenResponse,
    endpoint: &Endpoint,
    credential: &Credential,
    known: &dyn Known,
    now_millis: i64,
) -> Verdict {
    let reading = BodyReading::of(&answer.body);
    let own = |name| reading.members().and_then(|members| members.text(name)).map(Secret::new);
    let own = ["access_token", "refresh_token", "id_token"].into_iter().filter_map(own);
    let own = own.chain([credential.client_secret.clone()]).collect();
    let reading = &reading;
    let account = Account { answer, reading, endpoint, credential, own, known, now_millis };
    account.verdict()
}

impl Account<'_> {
    fn verdict(&self) -> Verdict {
        let status = self.answer.status;
        match (status, self.reading.members()) {
            (200..300, None) => self.transient(
                "did not answer with a JSON object; is something else listening at this address?",
            ),
            (200..300, Some(members)) => match self.said() {
                said if members.has_error() => self.error(400, &said),
                said if members.text("access_token").is_none() && said.class.is_some() => {
                    self.error(400, &said)
                }
                _ => self.grant(members),
            },
            (300..400, _) => self.misconfigured(
                "answered with a redirect, which is not followed; give the final address as tokenUrl",
            ),
            (407, _) => self.transient(
                "is behind a proxy that asks for a user name and password; give them in its URL",
            ),
            (429, _) => self.throttled(),
            (408 | 425 | 500.., _) => self.transient("failed; it is asked again"),
            _ => self.error(status, &self.said()),
        }
    }

    /// Judges an error by its code if that is known, otherwise by its status.
    fn error(&self, status: u16, said: &Said) -> Verdict {
        let explanation = self.explanation();
        let tells = |of_rate_limit: fn(&str) -> bool| explanation.is_some_and(of_rate_limit);
        match said.class {
            Some(ErrorClass::Client) => self.rejected(&format!(
                "does not accept this client id with this secret, sent with {}",
                advice(self.endpoint.client_auth, self.credential)
            )),
            Some(ErrorClass::Grant) => self.rejected(
                "does not let this client use the client-credentials grant; check the client's grant \
                 type there",
            ),
            // No server asks a client to wait because its secret is wrong.
            None | Some(ErrorClass::Denied)
                if status == 403
                    && (tells(mentions_rate_limit) || self.wait(false).is_some()) =>
            {
                self.throttled()
            }
            Some(ErrorClass::Denied) if matches!(status, 401 | 403) => self.rejected(
                "denies this client access; check the client's permissions there",
            ),
            Some(ErrorClass::Throttled) => self.throttled(),
            _ if tells(tells_of_rate_limit) => self.throttled(),
            Some(ErrorClass::Unavailable) => self.transient("is not available; it is asked again"),
            Some(ErrorClass::Request) => self.ambiguous(
                "does not accept the request; check scope, audience, resource, params and clientAuth",
            ),
            Some(ErrorClass::Options) => self.misconfigured(
                "does not accept the request; check scope, audience, resource, params and clientAuth",
            ),
            None | Some(ErrorClass::Denied) => self.by_status(status),
        }
    }

    fn by_status(&self, status: u16) -> Verdict {
        match (status, self.reading) {
            (401, _) => self.refused(
                "refused the request; check the client secret, scope and clientAuth, and whether a \
                 gateway stands before the endpoint",
            ),
            (403, _) => self.refused(
                "refused the request; check the client secret, scope and clientAuth, and whether a \
                 gateway or firewall stands before the endpoint, which may ask for fewer requests or \
                 not like the userAgent",
            ),
            (404, _) => self.misconfigured(&format!(
                "is not there; check tokenUrl, also whether it has to end {} a slash",
                if self.endpoint.token_url.path().ends_with('/') { "without" } else { "with" }
            )),
            (400 | 422, BodyReading::Object(_)) => self.ambiguous(
                "does not accept the request; check tokenUrl, the provider's options and the client secret",
            ),
            (_, BodyReading::Object(_)) => self.misconfigured(
                "does not accept the request; check tokenUrl and the provider's options",
            ),
            (405 | 410, _) => {
                self.transient("does not take token requests at this address; check tokenUrl")
            }
            _ => self.transient(
                "gave an answer that a token endpoint does not give; it is asked again",
            ),
        }
    }

    fn grant(&self, members: &JsonMembers) -> Verdict {
        let Some(JsonMember::Text(token)) = members.get("access_token") else {
            return self
                .unusable("answered without an access_token; is tokenUrl the token endpoint?");
        };
        if !fits_a_header(token) {
            return self.unusable(
                "answered with an access_token that must not stand in a header: it is empty, begins \
                 or ends with a blank, or has control characters or others than ASCII (RFC 6749 A.12)",
            );
        }
        if !self.endpoint.treat_as_bearer
            && let Some(kind) = other_than_bearer(members)
        {
            return self.unusable(&format!(
                "answered with a token_type other than Bearer ({}), which is all that is supported; \
                 where such a token is used as one, set the provider's option treatAsBearer",
                self.presentable(kind)
            ));
        }
        let expires_in = match members.seconds("expires_in") {
            _ if self.endpoint.ignore_expires_in => None,
            Some(seconds) if seconds <= 0.0 => {
                return self.unusable(
                    "answered with a token that is expired already (expires_in is not above 0); where \
                     that means a token without end, set the provider's option ignoreExpiresIn, and \
                     defaultLifetimeMs counts",
                );
            }
            seconds => seconds,
        };
        Verdict::Accepted(Grant {
            access_token: Secret::new(token),
            lifetime: expires_in.map_or(self.endpoint.default_lifetime, duration),
            refresh_in: members.seconds("refresh_in").filter(|it| *it > 0.0).map(duration),
            scope: members.text("scope").map(|scope| self.presentable(scope)),
        })
    }

    fn rejected(&self, story: &str) -> Verdict {
        Verdict::Rejected(self.failure(Code::CredentialRejected, story))
    }

    /// This is retried: the refusal may concern neither the client nor its secret.
    fn refused(&self, story: &str) -> Verdict {
        let failure = self.failure(Code::CredentialRejected, story);
        Verdict::Refused(Failure { retryable: true, ..failure })
    }

    fn ambiguous(&self, story: &str) -> Verdict {
        Verdict::Ambiguous(self.failure(Code::Misconfigured, story))
    }

    fn misconfigured(&self, story: &str) -> Verdict {
        Verdict::Misconfigured(self.failure(Code::Misconfigured, story))
    }

    /// A success without a usable token. None of its explanation is shown.
    fn unusable(&self, story: &str) -> Verdict {
        let status = Some(self.answer.status);
        let message = self.message(story, &self.answer.status.to_string());
        Verdict::Misconfigured(Failure { status, ..Failure::new(Code::Misconfigured, message) })
    }

    fn throttled(&self) -> Verdict {
        let story = "asks for fewer token requests; it is asked again later";
        let failure = self.failure(Code::Throttled, story);
        Verdict::Throttled(Failure { retry_after: self.wait(true), ..failure })
    }

    fn transient(&self, story: &str) -> Verdict {
        Verdict::Transient(self.failure(Code::Endpoint, story))
    }
}

/// Whether a token may stand in an `Authorization` header: `1*VSCHAR` of RFC 6749 A.12, without
/// blanks at its ends, which a header would lose.
fn fits_a_header(token: &str) -> bool {
    !token.is_empty()
        && token.bytes().all(|byte| (b' '..=b'~').contains(&byte))
        && token.trim_matches(' ') == token
}

/// Returns the token's type if it is not Bearer (RFC 6749 §7.1). A missing or empty type says
/// nothing.
fn other_than_bearer(members: &JsonMembers) -> Option<&str> {
    match members.get("token_type")? {
        JsonMember::Nothing => None,
        JsonMember::Text(kind) => {
            let kind = kind.trim();
            (!kind.is_empty() && !kind.eq_ignore_ascii_case("bearer")).then_some(kind)
        }
        _ => Some("no text"),
    }
}

/// Rounds down to the millisecond, so that no token is used after it has expired.
fn duration(seconds: f64) -> Duration {
    let whole = Duration::from_secs_f64(seconds.clamp(0.0, LONGEST_LIFE));
    Duration::from_millis(u64::try_from(whole.as_millis()).unwrap_or(u64::MAX))
}
