//! Rotations of a whole fleet.

use super::group::Group;
use crate::member::tests::world::*;
use crate::member::{MemberEvent, Progress};
use crate::rotation::{PhaseName, Request, Role};

/// A fleet in which every member has the new secret, and one was told to rotate to it.
fn rotated(count: usize) -> Group {
    let mut group = Group::started(count, &["old"]);
    group.accept(&["old", "new"]);
    for place in 0..count {
        group.act(place, |world| world.configure(&["new"]));
    }
    group.pass(10 * SECOND);
    group
}

#[test]
fn a_new_secret_is_proved_once_and_everybody_follows() {
    let mut group = Group::started(5, &["old"]);
    let before = group.requests();
    group.accept(&["old", "new"]);
    group.act(0, |world| world.configure(&["new"]));
    group.pass(10 * SECOND);
    assert_eq!((group.role("new"), group.role("old")), (Role::Active, Role::Previous));
    assert!(group.share_one_token(), "also those that cannot present it");
    assert_eq!(group.requests(), before + 1);
    assert!(group.alive().all(|world| world.phase() == PhaseName::Overlap));
}

#[test]
fn the_old_secret_is_retired_once_everybody_holds_the_new_one() {
    let mut group = Group::started(3, &["old"]);
    group.accept(&["old", "new"]);
    group.act(0, |world| world.configure(&["new"]));
    for _ in 0..24 {
        group.pass(5 * MINUTE);
        assert!(group.have_tokens());
    }
    assert_eq!(group.role("old"), Role::Previous, "two members have nothing else");
    for place in 1..3 {
        group.act(place, |world| world.configure(&["new"]));
    }
    group.pass(2 * MINUTE);
    assert_eq!((group.role("new"), group.role("old")), (Role::Active, Role::Retired));
    assert!(group.alive().all(|world| world.role("old") == Role::Retired));
    assert!(group.share_one_token());
}

#[test]
fn whoever_missed_a_rotation_leaves_the_requests_to_the_others() {
    let mut group = Group::with_short_tokens(8);
    group.accept(&["one", "two"]);
    group.act(7, |world| world.configure(&["two"]));
    group.pass(10 * SECOND);
    assert_eq!(group.role("two"), Role::Active);
    let before = group.requests();
    group.pass(20 * 225 * SECOND);
    assert!(group.have_tokens() && group.share_one_token());
    let count = group.requests() - before;
    assert!((15..=22).contains(&count), "{count}: nobody is handed what the others would get");
}

#[test]
fn a_secret_that_everybody_has_ends_a_rotation_that_somebody_missed() {
    let mut group = Group::started(3, &["old"]);
    group.accept(&["old", "new", "newest"]);
    for place in 0..2 {
        group.act(place, |world| world.configure(&["new"]));
    }
    group.pass(2 * HOUR);
    assert_eq!((group.role("new"), group.role("old")), (Role::Active, Role::Previous));
    for place in 0..3 {
        group.act(place, |world| world.configure(&["newest"]));
    }
    group.pass(2 * HOUR);
    assert_eq!((group.role("newest"), group.role("new")), (Role::Active, Role::Retired));
    assert!(group.alive().all(|world| world.phase() == PhaseName::Stable));
}

#[test]
fn a_member_that_was_silent_for_long_holds_nobody_up() {
    let mut group = Group::started(3, &["old"]);
    group.accept(&["old", "new"]);
    for place in 0..2 {
        group.act(place, |world| world.configure(&["new"]));
    }
    group.kill(2);
    group.pass(2 * HOUR);
    assert_eq!((group.role("new"), group.role("old")), (Role::Active, Role::Retired));
}

#[test]
fn a_member_that_has_left_holds_nobody_up_at_all() {
    let mut group = Group::started(3, &["old"]);
    group.close(2);
    assert_eq!(group.store.load().census.map(|census| census.live()), Some(2));
}

#[test]
fn whoever_promoted_may_die_at_once() {
    let mut group = rotated(3);
    group.kill(0);
    for _ in 0..24 {
        group.pass(5 * MINUTE);
        assert!(group.have_tokens());
    }
    assert_eq!((group.role("new"), group.role("old")), (Role::Active, Role::Retired));
}

#[test]
fn whoever_is_told_to_rotate_tells_the_others() {
    let mut group = Group::started(3, &["old"]);
    group.accept(&["old", "new"]);
    for place in 1..3 {
        group.act(place, |world| world.configure(&["old", "new"]));
    }
    let caller = group.act(0, |world| world.rotate_to("new"));
    group.pass(10 * SECOND);
    assert_eq!(group.members[0].rotated(caller), Some(Progress::Overlap));
    assert!(group.alive().all(|world| world.role("new") == Role::Active));
    assert!(group.share_one_token());
}

#[test]
fn the_active_secret_dies_and_one_member_finds_what_stands_in() {
    let mut group = Group::new(&["first", "second"]);
    for _ in 0..5 {
        group.start(&["first", "second"]);
    }
    group.pass(MINUTE);
    group.accept(&["second"]);
    let before = group.requests();
    group.act(0, |world| world.tell(MemberEvent::Invalidated(1)));
    group.pass(MINUTE);
    assert!(group.have_tokens() && group.share_one_token());
    assert_eq!(group.role("second"), Role::Active);
    // As often as one process alone would ask.
    assert!(group.requests() <= before + 5, "{} requests", group.requests() - before);
}

#[test]
fn what_was_rejected_out_of_reach_of_the_store_does_not_undo_what_the_others_did() {
    let mut group = Group::started(3, &["old"]);
    group.members[0].script.store = StoreState::Down;
    group.act(0, |world| world.configure(&["new"]));
    group.accept(&[]);
    let serial = group.members[0].serial().expect("a token");
    group.act(0, |world| world.tell(MemberEvent::Invalidated(serial)));
    group.pass(10 * SECOND);
    assert!(group.presented(0).contains(&"new"), "it was rejected there");
    // It hears no more of it.
    group.members[0].latency = HOUR;
    group.accept(&["new"]);
    for place in 1..3 {
        group.act(place, |world| world.configure(&["new"]));
    }
    let serial = group.members[1].serial().expect("a token");
    group.act(1, |world| world.tell(MemberEvent::Invalidated(serial)));
    group.pass(20 * SECOND);
    assert_eq!(group.role("new"), Role::Active);
    group.members[0].script.store = StoreState::Well;
    let before = group.requests();
    group.pass(2 * MINUTE);
    assert_eq!(group.role("new"), Role::Active);
    assert!(group.have_tokens() && group.share_one_token());
    assert!(group.requests() <= before + 2, "{} requests", group.requests() - before);
    assert!(group.alive().all(|world| world.phase() != PhaseName::Degraded));
}

#[test]
fn who_was_frozen_through_a_rotation_presents_nothing_that_was_retired_meanwhile() {
    let mut group = Group::with_short_tokens(2);
    group.accept(&["one", "two"]);
    group.members[1].is_alive = false;
    group.act(0, |world| world.configure(&["two"]));
    group.pass(2 * HOUR);
    assert_eq!(group.role("one"), Role::Retired);
    // Nobody has a token.
    group.kill(0);
    group.pass(5 * MINUTE);
    group.members[1].is_alive = true;
    let before = group.presented(1).len();
    group.pass(MINUTE);
    assert_eq!(group.members[1].role("one"), Role::Retired, "it has read that");
    assert_eq!(group.presented(1).len(), before);
}

#[test]
fn who_may_not_present_the_active_secret_any_more_leaves_the_requests_to_the_others() {
    let mut group = Group::new(&["one", "two"]);
    group.lives(5 * MINUTE);
    for _ in 0..2 {
        group.start(&["one", "two"]);
    }
    group.pass(MINUTE);
    // A record that is lost called it retired.
    group.members[0].process.member.shared.bury([id_of("one")]);
    let before = group.requests();
    group.pass(20 * 225 * SECOND);
    assert!(group.have_tokens() && group.share_one_token());
    assert!(!group.presented(0).contains(&"two"), "nobody is handed what that would bring");
    let count = group.requests() - before;
    assert!((15..=22).contains(&count), "{count} requests");
}

#[test]
fn who_may_not_present_the_active_secret_any_more_does_not_for_a_preparation_either() {
    let mut group = Group::started(2, &["old"]);
    // A record that is lost called it retired.
    group.members[0].process.member.shared.bury([id_of("old")]);
    let before = group.presented(0).len();
    group.act(0, |world| _ = world.ask(Request::Prepare { min_runway: MINUTE }));
    group.pass(MINUTE);
    assert_eq!(group.presented(0).len(), before);
}
