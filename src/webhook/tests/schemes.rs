//! Schemes by name, and schemes that a user describes.

use serde_json::{Value, json};

use super::*;

fn spec(value: Value) -> Result<SchemeSpec, serde_json::Error> {
    serde_json::from_value(value)
}

/// A description with some fields changed.
fn described(changes: &Value) -> Result<Scheme, SchemeFlaw> {
    let mut all = json!({
        "header": "X-Signature", "prefix": "v1=", "encoding": "hex", "separator": null,
        "signed": "{body}", "idHeader": null, "timestampHeader": null,
    });
    all.as_object_mut().unwrap().extend(changes.as_object().unwrap().clone());
    Scheme::new(spec(all).unwrap())
}

#[test]
fn each_named_scheme_is_known_by_its_headers_and_version() {
    let names = ["pagerduty", "standard-webhooks", "stripe", "github", "slack", "genesys"];
    let expected = [
        ("X-PagerDuty-Signature", Some("X-Webhook-Id"), None, "v1"),
        ("webhook-signature", Some("webhook-id"), Some("webhook-timestamp"), "v1"),
        ("Stripe-Signature", None, None, "v1"),
        ("X-Hub-Signature-256", Some("X-GitHub-Delivery"), None, "sha256"),
        ("X-Slack-Signature", None, Some("X-Slack-Request-Timestamp"), "v0"),
        ("X-Hub-Signature-256", None, None, "sha256"),
    ];
    for ((name, kind), expected) in names.into_iter().zip(SCHEMES).zip(expected) {
        assert_eq!(spec(json!(name)).unwrap(), SchemeSpec::Named(kind));
        let scheme = scheme(kind);
        let (header, version) = (scheme.signature_header(), scheme.version());
        assert_eq!((header, scheme.id_header(), scheme.timestamp_header(), version), expected);
    }
    let that = |is: fn(&Scheme) -> bool| SCHEMES.map(|name| is(&scheme(name)));
    assert_eq!(that(Scheme::signs_id), [false, true, false, false, false, false]);
    assert_eq!(that(|it| it.signed.has_timestamp), [false, true, true, false, true, false]);
    assert_eq!(that(|it| it.layout.separator.is_some()), [true, true, true, false, false, false]);
}

#[test]
fn names_and_fields_that_are_unknown_are_refused() {
    for wrong in [
        json!("svix"),
        json!("PagerDuty"),
        json!(null),
        json!({}),
        json!({ "header": "X", "prefix": "", "encoding": "hex", "signed": "{body}", "extra": 1 }),
        json!({ "header": "X", "prefix": "", "encoding": "base32", "signed": "{body}" }),
    ] {
        assert!(spec(wrong.clone()).is_err(), "{wrong}");
    }
}

#[test]
fn a_described_scheme_is_what_a_named_one_is() {
    let slack = json!({
        "header": "X-Slack-Signature", "prefix": "v0=", "signed": "v0:{timestamp}:{body}",
        "timestampHeader": "X-Slack-Request-Timestamp",
    });
    let standard = json!({
        "header": "webhook-signature", "prefix": "v1,", "encoding": "base64", "separator": " ",
        "signed": "{id}.{timestamp}.{body}", "idHeader": "webhook-id",
        "timestampHeader": "webhook-timestamp",
    });
    let key = "\0\u{1}\u{2}\u{3}\u{4}\u{5}\u{6}\u{7}\u{8}\t\n\u{b}\u{c}\r\u{e}\u{f}\u{10}\u{11}\
               \u{12}\u{13}\u{14}\u{15}\u{16}\u{17}\u{18}\u{19}\u{1a}\u{1b}\u{1c}\u{1d}\u{1e}\u{1f}";
    // The described scheme takes the bytes themselves.
    for (name, changes, texts) in [
        (SchemeName::Slack, slack, [KEY, KEY]),
        (SchemeName::StandardWebhooks, standard, [KEY, key]),
    ] {
        let (named, described) = (scheme(name), described(&changes).unwrap());
        let header = signed(&named, &keys(&named, &[texts[0]]), &MESSAGE);
        let ring = keys(&described, &[texts[1]]);
        assert_eq!(signed(&described, &ring, &MESSAGE), header);
        assert_eq!(verified(&described, &ring, &received(&header)), Ok(0));
    }
}

#[test]
fn separators_are_written_as_given_and_read_without_their_blanks() {
    for (separator, prefix) in [(", ", "v1="), (" ; ", ""), (" ", "v1,"), ("|", "a,b="), (",", "")]
    {
        let scheme = described(&json!({ "separator": separator, "prefix": prefix })).unwrap();
        let both = keys(&scheme, &[KEY, OTHER_KEY]);
        let list = signed(&scheme, &both, &MESSAGE);
        assert_eq!(list.matches(separator).count(), 1, "{list}");
        let tight = list.replace(separator, if separator == " " { " " } else { separator.trim() });
        let one = keys(&scheme, &[OTHER_KEY]);
        for header in [list.clone(), tight, format!("{list}, {list}")] {
            assert_eq!(verified(&scheme, &one, &received(&header)), Ok(0), "{header}");
        }
    }
}

#[test]
fn a_version_is_the_prefix_without_its_mark() {
    let version =
        |prefix: &str| described(&json!({ "prefix": prefix })).unwrap().version().to_owned();
    let versions = ["sha256=", "v1,", "v1:", ""].map(version);
    assert_eq!(versions, ["sha256", "v1", "v1:", ""]);
}

#[test]
fn an_id_is_admitted_if_nothing_in_it_ends_it() {
    let standard = scheme(SchemeName::StandardWebhooks);
    assert!(standard.admits_id(b"msg_1"));
    assert!(!standard.admits_id(b"msg.1") && !standard.admits_id(b""));
    let described = described(&json!({ "signed": "{body}:{id}|", "idHeader": "X-Id" })).unwrap();
    assert!(described.admits_id(b"msg.1"));
    assert!(!described.admits_id(b"a:b") && !described.admits_id(b"a|b"));
    assert!(scheme(SchemeName::GitHub).admits_id(b""));
}

#[test]
fn the_text_around_placeholders_is_signed_as_it_is() {
    let changes = json!({
        "signed": "é:{timestamp}\n{body}", "timestampHeader": "X-Time", "prefix": "",
    });
    let scheme = described(&changes).unwrap();
    let plain = described(&json!({ "prefix": "" })).unwrap();
    let body = [&b"\xc3\xa9:1700000000\n"[..], BODY].concat();
    assert_eq!(
        signed(&scheme, &keys(&scheme, &[KEY]), &MESSAGE),
        signed(&plain, &keys(&plain, &[KEY]), &Outgoing { body: &body, ..MESSAGE })
    );
}

#[test]
fn what_a_sender_may_leave_open_is_written_without_a_panic() {
    let scheme = scheme(SchemeName::StandardWebhooks);
    let ring = keys(&scheme, &[KEY]);
    for timestamp in [i64::MIN, -1, 0, i64::MAX] {
        let header = signed(&scheme, &ring, &Outgoing { id: None, timestamp, body: b"" });
        let message = Incoming { id: Some(b""), ..received(&header) };
        assert_eq!(verified(&scheme, &ring, &message), Err(SignatureFlaw::MissingId));
    }
}

#[test]
fn flaws_of_a_description_name_the_option() {
    let cases = [
        (json!({ "header": "" }), "header must be a name of an HTTP header."),
        (json!({ "header": "X Signature" }), "header must be a name of an HTTP header."),
        (json!({ "header": "X\r\nY" }), "header must be a name of an HTTP header."),
        (json!({ "idHeader": "x:" }), "idHeader must be a name of an HTTP header."),
        (json!({ "idHeader": "x-signature" }), "idHeader must differ from the other headers."),
        (
            json!({ "idHeader": "X-T", "timestampHeader": "x-t", "signed": "{timestamp}.{body}" }),
            "timestampHeader must differ from the other headers.",
        ),
        (json!({ "prefix": "v1 " }), "prefix must have printable ASCII characters without blanks."),
        (json!({ "prefix": "é" }), "prefix must have printable ASCII characters without blanks."),
        (json!({ "signed": "" }), "signed must have {body} exactly once."),
        (json!({ "signed": "{body}{body}" }), "signed must have {body} exactly once."),
        (
            json!({ "signed": "{url}{body}" }),
            "signed must have braces only in the placeholders {body}, {id} and {timestamp}.",
        ),
        (
            json!({ "signed": "{body}}" }),
            "signed must have braces only in the placeholders {body}, {id} and {timestamp}.",
        ),
        (
            json!({ "signed": "{id}.{id}.{body}", "idHeader": "X-Id" }),
            "signed must have {id} and {timestamp} at most once.",
        ),
        (
            json!({ "signed": "{id}{body}", "idHeader": "X-Id" }),
            "signed must have a text between two placeholders.",
        ),
        (
            json!({ "signed": "{timestamp}0{body}", "timestampHeader": "X-Time" }),
            "signed must not have a digit beside {timestamp}.",
        ),
        (
            json!({ "signed": "{body}.0{timestamp}", "timestampHeader": "X-Time" }),
            "signed must not have a digit beside {timestamp}.",
        ),
        (json!({ "signed": "{id}.{body}" }), "idHeader must be given if {id} is signed."),
        (
            json!({ "signed": "{timestamp}.{body}" }),
            "timestampHeader must be given if {timestamp} is signed.",
        ),
        (
            json!({ "timestampHeader": "X-Time" }),
            "timestampHeader must be left out if {timestamp} is not signed.",
        ),
    ];
    for (changes, told) in cases {
        assert_eq!(described(&changes).unwrap_err().to_string(), told, "{changes}");
    }
    for separator in ["", "  ", "\t", "ab", "a", "0", "+", "=", ",,", "é", "\n"] {
        let flaw = described(&json!({ "separator": separator })).unwrap_err();
        assert_eq!(flaw.option, "separator", "{separator:?}");
    }
    let flaw = described(&json!({ "separator": ",", "prefix": "v1," })).unwrap_err();
    assert_eq!(flaw.option, "separator");
}
