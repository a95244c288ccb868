//! The token lifecycle: when a token is fetched, and how long it is handed out.

use std::time::Duration;

use super::world::*;
use crate::clock::Timestamp;
use crate::credential::Credential;
use crate::error::Code;
use crate::member::*;
use crate::policy::tests::DEFAULT;
use crate::refresh::TokenRefusal;

#[test]
fn fifty_cold_callers_cause_one_fetch() {
    let mut world = World::new(DEFAULT, accepts(&["one"]));
    (0..50).for_each(|waiter| world.want(waiter));
    world.configure(&["one"]);
    world.pass(SECOND);
    assert_eq!(world.script.fetches.len(), 1);
    assert_eq!(world.script.settled.len(), 50);
    assert!(world.script.settled.iter().all(|(_, _, outcome)| outcome.is_ok()));
}

#[test]
fn a_token_is_fetched_before_anyone_asks() {
    let mut world = World::new(DEFAULT, accepts(&["one"])).with(&["one"]);
    world.pass(SECOND);
    assert_eq!(world.serial(), Some(1));
}

#[test]
fn a_day_of_hour_long_tokens_has_no_gap() {
    let mut world = World::new(DEFAULT, accepts(&["one"])).with(&["one"]);
    world.pass(SECOND);
    for _ in 0..24 * 60 {
        world.pass(Duration::from_mins(1));
        assert!(world.has_token());
    }
    // Each is replaced ten minutes before its end.
    assert_eq!(world.script.fetches.len(), 1 + 24 * 60 / 50);
}

#[test]
fn tokens_of_one_second_and_of_five_minutes_neither_lapse_nor_spin() {
    for (life, at_most) in [(SECOND, 80 * 2), (Duration::from_mins(5), 2)] {
        let mut world = World::new(DEFAULT, move |_, _| granted(life)).with(&["one"]);
        world.pass(Duration::from_millis(60));
        for _ in 0..6000 {
            world.pass(Duration::from_millis(10));
            assert!(world.has_token(), "a gap with tokens of {life:?}");
        }
        assert!(
            world.script.fetches.len() <= at_most,
            "{} fetches in a minute",
            world.script.fetches.len()
        );
    }
}

#[test]
fn a_failed_refresh_never_discards_a_valid_token() {
    let down_from = Timestamp::from_millis(1_000_000 + 60_000);
    let endpoint = move |_: &Credential, now| {
        if now < down_from { granted(HOUR) } else { transient() }
    };
    let mut world = World::new(DEFAULT, endpoint).with(&["one"]);
    world.pass(Duration::from_secs(3569));
    assert_eq!(world.serial(), Some(1), "thirty seconds before its end it is still handed out");
    assert!(world.script.fetches.len() > 10, "and a new one was asked for all the while");
    world.pass(Duration::from_secs(2));
    assert_eq!(world.serial(), None);
}

#[test]
fn tokens_of_a_few_milliseconds_are_not_fetched_all_the_time() {
    let mut world = World::new(DEFAULT, |_, _| granted(Duration::from_millis(10)));
    world.latency = Duration::from_millis(1);
    let mut world = world.with(&["one"]);
    world.pass(10 * SECOND);
    assert!(world.script.fetches.len() <= 101, "{} fetches in 10 s", world.script.fetches.len());
}

#[test]
fn a_token_unusable_on_arrival_is_reported_and_not_fetched_in_a_loop() {
    for life in [Duration::ZERO, Duration::from_millis(40)] {
        let mut world = World::new(DEFAULT, move |_, _| granted(life)).with(&["one"]);
        world.want(1);
        world.pass(Duration::from_mins(1));
        assert!(world.script.fetches.len() < 8);
        let Some(Err(TokenRefusal::Unavailable { cause: Some(cause), .. })) = world.outcome(1)
        else {
            panic!()
        };
        assert_eq!(cause.code, Code::Misconfigured);
    }
}

#[test]
fn a_suspended_machine_hands_out_nothing_expired_when_it_wakes() {
    let mut world = World::new(DEFAULT, accepts(&["one"])).with(&["one"]);
    world.pass(SECOND);
    world.now = world.now + Duration::from_hours(8);
    assert!(world.member().token(world.now).is_none());
    world.tell(MemberEvent::Ticked);
    world.pass(SECOND);
    assert_eq!(world.serial(), Some(2));
}

#[test]
fn a_restarted_driver_gets_the_valid_token_before_anything_is_fetched() {
    let mut world = World::new(DEFAULT, script(vec![granted(HOUR)])).with(&["one"]);
    world.pass(Duration::from_secs(3000));
    assert!(
        !world.process.under_way.is_empty(),
        "a refresh is under way and is lost with the thread"
    );
    let stale = world.process.under_way.pop_first().unwrap().1;
    let effects =
        world.process.member.step(MemberEvent::Restarted, world.now, &mut world.script.dice);
    assert!(matches!(&effects[0], MemberEffect::Publish(token) if token.serial == 1));
    world.perform_all(effects);
    world.pass(Duration::from_secs(2));
    assert_eq!(world.serial(), Some(2));
    let TokenRequest { request, sent_at, .. } = stale;
    world.tell(MemberEvent::Answered { request, sent_at, verdict: granted(HOUR), verify: None });
    assert_eq!(world.serial(), Some(2), "an answer to the lost request changes nothing");
}
