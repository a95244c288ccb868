//! One token for all, and one who asks for it.

use std::time::Duration;

use super::group::Group;
use crate::member::MemberEvent;
use crate::member::tests::world::*;
use crate::rotation::{PhaseName, Role};

#[test]
fn members_that_start_together_ask_once() {
    let mut group = Group::new(&["one"]);
    for _ in 0..20 {
        group.start(&["one"]);
    }
    let waiters: Vec<_> = (0..20).map(|place| group.want(place)).collect();
    group.pass(SECOND);
    assert!(waiters.iter().all(|waiter| group.outcome(*waiter) == Some(&Ok(()))));
    assert_eq!(group.requests(), 1);
    assert!(group.share_one_token());
    assert_eq!(group.role("one"), Role::Active);
}

#[test]
fn each_token_is_fetched_once_for_all() {
    let mut group = Group::with_short_tokens(8);
    for lives in 2..=20 {
        group.pass(225 * SECOND);
        assert!(group.have_tokens() && group.share_one_token());
        assert!(group.requests() <= lives, "{} requests for {lives} tokens", group.requests());
    }
    assert!(group.requests() >= 18, "they were refreshed");
}

#[test]
fn a_member_that_joins_later_takes_what_is_there() {
    let mut group = Group::started(2, &["one"]);
    let late = group.start(&["one"]);
    let waiter = group.want(late);
    group.pass(Duration::ZERO);
    assert_eq!(group.outcome(waiter), Some(&Ok(())));
    group.pass(10 * MINUTE);
    assert_eq!(group.requests(), 1);
    assert!(group.share_one_token());
}

#[test]
fn who_waits_behind_a_dead_holder_of_the_lease_has_a_token_in_time() {
    let mut group = Group::new(&["one"]);
    let dead = group.start(&["one"]);
    group.members[dead].latency = HOUR;
    group.pass(Duration::ZERO);
    assert_eq!(group.requests(), 1, "it has the lease, and asks");
    group.kill(dead);
    let cold = group.start(&["one"]);
    let waiter = group.want(cold);
    group.pass(Duration::from_millis(4_999));
    assert_eq!(group.outcome(waiter), Some(&Ok(())));
    assert_eq!(group.requests(), 2);
}

#[test]
fn who_cannot_wait_for_a_dead_holder_asks_for_itself() {
    let mut group = Group::new(&["one"]);
    group.policy.acquire_timeout = 2 * SECOND;
    let dead = group.start(&["one"]);
    group.members[dead].latency = HOUR;
    group.pass(Duration::ZERO);
    group.kill(dead);
    let cold = group.start(&["one"]);
    group.pass(Duration::from_millis(999));
    assert_eq!(group.requests(), 1);
    group.pass(SECOND);
    assert!(group.members[cold].has_token());
}

#[test]
fn a_lease_that_comes_when_its_holder_has_nothing_left_to_ask_for_is_given_up() {
    let mut group = Group::new(&["old", "new"]);
    group.start(&["old"]);
    group.pass(SECOND);
    // The first member has the lease, and dies.
    group.members[0].latency = HOUR;
    let serial = group.members[0].serial().expect("a token");
    group.act(0, |world| world.tell(MemberEvent::Invalidated(serial)));
    group.kill(0);
    // The lease ends in the moment in which the stranger would ask without it, and by then the
    // stranger may not present its secret any more: it is a candidate of those who serve the fleet.
    let stranger = group.start(&["new"]);
    group.want(stranger);
    let other = group.start(&["old"]);
    group.act(other, |world| world.rotate_to("new"));
    group.pass(MINUTE);
    assert!(group.have_tokens() && group.share_one_token());
}

#[test]
fn a_holder_that_takes_long_keeps_the_lease() {
    let mut group = Group::new(&["one"]);
    for _ in 0..5 {
        let place = group.start(&["one"]);
        group.members[place].latency = 20 * SECOND;
    }
    group.pass(30 * SECOND);
    assert_eq!(group.requests(), 1);
    assert!(group.share_one_token());
}

#[test]
fn a_token_that_was_refused_anywhere_costs_one_refresh() {
    let mut group = Group::started(8, &["one"]);
    for place in 0..8 {
        let serial = group.members[place].serial().expect("a token");
        group.act(place, |world| world.tell(MemberEvent::Invalidated(serial)));
    }
    group.pass(SECOND);
    assert!(group.have_tokens() && group.share_one_token());
    assert_eq!(group.requests(), 2);
}

#[test]
fn what_one_member_has_seen_refused_is_handed_out_by_nobody() {
    let mut group = Group::started(3, &["one"]);
    let refused = group.members[0].process.handed_out.as_ref().map(|held| held.id);
    group.act(0, |world| world.tell(MemberEvent::Invalidated(1)));
    group.pass(10 * SECOND);
    for world in group.alive() {
        assert_ne!(world.process.handed_out.as_ref().map(|held| held.id), refused);
    }
    assert!(group.have_tokens() && group.share_one_token());
    assert_eq!(group.requests(), 2);
}

#[test]
fn a_pause_that_the_endpoint_asks_for_is_everybodys() {
    let mut group = Group::new(&["one"]);
    for _ in 0..8 {
        group.start(&["one"]);
    }
    group.say(Some(throttled(MINUTE)));
    group.pass(MINUTE);
    assert_eq!(group.requests(), 1);
    group.say(None);
    group.pass(30 * SECOND);
    assert!(group.share_one_token());
    assert_eq!(group.requests(), 2);
}

#[test]
fn a_wrong_secret_is_presented_once_for_all() {
    let mut group = Group::new(&["right"]);
    for _ in 0..20 {
        group.start(&["wrong"]);
    }
    group.pass(2 * MINUTE);
    assert!(group.requests() <= 8, "{} requests", group.requests());
    group.accept(&["right", "wrong"]);
    group.pass(10 * MINUTE);
    assert!(group.have_tokens() && group.share_one_token());
}

#[test]
fn who_cannot_present_the_active_credential_serves_the_shared_token() {
    let mut group = Group::with_short_tokens(2);
    let other = group.start(&["foreign"]);
    let waiter = group.want(other);
    for _ in 0..5 {
        group.pass(4 * MINUTE);
        assert!(group.members[other].has_token());
    }
    assert_eq!(group.outcome(waiter), Some(&Ok(())));
    assert_eq!(group.presented(other), [""; 0], "it has nothing that it could refresh with");
    assert!(group.share_one_token());
    assert_eq!(group.members[other].phase(), PhaseName::Stable);
}

#[test]
fn the_store_of_one_member_is_out_of_reach_and_the_others_go_on() {
    let mut group = Group::with_short_tokens(3);
    group.members[0].script.store = StoreState::Down;
    for _ in 0..10 {
        group.pass(225 * SECOND);
        assert!(group.have_tokens());
    }
    let alone = group.members[0].script.fetches.len();
    assert!((8..=12).contains(&alone), "it asks for itself: {alone}");
    assert!(group.requests() - alone <= 12, "the others ask once for each token");
    group.members[0].script.store = StoreState::Well;
    group.pass(4 * MINUTE);
    assert!(group.share_one_token());
}

#[test]
fn nobody_can_reach_the_store_and_everybody_has_a_token() {
    let mut group = Group::with_short_tokens(4);
    for world in &mut group.members {
        world.script.store = StoreState::Down;
    }
    for _ in 0..120 {
        group.pass(30 * SECOND);
        assert!(group.have_tokens());
    }
    for world in &mut group.members {
        world.script.store = StoreState::Well;
    }
    group.pass(MINUTE);
    assert!(group.have_tokens() && group.share_one_token());
    let requests = group.requests();
    group.pass(225 * SECOND);
    assert!(group.requests() <= requests + 1);
    assert!(group.share_one_token());
}

#[test]
fn who_starts_while_the_store_is_out_of_reach_shares_its_token_for_as_long_as_it_lives() {
    let mut group = Group::new(&["one"]);
    let early = group.start(&["one"]);
    group.members[early].script.store = StoreState::Down;
    group.pass(10 * MINUTE);
    assert!(group.members[early].has_token());
    group.members[early].script.store = StoreState::Well;
    group.pass(MINUTE);
    let stored = group.store.load();
    let left = stored.token.expect("it is shared").expires_at.since(stored.now);
    assert!((48 * MINUTE..=50 * MINUTE).contains(&left), "by the store's clock: {left:?}");
}

#[test]
fn who_cannot_refresh_has_a_token_again_after_it_has_refused_the_shared_one() {
    let mut group = Group::started(1, &["one"]);
    let other = group.start(&["foreign"]);
    group.pass(SECOND);
    let serial = group.members[other].serial().expect("the shared one");
    group.act(other, |world| world.tell(MemberEvent::Invalidated(serial)));
    assert!(!group.members[other].has_token());
    let waiter = group.want(other);
    group.pass(SECOND);
    assert_eq!(group.outcome(waiter), Some(&Ok(())), "whoever can has fetched another one");
    assert!(group.share_one_token());
    assert_eq!(group.presented(0).len(), 2);
}

#[test]
fn an_emptied_store_has_a_token_again_for_those_who_cannot_refresh() {
    let mut group = Group::started(2, &["one"]);
    group.store.restore(None);
    group.pass(10 * SECOND);
    assert!(group.share_one_token(), "it is the one that everybody has");
    assert_eq!(group.requests(), 1);
    let other = group.start(&["foreign"]);
    group.pass(SECOND);
    assert!(group.members[other].has_token());
}

#[test]
fn a_refused_token_that_a_failover_brings_back_is_deleted_once_more() {
    let mut group = Group::started(1, &["one"]);
    let other = group.start(&["foreign"]);
    group.pass(SECOND);
    let replica = group.store.load();
    let serial = group.members[other].serial().expect("the shared one");
    // Nobody has seen the deletion before it is lost.
    group.members[other].tell(MemberEvent::Invalidated(serial));
    group.store.restore(Some(replica));
    group.pass(20 * SECOND);
    assert!(group.have_tokens() && group.share_one_token());
}

#[test]
fn whoever_alone_holds_a_fallback_hears_that_the_active_secret_is_rejected() {
    let mut group = Group::with_short_tokens(2);
    group.accept(&["one", "two"]);
    group.act(0, |world| world.configure(&["two"]));
    group.pass(10 * SECOND);
    group.close(0);
    group.start(&["two"]);
    group.pass(MINUTE);
    assert_eq!((group.role("two"), group.role("one")), (Role::Active, Role::Previous));
    group.accept(&["one"]);
    for _ in 0..60 {
        group.pass(10 * SECOND);
        assert!(group.have_tokens() && group.share_one_token());
    }
    assert_eq!(group.role("one"), Role::Active);
}

#[test]
fn a_reply_counts_as_none_where_the_process_was_frozen_or_its_clock_has_jumped_meanwhile() {
    let mut group = Group::started(2, &["one"]);
    group.members[1].script.store = StoreState::Silent;
    while group.members[1].process.member.operations.deadline().is_none() {
        group.pass(SECOND / 100);
    }
    let world = &mut group.members[1];
    let operation = world.script.operations.last().cloned().expect("one");
    let id = world.process.member.operations.number() - 1;
    world.advance_to(world.now + 10 * MINUTE);
    world.script.store = StoreState::Well;
    let reply = group.store.answer(&operation);
    group.act(1, |world| world.tell(MemberEvent::Stored { id, result: Ok(reply) }));
    let world = &group.members[1];
    let told = world.process.member.clock.now(world.now);
    let stored_at = group.store.load().now;
    assert!(told <= stored_at + 10 * SECOND, "{told:?} instead of {stored_at:?}");
    group.pass(5 * MINUTE);
    assert!(group.have_tokens() && group.share_one_token());
}
