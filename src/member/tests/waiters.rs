//! What callers are told who wait for a token.

use std::time::Duration;

use super::world::*;
use crate::error::{Code, Failure};
use crate::member::*;
use crate::policy::tests::DEFAULT;
use crate::refresh::TokenRefusal;
use crate::rotation;
use crate::source::Configured;
use crate::verdict::Verdict;

#[test]
fn a_cold_caller_is_refused_at_its_deadline_while_the_refresh_goes_on() {
    let mut world = World::new(DEFAULT, script(vec![transient(), transient(), transient()]));
    world.configure(&["one"]);
    world.want(1);
    world.pass(Duration::from_secs(4));
    assert_eq!(world.outcome(1), None);
    world.pass(SECOND);
    let Some(Err(TokenRefusal::Unavailable { cause: Some(cause), retry_after })) = world.outcome(1)
    else {
        panic!("{:?}", world.outcome(1));
    };
    assert_eq!(cause.code, Code::Endpoint);
    assert!(*retry_after > Duration::ZERO);
    world.pass(Duration::from_secs(10));
    assert_eq!(world.serial(), Some(1));
}

#[test]
fn when_every_credential_is_rejected_callers_are_told_at_once_and_tries_stay_few() {
    let mut world = World::new(DEFAULT, |_, _| rejected()).with(&["one", "two"]);
    world.want(1);
    world.pass(Duration::from_millis(200));
    assert_eq!(world.secrets_tried(), ["one", "two"]);
    assert_eq!(world.script.rereads, 1);
    assert_eq!(world.outcome(1), None, "the sources may hold a new secret");
    world.configure(&["one", "two"]);
    assert!(matches!(
        world.outcome(1),
        Some(Err(TokenRefusal::Unavailable { cause: Some(_), .. }))
    ));
    for waiter in 2..100 {
        world.want(waiter);
        assert!(matches!(world.outcome(waiter), Some(Err(TokenRefusal::Unavailable { .. }))));
    }
    assert_eq!(world.script.fetches.len(), 2);
}

#[test]
fn a_secret_found_when_all_were_rejected_serves_the_callers_who_waited() {
    let mut world = World::new(DEFAULT, accepts(&["new"])).with(&["old"]);
    world.want(1);
    world.pass(Duration::from_millis(200));
    world.configure(&["new", "old"]);
    world.pass(SECOND);
    assert_eq!(world.outcome(1), Some(&Ok(())));
    assert_eq!(world.secrets_tried(), ["old", "new"]);
}

#[test]
fn a_misconfigured_request_is_told_at_once_and_tries_no_other_credential() {
    let wrong = || Verdict::Misconfigured(Failure::new(Code::Misconfigured, "invalid_scope"));
    let mut world = World::new(DEFAULT, move |_, _| wrong()).with(&["one", "two"]);
    world.want(1);
    world.pass(Duration::from_millis(100));
    let Some(Err(TokenRefusal::Unavailable { cause: Some(cause), .. })) = world.outcome(1) else {
        panic!()
    };
    assert_eq!(cause.code, Code::Misconfigured);
    assert_eq!(world.secrets_tried(), ["one"]);
}

#[test]
fn a_wish_for_more_life_than_is_left_forces_one_refresh() {
    let mut world = World::new(DEFAULT, accepts(&["one"])).with(&["one"]);
    world.pass(Duration::from_mins(30));
    world.want_for(1, Duration::from_mins(20));
    assert_eq!(world.outcome(1), Some(&Ok(())));
    world.want_for(2, Duration::from_mins(55));
    world.pass(SECOND);
    assert_eq!(world.outcome(2), Some(&Ok(())));
    assert_eq!(world.script.fetches.len(), 2);
}

#[test]
fn a_wish_for_more_life_than_a_token_has_is_refused_and_never_storms() {
    let mut world = World::new(DEFAULT, accepts(&["one"]));
    world.configure(&["one"]);
    world.want_for(0, 2 * HOUR);
    world.pass(SECOND);
    (1..100).for_each(|waiter| world.want_for(waiter, 2 * HOUR));
    let left = Duration::from_millis(3_569_950);
    let too_short = Err(TokenRefusal::LifetimeTooShort(left));
    assert!((0..100).all(|waiter| world.outcome(waiter) == Some(&too_short)));
    assert_eq!(world.script.fetches.len(), 1);

    world.want_for(100, left + Duration::from_millis(1));
    assert_eq!(world.outcome(100), Some(&too_short), "a fresh one is not better by its way here");
    world.want_for(101, left);
    world.pass(SECOND);
    assert_eq!(world.outcome(101), Some(&Ok(())));
    assert_eq!(world.script.fetches.len(), 2);
}

#[test]
fn closing_refuses_who_waits_and_whoever_comes_later() {
    let mut world = World::new(DEFAULT, |_, _| transient()).with(&["one"]);
    world.want(1);
    world.tell(MemberEvent::Closed);
    world.want(2);
    assert_eq!(world.outcome(1), Some(&Err(TokenRefusal::Closed)));
    assert_eq!(world.outcome(2), Some(&Err(TokenRefusal::Closed)));
    assert_eq!(world.member().wake_at(world.now), None);
}

#[test]
fn a_caller_is_told_whether_the_sources_are_silent_or_empty() {
    for (reads, says) in [(false, "not been read yet"), (true, "yields one")] {
        let mut world = World::new(DEFAULT, accepts(&["one"]));
        world.want(1);
        if reads {
            world.configure(&[]);
        }
        world.pass(Duration::from_secs(6));
        let Some(Err(TokenRefusal::Unavailable { cause: Some(cause), .. })) = world.outcome(1)
        else {
            panic!("{:?}", world.outcome(1))
        };
        assert_eq!(cause.code, Code::CredentialUnavailable);
        assert!(cause.message.contains(says), "{cause}");
    }
}

#[test]
fn an_unreadable_source_refuses_at_once_and_heals() {
    let mut world = World::new(DEFAULT, accepts(&["one"]));
    world.want(1);
    let unreadable = Some(Failure::new(Code::CredentialUnavailable, "no such file"));
    let configured = Configured { unreadable, ..Configured::default() };
    world.tell(MemberEvent::Configured { configured, is_followed: false });
    let Some(Err(TokenRefusal::Unavailable { cause: Some(cause), .. })) = world.outcome(1) else {
        panic!()
    };
    assert_eq!(cause.code, Code::CredentialUnavailable);
    world.configure(&["one"]);
    world.pass(SECOND);
    assert_eq!(world.serial(), Some(1));
}

#[test]
fn while_a_change_is_prepared_nothing_is_presented_and_whoever_wants_more_is_told_why() {
    let mut world = World::new(DEFAULT, accepts(&["one"])).with(&["one"]);
    world.pass(Duration::from_mins(30));
    let caller = world.ask(Request::Prepare { min_runway: Duration::ZERO });
    world.pass(SECOND);
    assert!(matches!(world.script.answers[&caller], Ok(Answer::Prepared { .. })));
    let tried = world.script.fetches.len();
    world.pass(Duration::from_mins(5));
    world.want_for(1, Duration::from_mins(58));
    world.pass(Duration::from_secs(6));
    let Some(Err(TokenRefusal::Unavailable { cause: Some(cause), .. })) = world.outcome(1) else {
        panic!("{:?}", world.outcome(1))
    };
    assert!(cause.message.contains("is prepared"), "{cause}");
    assert_eq!(world.script.fetches.len(), tried);
    world.pass(Duration::from_mins(10));
    assert_eq!(world.member().phase(), rotation::PhaseName::Stable, "it ends by itself");
}
