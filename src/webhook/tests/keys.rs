//! Which texts are keys, and what is shown of one.

use super::*;

fn flaw(name: SchemeName, key: &str) -> Option<String> {
    scheme(name).key(&Secret::new(key)).err().map(|flaw| flaw.to_string())
}

#[test]
fn no_scheme_takes_an_empty_key() {
    for name in SCHEMES {
        assert_eq!(flaw(name, "").unwrap(), "is empty");
    }
    assert_eq!(flaw(SchemeName::StandardWebhooks, "whsec_").unwrap(), "is empty");
}

#[test]
fn a_key_of_standard_webhooks_has_24_to_64_bytes_in_base64() {
    let standard = |key: &str| flaw(SchemeName::StandardWebhooks, key);
    // 23, 24, 64 and 65 bytes.
    assert_eq!(
        standard(&format!("{}8=", "A".repeat(30))).unwrap(),
        "has 23 bytes in base64, but a key of this scheme has 24 to 64"
    );
    assert_eq!(standard(&"A".repeat(32)), None);
    assert_eq!(standard(&format!("{}==", "A".repeat(86))), None);
    assert_eq!(standard(&format!("whsec_{}==", "A".repeat(86))), None);
    assert_eq!(
        standard(&format!("whsec_{}=", "A".repeat(87))).unwrap(),
        "has 65 bytes in base64, but a key of this scheme has 24 to 64"
    );
    for text in [
        "not base64, not at all, but long",
        "whsec_whsec_AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8=",
        "whsk_AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8=",
        "AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh9=",
        "AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8= ",
    ] {
        let told = standard(text).unwrap();
        assert_eq!(told, "is not base64, as the keys of this scheme are", "{text}");
    }
}

#[test]
fn a_prefix_and_padding_make_no_other_key_of_standard_webhooks() {
    let scheme = scheme(SchemeName::StandardWebhooks);
    let header = signed(&scheme, &keys(&scheme, &[KEY]), &MESSAGE);
    for same in [&format!("whsec_{KEY}"), KEY.trim_end_matches('=')] {
        assert_eq!(signed(&scheme, &keys(&scheme, &[same]), &MESSAGE), header);
    }
}

#[test]
fn other_schemes_sign_with_the_text_as_it_is() {
    for name in SCHEMES.into_iter().filter(|name| *name != SchemeName::StandardWebhooks) {
        let scheme = scheme(name);
        let of = |key: &str| signed(&scheme, &keys(&scheme, &[key]), &MESSAGE);
        assert_ne!(of(KEY), of(&format!("whsec_{KEY}")));
        assert_ne!(of("k"), of("k "));
    }
}

#[test]
fn debug_shows_nothing_of_a_key() {
    let scheme = scheme(SchemeName::PagerDuty);
    let shown = format!("{:?}", keys(&scheme, &["hunter2"]));
    assert!(shown.contains("key: SigningKey, window"), "{shown}");
    assert!(!shown.contains("hunter2"));
}
