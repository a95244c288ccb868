//! How the option `scheme` reaches the core.

use serde::Deserialize;

use super::encoding::TagEncoding;

/// The option `scheme`: a name, or what an HMAC scheme of the user's own looks like.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(untagged)]
pub enum SchemeSpec {
    /// A scheme that we know.
    Named(SchemeName),
    /// A scheme that the user describes.
    Hmac(HmacSpec),
}

/// The schemes that we know.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum SchemeName {
    /// Version 3 of the webhooks of `PagerDuty`.
    #[serde(rename = "pagerduty")]
    PagerDuty,
    /// Standard Webhooks, which Svix began.
    StandardWebhooks,
    /// Stripe, whose header holds the timestamp, too.
    Stripe,
    /// The webhooks of `GitHub`.
    #[serde(rename = "github")]
    GitHub,
    /// The requests that Slack sends.
    Slack,
    /// Open Messaging of Genesys Cloud: GitHub's header, in base64.
    Genesys,
}

/// An HMAC-SHA256 scheme in the terms of its user.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct HmacSpec {
    /// The header of the signatures.
    pub header: String,
    /// What stands before each signature, such as `v1=`; may be empty.
    pub prefix: String,
    /// How the bytes of a signature are written.
    pub encoding: TagEncoding,
    /// What stands between signatures; without it there is only one.
    #[serde(default)]
    pub separator: Option<String>,
    /// What is signed: `{body}`, and perhaps `{id}` and `{timestamp}`, with texts between them.
    pub signed: String,
    /// The header of the message's id.
    #[serde(default)]
    pub id_header: Option<String>,
    /// The header of the time at which it was signed, in seconds since 1970.
    #[serde(default)]
    pub timestamp_header: Option<String>,
}
