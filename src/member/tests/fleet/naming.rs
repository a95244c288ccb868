//! Who keeps a previous credential from being retired is named to people.

use std::time::Duration;

use super::group::Group;
use crate::member::tests::world::*;
use crate::member::{MemberEvent, MemberNotice, NamedMembers, Reason, What};
use crate::rotation::{CallerId, MemberId, Missing, Refusal, Request, Role};
use crate::store::Operation;

/// A fleet in which the third member does not have the new secret, which is active.
fn behind() -> Group {
    let mut group = Group::started(3, &["old"]);
    group.accept(&["old", "new"]);
    for place in 0..2 {
        group.act(place, |world| world.configure(&["new"]));
    }
    group.pass(MINUTE);
    assert_eq!((group.role("new"), group.role("old")), (Role::Active, Role::Previous));
    group
}

fn one_holder() -> Missing {
    Missing { holders: 1, ..Missing::default() }
}

/// Asks the first member to retire the previous secret.
fn ask(group: &mut Group) -> CallerId {
    let rotation = group.members[0].member().latest_rotation().expect("an overlap").rotation;
    let request = Request::Retire { rotation, force: false };
    group.act(0, |world| world.ask(request))
}

/// The same until it has an answer.
fn retire(group: &mut Group) -> Option<(Missing, NamedMembers)> {
    let caller = ask(group);
    group.pass(SECOND);
    blocked(group, caller)
}

fn blocked(group: &Group, caller: CallerId) -> Option<(Missing, NamedMembers)> {
    let Some(Err(denial)) = group.members[0].script.answers.get(&caller) else { return None };
    match &denial.reason {
        Reason::Refused(refusal, _) => match &**refusal {
            Refusal::RetireBlocked(missing) => Some((missing.clone(), denial.named.clone())),
            _ => None,
        },
        _ => None,
    }
}

fn without(members: &[u64]) -> NamedMembers {
    NamedMembers { behind: vec![], without: members.iter().map(|id| MemberId(*id)).collect() }
}

/// How often a member has asked for names.
fn askings(world: &World) -> usize {
    world.script.operations.iter().filter(|it| matches!(it, Operation::Members)).count()
}

/// The messages that the retirement is overdue, as a member has told them.
fn overdue(world: &World) -> Vec<(&Missing, &NamedMembers)> {
    let changes = world.script.notices.iter().filter_map(|notice| match notice {
        MemberNotice::Rotation(change) => Some(&change.what),
        _ => None,
    });
    changes
        .filter_map(|it| match it {
            What::Overdue(missing, named) => Some((missing, named)),
            _ => None,
        })
        .collect()
}

#[test]
fn a_blocked_retirement_names_the_member_in_the_way() {
    let mut group = behind();
    assert!(group.alive().all(|world| askings(world) == 0), "nobody was told");
    assert_eq!(retire(&mut group), Some((one_holder(), without(&[3]))));
    assert_eq!(group.alive().map(askings).sum::<usize>(), 1);
}

#[test]
fn a_member_that_has_not_read_the_promotion_is_named_as_well() {
    let mut group = behind();
    group.members[2].script.store = StoreState::Down;
    group.act(0, |world| world.configure(&["old", "new"]));
    group.accept(&["old", "new", "newest"]);
    let caller = group.act(0, |world| world.rotate_to("old"));
    group.pass(6 * SECOND);
    assert!(group.members[0].rotated(caller).is_some(), "another promotion");
    let missing = Missing { acks: 1, ..Missing::default() };
    let named = NamedMembers { behind: vec![MemberId(3)], without: vec![] };
    assert_eq!(retire(&mut group), Some((missing, named)));
}

#[test]
fn many_callers_are_told_at_once_and_the_members_are_asked_for_once() {
    let mut group = behind();
    group.members[0].script.store = StoreState::DelaysNames;
    let callers: Vec<_> = (0..8).map(|_| ask(&mut group)).collect();
    assert!(callers.iter().all(|caller| blocked(&group, *caller).is_none()));
    group.pass(Duration::from_millis(250));
    let told: Vec<_> = callers.iter().map(|caller| blocked(&group, *caller)).collect();
    assert_eq!(told, vec![Some((one_holder(), NamedMembers::default())); 8], "without names");
    assert_eq!(askings(&group.members[0]), 1);
}

#[test]
fn nothing_but_people_waits_for_names() {
    let mut group = behind();
    group.members[0].script.store = StoreState::DelaysNames;
    let caller = ask(&mut group);
    group.accept(&["old", "new", "newest"]);
    group.act(0, |world| world.configure(&["newest"]));
    group.act(0, |world| world.tell(MemberEvent::Invalidated(2)));
    assert_eq!(group.members[0].role("newest"), Role::Waiting);
    assert!(blocked(&group, caller).is_none(), "it is not told yet");
}

#[test]
fn a_caller_that_has_left_is_told_nothing() {
    let mut group = behind();
    let caller = group.act(0, |world| {
        world.script.store = StoreState::DelaysNames;
        let rotation = world.member().latest_rotation().expect("an overlap").rotation;
        let caller = world.ask(Request::Retire { rotation, force: false });
        world.tell(MemberEvent::Left(caller));
        caller
    });
    group.pass(MINUTE);
    assert!(!group.members[0].script.answers.contains_key(&caller));
}

#[test]
fn an_overdue_retirement_names_the_member_in_the_way_once() {
    let mut group = behind();
    group.pass(3 * HOUR);
    for world in group.alive() {
        let told = overdue(world);
        let named: Vec<_> = told.iter().map(|(_, named)| (*named).clone()).collect();
        assert_eq!(named, [without(&[3])], "each tells those who listen to it");
        assert_eq!(told[0].0.holders, 1);
    }
}

#[test]
fn another_member_in_the_way_is_told_also_where_their_number_is_the_same() {
    let mut group = behind();
    group.pass(3 * HOUR);
    group.act(2, |world| world.configure(&["new"]));
    group.start(&["old"]);
    group.pass(5 * MINUTE);
    let told = overdue(&group.members[0]);
    let named: Vec<_> = told.iter().map(|(_, named)| (*named).clone()).collect();
    assert_eq!(named, [without(&[3]), without(&[4])]);
}

#[test]
fn names_that_could_not_be_told_are_told_later() {
    let mut group = behind();
    group.members[0].script.store = StoreState::DelaysNames;
    group.pass(3 * HOUR);
    let names = |group: &Group| {
        let told = overdue(&group.members[0]);
        told.iter().map(|(_, named)| (*named).clone()).collect::<Vec<_>>()
    };
    assert_eq!(names(&group), [NamedMembers::default()], "at once, and once");
    group.members[0].script.store = StoreState::Well;
    group.pass(2 * MINUTE);
    assert_eq!(names(&group), [NamedMembers::default(), without(&[3])]);
}

#[test]
fn so_many_members_are_named_at_most() {
    let mut group = Group::started(40, &["old"]);
    group.accept(&["old", "new"]);
    group.act(0, |world| world.configure(&["new"]));
    group.pass(MINUTE);
    let (missing, named) = retire(&mut group).expect("it is blocked");
    assert_eq!(missing.holders, 39);
    assert_eq!(named.without, (2..34).map(MemberId).collect::<Vec<_>>());
}
