//! Which answers grant a token, and how long it lives.

use super::*;
use crate::provider::Endpoint;

fn body(token: &str) -> String {
    format!(r#"{{"access_token":{},"expires_in":60}}"#, serde_json::Value::from(token))
}

#[test]
fn a_token_may_have_every_character_that_may_stand_in_a_header() {
    let all: String = (b'!'..=b'~').map(char::from).collect();
    for token in [
        "00D5e000000ABcd!AQEAQFY.salesforce_",
        "12|laravelSanctumToken",
        "v^1.1#i^1#ebay",
        "eyJ.a-b_c~+/==",
        "a b",
        "==",
        "t",
        &all,
    ] {
        assert_eq!(grant(verdict(200, body(token))).access_token.expose(), token);
    }
}

#[test]
fn a_token_that_cannot_stand_in_a_header_is_none() {
    for token in ["", " ", " t", "t ", "t\n", "a\r\nX: y", "a\tb", "a\u{7f}", "é", "\u{fffd}", "\0"]
    {
        let told = verdict(200, body(token));
        assert_eq!(name(&told), "Misconfigured", "{token:?}");
        assert!(failure(told).message.contains("must not stand in a header"));
    }
    for token in ["7", "null", "true", "[\"t\"]", "{\"access_token\":\"t\"}"] {
        let told = verdict(200, format!(r#"{{"access_token":{token},"expires_in":1}}"#));
        assert!(failure(told).message.contains("without an access_token"), "{token}");
    }
}

#[test]
fn lifetimes_of_every_shape_are_read() {
    let lifetime = |expires_in: &str| {
        let body = format!(r#"{{"access_token":"t","expires_in":{expires_in}}}"#);
        grant(verdict(200, &body)).lifetime.as_millis()
    };
    assert_eq!(lifetime("3600"), 3_600_000);
    assert_eq!(lifetime(r#"" 3600 ""#), 3_600_000);
    assert_eq!(lifetime("59.9999"), 59_999);
    assert_eq!(lifetime("null"), 300_000, "the configured lifetime");
    assert_eq!(lifetime(r#""soon""#), 300_000);
    for endless in ["1e300", "1e400", r#""inf""#] {
        assert_eq!(lifetime(endless), 100 * 365 * 86_400_000, "a hundred years are enough");
    }
}

#[test]
fn a_life_that_is_over_is_refused_unless_it_is_to_be_ignored() {
    let ignoring = Endpoint { ignore_expires_in: true, ..endpoint() };
    for life in ["0", "-1", r#""-5""#, "-1e400"] {
        let answer = answer(200, format!(r#"{{"access_token":"t","expires_in":{life}}}"#));
        let message = failure(judged(&answer)).message;
        assert!(message.contains("ignoreExpiresIn") && message.contains("defaultLifetimeMs"));
        let granted = grant(judge(&answer, &ignoring, &credential(), &nothing(), 0));
        assert_eq!(granted.lifetime, Duration::from_mins(5));
    }
    let granted = grant(judge(&answer(200, body("t")), &ignoring, &credential(), &nothing(), 0));
    assert_eq!(granted.lifetime, Duration::from_mins(5), "ignored is ignored");
}

#[test]
fn a_type_that_is_empty_is_missing_and_blanks_around_it_mean_nothing() {
    for kind in ["null", r#""""#, r#"" ""#, r#""Bearer ""#, r#"" BEARER""#, r#""bearer""#] {
        let body = format!(r#"{{"access_token":"t","token_type":{kind}}}"#);
        assert_eq!(name(&verdict(200, body)), "Accepted", "{kind}");
    }
}

#[test]
fn another_type_is_refused_unless_it_is_to_be_treated_as_bearer() {
    let treating = Endpoint { treat_as_bearer: true, ..endpoint() };
    let kinds = [
        (r#""BearerToken""#, "(BearerToken)"),
        (r#""Application Access Token""#, "(Application Access Token)"),
        (r#""mac""#, "(mac)"),
        ("7", "(no text)"),
        (r#"{"a":1}"#, "(no text)"),
    ];
    for (kind, named) in kinds {
        let answer = answer(200, format!(r#"{{"access_token":"tok-en","token_type":{kind}}}"#));
        let message = failure(judged(&answer)).message;
        assert!(message.contains(named) && message.contains("treatAsBearer"), "{message}");
        assert_eq!(name(&judge(&answer, &treating, &credential(), &nothing(), 0)), "Accepted");
    }
    let quoting = format!(r#"{{"access_token":"tok-en","token_type":"is tok-en {SECRET}"}}"#);
    let message = failure(verdict(200, quoting)).message;
    assert!(message.contains("(is [redacted] [redacted])"), "{message}");
}

#[test]
fn type_scope_and_refresh_in_are_taken_over() {
    let body =
        r#"{"access_token":"t","token_type":"BEARER","expires_in":9,"refresh_in":4,"scope":"a b"}"#;
    let granted = grant(verdict(200, body));
    assert_eq!(granted.refresh_in, Some(Duration::from_secs(4)));
    assert_eq!(granted.scope.as_deref(), Some("a b"));
    let body = r#"{"access_token":"t","expires_in":9,"refresh_in":0,"scope":""}"#;
    let granted = grant(verdict(200, body));
    assert_eq!(granted.refresh_in, None);
    assert_eq!(granted.scope, None, "an empty one says nothing, least of all that it is narrower");
}
