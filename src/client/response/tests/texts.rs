//! What messages say about an answer, and what they never say.

use super::*;
use crate::credential::Credential;
use crate::provider::Endpoint;
use crate::secret::Secret;

/// The secret encoded as we never send it, but as a server may repeat it.
const ENCODED_ANEW: &str = "hunter2%2F%2B%20%25%3A%C3%A9";

fn description(body: &str) -> Option<String> {
    failure(verdict(401, body)).description
}

#[test]
fn an_explanation_is_found_wherever_it_stands() {
    for body in [
        r#"{"error":"x","error_description":"why"}"#,
        r#"{"error":"x","error_description":"","description":" why "}"#,
        r#"{"error":"x","error_description":7,"message":"why"}"#,
        r#"{"error":"x","message":"why"}"#,
        r#"{"error":"x","error_message":"why"}"#,
        r#"{"errorCode":"x","errorMessage":"why"}"#,
        r#"{"errorCode":"x","errorSummary":"why","errorLink":"x"}"#,
        r#"{"error":{"message":"why","code":190},"message":"elsewhere"}"#,
        r#"{"error":{"description":"why"}}"#,
        r#"{"title":"Unauthorized","status":401,"detail":"why","type":"https://idp.example/why"}"#,
        r#"{"title":"why","status":401}"#,
        r#"{"errors":[{"detail":"why"},{"detail":"another"}]}"#,
        r#"{"fault":{"faultstring":"why","detail":{"errorcode":"x"}}}"#,
        r#"{"ErrorCode":"x","Error":"why"}"#,
        r#"{"reason":"why"}"#,
        r#"{"detail":{"message":"why"}}"#,
    ] {
        assert_eq!(description(body).as_deref(), Some("why"), "{body}");
    }
    for body in ["", "<html>why</html>", r#"{"message":7}"#, r#"{"hint":"why"}"#, r#"["why"]"#] {
        assert_eq!(description(body), None, "{body}");
    }
}

#[test]
fn a_refusal_names_the_way_in_which_the_client_authenticated_and_the_others() {
    let said = |client_auth, id: &str, secret: &str| {
        let endpoint = Endpoint { client_auth, ..endpoint() };
        let credential = Credential::new(None, id.into(), Secret::new(secret));
        let answer = answer(401, r#"{"error":"invalid_client"}"#);
        let message = failure(judge(&answer, &endpoint, &credential, &nothing(), 0)).message;
        assert!(!message.contains(secret), "{message}");
        message
    };
    for (client_auth, parts) in [
        (
            ClientAuth::Basic,
            ["clientAuth 'basic';", "try 'body'", "'basic-raw' would send the same"],
        ),
        (
            ClientAuth::BasicRaw,
            ["clientAuth 'basic-raw';", "try 'body'", "'basic' would send the same"],
        ),
        (ClientAuth::Body, ["clientAuth 'body';", "'basic'", "'basic-raw'"]),
    ] {
        let message = said(client_auth, "app", "Aa0-._*secret");
        assert!(parts.iter().all(|part| message.contains(part)), "{message}");
    }
    // Characters that the two encode differently, in the id or in the secret.
    for (id, secret) in [("app", "ab/cd+ef=="), ("app", "til~de-secret"), ("app:1", "plain-secret")]
    {
        let message = said(ClientAuth::Basic, id, secret);
        let parts = ["clientAuth 'basic';", "do not decode it", "try 'basic-raw', then 'body'"];
        assert!(parts.iter().all(|part| message.contains(part)), "{message}");
        let message = said(ClientAuth::BasicRaw, id, secret);
        let parts = ["clientAuth 'basic-raw';", "RFC 6749 §2.3.1", "try 'basic', then 'body'"];
        assert!(parts.iter().all(|part| message.contains(part)), "{message}");
        assert!(said(ClientAuth::Body, id, secret).contains("try 'basic' or 'basic-raw'"));
    }
}

#[test]
fn a_bare_refusal_names_all_that_may_be_the_reason() {
    for status in [401, 403] {
        let message = failure(verdict(status, "")).message;
        for part in ["client secret", "scope", "clientAuth", "gateway"] {
            assert!(message.contains(part), "{message}");
        }
    }
    let message = failure(verdict(403, "<html>Access denied by rule 949110</html>")).message;
    assert!(message.contains("fewer requests") && message.contains("userAgent"), "{message}");
}

#[test]
fn a_missing_page_is_a_question_of_the_url() {
    for body in ["", "<html>Not Found</html>", r#"{"message":"not found"}"#] {
        let message = failure(verdict(404, body)).message;
        assert!(message.contains("check tokenUrl, also whether it has to end with a slash"));
    }
    let token_url = "https://login.example.com/oauth/token/".parse().unwrap();
    let endpoint = Endpoint { token_url, ..endpoint() };
    let message = failure(judge(&answer(404, ""), &endpoint, &credential(), &nothing(), 0)).message;
    assert!(message.contains("to end without a slash"), "{message}");
    for status in [405, 410] {
        assert!(failure(verdict(status, "<html>")).message.contains("check tokenUrl"));
    }
    let message = failure(verdict(407, "<html>")).message;
    assert!(message.contains("proxy that asks for a user name and password"), "{message}");
}

#[test]
fn what_the_server_says_is_shown_without_secrets_control_characters_or_end() {
    let sent = sent(&credential());
    let traces: String = sent.iter().map(|it| it.expose().to_owned() + " ").collect();
    for member in ["error_description", "message", "detail", "errorSummary"] {
        let body = serde_json::json!({
            "error": format!("invalid_client{SECRET}"),
            member: format!("\u{1b}[31m{traces}{ENCODED_ANEW}\r\n{}", "x".repeat(1000)),
        });
        let failure = failure(verdict(400, body.to_string()));
        let text = format!("{failure:?} {failure}");
        for trace in &sent {
            assert!(!text.contains(trace.expose()));
        }
        assert!(!text.contains("hunter2"), "{text}");
        assert!(!text.contains("private"), "a query may hold a key");
        let description = failure.description.unwrap();
        assert_eq!(description.chars().count(), 256);
        assert!(!description.contains(char::is_control));
    }
}

#[test]
fn a_secret_is_known_in_an_encoding_that_is_read_wrongly() {
    let latin1: Vec<u8> =
        SECRET.chars().map(|char| u8::try_from(u32::from(char)).unwrap()).collect();
    let twice: String = SECRET.bytes().map(char::from).collect();
    let quoting = |secret: &[u8]| {
        [b"{\"error\":\"invalid_client\",\"message\":\"not ", secret, b"!\"}"].concat()
    };
    for repeated in [latin1, twice.into_bytes(), SECRET.into()] {
        let description = failure(verdict(400, quoting(&repeated))).description;
        assert_eq!(description.as_deref(), Some("not [redacted]!"));
    }
}

#[test]
fn a_header_that_repeats_the_secret_is_shown_without_it() {
    let header = format!(r#"Bearer error="no {SECRET}", error_description="{SECRET}?""#);
    let list = [("www-authenticate", header.as_str()), ("content-encoding", SECRET)];
    for body in ["", "{}"] {
        let told = failure(judged(&with(&list, answer(401, body))));
        assert_eq!(told.oauth_error.as_deref(), Some("no [redacted]"));
        assert_eq!(told.description.as_deref(), Some("[redacted]?"));
        assert!(!format!("{told:?}").contains("hunter2"));
    }
    assert!(!format!("{:?}", with(&list, answer(401, ""))).contains("hunter2"));
}

#[test]
fn a_quote_behind_a_backslash_ends_no_header_and_shows_no_half_of_a_secret() {
    let quoted = Credential::new(None, "app".into(), Secret::new(r#"hun"ter2\xyz"#));
    let header =
        r#"Basic error="no \"way\"", error_description="secret hun\"ter2\\xyz is wrong", x="y""#;
    let answer = with(&[("www-authenticate", header)], answer(401, ""));
    let told = failure(judge(&answer, &endpoint(), &quoted, &nothing(), 0));
    assert_eq!(told.oauth_error.as_deref(), Some(r#"no \"way\""#));
    assert_eq!(told.description.as_deref(), Some("secret [redacted] is wrong"));
}

#[test]
fn a_token_that_the_server_quotes_is_not_repeated() {
    let earlier = vec![Secret::new("eyJ.earlier"), Secret::new("eyJ.earlier.and.longer")];
    let body = r#"{"error":"eyJ.new","error_description":"eyJ.earlier, eyJ.earlier.and.longer, eyJ.new, eyJ.id","access_token":"eyJ.new","id_token":"eyJ.id"}"#;
    for status in [200, 400, 401, 429, 503] {
        let verdict = judge(&answer(status, body), &endpoint(), &credential(), &earlier, 0);
        let text = format!("{verdict:?}");
        assert!(text.contains("[redacted], [redacted], [redacted], [redacted]"), "{text}");
        assert!(!text.contains("eyJ") && !text.contains("longer"), "{text}");
    }
}

#[test]
fn a_secret_is_not_completed_by_replacing_control_characters() {
    let body = serde_json::json!({ "error": SECRET.replace(' ', "\t") });
    let failure = failure(verdict(400, body.to_string()));
    assert_eq!(failure.oauth_error.as_deref(), Some("[redacted]"));
}

#[test]
fn the_basic_header_is_found_without_its_padding() {
    let credential = Credential::new(None, "app".into(), Secret::new("hunter"));
    let body = r#"{"error":"got Basic YXBwOmh1bnRlcg, no more"}"#;
    let verdict = judge(&answer(400, body), &endpoint(), &credential, &nothing(), 0);
    assert_eq!(failure(verdict).oauth_error.as_deref(), Some("got Basic [redacted], no more"));
}
