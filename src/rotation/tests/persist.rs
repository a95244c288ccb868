//! Credentials are persisted, and what depends on it.

use super::promotion::{fleet, stable, stable_with};
use super::world::*;
use crate::rotation::*;

const SLOT: TargetId = TargetId::Shared(0);

super::scenarios! {
    a_sink_that_custody_depends_on_is_written_before_the_promotion = fleet_with_sink(false) => |world| {
        world.accept(B);
        world.sink_outcome = None;
        let caller = world.rotate(B);
        world.pass(SECOND);
        assert_eq!(world.sinks.iter().map(|(_, _, one)| *one).collect::<Vec<_>>(), [B]);
        assert_eq!(world.phase(), PhaseName::Staged);
        report(world, B, PersistOutcome::Done);
        assert!(world.is_active(caller));
        assert!(!world.notices.contains(&RotationNotice::NotPersisted(B)));
        world.pass(MINUTE);
        assert_eq!(world.sinks.len(), 1);
    }

    custody_is_missing_when_a_sink_has_failed_and_not_while_it_is_written = fleet_with_sink(false) => |world| {
        let is_told = |world: &World| {
            world.notices.iter().filter(|it| **it == RotationNotice::AwaitsCustody(B)).count()
        };
        world.accept(B);
        world.sink_outcome = None;
        world.rotate(B);
        world.pass(SECOND);
        assert_eq!(is_told(world), 0);
        report(world, B, PersistOutcome::Failed);
        assert_eq!(is_told(world), 1);
        world.sink_outcome = Some(PersistOutcome::Failed);
        world.pass(MINUTE);
        assert_eq!(is_told(world), 1);
    }

    custody_is_not_missed_of_a_candidate_that_nobody_wants_any_more = process_with_sink() => |world| {
        world.accept(B);
        world.sink_outcome = None;
        let caller = world.rotate(B);
        world.pass(SECOND);
        world.leave(caller);
        assert_eq!(world.phase(), PhaseName::Staged);
        report(world, B, PersistOutcome::Failed);
        world.pass(SECOND);
        assert_eq!(world.phase(), PhaseName::Stable);
        assert!(!world.notices.contains(&RotationNotice::AwaitsCustody(B)));
    }

    a_sink_is_written_after_the_promotion_where_something_else_is_custody = fleet_with_sink(false) => |world| {
        world.accept(B);
        world.seal(B);
        world.sink_outcome = None;
        let caller = world.rotate(B);
        world.pass(SECOND);
        assert!(world.is_active(caller));
        assert_eq!(world.sinks.len(), 1);
        assert_eq!(world.record().targets.len(), 1);
    }

    a_sink_that_fails_is_tried_again_and_blocks_retirement = fleet_with_sink(false) => |world| {
        world.accept(B);
        world.seal(B);
        world.sink_outcome = Some(PersistOutcome::Failed);
        world.rotate(B);
        world.pass(35 * SECOND);
        assert_eq!(world.sinks.len(), 4);
        let caller = world.retire(false);
        assert_eq!(world.code(caller), Some("ERR_RETIRE_BLOCKED"));
        world.sink_outcome = Some(PersistOutcome::Done);
        world.pass(15 * SECOND);
        let again = world.retire(false);
        assert_eq!(world.outcome(again), Some(&Ok(Settled::Retired)));
    }

    force_retires_although_a_sink_is_pending = fleet_with_sink(false) => |world| {
        world.accept(B);
        world.seal(B);
        world.sink_outcome = Some(PersistOutcome::Failed);
        world.rotate(B);
        world.pass(SECOND);
        let caller = world.retire(true);
        assert_eq!(world.outcome(caller), Some(&Ok(Settled::Retired)));
    }

    an_impossible_sink_blocks_nothing_where_custody_holds = fleet_with_sink(false) => |world| {
        world.accept(B);
        world.seal(B);
        world.sink_outcome = Some(PersistOutcome::Impossible);
        world.rotate(B);
        world.pass(SECOND);
        assert!(world.notices.contains(&RotationNotice::PersistImpossible(SLOT)));
        let caller = world.retire(false);
        assert_eq!(world.outcome(caller), Some(&Ok(Settled::Retired)));
    }

    an_impossible_sink_in_one_process_is_told_and_blocks_retirement = process_with_sink() => |world| {
        world.accept(B);
        world.sink_outcome = Some(PersistOutcome::Impossible);
        let caller = world.rotate(B);
        world.pass(SECOND);
        assert!(world.is_active(caller));
        assert!(world.notices.contains(&RotationNotice::NotPersisted(B)));
        let retire = world.retire(false);
        assert_eq!(world.code(retire), Some("ERR_RETIRE_BLOCKED"));
    }

    a_place_that_was_mended_is_written_when_its_credential_is_asked_for_again = process_with_sink() => |world| {
        world.accept(B);
        world.sink_outcome = Some(PersistOutcome::Impossible);
        world.rotate(B);
        world.pass(MINUTE);
        assert_eq!((world.sinks.len(), world.record().persisted(&world.peers[0].view, B)), (1, Persisted::Impossible));
        world.rotate(B);
        world.pass(MINUTE);
        assert_eq!((world.sinks.len(), world.record().persisted(&world.peers[0].view, B)), (2, Persisted::Impossible));
        world.sink_outcome = Some(PersistOutcome::Done);
        world.rotate(B);
        world.pass(SECOND);
        assert_eq!((world.sinks.len(), world.record().persisted(&world.peers[0].view, B)), (3, Persisted::Done));
        let retire = world.retire(false);
        world.pass(SECOND);
        assert_eq!(world.outcome(retire), Some(&Ok(Settled::Retired)));
    }

    where_a_source_yields_the_candidate_the_slot_is_written_at_retirement = fleet_with_sink(true) => |world| {
        world.accept(B);
        world.change(0, A, B);
        world.change(1, A, B);
        world.pass(SECOND);
        assert_eq!(world.phase(), PhaseName::Overlap);
        let at = world.record().overlap().unwrap().retire_not_before;
        // Nothing is being written until then, and nothing is told to be.
        let waits = waits(world.record(), &world.peers[0].view, world.now);
        assert_eq!(waits, [Wait::Time(at)]);
        world.pass(at.since(world.now + SECOND));
        assert!(world.sinks.is_empty());
        world.pass(10 * SECOND);
        assert_eq!(world.sinks.len(), 1);
        assert_eq!(world.record().role(A), Role::Retired);
    }

    after_a_rollback_the_sink_is_written_again = fleet_with_sink(false) => |world| {
        world.accept(B);
        world.seal(B);
        world.rotate(B);
        world.pass(SECOND);
        world.roll_back();
        world.pass(SECOND);
        assert_eq!(world.sinks.iter().map(|(_, _, one)| *one).collect::<Vec<_>>(), [B, A]);
    }

    a_place_that_is_behind_is_written_although_another_rotation_failed = process_with_sink() => |world| {
        world.accept(B);
        world.rotate(B);
        world.pass(SECOND);
        world.sink_outcome = Some(PersistOutcome::Failed);
        world.kill(B);
        world.refresh(0, B);
        world.pass(20 * SECOND);
        assert_eq!((world.record().active, world.phase()), (A, PhaseName::Stable));
        let caller = world.rotate(D);
        world.pass(20 * SECOND);
        assert_eq!(world.code(caller), Some("ERR_CANDIDATE_REJECTED"));
        assert_eq!(world.record().persisted(&world.peers[0].view, A), Persisted::Pending);
        world.sink_outcome = Some(PersistOutcome::Done);
        world.pass(20 * SECOND);
        assert_eq!(world.sinks.last().map(|(_, _, one)| *one), Some(A));
        assert_eq!(world.record().persisted(&world.peers[0].view, A), Persisted::Done);
    }

    what_takes_over_while_a_candidate_is_proved_is_written_back = stable_with(&[A, C]) => |world| {
        world.peers[0].view.targets = vec![TargetSpec { target: SLOT, at_retirement: false }];
        world.accept(C);
        world.answer_with(B, unclear());
        world.rotate(B);
        world.kill(A);
        world.refresh(0, A);
        world.pass(SECOND);
        assert_eq!((world.record().active, world.phase()), (C, PhaseName::Staged));
        world.kill(B);
        world.pass(MINUTE);
        assert_eq!(world.phase(), PhaseName::Stable);
        assert_eq!(world.sinks.iter().map(|(_, _, one)| *one).collect::<Vec<_>>(), [C]);
    }

    an_answer_about_another_credential_says_nothing_of_the_sink = fleet_with_sink(false) => |world| {
        world.accept(B);
        world.sink_outcome = None;
        world.rotate(B);
        world.pass(SECOND);
        report(world, A, PersistOutcome::Done);
        assert_eq!(world.phase(), PhaseName::Staged);
    }
}

fn report(world: &mut World, credential: crate::credential::CredentialId, outcome: PersistOutcome) {
    world.peers[0].view.writing.remove(&SLOT);
    world.tell(0, RotationEvent::Persisted { target: SLOT, credential, outcome });
}

fn fleet_with_sink(at_retirement: bool) -> World {
    let mut world = fleet();
    world.peers[0].view.targets = vec![TargetSpec { target: SLOT, at_retirement }];
    world
}

fn process_with_sink() -> World {
    let mut world = stable();
    world.peers[0].view.targets = vec![TargetSpec { target: SLOT, at_retirement: false }];
    world
}
