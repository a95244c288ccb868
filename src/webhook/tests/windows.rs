//! Which keys are live when, and which of them sign.

use super::*;

const STEP: i64 = 60_000;

fn window(from: Option<i64>, until: Option<i64>, verifies_until: Option<i64>) -> KeyWindow {
    KeyWindow { signs_from: from, signs_until: until, verifies_until }
}

fn signing(keys: &LiveKeys, now: i64) -> Vec<u32> {
    keys.signing(now).map(|key| key.number).collect()
}

fn verifying(keys: &LiveKeys, now: i64) -> Vec<u32> {
    keys.verifying(now).map(|key| key.number).collect()
}

#[test]
fn limits_hold_from_their_first_instant() {
    let limits = window(Some(10), Some(20), Some(30));
    let live_at = |now| (limits.signs(now), limits.verifies(now));
    assert_eq!(live_at(9), (false, true));
    assert_eq!(live_at(10), (true, true));
    assert_eq!(live_at(19), (true, true));
    assert_eq!(live_at(20), (false, true));
    assert_eq!(live_at(29), (false, true));
    assert_eq!(live_at(30), (false, false));
    let always = KeyWindow::default();
    assert!([i64::MIN, 0, i64::MAX].iter().all(|now| always.signs(*now) && always.verifies(*now)));
}

#[test]
fn a_key_that_does_not_verify_any_more_does_not_sign() {
    let limits = window(None, Some(40), Some(30));
    assert!(limits.signs(29) && !limits.signs(30));
    let scheme = scheme(SchemeName::PagerDuty);
    let ring = LiveKeys::new(vec![live(&scheme, 0, KEY, limits)]);
    let mut out = b"before".to_vec();
    let result = scheme.sign(&ring, SignWith::Current, 30, &MESSAGE, &mut out);
    assert_eq!((result, out.as_slice()), (Err(NoKey), &b"before"[..]));
}

#[test]
fn keys_that_may_not_sign_only_verify() {
    let scheme = scheme(SchemeName::PagerDuty);
    let next = LiveKey { may_sign: false, ..live(&scheme, 1, OTHER_KEY, KeyWindow::default()) };
    let header = signed(&scheme, &keys(&scheme, &[OTHER_KEY]), &MESSAGE);
    let ring = LiveKeys::new(vec![live(&scheme, 0, KEY, KeyWindow::default()), next]);
    assert_eq!((signing(&ring, NOW), verifying(&ring, NOW)), (vec![0], vec![0, 1]));
    assert_eq!(verified(&scheme, &ring, &received(&header)), Ok(1));
    assert_eq!(signed(&scheme, &ring, &MESSAGE), signed(&scheme, &keys(&scheme, &[KEY]), &MESSAGE));
}

/// A roll as the documentation describes it: the new key verifies from now on and signs from an
/// instant, the old one ends to sign and then to verify.
#[test]
fn a_roll_of_a_key_loses_no_message() {
    for name in SCHEMES {
        let scheme = scheme(name);
        let ring = LiveKeys::new(vec![
            live(&scheme, 2, OTHER_KEY, window(Some(NOW), None, None)),
            live(&scheme, 1, KEY, window(None, Some(NOW + STEP), Some(NOW + 2 * STEP))),
        ]);
        let at = |now: i64| (signing(&ring, now), verifying(&ring, now));
        assert_eq!(at(NOW - 1), (vec![1], vec![2, 1]));
        assert_eq!(at(NOW), (vec![2, 1], vec![2, 1]));
        assert_eq!(at(NOW + STEP - 1), (vec![2, 1], vec![2, 1]));
        assert_eq!(at(NOW + STEP), (vec![2], vec![2, 1]));
        assert_eq!(at(NOW + 2 * STEP), (vec![2], vec![2]));
        let old = keys(&scheme, &[KEY]);
        let new = keys(&scheme, &[OTHER_KEY]);
        let accepted = |now: i64, with: SignWith| {
            let mut out = Vec::new();
            scheme.sign(&ring, with, now, &MESSAGE, &mut out).unwrap();
            let header = String::from_utf8(out).unwrap();
            let by = |keys| verified(&scheme, keys, &received(&header)).is_ok();
            // Whoever follows the same roll takes it, at this instant and somewhat later.
            assert!(scheme.verify(&ring, i64::MAX, now + STEP - 1, &received(&header)).is_ok());
            (by(&old), by(&new))
        };
        for with in [SignWith::Previous, SignWith::Current] {
            assert_eq!(accepted(NOW - 1, with), (true, false));
            assert_eq!(accepted(NOW + STEP, with), (false, true));
        }
        let during = |with| accepted(NOW, with);
        if scheme.layout.separator.is_some() {
            assert_eq!(during(SignWith::Previous), (true, true));
            assert_eq!(during(SignWith::Current), (true, true));
        } else {
            assert_eq!(during(SignWith::Previous), (true, false));
            assert_eq!(during(SignWith::Current), (false, true));
        }
    }
}

#[test]
fn the_previous_key_is_the_one_before_the_newest() {
    let scheme = scheme(SchemeName::GitHub);
    let three = keys(&scheme, &["newest", "before", "oldest"]);
    let mut out = Vec::new();
    scheme.sign(&three, SignWith::Previous, NOW, &MESSAGE, &mut out).unwrap();
    let expected = signed(&scheme, &keys(&scheme, &["before"]), &MESSAGE);
    assert_eq!(out, expected.as_bytes());
}

#[test]
fn the_newest_of_two_keys_that_match_is_named() {
    let scheme = scheme(SchemeName::PagerDuty);
    let header = signed(&scheme, &keys(&scheme, &[KEY]), &MESSAGE);
    let limits = KeyWindow::default();
    let ring = LiveKeys::new(vec![live(&scheme, 9, KEY, limits), live(&scheme, 4, KEY, limits)]);
    assert_eq!(verified(&scheme, &ring, &received(&header)), Ok(9));
    let both = keys(&scheme, &[OTHER_KEY, KEY]);
    let list = signed(&scheme, &both, &MESSAGE);
    assert_eq!(verified(&scheme, &both, &received(&list)), Ok(0));
}

#[test]
fn without_a_key_nothing_is_said_of_the_message() {
    let scheme = scheme(SchemeName::Stripe);
    let expired = LiveKeys::new(vec![live(&scheme, 0, KEY, window(None, None, Some(NOW)))]);
    for ring in [LiveKeys::default(), expired] {
        assert_eq!(verified(&scheme, &ring, &received("nonsense")), Err(SignatureFlaw::NoKey));
        let mut out = Vec::new();
        let result = scheme.sign(&ring, SignWith::Previous, NOW, &MESSAGE, &mut out);
        assert_eq!((result, out.len()), (Err(NoKey), 0));
    }
}
