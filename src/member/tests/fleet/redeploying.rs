//! The store outlives all processes, and those that start have another secret.

use super::group::Group;
use crate::member::tests::world::*;
use crate::rotation::Role;

/// A fleet of eight that has ended: what is stored is all that is left of it.
fn ended() -> Group {
    let mut group = Group::started(8, &["old"]);
    group.pass(10 * MINUTE);
    (0..8).for_each(|place| group.kill(place));
    group
}

/// Eight that start one after the other, each with a caller that waits at once.
fn redeploy(group: &mut Group, secret: &str) -> usize {
    let before = group.requests();
    for _ in 0..8 {
        let place = group.start(&[secret]);
        let waiter = group.want(place);
        group.pass(SECOND);
        assert_eq!(group.outcome(waiter), Some(&Ok(())), "of process {place}");
    }
    before
}

#[test]
fn a_redeploy_with_a_regenerated_secret_fails_no_call() {
    let mut group = ended();
    group.accept(&["new"]);
    let before = redeploy(&mut group, "new");
    for _ in 0..6 {
        group.pass(10 * MINUTE);
        assert!(group.have_tokens());
    }
    assert!(group.requests() - before <= 9, "{} requests", group.requests() - before);
    assert_eq!(group.role("new"), Role::Active);
    assert!(group.share_one_token());
}

#[test]
fn a_redeploy_after_the_last_token_has_expired_fails_no_call_either() {
    let mut group = ended();
    group.accept(&["new"]);
    group.pass(3 * HOUR);
    let before = redeploy(&mut group, "new");
    group.pass(MINUTE);
    assert!(group.have_tokens());
    assert!(group.requests() - before <= 9, "{} requests", group.requests() - before);
    assert_eq!(group.role("new"), Role::Active);
    assert!(group.share_one_token());
}

#[test]
fn a_redeploy_one_by_one_fails_no_call() {
    let mut group = Group::started(8, &["old"]);
    group.accept(&["new"]);
    let before = group.requests();
    for place in 0..8 {
        group.close(place);
        let place = group.start(&["new"]);
        let waiter = group.want(place);
        group.pass(10 * SECOND);
        assert_eq!(group.outcome(waiter), Some(&Ok(())), "of process {place}");
        assert!(group.have_tokens());
    }
    group.pass(MINUTE);
    assert!(group.requests() - before <= 9, "{} requests", group.requests() - before);
    assert_eq!(group.role("new"), Role::Active);
    for _ in 0..6 {
        group.pass(10 * MINUTE);
        assert!(group.have_tokens());
    }
    assert!(group.share_one_token());
}

#[test]
fn a_client_of_its_own_never_takes_a_fleet_over() {
    let mut group = Group::started(2, &["old"]);
    (0..2).for_each(|place| group.kill(place));
    group.pass(3 * HOUR);
    group.accept(&["old", "laptop"]);
    let place = group.start_of("another", &["laptop"]);
    let waiter = group.want(place);
    group.pass(3 * HOUR);
    assert_eq!(group.outcome(waiter), Some(&Ok(())), "it serves itself");
    assert_eq!(group.role("old"), Role::Active);
    assert_eq!(group.store.load().token, None, "its tokens are its own");
}

#[test]
fn many_with_one_wrong_secret_ask_seldom() {
    let mut group = ended();
    group.accept(&["new"]);
    group.pass(3 * HOUR);
    let before = group.requests();
    for _ in 0..20 {
        group.start(&["wrong"]);
    }
    group.pass(MINUTE);
    assert!(group.requests() - before <= 8, "{} requests", group.requests() - before);
    for place in 8..28 {
        group.act(place, |world| world.configure(&["new"]));
    }
    group.pass(MINUTE);
    assert!(group.have_tokens());
    group.pass(5 * MINUTE);
    assert_eq!(group.role("new"), Role::Active);
    assert!(group.share_one_token());
}

#[test]
fn a_redeploy_that_keeps_a_dead_fallback_fails_no_call() {
    let mut group = Group::new(&["first"]);
    for _ in 0..2 {
        group.start(&["first", "second"]);
    }
    group.pass(MINUTE);
    (0..2).for_each(|place| group.kill(place));
    group.pass(3 * HOUR);
    group.accept(&["new"]);
    for _ in 0..3 {
        let place = group.start(&["second", "new"]);
        let waiter = group.want(place);
        group.pass(20 * SECOND);
        assert_eq!(group.outcome(waiter), Some(&Ok(())), "of process {place}");
    }
    group.pass(5 * MINUTE);
    assert_eq!(group.role("new"), Role::Active);
    assert!(group.have_tokens() && group.share_one_token());
}
