//! The errors of the core, each with a stable code that JavaScript sees.

use std::time::Duration;

use serde::{Serialize, Serializer};

/// A stable, machine-readable name of an error. Its meaning never changes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Code {
    /// An option has an invalid value.
    InvalidOption,
    /// Another handle with the same name was opened with other options.
    OptionsConflict,
    /// The source of a credential could not be read, or is empty.
    CredentialUnavailable,
    /// There is no token, and none arrived in time.
    TokenUnavailable,
    /// A fresh token has a shorter lifetime than the caller asked for.
    LifetimeTooShort,
    /// The manager was closed.
    Closed,
    /// The token endpoint does not accept the credential.
    CredentialRejected,
    /// The token endpoint does not accept the request, and said so for every credential that was
    /// tried.
    Misconfigured,
    /// The token endpoint asks for fewer requests.
    Throttled,
    /// The token endpoint could not be reached, or did not answer like one.
    Endpoint,
    /// The native part cannot work in this process.
    NativeUnavailable,
    /// No known credential is accepted.
    Degraded,
    /// The token endpoint does not accept the credential that was to become active.
    CandidateRejected,
    /// The credential that was to become active was not proved in time.
    CandidateUnverified,
    /// A credential was not persisted.
    PersistFailed,
    /// Nothing is shared between processes.
    NoFleet,
    /// Another rotation is open, or replaced this one.
    RotationConflict,
    /// A rotation did not finish in the time that its caller allowed.
    RotationTimeout,
    /// There is no credential to rotate to, or to roll back to.
    NoCandidate,
    /// Only a process that may die holds the proved credential.
    NoCustody,
    /// The previous credential is still needed.
    RetireBlocked,
    /// There is no key to sign or verify with.
    NoKey,
}

impl Code {
    /// The code as it appears in `error.code`.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::InvalidOption => "ERR_INVALID_OPTION",
            Self::OptionsConflict => "ERR_OPTIONS_CONFLICT",
            Self::CredentialUnavailable => "ERR_CREDENTIAL_UNAVAILABLE",
            Self::TokenUnavailable => "ERR_TOKEN_UNAVAILABLE",
            Self::LifetimeTooShort => "ERR_LIFETIME_TOO_SHORT",
            Self::Closed => "ERR_CLOSED",
            Self::CredentialRejected => "ERR_CREDENTIAL_REJECTED",
            Self::Misconfigured => "ERR_MISCONFIGURED",
            Self::Throttled => "ERR_THROTTLED",
            Self::Endpoint => "ERR_ENDPOINT",
            Self::NativeUnavailable => "ERR_NATIVE_UNAVAILABLE",
            Self::Degraded => "ERR_DEGRADED",
            Self::CandidateRejected => "ERR_CANDIDATE_REJECTED",
            Self::CandidateUnverified => "ERR_CANDIDATE_UNVERIFIED",
            Self::PersistFailed => "ERR_PERSIST_FAILED",
            Self::NoFleet => "ERR_NO_FLEET",
            Self::RotationConflict => "ERR_ROTATION_CONFLICT",
            Self::RotationTimeout => "ERR_ROTATION_TIMEOUT",
            Self::NoCandidate => "ERR_NO_CANDIDATE",
            Self::NoCustody => "ERR_NO_CUSTODY",
            Self::RetireBlocked => "ERR_RETIRE_BLOCKED",
            Self::NoKey => "ERR_NO_KEY",
        }
    }
}

impl Serialize for Code {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(self.as_str())
    }
}

/// Why a token request, or reading a source, failed.
///
/// It holds no secret: what the endpoint said has passed
/// [`presentable`](crate::redaction::presentable).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, thiserror::Error)]
#[error("{message}")]
#[serde(rename_all = "camelCase")]
pub struct Failure {
    /// The kind of failure.
    pub code: Code,
    /// What happened, to what, and what to do next.
    pub message: String,
    /// The HTTP status, if there was an answer.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub status: Option<u16>,
    /// The `error` member of the answer (RFC 6749 §5.2), or what the server sends instead.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub oauth_error: Option<String>,
    /// The `error_description` member, or an explanation from elsewhere, at most 256 characters.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub description: Option<String>,
    /// The failure that caused this one.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub cause: Option<Box<Failure>>,
    /// Whether trying again may help, although failures of this kind are usually permanent: after a
    /// 401 or 403 without a known code.
    #[serde(skip_serializing_if = "is_false")]
    pub retryable: bool,
    /// How long the endpoint asked to be left alone (RFC 9110 §10.2.3).
    #[serde(skip)]
    pub retry_after: Option<Duration>,
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde passes a reference")]
fn is_false(value: &bool) -> bool {
    !value
}

impl Failure {
    /// A failure of which only the code and the message are known.
    pub fn new(code: Code, message: impl Into<String>) -> Self {
        Self {
            code,
            message: message.into(),
            status: None,
            oauth_error: None,
            description: None,
            cause: None,
            retryable: false,
            retry_after: None,
        }
    }

    /// The same failure, with its cause.
    #[must_use]
    pub fn caused_by(self, cause: Option<Self>) -> Self {
        Self { cause: cause.map(Box::new), ..self }
    }
}
