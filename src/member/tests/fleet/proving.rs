//! What a candidate has to pass, whoever proves it.

use super::group::Group;
use crate::member::tests::world::*;
use crate::rotation::Role;
use crate::verdict::Verify;

/// Two members that hold both secrets, of which the first is active.
fn two() -> Group {
    let mut group = Group::new(&["old", "new"]);
    group.start(&["old", "new"]);
    group.start(&["old", "new"]);
    group.pass(MINUTE);
    assert_eq!((group.role("old"), group.role("new")), (Role::Active, Role::Standby));
    group
}

#[test]
fn whoever_takes_a_rotation_over_has_the_candidate_verified() {
    for verified in [Verify::Passed, Verify::Failed, Verify::Refused] {
        let mut group = two();
        for world in &mut group.members {
            world.script.verified = Verify::Failed;
        }
        group.act(0, |world| world.rotate_verified("new"));
        group.pass(2 * SECOND);
        assert_eq!(group.role("new"), Role::Next, "its caller waits for a clear answer");
        group.kill(0);
        group.members[1].script.verified = verified;
        group.pass(5 * MINUTE);
        let role = match verified {
            Verify::Passed => Role::Active,
            Verify::Failed => Role::Next,
            Verify::Refused => Role::Quarantined,
        };
        assert_eq!(group.role("new"), role, "{verified:?}");
    }
}

#[test]
fn what_one_member_has_proved_counts_no_more_once_another_wants_it_verified() {
    let mut group = Group::started(2, &["old"]);
    group.accept(&["old", "new"]);
    group.act(1, |world| world.rotate_to("new"));
    group.pass(5 * SECOND);
    assert!(group.members[1].member().ledger().proof(id_of("new")).is_some());
    assert_eq!(group.role("new"), Role::Next, "nobody but its caller holds it");
    for world in &mut group.members {
        world.script.verified = Verify::Refused;
    }
    group.act(0, |world| world.rotate_verified("new"));
    group.pass(5 * MINUTE);
    assert_eq!(group.role("new"), Role::Quarantined);
}

#[test]
fn a_caller_who_wants_less_does_not_lift_what_a_caller_of_another_member_wants() {
    let mut group = two();
    group.members[0].script.verified = Verify::Failed;
    group.members[1].script.verified = Verify::Failed;
    group.act(0, |world| world.rotate_verified("new"));
    group.pass(2 * SECOND);
    group.act(1, |world| world.rotate_to("new"));
    group.pass(5 * MINUTE);
    assert_eq!(group.role("new"), Role::Next);
}

#[test]
fn a_candidate_that_was_refused_has_to_pass_the_same_elsewhere() {
    let mut group = two();
    group.members[0].script.verified = Verify::Refused;
    group.members[1].script.verified = Verify::Refused;
    group.act(0, |world| world.rotate_verified("new"));
    group.pass(MINUTE);
    assert_eq!(group.role("new"), Role::Quarantined);
    group.kill(0);
    group.pass(2 * HOUR);
    assert_eq!((group.role("old"), group.role("new")), (Role::Active, Role::Quarantined));
    group.members[1].script.verified = Verify::Passed;
    group.pass(2 * HOUR);
    assert_eq!(group.role("new"), Role::Active);
}

#[test]
fn a_narrower_scope_is_noticed_by_who_has_never_fetched_a_token() {
    let mut group = Group::new(&["old", "new"]);
    group.grants("old", "read write");
    group.grants("new", "read");
    group.start(&["old"]);
    group.pass(MINUTE);
    group.start(&["old"]);
    group.pass(MINUTE);
    assert_eq!(group.presented(1), [""; 0]);
    group.kill(0);
    group.act(1, |world| world.rotate_to("new"));
    group.pass(5 * MINUTE);
    assert_eq!((group.role("old"), group.role("new")), (Role::Active, Role::Quarantined));
}

#[test]
fn it_is_the_latest_scope_that_counts() {
    let mut group = Group::with_short_tokens(2);
    group.accept(&["one", "two"]);
    for scope in ["read write", "read"] {
        group.grants("one", scope);
        group.pass(10 * MINUTE);
        let record = group.store.load().record.expect("a record");
        assert_eq!(record.scope.as_deref(), Some(scope));
    }
    group.grants("two", "read");
    group.act(0, |world| world.rotate_to("two"));
    group.act(1, |world| world.configure(&["two"]));
    group.pass(MINUTE);
    assert_eq!(group.role("two"), Role::Active);
}

#[test]
fn what_was_accepted_before_the_record_was_read_is_verified_all_the_same() {
    let mut group = Group::started(1, &["old"]);
    group.members[0].script.verified = Verify::Failed;
    group.accept(&["new"]);
    group.act(0, |world| world.rotate_verified("new"));
    group.pass(SECOND);
    assert_eq!(group.role("new"), Role::Next);
    let place = group.start_cut_off(&["dead", "new"]);
    group.members[place].script.verified = Verify::Failed;
    // The store notes a rejection before it can be read again, and the other answer comes between.
    while group.presented(place).is_empty() {
        group.pass(SECOND / 100);
    }
    group.members[place].script.store = StoreState::Well;
    group.pass(5 * MINUTE);
    assert!(group.presented(place).contains(&"new"));
    assert_eq!(group.role("new"), Role::Next, "nothing has verified it");
}
