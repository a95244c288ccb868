//! A token endpoint, and how it is asked for a token.

use std::time::Duration;

use serde::Deserialize;
use url::Url;

/// How the client authenticates at the token endpoint.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum ClientAuth {
    /// HTTP Basic over form-encoded client id and secret (RFC 6749 §2.3.1).
    Basic,
    /// HTTP Basic over client id and secret without encoding, as Genesys Cloud's SDKs send them.
    BasicRaw,
    /// `client_id` and `client_secret` in the request body (RFC 6749 §2.3.1, not recommended
    /// there).
    Body,
}

/// A token endpoint, and what is asked for there.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Endpoint {
    /// The token endpoint (RFC 6749 §3.2).
    pub token_url: Url,
    /// How the client authenticates at the endpoint.
    pub client_auth: ClientAuth,
    /// The `scope` parameter (RFC 6749 §3.3).
    pub scope: Option<String>,
    /// The `audience` parameter, which some servers require.
    pub audience: Option<String>,
    /// The `resource` parameters (RFC 8707 §2), in order.
    pub resource: Vec<String>,
    /// Further parameters, in order.
    pub params: Vec<(String, String)>,
    /// The lifetime of a token if the answer does not state it.
    pub default_lifetime: Duration,
    /// Whether the lifetime that the answer states is ignored.
    pub ignore_expires_in: bool,
    /// Whether a token of another type than Bearer is used as one.
    pub treat_as_bearer: bool,
    /// Error codes by which this provider rejects the client, besides those of RFC 6749 §5.2.
    pub rejected_errors: Vec<String>,
}
