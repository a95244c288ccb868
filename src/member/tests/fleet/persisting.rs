//! How a fleet writes a promoted secret back: functions once for all, files by each member.

use super::group::Group;
use crate::member::tests::world::*;
use crate::persist::PersistTarget;
use crate::rotation::{PersistOutcome, Request, Role, Rotate, TargetId, TargetState};

fn function() -> PersistTarget {
    PersistTarget::Js { index: 0 }
}

fn file() -> PersistTarget {
    PersistTarget::SecretFile { path: "/secrets/app".into(), of_client: None }
}

/// So many members whose only entry is written back there.
fn started(count: usize, target: fn() -> PersistTarget) -> Group {
    let mut group = Group::new(&["old", "new"]);
    for _ in 0..count {
        group.start_with(vec![entry(0, Some(target()))], &[&["old"]]);
    }
    group.pass(MINUTE);
    assert!(group.have_tokens());
    group
}

/// Everybody is told to rotate to the new secret.
fn rotate_all(group: &mut Group) {
    for place in 0..group.members.len() {
        group.act(place, |world| world.rotate_to("new"));
    }
}

/// What each member has written so far.
fn written(group: &Group) -> Vec<Vec<&str>> {
    let mut all = Vec::new();
    for world in &group.members {
        all.push(world.script.written.iter().map(|(.., secret)| secret.as_str()).collect());
    }
    all
}

fn function_state(group: &Group) -> Option<TargetState> {
    let record = group.store.load().record.expect("a record");
    record.targets.get(&TargetId::Shared(0)).copied()
}

#[test]
fn a_function_keeps_a_secret_that_one_member_was_told_of() {
    let mut group = started(3, function);
    group.act(1, |world| world.rotate_to("new"));
    group.pass(MINUTE);
    assert_eq!(
        (group.role("new"), function_state(&group)),
        (Role::Active, Some(TargetState::Done))
    );
    assert_eq!(written(&group), [vec![], vec!["new"], vec![]]);
}

#[test]
fn one_member_calls_the_function_although_all_could() {
    let mut group = started(3, function);
    rotate_all(&mut group);
    group.pass(10 * MINUTE);
    assert_eq!(
        (group.role("new"), function_state(&group)),
        (Role::Active, Some(TargetState::Done))
    );
    assert_eq!(written(&group).concat(), ["new"]);
}

#[test]
fn another_member_calls_the_function_when_the_first_one_has_died_of_it() {
    let mut group = started(3, function);
    for world in &mut group.members {
        world.script.delays_sinks = true;
    }
    rotate_all(&mut group);
    group.pass(10 * SECOND);
    let counts: Vec<_> = written(&group).iter().map(Vec::len).collect();
    assert_eq!(counts.iter().sum::<usize>(), 1);
    group.kill(counts.iter().position(|count| *count == 1).expect("one"));
    for world in &mut group.members {
        world.script.delays_sinks = false;
    }
    group.pass(2 * MINUTE);
    assert_eq!(function_state(&group), Some(TargetState::Done));
    assert_eq!(written(&group).concat(), ["new", "new"]);
}

#[test]
fn a_function_that_fails_is_called_again_and_holds_up_the_retirement() {
    let mut group = started(3, function);
    for world in &mut group.members {
        world.script.sink_outcome = PersistOutcome::Failed;
    }
    rotate_all(&mut group);
    group.pass(2 * HOUR);
    assert_eq!((group.role("new"), group.role("old")), (Role::Active, Role::Previous));
    let count = written(&group).concat().len();
    assert!((500..=725).contains(&count), "{count} calls, one every ten seconds at most");
    for world in &mut group.members {
        world.script.sink_outcome = PersistOutcome::Done;
    }
    group.pass(MINUTE);
    assert_eq!((group.role("new"), group.role("old")), (Role::Active, Role::Retired));
}

#[test]
fn a_function_that_no_member_has_any_more_holds_nobody_up() {
    let mut group = started(1, function);
    for _ in 0..2 {
        group.start(&["old"]);
    }
    group.pass(MINUTE);
    group.members[0].script.sink_outcome = PersistOutcome::Failed;
    rotate_all(&mut group);
    group.pass(2 * HOUR);
    assert_eq!(group.role("old"), Role::Previous, "it may succeed yet");
    group.kill(0);
    group.pass(9 * MINUTE);
    assert!(matches!(function_state(&group), Some(TargetState::Lost { .. })), "in a deploy");
    assert_eq!(group.role("old"), Role::Previous);
    group.pass(2 * MINUTE);
    assert_eq!(function_state(&group), Some(TargetState::Impossible));
    assert_eq!((group.role("new"), group.role("old")), (Role::Active, Role::Retired));
}

#[test]
fn a_deploy_that_takes_the_function_away_for_a_while_does_not_lose_it() {
    let mut group = started(1, function);
    group.start(&["old"]);
    group.pass(MINUTE);
    group.members[0].script.sink_outcome = PersistOutcome::Failed;
    rotate_all(&mut group);
    group.pass(2 * MINUTE);
    group.close(0);
    group.pass(5 * MINUTE);
    let place = group.start_with(vec![entry(0, Some(function()))], &[&["new"]]);
    group.pass(MINUTE);
    assert_eq!(function_state(&group), Some(TargetState::Done));
    assert_eq!(written(&group)[place], ["new"]);
}

#[test]
fn who_has_no_such_function_does_not_call_it_lost() {
    let mut group = started(1, function);
    for _ in 0..2 {
        group.start(&["old"]);
    }
    group.pass(MINUTE);
    group.members[0].script.delays_sinks = true;
    rotate_all(&mut group);
    group.pass(20 * SECOND);
    assert!(matches!(function_state(&group), Some(TargetState::Claimed { .. })));
    group.act(0, World::end_sinks);
    assert_eq!(function_state(&group), Some(TargetState::Done));
}

#[test]
fn a_member_follows_once_its_own_file_is_written() {
    let mut group = started(3, file);
    group.members[2].script.sink_outcome = PersistOutcome::Failed;
    rotate_all(&mut group);
    group.pass(2 * HOUR);
    assert_eq!((group.role("new"), group.role("old")), (Role::Active, Role::Previous));
    let census = group.store.load().census.expect("a fleet");
    let record = group.store.load().record.expect("a record");
    assert!(record.targets.is_empty(), "files are a matter of each member");
    let promoted = record.open_overlap().expect("an overlap").epoch;
    assert_eq!(census.behind(promoted), 1, "who has not written it has not followed");
    group.members[2].script.sink_outcome = PersistOutcome::Done;
    group.pass(2 * MINUTE);
    assert_eq!((group.role("new"), group.role("old")), (Role::Active, Role::Retired));
    assert_eq!(written(&group)[..2], [["new"], ["new"]]);
}

#[test]
fn a_file_that_cannot_be_written_holds_nobody_up() {
    let mut group = started(3, file);
    group.members[2].script.sink_outcome = PersistOutcome::Impossible;
    rotate_all(&mut group);
    group.pass(2 * HOUR);
    assert_eq!((group.role("new"), group.role("old")), (Role::Active, Role::Retired));
    assert_eq!(written(&group)[2], ["new"], "it is not tried again");
}

#[test]
fn whoever_asks_again_may_have_mended_a_file() {
    let mut group = started(2, file);
    group.members[1].script.sink_outcome = PersistOutcome::Impossible;
    rotate_all(&mut group);
    group.pass(10 * SECOND);
    group.members[1].script.sink_outcome = PersistOutcome::Done;
    group.act(1, |world| world.rotate_to("new"));
    group.pass(10 * SECOND);
    assert_eq!(written(&group)[1], ["new", "new"]);
}

#[test]
fn a_file_is_custody_of_what_only_its_member_was_told_of() {
    let mut group = started(2, file);
    group.members[0].script.delays_sinks = true;
    group.act(0, |world| world.rotate_to("new"));
    group.pass(20 * SECOND);
    assert_eq!((group.role("new"), written(&group)), (Role::Next, vec![vec!["new"], vec![]]));
    group.act(0, World::end_sinks);
    group.pass(SECOND);
    assert_eq!(group.role("new"), Role::Active);
}

#[test]
fn a_file_that_holds_what_was_withdrawn_gets_the_active_secret_again() {
    let mut group = started(2, file);
    group.members[0].script.delays_sinks = true;
    group.act(0, |world| world.rotate_to("new"));
    group.pass(SECOND);
    assert_eq!((group.role("new"), written(&group)[0].len()), (Role::Next, 1));
    group.act(0, |world| {
        world.rotate_with("mistyped", |ask| {
            if let Request::Rotate(Rotate { supersede, .. }) = ask {
                *supersede = true;
            }
        })
    });
    group.act(0, World::end_sinks);
    group.members[0].script.delays_sinks = false;
    group.pass(5 * MINUTE);
    assert_eq!((group.role("mistyped"), group.role("new")), (Role::Quarantined, Role::Standby));
    assert_eq!(written(&group), [vec!["new", "old"], vec![]]);
}

#[test]
fn who_starts_with_a_file_that_missed_a_rotation_writes_it() {
    let mut group = started(2, file);
    rotate_all(&mut group);
    group.pass(2 * HOUR);
    assert_eq!(group.role("old"), Role::Retired);
    let place =
        group.start_with(vec![entry(0, Some(file())), entry(1, None)], &[&["old"], &["new"]]);
    group.pass(MINUTE);
    assert_eq!(written(&group)[place], ["new"]);
}
