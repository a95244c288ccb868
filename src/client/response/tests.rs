//! The verdict table, and answers of every shape.

use super::*;
use crate::provider::ClientAuth;

const SECRET: &str = "hunter2/+ %:é";
/// The secret as we never send it, but as a server may repeat it.
const ENCODED_ANEW: &str = "hunter2%2F%2B%20%25%3A%C3%A9";

pub(super) fn endpoint() -> Endpoint {
    Endpoint {
        token_url: "https://login.example.com/oauth/token?key=private".parse().unwrap(),
        client_auth: ClientAuth::Basic,
        scope: None,
        audience: None,
        resource: vec![],
        params: vec![],
        default_lifetime: Duration::from_mins(5),
    }
}

fn credential() -> Credential {
    Credential::new(None, "app".into(), Secret::new(SECRET))
}

fn answer(status: u16, body: &str) -> Answer {
    Answer { status, body: Body(body.as_bytes().to_vec()), ..Answer::default() }
}

fn verdict(status: u16, body: &str) -> Verdict {
    judge(&answer(status, body), &endpoint(), &credential(), &[], 0)
}

fn name(verdict: &Verdict) -> &'static str {
    match verdict {
        Verdict::Accepted(_) => "Accepted",
        Verdict::Rejected(_) => "Rejected",
        Verdict::Refused(_) => "Refused",
        Verdict::Misconfigured(_) => "Misconfigured",
        Verdict::Throttled(_) => "Throttled",
        Verdict::Transient(_) => "Transient",
    }
}

fn failure(verdict: Verdict) -> Failure {
    match verdict {
        Verdict::Accepted(_) => panic!("accepted"),
        Verdict::Rejected(failure)
        | Verdict::Refused(failure)
        | Verdict::Misconfigured(failure)
        | Verdict::Throttled(failure)
        | Verdict::Transient(failure) => failure,
    }
}

#[test]
fn every_answer_has_its_verdict() {
    let table: &[(&str, u16, &str)] = &[
        ("Accepted", 200, r#"{"access_token":"t","token_type":"bearer","expires_in":86399}"#),
        ("Accepted", 201, r#"{"access_token":"t","expires_in":60}"#),
        // Genesys Cloud says 400 where the standard says 401.
        (
            "Rejected",
            400,
            r#"{"error":"invalid_client","description":"authentication failed","error_description":"authentication failed"}"#,
        ),
        ("Rejected", 401, r#"{"error":"invalid_client"}"#),
        ("Rejected", 403, r#"{"error":"invalid_client"}"#),
        ("Rejected", 400, r#"{"error":"unauthorized_client"}"#),
        ("Rejected", 401, r#"{"error":"access_denied"}"#),
        ("Rejected", 403, r#"{"error":"invalid_grant"}"#),
        ("Refused", 401, ""),
        ("Refused", 403, "<html>Forbidden</html>"),
        ("Refused", 401, r#"{"message":"no"}"#),
        ("Refused", 403, r#"{"error":"something_else"}"#),
        ("Misconfigured", 400, r#"{"error":"invalid_request"}"#),
        ("Misconfigured", 400, r#"{"error":"invalid_scope"}"#),
        ("Misconfigured", 400, r#"{"error":"unsupported_grant_type"}"#),
        ("Misconfigured", 400, r#"{"error":"access_denied"}"#),
        ("Misconfigured", 400, r#"{"error":"invalid_grant"}"#),
        ("Misconfigured", 400, r#"{"message":"what?"}"#),
        ("Misconfigured", 404, r#"{"message":"not found"}"#),
        ("Misconfigured", 301, ""),
        ("Misconfigured", 302, "<html>"),
        ("Misconfigured", 200, "{}"),
        ("Misconfigured", 200, r#"{"access_token":"","expires_in":1}"#),
        ("Misconfigured", 200, r#"{"access_token":"a b","expires_in":1}"#),
        ("Misconfigured", 200, r#"{"access_token":"a\nb","expires_in":1}"#),
        ("Misconfigured", 200, r#"{"access_token":"==","expires_in":1}"#),
        ("Misconfigured", 200, r#"{"access_token":7,"expires_in":1}"#),
        ("Misconfigured", 200, r#"{"access_token":"t","token_type":"mac"}"#),
        ("Misconfigured", 200, r#"{"access_token":"t","expires_in":0}"#),
        ("Misconfigured", 200, r#"{"access_token":"t","expires_in":"-5"}"#),
        ("Throttled", 429, ""),
        ("Throttled", 429, r#"{"error":"invalid_client"}"#),
        (
            "Throttled",
            400,
            r#"{"error":"invalid_request","error_description":"rate limit exceeded; wait"}"#,
        ),
        ("Throttled", 400, r#"{"error":"invalid_request","description":"Rate limit exceeded"}"#),
        ("Transient", 500, r#"{"error":"invalid_client"}"#),
        ("Transient", 503, "<html>"),
        ("Transient", 408, ""),
        ("Transient", 425, "{}"),
        ("Transient", 400, "<html>Bad gateway</html>"),
        ("Transient", 404, "not found"),
        ("Transient", 200, "<html>Welcome</html>"),
        ("Transient", 200, ""),
        ("Transient", 200, "[]"),
        ("Transient", 400, r#"{"error":"temporarily_unavailable"}"#),
        // 200 with `error` is judged as the same body with 400.
        ("Rejected", 200, r#"{"error":"invalid_client","access_token":"t"}"#),
        ("Misconfigured", 200, r#"{"error":"invalid_scope"}"#),
        (
            "Throttled",
            200,
            r#"{"error":"invalid_request","error_description":"rate limit exceeded"}"#,
        ),
    ];
    for (expected, status, body) in table {
        assert_eq!(name(&verdict(*status, body)), *expected, "{status} {body}");
    }
}

#[test]
fn lifetimes_of_every_shape_are_read() {
    let lifetime = |expires_in: &str| {
        let body = format!(r#"{{"access_token":"t","expires_in":{expires_in}}}"#);
        match verdict(200, &body) {
            Verdict::Accepted(grant) => grant.lifetime.as_millis(),
            other => panic!("{other:?}"),
        }
    };
    assert_eq!(lifetime("3600"), 3_600_000);
    assert_eq!(lifetime(r#"" 3600 ""#), 3_600_000);
    assert_eq!(lifetime("59.9999"), 59_999);
    assert_eq!(lifetime("null"), 300_000, "the configured lifetime");
    assert_eq!(lifetime(r#""soon""#), 300_000);
    assert_eq!(lifetime("1e300"), 100 * 365 * 86_400_000, "a hundred years are enough");
}

#[test]
fn type_scope_and_refresh_in_are_taken_over() {
    let body = r#"{"access_token":"eyJ.a-b_c~+/==","token_type":"BEARER","expires_in":9,"refresh_in":4,"scope":"a b"}"#;
    let Verdict::Accepted(grant) = verdict(200, body) else { panic!() };
    assert_eq!(grant.access_token.expose(), "eyJ.a-b_c~+/==");
    assert_eq!(grant.refresh_in, Some(Duration::from_secs(4)));
    assert_eq!(grant.scope.as_deref(), Some("a b"));
}

#[test]
fn retry_after_is_kept() {
    let answer = Answer { retry_after: Some("17".into()), ..answer(503, "") };
    let failure = failure(judge(&answer, &endpoint(), &credential(), &[], 0));
    assert_eq!(failure.retry_after, Some(Duration::from_secs(17)));
}

#[test]
fn what_the_server_says_is_shown_without_secrets_control_characters_or_end() {
    let traces: String =
        traces(&credential()).iter().map(|it| it.expose().to_owned() + " ").collect();
    let body = serde_json::json!({
        "error": format!("invalid_client{SECRET}"),
        "error_description":
            format!("\u{1b}[31m{traces}{ENCODED_ANEW}\r\n{}", "x".repeat(1000)),
    });
    let failure = failure(verdict(400, &body.to_string()));
    let text = format!("{failure:?} {failure}");
    for trace in super::traces(&credential()) {
        assert!(!text.contains(trace.expose()));
    }
    assert!(!text.contains("hunter2"), "{text}");
    assert!(!text.contains("private"), "a query may hold a key");
    let description = failure.description.unwrap();
    assert_eq!(description.chars().count(), 256);
    assert!(!description.contains(char::is_control));
}

#[test]
fn a_token_that_the_server_quotes_is_not_repeated() {
    let earlier = [Secret::new("eyJ.earlier"), Secret::new("eyJ.earlier.and.longer")];
    let body = r#"{"error":"eyJ.new","error_description":"eyJ.earlier, eyJ.earlier.and.longer, eyJ.new","access_token":"eyJ.new"}"#;
    for status in [200, 400, 401, 429, 503] {
        let verdict = judge(&answer(status, body), &endpoint(), &credential(), &earlier, 0);
        let text = format!("{verdict:?}");
        assert!(text.contains("[redacted], [redacted], [redacted]"), "{text}");
        assert!(!text.contains("eyJ") && !text.contains("longer"), "{text}");
    }
}

#[test]
fn a_secret_is_not_completed_by_replacing_control_characters() {
    let body = serde_json::json!({ "error": SECRET.replace(' ', "\t") });
    let failure = failure(verdict(400, &body.to_string()));
    assert_eq!(failure.oauth_error.as_deref(), Some("[redacted]"));
}

#[test]
fn the_basic_header_is_found_without_its_padding() {
    let credential = Credential::new(None, "app".into(), Secret::new("hunter"));
    let body = r#"{"error":"got Basic YXBwOmh1bnRlcg, no more"}"#;
    let verdict = judge(&answer(400, body), &endpoint(), &credential, &[], 0);
    assert_eq!(failure(verdict).oauth_error.as_deref(), Some("got Basic [redacted], no more"));
}
