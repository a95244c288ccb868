//! What the code of an error says (RFC 6749 §5.2, and how servers deviate from it).

/// What an error code is about.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum ErrorClass {
    /// The endpoint does not know this client or its secret.
    Client,
    /// The client may not use the client-credentials grant.
    Grant,
    /// It is about the client where the status says so, too, and otherwise about the request.
    Denied,
    /// There are too many requests.
    Throttled,
    /// The endpoint does not work at the moment.
    Unavailable,
    /// The request is wrong, as servers also say of a secret that they do not look at.
    Request,
    /// The request is wrong, whatever the credential.
    Options,
}

/// The class of a code. `rejected` are codes by which this provider means the client.
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

/// Whether an explanation says that there are too many requests, as Genesys Cloud's does beside
/// `invalid_request`.
pub(super) fn tells_of_rate_limit(explanation: &str) -> bool {
    let text = explanation.to_ascii_lowercase();
    ["rate limit exceeded", "too many requests"].iter().any(|words| text.starts_with(words))
}

/// Whether any text says so: for a status that leaves open what is refused.
pub(super) fn mentions_rate_limit(explanation: &str) -> bool {
    let text = explanation.to_ascii_lowercase();
    ["rate limit", "too many requests"].iter().any(|words| text.contains(words))
}

fn is_rate_limit(code: &str) -> bool {
    ["rate_limit", "ratelimit", "too_many_", "slow_down", "throttl"]
        .iter()
        .any(|prefix| code.starts_with(prefix))
}

/// `Invalid-Client: no such client` and `invalid_client` are one code.
fn normal(code: &str) -> String {
    let code = code.split(':').next().unwrap_or_default().trim();
    code.to_ascii_lowercase().replace(['-', ' ', '.'], "_")
}
