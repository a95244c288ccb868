//! What must not be accepted, and what senders write that must be.

use super::*;

const PAGERDUTY: SchemeName = SchemeName::PagerDuty;

/// A header of the scheme, and what is made of it.
fn pair(name: SchemeName) -> (Scheme, LiveKeys, String) {
    let scheme = scheme(name);
    let keys = keys(&scheme, &[KEY]);
    let header = signed(&scheme, &keys, &MESSAGE);
    (scheme, keys, header)
}

#[test]
fn every_scheme_takes_what_it_made_and_nothing_of_another_key() {
    for name in SCHEMES {
        let (scheme, one, header) = pair(name);
        assert_eq!(verified(&scheme, &one, &received(&header)), Ok(0), "{header}");
        let other = keys(&scheme, &[OTHER_KEY]);
        assert_eq!(
            verified(&scheme, &other, &received(&header)),
            Err(SignatureFlaw::Mismatch),
            "{header}"
        );
    }
}

#[test]
fn hex_that_is_cut_off_or_odd_or_has_another_letter_is_malformed() {
    let (scheme, keys, header) = pair(PAGERDUTY);
    let length = header.len();
    for wrong in [&header[..length - 2], &header[..length - 1], "v1=", "v1", "", ",", " , ,"] {
        let result = verified(&scheme, &keys, &received(wrong));
        assert_eq!(result, Err(SignatureFlaw::Malformed), "{wrong:?}");
    }
    for end in ["0", "00", "g", " 0", "=", "\0"] {
        let wrong = format!("{header}{end}");
        assert_eq!(
            verified(&scheme, &keys, &received(&wrong)),
            Err(SignatureFlaw::Malformed),
            "{end:?}"
        );
        let wrong = format!("{}{end}", &header[..length - end.len()]);
        let result = verified(&scheme, &keys, &received(&wrong));
        assert!(
            matches!(result, Err(SignatureFlaw::Malformed | SignatureFlaw::Mismatch)),
            "{end:?}: {result:?}"
        );
    }
}

#[test]
fn hex_may_be_in_upper_case_but_versions_may_not() {
    let (scheme, keys, header) = pair(PAGERDUTY);
    let upper = header.to_uppercase();
    assert_eq!(verified(&scheme, &keys, &received(&upper)), Err(SignatureFlaw::Malformed));
    let digits = format!("v1={}", &upper[3..]);
    assert_eq!(verified(&scheme, &keys, &received(&digits)), Ok(0));
}

#[test]
fn base64_has_its_padding_and_only_one_spelling() {
    for name in [SchemeName::StandardWebhooks, SchemeName::Genesys] {
        let (scheme, keys, header) = pair(name);
        let text = header.strip_suffix('=').unwrap();
        // The last character has two bits that no byte needs.
        let (before, last) = text.split_at(text.len() - 1);
        let next = char::from(last.as_bytes()[0] + 1);
        let wrong = [text.to_owned(), format!("{text}=="), format!("{before}{next}=")];
        for wrong in wrong {
            let result = verified(&scheme, &keys, &received(&wrong));
            assert_eq!(result, Err(SignatureFlaw::Malformed), "{wrong}");
        }
    }
}

#[test]
fn a_right_digest_under_a_wrong_version_is_ignored() {
    for name in SCHEMES {
        let (scheme, keys, header) = pair(name);
        let version = scheme.version().to_owned();
        for wrong in ["v2", "v1a", "v", "sha1", ""] {
            let renamed = header.replacen(&version, wrong, 1);
            let result = verified(&scheme, &keys, &received(&renamed));
            assert_eq!(result, Err(SignatureFlaw::Malformed), "{renamed}");
        }
    }
    let (scheme, keys, header) = pair(SchemeName::Stripe);
    let ignored = header.replace("v1=", "v0=");
    assert_eq!(verified(&scheme, &keys, &received(&ignored)), Err(SignatureFlaw::Malformed));
}

#[test]
fn bogus_entries_before_and_after_the_right_one_do_not_matter() {
    let zeros = "0".repeat(64);
    let (scheme, keys, header) = pair(PAGERDUTY);
    let list = format!("v0=x,v1={zeros},v1=12,nothing,,v2={zeros}, {header}\t,v1=,v1={zeros}");
    assert_eq!(verified(&scheme, &keys, &received(&list)), Ok(0));
    let (scheme, keys, header) = pair(SchemeName::StandardWebhooks);
    let list = format!("v1a,AAAA v1, v1 nothing  {header} v1,AAAA");
    assert_eq!(verified(&scheme, &keys, &received(&list)), Ok(0));
}

#[test]
fn headers_that_came_twice_are_one_list() {
    for name in SCHEMES {
        let (scheme, keys, header) = pair(name);
        let other = self::keys(&scheme, &[OTHER_KEY]);
        let forged = signed(&scheme, &other, &MESSAGE);
        for joined in [format!("{forged}, {header}"), format!("{header}, {forged}")] {
            let result = verified(&scheme, &keys, &received(&joined));
            assert_eq!(result, Ok(0), "{joined}");
        }
        let twice = format!("{forged}, {forged}");
        assert_eq!(
            verified(&scheme, &keys, &received(&twice)),
            Err(SignatureFlaw::Mismatch),
            "{twice}"
        );
    }
}

#[test]
fn lists_are_bounded() {
    let filler = |count: usize| format!("v1={},", "0".repeat(64)).repeat(count);
    let (scheme, keys, header) = pair(PAGERDUTY);
    let last = format!("{}{header}", filler(19));
    assert_eq!(verified(&scheme, &keys, &received(&last)), Ok(0));
    for wrong in [
        format!("{}{header}", filler(20)),
        format!("{header},{}", filler(1000)),
        format!("{header}{}", ",".repeat(1000)),
        format!("{header}{}", ", v0=1".repeat(1000)),
    ] {
        assert_eq!(
            verified(&scheme, &keys, &received(&wrong)),
            Err(SignatureFlaw::Malformed),
            "{wrong}"
        );
    }
    for name in SCHEMES {
        let (scheme, keys, header) = pair(name);
        let many = vec![header.as_str(); 1000].join(", ");
        assert_eq!(
            verified(&scheme, &keys, &received(&many)),
            Err(SignatureFlaw::Malformed),
            "{header}"
        );
    }
}

#[test]
fn an_empty_body_is_signed_as_one() {
    for name in SCHEMES {
        let (scheme, keys, header) = pair(name);
        let empty = Outgoing { body: b"", ..MESSAGE };
        let of_empty = signed(&scheme, &keys, &empty);
        assert_ne!(of_empty, header);
        let result = verified(&scheme, &keys, &Incoming { body: b"", ..received(&of_empty) });
        assert_eq!(result, Ok(0));
        let result = verified(&scheme, &keys, &Incoming { body: b"", ..received(&header) });
        assert_eq!(result, Err(SignatureFlaw::Mismatch));
    }
}

#[test]
fn bodies_are_bytes_and_not_text() {
    let (scheme, keys, _) = pair(PAGERDUTY);
    let of = |body: &'static [u8]| signed(&scheme, &keys, &Outgoing { body, ..MESSAGE });
    let (one, other) = (of(&[0xff]), of(&[0xfe]));
    assert_ne!(one, other);
    assert_ne!(one, of("\u{fffd}".as_bytes()));
    assert_eq!(verified(&scheme, &keys, &Incoming { body: &[0xff], ..received(&one) }), Ok(0));
    let mixed_up = Incoming { body: &[0xfe], ..received(&one) };
    assert_eq!(verified(&scheme, &keys, &mixed_up), Err(SignatureFlaw::Mismatch));
}

#[test]
fn a_body_that_was_serialized_again_does_not_match() {
    for name in SCHEMES {
        let (scheme, keys, header) = pair(name);
        for body in [r#"{"event": {"id": "01TEST"}}"#, "{\"event\":{\"id\":\"01TEST\"}}\n"] {
            let again = Incoming { body: body.as_bytes(), ..received(&header) };
            assert_eq!(verified(&scheme, &keys, &again), Err(SignatureFlaw::Mismatch), "{header}");
        }
    }
}

/// The message with another timestamp, wherever the scheme has it.
fn with_timestamp(name: SchemeName, text: &str) -> Result<u32, SignatureFlaw> {
    let (scheme, keys, header) = pair(name);
    let header = header.replace("t=1700000000", &format!("t={text}"));
    let message = Incoming { timestamp: Some(text.as_bytes()), ..received(&header) };
    verified(&scheme, &keys, &message)
}

const TIMED: [SchemeName; 3] =
    [SchemeName::StandardWebhooks, SchemeName::Stripe, SchemeName::Slack];

#[test]
fn a_timestamp_is_plain_digits() {
    for name in TIMED {
        for text in [
            "-1",
            "+5",
            "1e9",
            "1700000000.0",
            "0x65",
            "17000 0000",
            "1700000000x",
            "",
            "NaN",
            "١٧٠٠",
            "9999999999999",
            "9223372036854775808",
            "18446744073709551617",
        ] {
            assert_eq!(
                with_timestamp(name, text),
                Err(SignatureFlaw::MalformedTimestamp),
                "{text}"
            );
        }
        // Another text for the same number is not what was signed.
        assert_eq!(with_timestamp(name, "01700000000"), Err(SignatureFlaw::Mismatch));
        assert_eq!(with_timestamp(name, "1700000001"), Err(SignatureFlaw::Mismatch));
        assert_eq!(with_timestamp(name, "0"), Err(SignatureFlaw::TooOld));
        assert_eq!(with_timestamp(name, "999999999999"), Err(SignatureFlaw::FromTheFuture));
    }
}

#[test]
fn a_timestamp_counts_from_and_to_the_very_instant_of_the_tolerance() {
    for name in TIMED {
        let (scheme, keys, header) = pair(name);
        let at = |now: i64| scheme.verify(&keys, TOLERANCE, now, &received(&header));
        assert_eq!(at(NOW + TOLERANCE), Ok(0));
        assert_eq!(at(NOW + TOLERANCE + 1), Err(SignatureFlaw::TooOld));
        assert_eq!(at(NOW - TOLERANCE), Ok(0));
        assert_eq!(at(NOW - TOLERANCE - 1), Err(SignatureFlaw::FromTheFuture));
        assert_eq!(at(i64::MAX), Err(SignatureFlaw::TooOld));
        assert_eq!(at(i64::MIN), Err(SignatureFlaw::FromTheFuture));
        let strict = |now: i64| scheme.verify(&keys, 0, now, &received(&header));
        assert_eq!((strict(NOW), strict(NOW + 1)), (Ok(0), Err(SignatureFlaw::TooOld)));
        assert_eq!(strict(NOW - 1), Err(SignatureFlaw::FromTheFuture));
        let unlimited = |now: i64| scheme.verify(&keys, i64::MAX, now, &received(&header));
        assert_eq!((unlimited(0), unlimited(NOW * 1000)), (Ok(0), Ok(0)));
    }
}

#[test]
fn what_is_signed_must_be_there() {
    let (scheme, keys, header) = pair(SchemeName::StandardWebhooks);
    for id in [None, Some(&b""[..])] {
        let message = Incoming { id, ..received(&header) };
        assert_eq!(verified(&scheme, &keys, &message), Err(SignatureFlaw::MissingId));
    }
    let message = Incoming { timestamp: None, ..received(&header) };
    assert_eq!(verified(&scheme, &keys, &message), Err(SignatureFlaw::MissingTimestamp));
    let (scheme, keys, header) = pair(SchemeName::Stripe);
    let (_, alone) = header.split_once(',').unwrap();
    assert_eq!(verified(&scheme, &keys, &received(alone)), Err(SignatureFlaw::MissingTimestamp));
    // Other schemes do not look at them.
    let (scheme, keys, header) = pair(PAGERDUTY);
    let message = Incoming { id: None, timestamp: None, ..received(&header) };
    assert_eq!(verified(&scheme, &keys, &message), Ok(0));
}

#[test]
fn two_timestamps_in_one_header_are_unclear_unless_they_are_the_same() {
    let (scheme, keys, header) = pair(SchemeName::Stripe);
    for other in ["t=1700000001", "t=", "t=01700000000"] {
        for unclear in [format!("{other},{header}"), format!("{header},{other}")] {
            let result = verified(&scheme, &keys, &received(&unclear));
            assert_eq!(result, Err(SignatureFlaw::Malformed), "{unclear}");
        }
    }
    let twice = format!("{header},t=1700000000");
    assert_eq!(verified(&scheme, &keys, &received(&twice)), Ok(0));
}

#[test]
fn no_part_of_a_message_passes_as_a_part_of_another() {
    let (scheme, keys, _) = pair(SchemeName::StandardWebhooks);
    // "a.1700000000.1700000000.x" could be read in two ways.
    let message = Outgoing { id: Some("a"), timestamp: SIGNED_AT, body: b"1700000000.x" };
    let header = signed(&scheme, &keys, &message);
    let whole = Incoming { id: Some(b"a"), body: b"1700000000.x", ..received(&header) };
    assert_eq!(verified(&scheme, &keys, &whole), Ok(0));
    let moved = Incoming { id: Some(b"a.1700000000"), body: b"x", ..received(&header) };
    assert_eq!(verified(&scheme, &keys, &moved), Err(SignatureFlaw::Malformed));
    let (scheme, keys, _) = pair(SchemeName::Stripe);
    let header = signed(&scheme, &keys, &Outgoing { body: b"1.x", ..MESSAGE });
    let moved = header.replace("t=1700000000", "t=1700000000.1");
    let moved = Incoming { body: b"x", ..received(&moved) };
    assert_eq!(verified(&scheme, &keys, &moved), Err(SignatureFlaw::MalformedTimestamp));
}

#[test]
fn an_unsigned_id_is_not_looked_at() {
    let (scheme, keys, header) = pair(PAGERDUTY);
    for id in [None, Some(&b""[..]), Some(b"a.b"), Some(&[0xff])] {
        assert_eq!(verified(&scheme, &keys, &Incoming { id, ..received(&header) }), Ok(0));
    }
}
