//! Tokens that a resource has refused.

use std::time::Duration;

use super::world::*;
use crate::member::*;
use crate::policy::tests::DEFAULT;
use crate::refresh::{self};

#[test]
fn a_401_drops_exactly_that_token_and_late_ones_do_nothing() {
    let mut world = World::new(DEFAULT, accepts(&["one"])).with(&["one"]);
    world.pass(Duration::from_mins(1));
    world.tell(MemberEvent::Invalidated(1));
    assert_eq!(world.serial(), None);
    world.pass(SECOND);
    assert_eq!(world.serial(), Some(2));
    (0..5).for_each(|_| world.tell(MemberEvent::Invalidated(1)));
    world.pass(SECOND);
    assert_eq!(world.serial(), Some(2));
    assert_eq!(world.script.fetches.len(), 2);
}

#[test]
fn a_resource_that_answers_401_to_everything_causes_one_fetch_in_ten_seconds() {
    let mut world = World::new(DEFAULT, accepts(&["one"])).with(&["one"]);
    world.pass(Duration::from_mins(1));
    for _ in 0..300 {
        if let Some(serial) = world.serial() {
            world.tell(MemberEvent::Invalidated(serial));
        }
        world.pass(Duration::from_millis(100));
    }
    assert!(world.script.fetches.len() <= 1 + 1 + 3, "{} fetches", world.script.fetches.len());
    let ignored = |notice: &&MemberNotice| {
        matches!(notice, MemberNotice::Token(refresh::RefreshNotice::InvalidateIgnored { .. }))
    };
    let told = world.script.notices.iter().filter(ignored).count();
    assert!((1..=30).contains(&told), "told {told} times in 30 s");
}

#[test]
fn a_401_does_not_wait_for_the_backoff_but_for_retry_after() {
    let mut world = World::new(DEFAULT, script(vec![granted(HOUR), transient()])).with(&["one"]);
    world.script.dice.ratio = 1.0;
    world.pass(Duration::from_secs(2941));
    assert_eq!(world.script.fetches.len(), 2);
    world.tell(MemberEvent::Invalidated(1));
    world.pass(Duration::from_millis(1100));
    assert_eq!(world.serial(), Some(2));

    let verdicts = vec![granted(HOUR), throttled(Duration::from_secs(60))];
    let mut world = World::new(DEFAULT, script(verdicts)).with(&["one"]);
    world.pass(Duration::from_secs(3001));
    world.tell(MemberEvent::Invalidated(1));
    world.pass(Duration::from_secs(58));
    assert_eq!(world.script.fetches.len(), 2);
    world.pass(Duration::from_secs(2));
    assert_eq!(world.serial(), Some(2));
}

#[test]
fn a_token_that_is_refused_before_it_is_stored_does_not_come_back() {
    let mut world = World::new(DEFAULT, accepts(&["one"]));
    world.script.derives_ids = false;
    world.configure(&["one"]);
    world.pass(SECOND / 10);
    let refused = world.serial().unwrap();
    world.tell(MemberEvent::Invalidated(refused));
    world.derive_ids();
    assert_eq!(world.serial(), None);
    world.pass(2 * SECOND);
    assert!(world.serial() > Some(refused));
    assert_eq!(world.script.fetches.len(), 2);
}
