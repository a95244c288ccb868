//! What an error code means (RFC 6749 §5.2, and how servers deviate from it).

/// What an error code is about.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum ErrorClass {
    /// The endpoint does not know this client or its secret.
    Client,
    /// The client may not use the client-credentials grant.
    Grant,
    /// About the client if the status is 401 or 403, otherwise about the request.
    Denied,
    /// There are too many requests.
    Throttled,
    /// The endpoint does not work at the moment.
    Unavailable,
    /// The request is wrong. Some servers also say so without checking the secret.
    Request,
    /// The request is wrong with any credential.
    Options,
}

/// Returns the class of a code. `rejected` lists the codes with which this provider rejects a
/// client.
pub(super) fn class_of(code: &str, rejected: &[String]) -> Option<ErrorClass> {
    let code = normal(code);
    Some(match code.as_str() {
        "invalid_client" => ErrorClass::Client,
        code if rejected.iter().any(|one| normal(one) == code) => ErrorClass::Client,
        "unauthorized_client" => ErrorClass::Grant,
        "access_denied" | "invalid_grant" => ErrorClass::Denied,
        code if is_rate_limit(code) => ErrorClass::Throttled,
        "temporarily_unavailable" | "server_error" => ErrorClass::Unavailable,
        "invalid_request" => ErrorClass::Request,
        "invalid_scope" | "unsupported_grant_type" => ErrorClass::Options,
        _ => return None,
    })
}

/// Whether an explanation begins by saying that there are too many requests, as Genesys Cloud's
/// does beside `invalid_request`.
pub(super) fn tells_of_rate_limit(explanation: &str) -> bool {
    let text = explanation.to_ascii_lowercase();
    ["rate limit exceeded", "too many requests"].iter().any(|words| text.starts_with(words))
}

/// Whether an explanation says so anywhere: for a status that does not tell what was refused.
pub(super) fn mentions_rate_limit(explanation: &str) -> bool {
    let text = explanation.to_ascii_lowercase();
    ["rate limit", "too many requests"].iter().any(|words| text.contains(words))
}

fn is_rate_limit(code: &str) -> bool {
    ["rate_limit", "ratelimit", "too_many_", "slow_down", "throttl"]
        .iter()
        .any(|prefix| code.starts_with(prefix))
}

/// Normalizes a code: `Invalid-Client: no such client` becomes `invalid_client`.
fn normal(code: &str) -> String {
    let code = code.split(':').next().unwrap_or_default().trim();
    code.to_ascii_lowercase().replace(['-', ' ', '.'], "_")
}
