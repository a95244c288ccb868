//! Who keeps a previous credential from being retired is named to people.

use super::group::Group;
use crate::member::tests::world::*;
use crate::member::{MemberNotice, WaitsOn, What};
use crate::rotation::{MemberId, Missing, Refusal, Request, Role};
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

const THIRD: MemberId = MemberId(3);

fn one_holder() -> Missing {
    Missing { holders: 1, ..Missing::default() }
}

/// Asks the first member to retire the previous secret.
fn retire(group: &mut Group) -> Option<Refusal> {
    let rotation = group.members[0].member().latest_rotation().expect("an overlap").rotation;
    let request = Request::Retire { rotation, force: false };
    let caller = group.act(0, |world| world.ask(request));
    group.pass(SECOND);
    group.members[0].refusal(caller).cloned()
}

/// How often a member has asked for names.
fn askings(world: &World) -> usize {
    world.script.operations.iter().filter(|it| matches!(it, Operation::Members)).count()
}

/// The messages that the retirement is overdue, as a member has told them.
fn overdue(world: &World) -> Vec<&Missing> {
    let changes = world.script.notices.iter().filter_map(|notice| match notice {
        MemberNotice::Rotation(change) => Some(&change.what),
        _ => None,
    });
    changes
        .filter_map(|it| if let What::Overdue(missing) = it { Some(missing) } else { None })
        .collect()
}

#[test]
fn a_blocked_retirement_names_the_member_in_the_way() {
    let mut group = behind();
    assert!(group.alive().all(|world| askings(world) == 0), "nobody was told");
    assert_eq!(retire(&mut group), Some(Refusal::RetireBlocked(one_holder())));
    let member = group.members[0].member();
    assert_eq!((member.behind(), member.without()), (vec![], vec![THIRD]));
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
    let refused = retire(&mut group);
    let missing = Missing { acks: 1, ..Missing::default() };
    assert_eq!(refused, Some(Refusal::RetireBlocked(missing)));
    let member = group.members[0].member();
    assert_eq!((member.behind(), member.without()), (vec![THIRD], vec![]));
}

#[test]
fn an_overdue_retirement_names_the_member_in_the_way() {
    let mut group = behind();
    group.pass(3 * HOUR);
    for world in group.alive().filter(|world| !overdue(world).is_empty()) {
        let holders: Vec<u32> = overdue(world).iter().map(|missing| missing.holders).collect();
        assert_eq!(holders, [1], "it is told once");
        assert_eq!(world.member().without(), [THIRD]);
        assert_eq!(askings(world), 1);
        let waits = world.member().latest_rotation().expect("an overlap").waiting;
        let named = waits.iter().find_map(|wait| match &wait.on {
            WaitsOn::Members { count: 1, named } => Some(named.clone()),
            _ => None,
        });
        assert_eq!(named, Some(vec![THIRD]), "{waits:?}");
    }
    assert!(group.alive().any(|world| !overdue(world).is_empty()));
}

#[test]
fn a_caller_hears_of_a_blocked_retirement_also_where_nobody_can_be_named() {
    let mut group = behind();
    group.members[0].script.store = StoreState::DelaysNames;
    assert_eq!(retire(&mut group), Some(Refusal::RetireBlocked(one_holder())));
    assert_eq!(group.members[0].member().without(), []);
    group.pass(MINUTE);
    assert!(group.have_tokens() && group.share_one_token());
}

#[test]
fn names_are_those_of_the_overlap_that_is_open() {
    let mut group = behind();
    retire(&mut group);
    assert_eq!(group.members[0].member().without(), [THIRD]);
    group.act(2, |world| world.configure(&["new"]));
    group.pass(2 * HOUR);
    assert_eq!(group.role("old"), Role::Retired);
    assert_eq!(group.members[0].member().without(), []);
    group.accept(&["new", "newest"]);
    group.act(0, |world| world.configure(&["newest"]));
    group.pass(MINUTE);
    assert_eq!((group.role("newest"), group.role("new")), (Role::Active, Role::Previous));
    assert_eq!(group.members[0].member().without(), [], "nobody was asked since");
}
