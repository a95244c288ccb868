//! What is common to the tests of signatures.

mod vectors;

use super::*;
use crate::secret::Secret;

/// 2023-11-14T22:13:20Z, in seconds since 1970.
const SIGNED_AT: i64 = 1_700_000_000;
const NOW: i64 = SIGNED_AT * 1000;

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
