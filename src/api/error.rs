//! Errors, as the facade turns them into its classes.

use serde::Serialize;

use super::change::MissingMessage;
use super::instant::{UtcMillis, millis};
use crate::error::{Code, Failure};
use crate::refresh::TokenRefusal;

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
    /// When the last token would expire.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub safe_until: Option<UtcMillis>,
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

impl From<TokenRefusal> for ErrorMessage {
    fn from(refusal: TokenRefusal) -> Self {
        match refusal {
            TokenRefusal::Unavailable { retry_after, cause } => {
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
            TokenRefusal::CredentialUnavailable(cause) => {
                let story = cause.message.clone();
                Self {
                    cause: Some(Box::new(cause)),
                    ..Self::new(Code::CredentialUnavailable, story)
                }
            }
            TokenRefusal::LifetimeTooShort(lifetime) => Self {
                lifetime_ms: Some(millis(lifetime)),
                ..Self::new(
                    Code::LifetimeTooShort,
                    format!(
                        "A fresh token can be used for {} ms, which is less than minValidityMs asks for. Ask for \
                         less, raise maxTokenAgeMs if it is set, or let the token endpoint issue longer-lived \
                         tokens.",
                        millis(lifetime)
                    ),
                )
            },
            TokenRefusal::Closed => Self::new(
                Code::Closed,
                "This TokenManager is closed. Create a new one to get tokens again.",
            ),
        }
    }
}
