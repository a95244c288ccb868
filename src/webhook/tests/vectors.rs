//! Signatures that others made.

use serde::Deserialize;

use super::*;

#[derive(Deserialize)]
struct Vector {
    scheme: SchemeName,
    keys: Vec<String>,
    id: Option<String>,
    timestamp: Option<i64>,
    body: String,
    expect: String,
}

#[test]
fn published_signatures_are_made_and_verified() {
    let text = include_str!("../../../__test__/data/signature-vectors.json");
    let vectors: Vec<Vector> = serde_json::from_str(text).unwrap();
    assert_eq!(vectors.len(), 10);
    for Vector { scheme: name, keys: texts, id, timestamp, body, expect } in vectors {
        let scheme = scheme(name);
        let texts: Vec<&str> = texts.iter().map(String::as_str).collect();
        let both = keys(&scheme, &texts);
        let (id, seconds) = (id.as_deref(), timestamp.unwrap_or_default());
        let message = Outgoing { id, timestamp: seconds, body: body.as_bytes() };
        assert_eq!(signed(&scheme, &both, &message), expect);
        let digits = timestamp.map(|it| it.to_string());
        let received = Incoming {
            signature: expect.as_bytes(),
            id: id.map(str::as_bytes),
            timestamp: digits.as_ref().map(String::as_bytes),
            body: body.as_bytes(),
        };
        for text in texts {
            let one = keys(&scheme, &[text]);
            assert_eq!(scheme.verify(&one, 0, seconds * 1000, &received), Ok(0), "{expect}");
        }
    }
}
