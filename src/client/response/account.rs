//! What people are told about an answer: codes, explanations, failures.

use std::time::Duration;

use super::answer::TokenResponse;
use super::body::BodyReading;
use super::codes::{ErrorClass, class_of};
use super::members::JsonMembers;
use crate::client::retry_after;
use crate::credential::Credential;
use crate::error::{Code, Failure};
use crate::provider::Endpoint;
use crate::redaction::{Known, presentable};
use crate::secret::Secret;

/// An answer, and what is needed to describe it without repeating a secret.
pub(super) struct Account<'a> {
    pub(super) answer: &'a TokenResponse,
    pub(super) reading: &'a BodyReading,
    pub(super) endpoint: &'a Endpoint,
    pub(super) credential: &'a Credential,
    /// The tokens in the answer itself, and the client secret.
    pub(super) own: Vec<Secret>,
    pub(super) known: &'a dyn Known,
    pub(super) now_millis: i64,
}

/// The code of an error, and its class if that is known.
pub(super) struct Said {
    code: Option<String>,
    pub(super) class: Option<ErrorClass>,
}

impl Account<'_> {
    pub(super) fn said(&self) -> Said {
        let from_header = self.parameter("error");
        let mut codes: Vec<&str> =
            self.reading.members().map(JsonMembers::codes).unwrap_or_default();
        codes.extend(from_header);
        let known = codes
            .iter()
            .find_map(|code| Some((*code, class_of(code, &self.endpoint.rejected_errors)?)));
        Said {
            code: known.map(|(code, _)| code).or(codes.first().copied()).map(str::to_owned),
            class: known.map(|(_, class)| class),
        }
    }

    pub(super) fn explanation(&self) -> Option<&str> {
        let own = self.reading.members().and_then(JsonMembers::explanation);
        own.or_else(|| self.parameter("error_description"))
    }

    /// Returns a parameter of the header `WWW-Authenticate` (RFC 6750 §3), which some servers use
    /// instead of the body.
    fn parameter(&self, name: &str) -> Option<&str> {
        let header = self.answer.headers.get("www-authenticate")?;
        let (_, value) = header.split_once(&format!("{name}=\""))?;
        // A quote after a backslash is part of the value (RFC 9110 §5.6.4).
        let mut is_escaped = false;
        let end = value.find(|char| {
            let is_end = char == '"' && !is_escaped;
            is_escaped = char == '\\' && !is_escaped;
            is_end
        });
        Some(&value[..end.unwrap_or(value.len())]).filter(|value| !value.is_empty())
    }

    pub(super) fn failure(&self, code: Code, story: &str) -> Failure {
        let status = self.answer.status;
        let oauth_error = self.said().code.map(|code| self.presentable(&code));
        let description = self.explanation().map(|text| self.presentable(text));
        let said = match (&oauth_error, &description) {
            (Some(error), Some(text)) => format!("{status} {error}: {text}"),
            (Some(error), None) => format!("{status} {error}"),
            (None, Some(text)) => format!("{status}: {text}"),
            (None, None) => format!("{status}{}", self.unread()),
        };
        Failure {
            status: Some(status),
            oauth_error,
            description,
            retry_after: self.wait(false),
            ..Failure::new(code, self.message(story, &said))
        }
    }

    pub(super) fn message(&self, story: &str, said: &str) -> String {
        format!(
            "The token endpoint {} {story} (client id {}, answer {said}).",
            address(self.endpoint),
            self.credential.client_id,
        )
    }

    /// Says why a body could not be read, if that is known.
    fn unread(&self) -> String {
        let coding = self.answer.headers.get("content-encoding").unwrap_or("identity");
        let is_read =
            ["identity", "gzip", "x-gzip"].iter().any(|it| coding.eq_ignore_ascii_case(it));
        match self.reading {
            BodyReading::TooLarge => {
                ", which has more than 1 MiB when it is decompressed".to_owned()
            }
            BodyReading::Damaged => ", whose gzip is damaged".to_owned(),
            BodyReading::Other if !is_read => format!(
                " in the content coding {}, though identity was asked for; only gzip is decoded",
                self.presentable(coding)
            ),
            BodyReading::Other | BodyReading::Object(_) => String::new(),
        }
    }

    pub(super) fn presentable(&self, text: &str) -> String {
        presentable(text, &[&self.own, self.known])
    }

    pub(super) fn wait(&self, is_throttled: bool) -> Option<Duration> {
        retry_after::wait(|name| self.answer.headers.get(name), is_throttled, self.now_millis)
    }
}

/// Returns the endpoint's URL as it may be shown: without user, query and fragment.
pub fn address(endpoint: &Endpoint) -> String {
    let url = &endpoint.token_url;
    let port = url.port().map(|port| format!(":{port}")).unwrap_or_default();
    format!("{}://{}{port}{}", url.scheme(), url.host_str().unwrap_or_default(), url.path())
}
