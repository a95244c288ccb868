//! What a handle's environment is told, in the words that JavaScript sees.

use serde::Serialize;

use crate::credential::Credential;
use crate::error::{Code, Failure};
use crate::member::Name;
use crate::refresh::{Refusal, Retirement, WaiterId};
use crate::rotation::CallerId;
use crate::secret::{Secret, serialize_exposed};

/// Names one handle of a manager, for as long as the process lives.
pub type HandleId = u64;

/// A message to the environment of some handles.
#[derive(Debug, Clone, Serialize)]
#[serde(tag = "type", rename_all = "kebab-case")]
pub enum Message {
    /// A waiting call has its answer.
    Settled {
        /// Which call.
        waiter: WaiterId,
        /// Why there is no token; absent when there is one.
        #[serde(skip_serializing_if = "Option::is_none")]
        error: Option<ErrorMessage>,
    },
    /// A caller of a rotation has its answer.
    Answered {
        /// Which caller.
        caller: CallerId,
        /// Where the rotation stands, unless something else was asked for.
        #[serde(skip_serializing_if = "Option::is_none")]
        rotation: Option<Box<RotationMessage>>,
        /// The fleet is ready for a change at the provider.
        #[serde(skip_serializing_if = "Option::is_none")]
        preparation: Option<PreparationMessage>,
        /// Why it does not get what it wanted.
        #[serde(skip_serializing_if = "Option::is_none")]
        error: Option<ErrorMessage>,
    },
    /// Something has happened: does anybody hear of it?
    Audience {
        /// Whose listeners.
        handles: Vec<HandleId>,
    },
    /// A JavaScript sink is to keep a credential.
    Persist {
        /// Whose sink.
        handle: HandleId,
        /// Its index among the handle's JavaScript sinks.
        index: usize,
        /// Names the write.
        write: u64,
        /// What is kept.
        credential: CredentialMessage,
    },
    /// A JavaScript sink has taken too long and is to give up.
    AbortPersist {
        /// Whose sink.
        handle: HandleId,
        /// The number of the write.
        write: u64,
    },
    /// The credential of an entry that reads environment variables was replaced.
    #[serde(rename_all = "camelCase")]
    Environment {
        /// Whose entry.
        handle: HandleId,
        /// Its position in the list of credentials.
        entry: usize,
        /// The new client id.
        client_id: String,
        /// The new secret.
        #[serde(serialize_with = "serialize_exposed")]
        client_secret: Secret,
    },
    /// The file in front of an entry's variables holds a credential that was accepted, and the variables
    /// hold another one.
    StaleVariables {
        /// Whose entry.
        handle: HandleId,
        /// Its position in the list of credentials.
        entry: usize,
    },
    /// Something happened that people may want to know of.
    Event(EventMessage),
    /// The handle's JavaScript sources are to be read.
    #[serde(rename_all = "camelCase")]
    Read {
        /// Which handle.
        handle: HandleId,
        /// No function is called.
        variables_only: bool,
    },
}

/// An event, for all handles of one manager in one environment.
#[derive(Debug, Clone, Serialize)]
pub struct EventMessage {
    /// The handles, in the order in which they were opened.
    pub handles: Vec<HandleId>,
    /// +1 with every event of the manager.
    pub seq: u64,
    /// When it happened, in milliseconds since 1970.
    pub at: i64,
    /// What happened.
    #[serde(flatten)]
    pub event: Event,
}

/// What happened. Instants are milliseconds since 1970; no secret and no token is in it.
#[derive(Debug, Clone, Serialize)]
#[serde(
    tag = "event",
    content = "payload",
    rename_all = "kebab-case",
    rename_all_fields = "camelCase"
)]
#[expect(missing_docs, reason = "the fields are those of index.d.ts, which documents them")]
pub enum Event {
    Token {
        serial: u64,
        #[serde(flatten)]
        credential: CredentialName,
        issued_at: i64,
        expires_at: i64,
        refresh_at: i64,
    },
    TokenRetired {
        serial: u64,
        reason: Retirement,
    },
    CredentialRejected {
        #[serde(flatten)]
        credential: CredentialName,
        error: Failure,
    },
    RefreshFailed {
        error: Failure,
        next_attempt_at: i64,
        runway_ms: u64,
    },
    InvalidateIgnored {
        serial: u64,
        retry_after_ms: u64,
    },
    Source {
        entry: usize,
        #[serde(skip_serializing_if = "Option::is_none")]
        label: Option<String>,
        #[serde(flatten)]
        change: SourceChanged,
    },
    ThreadRestarted {},
    Rotation(Box<ChangeMessage>),
    Persisted {
        entry: usize,
        outcome: &'static str,
        #[serde(flatten)]
        credential: CredentialName,
        #[serde(skip_serializing_if = "Option::is_none")]
        message: Option<String>,
    },
    CredentialExpiring {
        #[serde(flatten)]
        credential: CredentialName,
        expires_at: i64,
        days_left: u32,
    },
}

/// A credential on its way to a place that keeps it.
#[derive(Debug, Clone, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct CredentialMessage {
    #[serde(flatten)]
    name: CredentialName,
    #[serde(serialize_with = "serialize_exposed")]
    client_secret: Secret,
}

impl CredentialMessage {
    pub(super) fn of(credential: &Credential) -> Self {
        let client_secret = credential.client_secret.clone();
        Self { name: CredentialName::of(credential), client_secret }
    }
}

/// Where a rotation stands. Instants are milliseconds since 1970.
#[derive(Debug, Clone, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct RotationMessage {
    pub rotation_id: String,
    pub phase: &'static str,
    pub generation: u64,
    pub candidate: CredentialName,
    pub active: CredentialName,
    pub previous: Option<CredentialName>,
    pub persisted: &'static str,
    pub retire_not_before: Option<i64>,
    pub safe_to_revoke_at: Option<i64>,
    pub reason: Option<Code>,
    pub waiting_for: Vec<WaitingMessage>,
}

/// Something that a rotation waits for.
#[derive(Debug, Clone, Serialize)]
pub struct WaitingMessage {
    pub code: &'static str,
    pub message: String,
    pub since: i64,
}

/// The answer to `prepareRotation()`.
#[derive(Debug, Clone, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct PreparationMessage {
    pub safe_until: i64,
    pub custody: &'static str,
}

/// A change of the credential lifecycle.
#[derive(Debug, Clone, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct ChangeMessage {
    pub change: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub rotation_id: Option<String>,
    pub from: &'static str,
    pub to: &'static str,
    pub generation: u64,
    pub active: Option<CredentialName>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub previous: Option<CredentialName>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub next: Option<CredentialName>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub retire_not_before: Option<i64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub safe_to_revoke_at: Option<i64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub missing: Option<MissingMessage>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub reason: Option<&'static str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub error: Option<Failure>,
    pub message: String,
}

/// What stands between the previous credential and its retirement.
#[derive(Debug, Clone, Serialize)]
pub struct MissingMessage {
    pub proof: bool,
    pub acks: Vec<String>,
    pub holders: Vec<String>,
    pub sinks: Vec<usize>,
    pub custody: bool,
}

/// What a source did.
#[derive(Debug, Clone, Serialize)]
#[serde(tag = "change", rename_all = "kebab-case")]
pub enum SourceChanged {
    Changed,
    Emptied,
    Unreadable { message: String },
    Throttled { message: String },
}

/// A credential as it may be named in public.
#[derive(Debug, Clone, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct CredentialName {
    /// None before it is derived.
    pub credential_id: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub label: Option<String>,
    pub client_id: String,
}

impl From<&Name> for CredentialName {
    fn from(name: &Name) -> Self {
        let Name { id, label, client_id } = name.clone();
        Self { credential_id: Some(id.to_string()), label, client_id }
    }
}

/// An error that the facade turns into one of its classes.
#[derive(Debug, Clone, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct ErrorMessage {
    /// Its stable code.
    pub code: Code,
    /// What happened, with what, and what to do next.
    pub message: String,
    /// The option that is to blame.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub option: Option<String>,
    /// When asking again is worth it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub retry_after_ms: Option<u64>,
    /// How long a fresh token may be handed out.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub lifetime_ms: Option<u64>,
    /// What else is known of a rotation that went wrong.
    #[serde(flatten, skip_serializing_if = "Option::is_none")]
    pub details: Option<Box<RotationDetails>>,
    /// What stands behind it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub cause: Option<Box<Failure>>,
}

/// What is known of a rotation that went wrong.
#[derive(Debug, Clone, Default, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct RotationDetails {
    /// The rotation that it is about.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub rotation_id: Option<String>,
    /// The credential that it is about.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub credential_id: Option<String>,
    /// The configured credentials that were looked at.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub looked_at: Option<Vec<String>>,
    /// What stands in the way.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub missing: Option<MissingMessage>,
    /// Until when tokens would be there, in milliseconds since 1970.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub safe_until: Option<i64>,
}

impl ErrorMessage {
    /// An error of which nothing but its kind and its story is known.
    pub fn new(code: Code, message: impl Into<String>) -> Self {
        Self {
            code,
            message: message.into(),
            option: None,
            retry_after_ms: None,
            lifetime_ms: None,
            details: None,
            cause: None,
        }
    }

    /// An option has a wrong value.
    pub fn invalid_option(option: &str, message: impl Into<String>) -> Self {
        Self { option: Some(option.to_owned()), ..Self::new(Code::InvalidOption, message) }
    }
}

impl From<Refusal> for ErrorMessage {
    fn from(refusal: Refusal) -> Self {
        match refusal {
            Refusal::Unavailable { retry_after, cause } => {
                let story = match &cause {
                    Some(cause) => format!("No token is held: {}", cause.message),
                    None => "No token is held, and the token endpoint has not answered yet. \
                             Raise acquireTimeoutMs if it is known to be slow."
                        .to_owned(),
                };
                Self {
                    retry_after_ms: Some(millis(retry_after)),
                    cause: cause.map(Box::new),
                    ..Self::new(Code::TokenUnavailable, story)
                }
            }
            Refusal::CredentialUnavailable(cause) => {
                let story = cause.message.clone();
                Self {
                    cause: Some(Box::new(cause)),
                    ..Self::new(Code::CredentialUnavailable, story)
                }
            }
            Refusal::LifetimeTooShort(lifetime) => Self {
                lifetime_ms: Some(millis(lifetime)),
                ..Self::new(
                    Code::LifetimeTooShort,
                    format!(
                        "A fresh token can be used for {} ms, which is less than minValidityMs asks \
                         for. Ask for less, raise maxTokenAgeMs where it is given, or let the token \
                         endpoint issue longer lived tokens.",
                        millis(lifetime)
                    ),
                )
            },
            Refusal::Closed => Self::new(
                Code::Closed,
                "This TokenManager was closed. Make a new one to get tokens again.",
            ),
        }
    }
}

/// Whole milliseconds, as JavaScript counts.
pub(super) fn millis(duration: std::time::Duration) -> u64 {
    u64::try_from(duration.as_millis()).unwrap_or(u64::MAX)
}
