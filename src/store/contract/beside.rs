//! Cases about the data beside the record: rejections and the cool-down.

use super::*;
use crate::store::REJECTIONS_TTL;

pub(crate) fn rejections_are_counted_for_all_clients<H: Harness>(harness: &H) {
    let (one, other) = (harness.client(), harness.client());
    let first_at = one.now();
    assert_eq!(one.reject(OLD, None).count, 1);
    harness.advance(SECOND);
    let last_at = one.now();
    let answered = other.reject(OLD, None);
    let stored = one.load().rejections;
    assert_eq!(stored.keys().collect::<Vec<_>>(), [&OLD]);
    for rejections in [answered, stored[&OLD]] {
        assert_eq!(rejections.count, 2);
        assert!(H::is_near(rejections.first_at, first_at));
        assert!(H::is_near(rejections.last_at, last_at));
    }
}

pub(crate) fn rejections_of_one_credential_say_nothing_of_another<H: Harness>(harness: &H) {
    let client = harness.client();
    client.reject(OLD, None);
    client.reject(OLD, None);
    assert_eq!(client.reject(NEW, None).count, 1);
    client.accept(NEW);
    let stored = client.load().rejections;
    assert_eq!(stored.get(&OLD).map(|rejections| rejections.count), Some(2));
    assert_eq!(stored.get(&NEW), None);
}

pub(crate) fn an_acceptance_ends_a_row_of_rejections<H: Harness>(harness: &H) {
    let (one, other) = (harness.client(), harness.client());
    one.accept(OLD);
    one.reject(OLD, None);
    other.accept(OLD);
    assert!(one.load().rejections.is_empty());
    harness.advance(SECOND);
    let now = one.now();
    let rejections = one.reject(OLD, None);
    assert_eq!(rejections.count, 1);
    assert!(H::is_near(rejections.first_at, now));
}

pub(crate) fn a_row_of_rejections_that_began_too_early_starts_anew<H: Harness>(harness: &H) {
    let client = harness.client();
    let first_at = client.reject(OLD, None).first_at;
    assert_eq!(client.reject(OLD, Some(first_at)).count, 2, "it began at that very moment");
    harness.advance(SECOND);
    let staged_at = client.now();
    harness.advance(SECOND);
    assert_eq!(client.reject(OLD, None).count, 3);
    let anew = client.reject(OLD, Some(staged_at));
    assert_eq!(anew.count, 1, "when it began counts, not when it was last added to");
    assert!(anew.first_at > staged_at);
    assert_eq!(client.reject(OLD, Some(staged_at)).count, 2);
    assert_eq!(client.reject(OLD, None).count, 3);
    assert_eq!(client.load().rejections[&OLD].first_at, anew.first_at);
}

pub(crate) fn a_beat_is_told_of_rejections<H: Harness>(harness: &H) {
    let (one, other) = (harness.client(), harness.client());
    assert!(one.beat(1, None, &[]).rejections.is_empty());
    other.reject(OLD, None);
    assert_eq!(one.beat(1, None, &[]).rejections, other.load().rejections);
    other.accept(OLD);
    assert!(one.beat(1, None, &[]).rejections.is_empty());
}

pub(crate) fn rejections_are_forgotten<H: Harness>(harness: &H) {
    let (one, other) = (harness.client(), harness.client());
    one.reject(OLD, None);
    one.reject(NEW, None);
    harness.almost(REJECTIONS_TTL);
    assert_eq!(other.reject(OLD, None).count, 2, "the while begins with the latest one");
    assert!(one.load().rejections.contains_key(&NEW));
    harness.rest();
    let stored = one.load().rejections;
    assert_eq!(stored.keys().collect::<Vec<_>>(), [&OLD]);
    assert_eq!(other.reject(NEW, None).count, 1);
    harness.advance(REJECTIONS_TTL);
    assert!(one.load().rejections.is_empty());
}

pub(crate) fn a_cool_down_is_shared_and_ends<H: Harness>(harness: &H) {
    let (one, other) = (harness.client(), harness.client());
    let end = one.now() + 10 * SECOND;
    assert!(H::is_near(one.cool_down(10 * SECOND), end));
    assert!(other.load().cool_down.is_some_and(|until| H::is_near(until, end)));
    harness.almost(10 * SECOND);
    assert!(other.load().cool_down.is_some());
    harness.rest();
    assert_eq!(other.load().cool_down, None);
}

pub(crate) fn a_cool_down_is_never_cut_short<H: Harness>(harness: &H) {
    let (one, other) = (harness.client(), harness.client());
    let start = one.now();
    one.cool_down(10 * SECOND);
    let until = other.cool_down(2 * SECOND);
    assert!(H::is_near(until, start + 10 * SECOND));
    assert!(one.load().cool_down.is_some_and(|until| H::is_near(until, start + 10 * SECOND)));
    let until = other.cool_down(20 * SECOND);
    assert!(H::is_near(until, start + 20 * SECOND));
    harness.advance(20 * SECOND);
    assert_eq!(one.load().cool_down, None);
    let until = one.cool_down(2 * SECOND);
    assert!(H::is_near(until, start + 22 * SECOND), "what has ended holds nothing up");
}
