//! What is common to the tests of signatures.

mod forged;
mod hmac;
mod keys;
mod mutations;
mod schemes;
mod timing;
mod vectors;
mod windows;

use super::*;
use crate::secret::Secret;

/// 2023-11-14T22:13:20Z, in seconds since 1970.
const SIGNED_AT: i64 = 1_700_000_000;
const NOW: i64 = SIGNED_AT * 1000;
const TOLERANCE: i64 = 300_000;

const ID: &str = "msg_1";
const TIMESTAMP: &[u8] = b"1700000000";
const BODY: &[u8] = br#"{"event":{"id":"01TEST"}}"#;
const MESSAGE: Outgoing<'_> = Outgoing { id: Some(ID), timestamp: SIGNED_AT, body: BODY };

/// A key that each scheme takes.
const KEY: &str = "AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8=";
const OTHER_KEY: &str = "ICEiIyQlJicoKSorLC0uLzAxMjM0NTY3ODk6Ozw9Pj8=";

const SCHEMES: [SchemeName; 6] = [
    SchemeName::PagerDuty,
    SchemeName::StandardWebhooks,
    SchemeName::Stripe,
    SchemeName::GitHub,
    SchemeName::Slack,
    SchemeName::Genesys,
];

fn scheme(name: SchemeName) -> Scheme {
    Scheme::new(SchemeSpec::Named(name)).unwrap()
}

fn live(scheme: &Scheme, number: u32, key: &str, window: KeyWindow) -> LiveKey {
    LiveKey { number, key: scheme.key(&Secret::new(key)).unwrap(), window, may_sign: true }
}

/// Keys without limits, newest first, numbered from 0.
fn keys(scheme: &Scheme, texts: &[&str]) -> LiveKeys {
    let numbered = (0..).zip(texts);
    LiveKeys::new(numbered.map(|(n, key)| live(scheme, n, key, KeyWindow::default())).collect())
}

fn signed(scheme: &Scheme, keys: &LiveKeys, message: &Outgoing<'_>) -> String {
    let mut out = Vec::new();
    scheme.sign(keys, SignWith::Current, NOW, message, &mut out).unwrap();
    String::from_utf8(out).unwrap()
}

/// The message as it comes with this header.
fn received(signature: &str) -> Incoming<'_> {
    Incoming {
        signature: signature.as_bytes(),
        id: Some(ID.as_bytes()),
        timestamp: Some(TIMESTAMP),
        body: BODY,
    }
}

fn verified(
    scheme: &Scheme,
    keys: &LiveKeys,
    message: &Incoming<'_>,
) -> Result<u32, SignatureFlaw> {
    scheme.verify(keys, TOLERANCE, NOW, message)
}
