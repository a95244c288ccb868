//! Which answer gets which verdict.

use super::*;

#[test]
fn every_answer_has_its_verdict() {
    let table: &[(&str, u16, &str)] = &[
        ("Accepted", 200, r#"{"access_token":"t","token_type":"bearer","expires_in":86399}"#),
        ("Accepted", 201, r#"{"access_token":"t","expires_in":60}"#),
        // Genesys Cloud sends 400 where the standard says 401.
        (
            "Rejected",
            400,
            r#"{"error":"invalid_client","description":"authentication failed","error_description":"authentication failed"}"#,
        ),
        ("Rejected", 401, r#"{"error":"invalid_client"}"#),
        ("Rejected", 403, r#"{"error":"invalid_client"}"#),
        ("Rejected", 404, r#"{"error":"invalid_client"}"#),
        ("Rejected", 400, r#"{"error":"unauthorized_client"}"#),
        ("Rejected", 401, r#"{"error":"access_denied"}"#),
        ("Rejected", 403, r#"{"error":"invalid_grant"}"#),
        ("Refused", 401, ""),
        ("Refused", 403, ""),
        ("Refused", 403, "<html>Forbidden</html>"),
        ("Refused", 401, r#"{"message":"no"}"#),
        ("Refused", 403, r#"{"error":"something_else"}"#),
        ("Ambiguous", 400, r#"{"error":"invalid_request"}"#),
        ("Ambiguous", 422, r#"{"error":"invalid_request"}"#),
        ("Ambiguous", 401, r#"{"error":"invalid_request"}"#),
        ("Ambiguous", 400, r#"{"error":"Invalid-Request"}"#),
        ("Ambiguous", 400, r#"{"error":"invalid_request: client_secret"}"#),
        ("Ambiguous", 400, r#"{"code":"invalid_request"}"#),
        ("Ambiguous", 400, r#"{"error":{"code":"invalid_request"}}"#),
        ("Ambiguous", 422, r#"{"detail":"no"}"#),
        ("Ambiguous", 200, r#"{"error":"no_such_thing"}"#),
        ("Misconfigured", 415, r#"{"message":"no JSON"}"#),
        ("Misconfigured", 422, r#"{"error":"invalid_scope"}"#),
        ("Misconfigured", 400, r#"{"error":"invalid_scope"}"#),
        ("Misconfigured", 400, r#"{"error":"unsupported_grant_type"}"#),
        ("Ambiguous", 400, r#"{"error":"access_denied"}"#),
        ("Ambiguous", 400, r#"{"error":"invalid_grant"}"#),
        ("Ambiguous", 400, r#"{"message":"what?"}"#),
        ("Misconfigured", 404, r#"{"message":"not found"}"#),
        ("Misconfigured", 404, "not found"),
        ("Misconfigured", 404, "<html>Not Found</html>"),
        ("Misconfigured", 404, ""),
        ("Misconfigured", 301, ""),
        ("Misconfigured", 302, "<html>"),
        ("Misconfigured", 200, "{}"),
        ("Misconfigured", 200, r#"{"error":"invalid_scope"}"#),
        ("Throttled", 429, ""),
        ("Throttled", 429, r#"{"error":"invalid_client"}"#),
        ("Transient", 500, r#"{"error":"invalid_client"}"#),
        ("Transient", 503, "<html>"),
        ("Transient", 408, ""),
        ("Transient", 425, "{}"),
        ("Transient", 407, "<html>Proxy Authentication Required</html>"),
        ("Transient", 400, "<html>Bad gateway</html>"),
        // A maintenance page may respond to a POST like this.
        ("Transient", 405, "<html>"),
        ("Transient", 200, "<html>Welcome</html>"),
        ("Transient", 200, ""),
        ("Transient", 400, r#"{"error":"temporarily_unavailable"}"#),
        // 200 with `error` is judged like 400 with the same body.
        ("Rejected", 200, r#"{"error":"invalid_client","access_token":"t"}"#),
    ];
    for (expected, status, body) in table {
        assert_eq!(name(&verdict(*status, body)), *expected, "{status} {body}");
    }
}

#[test]
fn too_many_requests_are_told_in_many_ways() {
    let genesys = r#"{"error":"invalid_request","error_description":"rate limit exceeded; wait"}"#;
    for (status, body) in [
        (400, genesys),
        (200, genesys),
        (400, r#"{"error":"invalid_request","description":"Rate limit exceeded"}"#),
        (403, r#"{"error":"rate_limit_exceeded"}"#),
        (400, r#"{"error":"RateLimitExceeded"}"#),
        (401, r#"{"error":"too_many_attempts"}"#),
        (400, r#"{"error":"slow_down"}"#),
        (403, r#"{"code":"too.many.requests.retry.after","message":"…"}"#),
        (403, r#"{"message":"API rate limit exceeded for 192.0.2.1"}"#),
        (403, r#"{"error":{"message":"Rate Limit Exceeded","code":2020}}"#),
        (400, r#"{"message":"Too many requests, please try again later."}"#),
    ] {
        assert_eq!(name(&verdict(status, body)), "Throttled", "{status} {body}");
    }
    for body in
        ["", "<html>Forbidden</html>", r#"{"message":"no"}"#, r#"{"error":"access_denied"}"#]
    {
        for header in ["retry-after", "x-retry-after"] {
            let told = judged(&with(&[(header, "7")], answer(403, body)));
            assert_eq!(name(&told), "Throttled", "{header} {body}");
            assert_eq!(failure(told).retry_after, Some(Duration::from_secs(7)));
        }
        // Some servers send this header with every answer.
        let told = judged(&with(&[("x-ratelimit-reset", "7")], answer(403, body)));
        assert_ne!(name(&told), "Throttled", "{body}");
    }
    // Neither a header nor a word in the explanation makes a certain verdict uncertain.
    let certain = r#"{"error":"invalid_client","error_description":"no rate limit is known"}"#;
    let told = judged(&with(&[("retry-after", "7")], answer(403, certain)));
    assert_eq!(name(&told), "Rejected");
    // A wrong scope is no rate limit just because its explanation mentions one.
    let scope =
        r#"{"error":"invalid_scope","error_description":"the scope rate limit is unknown"}"#;
    assert_eq!(name(&verdict(403, scope)), "Misconfigured");
}

#[test]
fn a_reset_beside_429_is_waited_for() {
    for name in ["x-retry-after", "ratelimit-reset", "x-ratelimit-reset", "x-rate-limit-reset"] {
        let told = failure(judged(&with(&[(name, "30")], answer(429, ""))));
        assert_eq!(told.retry_after, Some(Duration::from_secs(30)), "{name}");
    }
    let genesys = r#"{"error":"invalid_request","error_description":"rate limit exceeded; wait"}"#;
    let told = failure(judged(&with(&[("ratelimit-reset", "30")], answer(400, genesys))));
    assert_eq!(told.retry_after, Some(Duration::from_secs(30)));
    let told = failure(judged(&with(&[("ratelimit-reset", "30")], answer(503, ""))));
    assert_eq!(told.retry_after, None, "it says nothing of an outage");
    let told = failure(judged(&with(&[("retry-after", "17")], answer(503, ""))));
    assert_eq!(told.retry_after, Some(Duration::from_secs(17)));
}

/// The fallback depends on this: a wrong client must be recognized in every form of answer.
#[test]
fn a_wrong_client_is_known_in_whatever_clothes_the_answer_comes() {
    for (status, body) in [
        (401, r#"{"error":"invalid_client","error":"invalid_client"}"#),
        (401, r#"{"error":"something_else","error":"invalid_client"}"#),
        (400, r#"{"error":" Invalid_Client "}"#),
        (400, r#"{"error":"invalid client"}"#),
        (400, r#"{"error":"invalid_client: no such client"}"#),
        (400, r#"{"error":{"code":"invalid_client","message":"no"}}"#),
        (400, r#"{"error":{"type":"invalid_client","message":"no"}}"#),
        (400, r#"{"error":{"error":"invalid_client"}}"#),
        (
            401,
            r#"{"errorCode":"invalid_client","errorSummary":"no","errorLink":"l","errorId":"i"}"#,
        ),
        (401, r#"{"ErrorCode":"invalid_client","Error":"ClientId is Invalid"}"#),
        (401, r#"{"error":"Unauthorized","error_code":"invalid_client"}"#),
        (401, r#"{"code":"invalid_client","message":"no"}"#),
        (401, r#"{"errors":[{"code":"invalid_client","detail":"no"},{"code":"other"}]}"#),
        (401, r#"{"fault":{"faultstring":"no","detail":{"errorcode":"invalid_client"}}}"#),
        (401, r#"{"detail":{"error":"invalid_client","message":"no"}}"#),
        (200, r#"{"error":{"code":"invalid_client"}}"#),
        (200, r#"{"errorCode":"invalid_client"}"#),
        // The codes in the provider's `rejected_errors`.
        (400, r#"{"error":"invalid_client_id","error_description":"client identifier invalid"}"#),
        (200, r#"{"error":"invalid_client_id"}"#),
        (401, r#"{"code":"bad.credentials","message":"Invalid login credentials."}"#),
    ] {
        assert_eq!(name(&verdict(status, body)), "Rejected", "{status} {body}");
    }
    let header = r#"Basic realm="idp", error="invalid_client", error_description="no such client""#;
    for status in [400, 401, 403] {
        for body in ["", "<html>", "{}"] {
            let told = judged(&with(&[("www-authenticate", header)], answer(status, body)));
            assert_eq!(name(&told), "Rejected", "{status} {body}");
            let told = failure(told);
            assert_eq!(told.oauth_error.as_deref(), Some("invalid_client"));
            assert_eq!(told.description.as_deref(), Some("no such client"));
        }
    }
    let bare = judged(&with(&[("www-authenticate", r#"Basic realm="idp""#)], answer(401, "")));
    assert_eq!(name(&bare), "Refused");
}

#[test]
fn what_only_looks_like_a_wrong_client_is_none() {
    for (status, body) in [
        (400, r#"{"error":"invalid_client_metadata"}"#),
        (400, r#"{"error":"invalid_request","error_description":"invalid_client"}"#),
        (400, r#"{"message":"invalid_client"}"#),
        (400, r#"{"type":"invalid_client"}"#),
        (400, r#"{"error":["invalid_client"]}"#),
        (400, r#"[{"error":"invalid_client"}]"#),
        (400, r#""invalid_client""#),
        (400, "error=invalid_client"),
        (200, r#"{"access_token":"t","code":"invalid_client"}"#),
    ] {
        assert_ne!(name(&verdict(status, body)), "Rejected", "{status} {body}");
    }
}

#[test]
fn an_empty_error_is_none() {
    for empty in [r#""""#, r#"" ""#, "null", "false", "0", "{}", "[]"] {
        let body = format!(r#"{{"access_token":"t","expires_in":60,"error":{empty}}}"#);
        assert_eq!(name(&verdict(200, &body)), "Accepted", "{body}");
    }
    for some in ["true", "1", r#""?""#, r#"{"message":"no"}"#] {
        let body = format!(r#"{{"access_token":"t","expires_in":60,"error":{some}}}"#);
        assert_eq!(name(&verdict(200, &body)), "Ambiguous", "{body}");
    }
}

#[test]
fn only_what_is_refused_without_a_reason_may_succeed_later() {
    let is_retryable = |status, body| failure(verdict(status, body)).retryable;
    assert!(is_retryable(401, ""));
    assert!(is_retryable(403, "<html>"));
    assert!(!is_retryable(401, r#"{"error":"invalid_client"}"#));
    assert!(!is_retryable(404, ""));
    let told = serde_json::to_value(failure(verdict(403, ""))).unwrap();
    assert_eq!(told["retryable"], true);
    let told = serde_json::to_value(failure(verdict(429, ""))).unwrap();
    assert_eq!(told.get("retryable"), None, "its class says so");
}
