//! Judges answers of a token endpoint that the fuzzer makes of random bytes, guided by coverage.
//!
//! An input has the form of the files in `corpus/response`: a status, headers, an empty line, a
//! body.

#![no_main]

use std::io::Write;
use std::str;
use std::sync::LazyLock;
use std::time::Duration;

use flate2::Compression;
use flate2::write::GzEncoder;
use libfuzzer_sys::fuzz_target;
use oauth_rotor::client::request::TokenRequest;
use oauth_rotor::client::response::{Answer, Body, Headers, judge};
use oauth_rotor::credential::Credential;
use oauth_rotor::error::Failure;
use oauth_rotor::provider::{ClientAuth, Endpoint};
use oauth_rotor::secret::Secret;
use oauth_rotor::verdict::Verdict;

/// What a server may know, and nobody else.
struct Known {
    credential: Credential,
    issued: Vec<Secret>,
    hidden: Vec<Secret>,
}

static KNOWN: LazyLock<Known> = LazyLock::new(|| {
    let credential = Credential::new(None, "app".into(), Secret::new("hunter2/+ %:é"));
    let issued = vec![Secret::new("eyJ.earlier"), Secret::new("eyJ.earlier.and.longer")];
    let sent = (0..3).map(|options| TokenRequest::new(&endpoint(options), &credential));
    let headers = sent.filter_map(|request| request.authorization);
    let pairs = headers.map(|header| Secret::new(&header.expose()["Basic ".len()..]));
    let secret = [credential.client_secret.clone()];
    let hidden = pairs.chain(secret).chain(issued.iter().cloned()).collect();
    Known { credential, issued, hidden }
});

fn endpoint(options: u8) -> Endpoint {
    Endpoint {
        token_url: "https://login.example.com/oauth/token?key=private".parse().expect("a URL"),
        client_auth: [ClientAuth::Basic, ClientAuth::BasicRaw, ClientAuth::Body]
            [usize::from(options % 3)],
        scope: None,
        audience: None,
        resource: vec![],
        params: vec![],
        default_lifetime: Duration::from_mins(5),
        ignore_expires_in: options & 4 != 0,
        treat_as_bearer: options & 8 != 0,
        rejected_errors: vec!["invalid_client_id".into(), "bad.credentials".into()],
    }
}

/// The status, headers and body of an input; `None` if it does not have that form.
fn parse(input: &[u8]) -> Option<(u16, Vec<(&str, &str)>, &[u8])> {
    let end = input.windows(2).position(|pair| pair == b"\n\n")?;
    let mut lines = str::from_utf8(&input[..end]).ok()?.lines();
    let status = lines.next()?.parse().ok().filter(|status| (100..1000).contains(status))?;
    Some((status, lines.filter_map(|line| line.split_once(": ")).collect(), &input[end + 2..]))
}

fn gzip(body: &[u8]) -> Vec<u8> {
    let mut encoder = GzEncoder::new(Vec::new(), Compression::fast());
    encoder.write_all(body).expect("a vector takes all");
    encoder.finish().expect("a vector takes all")
}

fn check(answer: &Answer, options: u8) {
    let known = &*KNOWN;
    let endpoint = endpoint(options);
    let whole = answer.is_whole();
    match judge(answer, &endpoint, &known.credential, &known.issued, 1_800_000_000_000) {
        Verdict::Accepted(grant) => {
            let token = grant.access_token.expose();
            assert!(whole && (200..300).contains(&answer.status));
            assert!(
                token.bytes().all(|byte| (b' '..=b'~').contains(&byte)) && token.trim() == token
            );
            assert!(!token.is_empty());
            assert_hidden(grant.scope.as_deref().unwrap_or_default());
        }
        Verdict::Rejected(failure)
        | Verdict::Refused(failure)
        | Verdict::Ambiguous(failure)
        | Verdict::Misconfigured(failure)
        | Verdict::Throttled(failure)
        | Verdict::Transient(failure) => assert_presentable(&failure),
    }
}

fn assert_presentable(failure: &Failure) {
    assert_hidden(&failure.message);
    assert!(!failure.message.contains("private"));
    for text in [&failure.oauth_error, &failure.description].into_iter().flatten() {
        assert_hidden(text);
        assert!(text.chars().count() <= 256 && !text.contains(char::is_control));
    }
}

fn assert_hidden(text: &str) {
    for hidden in &KNOWN.hidden {
        assert!(!text.contains(hidden.expose()), "a secret is shown: {text}");
    }
}

fuzz_target!(|input: &[u8]| {
    let Some((status, list, body)) = parse(input) else { return };
    let headers = Headers::pick(|name| {
        list.iter().find(|(known, _)| *known == name).map(|(_, value)| value.as_bytes())
    });
    let options = input.len().to_le_bytes()[0];
    let answer = Answer { status, headers, body: Body(body.to_vec()) };
    check(&answer, options);
    // Changed bytes are no longer gzip, so they are also tried inside gzip.
    if answer.headers.get("content-encoding") == Some("gzip") {
        check(&Answer { body: Body(gzip(body)), ..answer }, options);
    }
});
