//! Where a promoted credential is persisted to, and when.

use super::world::*;
use crate::member::*;
use crate::persist::PersistTarget;
use crate::policy::tests::DEFAULT;
use crate::rotation::{PersistOutcome, Persisted, PhaseName, Refusal, Role};
use crate::source::{EntrySpec, Field, SourceSpec};
use crate::verdict::Verify;

/// A function that keeps a credential.
fn function(index: usize) -> PersistTarget {
    PersistTarget::Js { index }
}

/// The first of two entries, which has a place to be written to, yields what is active.
fn two_places() -> World {
    let entries = vec![entry(0, Some(function(0))), entry(1, None)];
    let mut world = World::with_entries(DEFAULT, entries, accepts(&["old", "new"]));
    world.configure_each(&[&["old"], &[]]);
    world.pass(MINUTE);
    world
}

fn writes(world: &World) -> Vec<(usize, &str)> {
    world.script.written.iter().map(|(_, place, secret)| (place.index, secret.as_str())).collect()
}

#[test]
fn a_secret_that_only_a_caller_holds_is_written_back_before_it_takes_over() {
    let mut world = two_places();
    world.script.delays_sinks = true;
    let caller = world.rotate_to("new");
    world.pass(SECOND);
    assert_eq!(writes(&world), [(0, "new")]);
    assert_eq!((world.phase(), world.role("old")), (PhaseName::Staged, Role::Active));
    world.end_sinks();
    assert_eq!(
        (world.phase(), world.rotated(caller)),
        (PhaseName::Overlap, Some(Progress::Overlap))
    );
}

#[test]
fn what_is_to_be_verified_is_so_although_it_is_proved_and_being_written() {
    for names_rotation in [false, true] {
        let mut world = two_places();
        world.script.delays_sinks = true;
        let first = world.rotate_with("new", |ask| {
            if let Request::Rotate(Rotate { rotation, .. }) = ask {
                *rotation = Some(RotationId::new("autumn"));
            }
        });
        world.pass(SECOND);
        world.script.verified = Verify::Refused;
        let mut ask = verified(rotate((!names_rotation).then_some("new")));
        if let Request::Rotate(Rotate { rotation, candidate: None, .. }) = &mut ask {
            *rotation = Some(RotationId::new("autumn"));
        }
        let second = world.ask(ask);
        world.configure_each(&[&["old"], &[]]);
        world.pass(SECOND);
        world.end_sinks();
        world.pass(MINUTE);
        for caller in [first, second] {
            assert!(matches!(world.refusal(caller), Some(Refusal::CandidateRejected(_))));
        }
        assert_eq!(world.secret_in_use(), Some("old"), "{names_rotation}");
    }
}

#[test]
fn a_place_that_is_read_again_before_its_write_is_told_to_be_done_counts_as_written() {
    let mut world = two_places();
    world.script.delays_sinks = true;
    world.rotate_to("new");
    world.pass(SECOND);
    world.configure_each(&[&["new"], &[]]);
    world.pass(SECOND);
    let persisted = |world: &World| {
        let record = world.member().record().expect("there is one");
        record.persisted(&world.member().view(), record.active)
    };
    assert_eq!((world.phase(), persisted(&world)), (PhaseName::Overlap, Persisted::Pending));
    world.end_sinks();
    assert_eq!(persisted(&world), Persisted::Done);
    world.pass(HOUR);
    assert_eq!((world.phase(), writes(&world)), (PhaseName::Stable, vec![(0, "new")]));
}

#[test]
fn a_write_that_hangs_for_ever_holds_nothing_up_once_a_source_yields_the_secret() {
    let mut world = two_places();
    world.script.delays_sinks = true;
    let caller = world.rotate_to("new");
    world.pass(SECOND);
    world.tell(MemberEvent::Left(caller));
    world.pass(HOUR);
    assert_eq!(world.role("old"), Role::Active);
    world.configure_each(&[&["new"], &[]]);
    world.pass(2 * HOUR);
    assert_eq!((world.phase(), world.role("old")), (PhaseName::Stable, Role::Retired));
}

#[test]
fn a_write_that_is_under_way_is_not_undone_by_a_caller_who_leaves() {
    let mut world = two_places();
    world.script.delays_sinks = true;
    let caller = world.rotate_to("new");
    world.pass(SECOND);
    world.tell(MemberEvent::Left(caller));
    world.end_sinks();
    assert_eq!((world.phase(), world.role("new")), (PhaseName::Overlap, Role::Active));
}

#[test]
fn a_candidate_whose_caller_left_stays_a_fallback_when_it_could_be_written_nowhere() {
    let mut world = two_places();
    (world.script.delays_sinks, world.script.sink_outcome) = (true, PersistOutcome::Failed);
    let caller = world.rotate_to("new");
    world.pass(SECOND);
    world.tell(MemberEvent::Left(caller));
    world.end_sinks();
    assert_eq!(world.phase(), PhaseName::Staged, "the old one is asked whether it still works");
    world.pass(SECOND);
    assert_eq!((world.phase(), world.role("new")), (PhaseName::Stable, Role::Standby));
}

#[test]
fn a_place_whose_handle_was_closed_before_it_could_be_written_keeps_nothing_from_being_retired() {
    for is_under_way in [false, true] {
        let mut world = two_places();
        world.configure_each(&[&["old"], &["new"]]);
        world.script.sink_outcome = PersistOutcome::Failed;
        world.pass(90 * MINUTE);
        assert_eq!((world.phase(), world.role("old")), (PhaseName::Overlap, Role::Previous));
        world.script.delays_sinks = is_under_way;
        world.pass(10 * SECOND);
        world.drop_entry(0);
        world.end_sinks();
        world.pass(MINUTE);
        assert_eq!((world.phase(), world.role("old")), (PhaseName::Stable, Role::Retired));
    }
}

#[test]
fn a_place_that_is_gone_is_forgotten_once_nothing_refers_to_it() {
    let mut world = two_places();
    world.rotate_to("new");
    world.pass(SECOND);
    let target_ids: Vec<_> = world.member().record().unwrap().targets.keys().copied().collect();
    let [target_id] = target_ids[..] else { panic!("{target_ids:?}") };
    world.drop_entry(0);
    assert!(world.member().place_of(target_id).is_some(), "the record says whether it was written");
    world.rotate_to("old");
    world.pass(SECOND);
    world.drop_entry(0);
    assert_eq!(world.member().place_of(target_id), None);
}

#[test]
fn a_source_that_changed_is_not_written_to() {
    let mut world = two_places();
    world.configure_each(&[&["new"], &[]]);
    world.pass(2 * HOUR);
    assert_eq!(world.role("old"), Role::Retired);
    assert!(world.script.written.is_empty());
}

#[test]
fn where_another_source_yields_the_new_secret_the_old_place_is_written_at_the_end_of_the_overlap() {
    let mut world = two_places();
    world.configure_each(&[&["old"], &["new"]]);
    world.pass(10 * MINUTE);
    assert_eq!((world.phase(), world.script.written.len()), (PhaseName::Overlap, 0));
    world.pass(2 * HOUR);
    assert_eq!(writes(&world), [(0, "new")]);
    assert_eq!(world.role("old"), Role::Retired);
}

#[test]
fn a_place_that_cannot_be_written_holds_the_retirement_up_and_is_tried_again() {
    let mut world = two_places();
    world.script.sink_outcome = PersistOutcome::Failed;
    world.configure_each(&[&["old"], &["new"]]);
    world.pass(3 * HOUR);
    assert_eq!((world.phase(), world.role("old")), (PhaseName::Overlap, Role::Previous));
    let tries = world.script.written.len();
    assert!((10..1500).contains(&tries), "{tries} tries");
    world.script.sink_outcome = PersistOutcome::Done;
    world.pass(2 * MINUTE);
    assert_eq!((world.phase(), world.role("old")), (PhaseName::Stable, Role::Retired));
}

#[test]
fn a_place_that_can_never_be_written_holds_nothing_up_where_a_source_yields_the_secret() {
    let mut world = two_places();
    world.script.sink_outcome = PersistOutcome::Impossible;
    world.configure_each(&[&["old"], &["new"]]);
    world.pass(2 * HOUR);
    assert_eq!((world.script.written.len(), world.role("old")), (1, Role::Retired));
}

#[test]
fn a_place_that_is_behind_gets_the_next_secret() {
    for outcome in [PersistOutcome::Failed, PersistOutcome::Impossible] {
        let entries = vec![entry(0, Some(function(0)))];
        let mut world = World::with_entries(DEFAULT, entries, accepts(&["old", "new"]));
        world.configure_each(&[&["old"]]);
        world.pass(MINUTE);
        world.rotate_to("new");
        world.pass(SECOND);
        world.configure_each(&[&["new"]]);
        world.script.sink_outcome = outcome;
        world.script.endpoint = Box::new(accepts(&["old", "next"]));
        world.tell(MemberEvent::Invalidated(world.process.handed_out.as_ref().unwrap().serial));
        world.pass(MINUTE);
        assert_eq!((world.phase(), world.role("old")), (PhaseName::Stable, Role::Active));
        world.script.sink_outcome = PersistOutcome::Done;
        world.script.written.clear();
        world.rotate_to("next");
        world.pass(SECOND);
        assert_eq!(writes(&world), [(0, "next")], "{outcome:?}");
    }
}

#[test]
fn with_nowhere_to_write_to_people_are_told_that_the_secret_ends_with_the_process() {
    let mut world = World::new(DEFAULT, accepts(&["old", "new"])).with(&["old"]);
    world.pass(MINUTE);
    let caller = world.rotate_to("new");
    world.pass(SECOND);
    let Some(Ok(Answer::Rotation(snapshot))) = world.script.answers.get(&caller) else { panic!() };
    assert_eq!(snapshot.persisted, Persisted::None);
    let is_told = |notice: &MemberNotice| matches!(notice, MemberNotice::Rotation(change) if change.what == What::NotPersisted);
    assert!(world.script.notices.iter().any(is_told));
}

#[test]
fn environment_variables_follow_the_active_secret_there_and_back() {
    let field = |index| Field::Js { index };
    let source = SourceSpec::Fields { client_id: field(0), client_secret: field(1) };
    let spec = EntrySpec { source, ..entry(0, None) };
    let mut world = World::with_entries(DEFAULT, vec![spec], accepts(&["old", "new"]));
    world.configure_pair("old");
    world.pass(MINUTE);
    world.rotate_to("new");
    world.pass(SECOND);
    let rotation = world.member().latest_rotation().unwrap().rotation;
    world.ask(Request::RollBack(rotation));
    // What was written there is read there.
    world.configure_pair("new");
    world.pass(SECOND);
    let secrets: Vec<&str> =
        world.script.variables.iter().map(|(_, secret)| secret.as_str()).collect();
    assert_eq!(secrets, ["new", "old"]);
}

#[test]
fn a_function_is_no_variable_and_keeps_what_it_yields() {
    for has_variables in [true, false] {
        let spec = EntrySpec { has_variables, ..entry(0, None) };
        let mut world = World::with_entries(DEFAULT, vec![spec], accepts(&["old", "new"]));
        world.configure(&["old"]);
        world.pass(MINUTE);
        world.rotate_to("new");
        world.pass(SECOND);
        world.configure(&["new"]);
        world.pass(MINUTE);
        assert_eq!(world.script.variables.len(), usize::from(has_variables));
        // Variables end with the process; the function is asked again by the next one.
        assert_eq!(world.member().keeps_active(), !has_variables);
    }
}

#[test]
fn a_source_that_was_emptied_keeps_nothing_of_what_it_yielded() {
    for is_emptied in [true, false] {
        let entries = vec![entry(0, Some(PersistTarget::Js { index: 0 })), entry(1, None)];
        let mut world = World::with_entries(DEFAULT, entries, accepts(&["old", "new"]));
        world.configure_each(&[&["old"], &["new"]]);
        world.pass(MINUTE);
        if is_emptied {
            world.configure_each(&[&["old"], &[]]);
        }
        world.rotate_to("new");
        world.pass(MINUTE);
        assert_eq!(world.role("new"), Role::Active);
        // What a source holds need not be written before the old secret is retired.
        assert_eq!(world.script.written.len(), usize::from(is_emptied));
        assert!(world.member().keeps_active());
    }
}
