//! A proved candidate that nothing but this process keeps: it never costs a token, and is never
//! forgotten.

use super::promotion::{fleet, stable, stable_with};
use super::world::*;
use crate::credential::CredentialId;
use crate::rotation::*;

const SLOT: TargetId = TargetId::Shared(0);

super::scenarios! {
    without_custody_a_candidate_waits_while_the_active_credential_works = unkept() => |world| {
        assert_eq!((world.phase(), world.record().active), (PhaseName::Staged, A));
        world.pass(5 * MINUTE);
        assert_eq!((world.phase(), world.record().active), (PhaseName::Staged, A));
    }

    without_custody_the_active_credential_is_asked_at_once_and_every_minute = unkept() => |world| {
        // Once when A became active, once when the persist target had failed.
        assert_eq!(world.times_presented(A), 2);
        world.pass(MINUTE);
        assert_eq!(world.times_presented(A), 3);
        world.pass(3 * MINUTE);
        assert_eq!(world.times_presented(A), 6);
    }

    unclear_answers_to_that_question_are_no_storm = unkept() => |world| {
        world.pass(2 * MINUTE);
        let asked = world.times_presented(A);
        world.answer_with(A, unclear());
        world.pass(5 * MINUTE);
        let since = world.times_presented(A) - asked;
        assert!((5..20).contains(&since), "{since} questions in five minutes");
    }

    while_a_first_attempt_to_keep_the_candidate_is_under_way_nobody_is_asked_for_five_seconds = with_sink() => |world| {
        world.sink_outcome = None;
        world.rotate(B);
        world.pass(4 * SECOND);
        assert_eq!(world.times_presented(A), 1, "an ordinary rotation makes no token of the old secret");
        world.pass(2 * SECOND);
        assert_eq!(world.times_presented(A), 2);
    }

    one_rejection_of_the_active_credential_is_enough_to_promote_without_custody = with_sink() => |world| {
        world.sink_outcome = Some(PersistOutcome::Failed);
        world.kill(A);
        let caller = world.rotate(B);
        world.pass(SECOND);
        assert!(world.is_active(caller));
        assert_eq!(world.record().persisted(&world.peers[0].view, B), Persisted::Pending);
        assert!(world.notices.contains(&RotationNotice::NotPersisted(B)));
    }

    an_unclear_answer_of_the_active_credential_promotes_nothing = with_sink() => |world| {
        world.sink_outcome = Some(PersistOutcome::Failed);
        world.answer_with(A, unclear());
        world.rotate(B);
        world.pass(5 * MINUTE);
        assert_eq!((world.phase(), world.record().active), (PhaseName::Staged, A));
    }

    what_was_promoted_without_custody_is_written_later_and_blocks_the_retirement_until_then = with_sink() => |world| {
        world.sink_outcome = Some(PersistOutcome::Failed);
        world.kill(A);
        world.rotate(B);
        world.pass(2 * HOUR);
        assert_eq!((world.phase(), world.record().role(A)), (PhaseName::Overlap, Role::Previous));
        world.sink_outcome = Some(PersistOutcome::Done);
        world.pass(2 * MINUTE);
        assert_eq!((world.record().persisted(&world.peers[0].view, B), world.record().role(A)), (Persisted::Done, Role::Retired));
    }

    what_can_never_be_written_is_told_as_such_when_it_is_promoted_without_custody = with_sink() => |world| {
        world.sink_outcome = Some(PersistOutcome::Impossible);
        world.kill(A);
        world.rotate(B);
        world.pass(SECOND);
        assert_eq!((world.record().active, world.record().persisted(&world.peers[0].view, B)), (B, Persisted::Impossible));
        assert!(world.notices.contains(&RotationNotice::NotPersisted(B)));
    }

    what_its_verification_refuses_does_not_take_over_though_the_active_one_is_dead = with_sink() => |world| {
        world.sink_outcome = Some(PersistOutcome::Failed);
        world.accept_with(B, None, Some(Verify::Refused));
        world.kill(A);
        let caller = world.rotate(B);
        world.refresh(0, A);
        world.pass(5 * MINUTE);
        assert!(world.record().active == A && !world.is_active(caller));
        assert_eq!(world.phase(), PhaseName::Degraded, "it is known that A is dead");
        assert!(world.sinks.is_empty(), "nothing of it is written");
    }

    nobody_is_to_write_a_credential_back_whose_successor_a_source_has_brought = stable() => |world| {
        world.change(0, A, B);
        world.change(0, B, C);
        world.accept(B);
        world.pass(MINUTE);
        assert_eq!((world.record().active, world.record().waiting), (B, Some(C)));
        assert!(!world.notices.contains(&RotationNotice::NotPersisted(B)), "it would be written over C");
    }

    a_leaked_credential_that_is_dead_is_replaced_without_custody = with_sink() => |world| {
        world.sink_outcome = Some(PersistOutcome::Failed);
        world.kill(A);
        let want = Rotate { candidate: Some(B), compromised: true, ..Rotate::default() };
        world.ask(Request::Rotate(want));
        world.pass(SECOND);
        assert_eq!((world.record().active, world.record().role(A)), (B, Role::Retired));
    }

    out_of_degraded_a_candidate_needs_no_custody = with_sink() => |world| {
        world.kill(A);
        world.refresh(0, A);
        world.pass(SECOND);
        assert_eq!(world.phase(), PhaseName::Degraded);
        world.sink_outcome = Some(PersistOutcome::Failed);
        let caller = world.rotate(B);
        world.pass(SECOND);
        assert!(world.is_active(caller));
    }

    at_the_deadline_a_candidate_is_given_up_only_when_the_active_credential_works_once_more = unkept() => |world| {
        world.pass(9 * MINUTE);
        world.answer_with(A, unclear());
        world.pass(5 * MINUTE);
        assert_eq!(world.phase(), PhaseName::Staged, "it is asked again");
        world.accept(A);
        world.pass(MINUTE);
        assert_eq!((world.phase(), world.record().role(B)), (PhaseName::Stable, Role::Standby));
        let asked = world.times_presented(A);
        world.pass(10 * MINUTE);
        assert_eq!(world.times_presented(A), asked);
    }

    at_the_deadline_a_candidate_takes_over_from_a_credential_that_has_died_unnoticed = unkept() => |world| {
        world.pass(9 * MINUTE);
        world.answer_with(A, unclear());
        world.pass(2 * MINUTE);
        world.kill(A);
        world.pass(MINUTE);
        assert_eq!((world.phase(), world.record().active), (PhaseName::Overlap, B));
    }

    who_leaves_is_followed_by_a_question_and_not_by_forgetting = unkept() => |world| {
        let caller = world.peers[0].view.callers[0].id;
        let asked = world.times_presented(A);
        world.leave(caller);
        assert_eq!(world.phase(), PhaseName::Staged);
        assert_eq!(world.times_presented(A), asked + 1);
        world.pass(SECOND);
        assert_eq!((world.phase(), world.record().role(B)), (PhaseName::Stable, Role::Standby));
    }

    when_the_last_caller_leaves_beside_a_dead_credential_the_candidate_takes_over = unkept() => |world| {
        let caller = world.peers[0].view.callers[0].id;
        world.kill(A);
        world.leave(caller);
        world.pass(SECOND);
        assert_eq!(world.record().active, B);
    }

    in_the_place_of_a_preparation_the_active_credential_is_asked_too = with_sink() => |world| {
        world.ask(Request::Prepare { min_runway: MINUTE });
        world.pass(SECOND);
        assert_eq!(world.phase(), PhaseName::Prepared);
        world.kill(A);
        world.sink_outcome = Some(PersistOutcome::Failed);
        let caller = world.rotate(B);
        world.pass(SECOND);
        assert!(world.is_active(caller), "nobody had presented the dead one since");
    }

    a_caller_who_comes_back_keeps_the_candidate_staged = unkept() => |world| {
        let caller = world.peers[0].view.callers[0].id;
        world.answer_with(A, unclear());
        world.leave(caller);
        world.pass(MINUTE);
        let again = world.rotate(B);
        world.accept(A);
        world.pass(2 * MINUTE);
        assert_eq!((world.phase(), world.outcome(again)), (PhaseName::Staged, None));
        world.sink_outcome = Some(PersistOutcome::Done);
        world.pass(MINUTE);
        assert!(world.is_active(again));
    }

    a_proof_whose_token_has_expired_is_renewed_before_anything_is_given_up = with_sink() => |world| {
        world.lifetime = 3 * MINUTE;
        world.sink_outcome = Some(PersistOutcome::Failed);
        world.rotate(B);
        world.pass(9 * MINUTE + 50 * SECOND);
        world.answer_with(B, unclear());
        world.answer_with(A, unclear());
        world.pass(30 * MINUTE);
        assert_eq!(world.phase(), PhaseName::Staged);
        world.accept(A);
        world.pass(2 * MINUTE);
        assert_eq!((world.phase(), world.record().role(B)), (PhaseName::Stable, Role::Standby));
    }

    an_edge_back_leaves_a_proved_candidate_as_a_fallback = unkept_fleet() => |world| {
        world.change(0, A, C);
        world.change(0, B, A);
        assert_eq!(world.record().role(B), Role::Standby);
    }

    a_superseded_candidate_that_was_proved_stays_a_fallback = unkept() => |world| {
        let want = Rotate { candidate: Some(C), supersede: true, ..Rotate::default() };
        world.ask(Request::Rotate(want));
        assert_eq!((world.record().role(C), world.record().role(B)), (Role::Next, Role::Standby));
    }

    an_acceptance_that_comes_after_the_withdrawal_counts_all_the_same = with_sink() => |world| {
        world.answer_with(B, unclear());
        let caller = world.rotate(B);
        world.accept(B);
        world.leave(caller);
        assert_eq!((world.phase(), world.record().role(B)), (PhaseName::Stable, Role::Unknown));
        world.pass(SECOND);
        assert_eq!(world.record().role(B), Role::Standby);
    }

    a_fallback_that_nothing_yields_takes_over_when_the_active_credential_dies = unkept() => |world| {
        world.pass(11 * MINUTE);
        assert_eq!((world.phase(), world.record().role(B)), (PhaseName::Stable, Role::Standby));
        world.kill(A);
        world.refresh(0, A);
        world.pass(SECOND);
        assert_eq!(world.record().active, B);
    }

    of_fallbacks_that_nothing_yields_the_latest_eight_are_kept = with_sink() => |world| {
        world.sink_outcome = Some(PersistOutcome::Failed);
        for number in 50..60 {
            world.accept(stray(number));
            let caller = world.rotate(stray(number));
            world.pass(SECOND);
            world.leave(caller);
            world.pass(SECOND);
        }
        assert_eq!(world.record().standby, (52..60).map(stray).collect::<Vec<_>>());
    }

    a_later_credential_of_its_client_takes_the_place_of_a_fallback = with_sink() => |world| {
        let client = |name: &str| name.into();
        world.peers[0].view.clients = [(A, client("app")), (B, client("app")), (C, client("app")), (D, client("other"))].into();
        world.sink_outcome = Some(PersistOutcome::Failed);
        for candidate in [D, B] {
            world.accept(candidate);
            let caller = world.rotate(candidate);
            world.pass(SECOND);
            world.leave(caller);
            world.pass(SECOND);
        }
        assert_eq!(world.record().standby, [D, B]);
        world.accept(C);
        world.sink_outcome = Some(PersistOutcome::Done);
        world.rotate(C);
        world.pass(SECOND);
        assert_eq!((world.record().active, &world.record().standby[..]), (C, &[D][..]));
    }

    a_fallback_that_a_source_yields_stays_whatever_comes_after_it = stable_with(&[A, B]) => |world| {
        world.peers[0].view.clients = [A, B, C].map(|one| (one, "app".into())).into();
        world.accept(C);
        world.rotate(C);
        world.pass(SECOND);
        assert_eq!((world.record().active, world.record().role(B)), (C, Role::Standby));
    }

    a_place_that_got_another_credential_too_late_is_written_again = with_sink() => |world| {
        world.sink_outcome = None;
        let caller = world.rotate(B);
        world.pass(SECOND);
        report(world, B, PersistOutcome::Failed);
        world.leave(caller);
        world.pass(SECOND);
        assert_eq!(world.phase(), PhaseName::Stable);
        report(world, B, PersistOutcome::Done);
        assert_eq!(world.sinks.last().map(|(_, _, one)| *one), Some(A));
        report(world, A, PersistOutcome::Done);
        assert_eq!(world.record().persisted(&world.peers[0].view, A), Persisted::Done);
    }

    an_attempt_that_was_given_up_is_not_made_a_second_time_before_it_ends = with_sink() => |world| {
        world.sink_outcome = None;
        world.rotate(B);
        world.pass(SECOND);
        let view = &mut world.peers[0].view;
        view.writing.clear();
        view.stuck.insert((SLOT, B));
        world.tell(0, RotationEvent::Persisted { target: SLOT, credential: B, outcome: PersistOutcome::Failed });
        world.pass(5 * MINUTE);
        assert_eq!(world.sinks.len(), 1);
        world.peers[0].view.stuck.clear();
        world.tell(0, RotationEvent::Ticked);
        assert_eq!(world.sinks.len(), 2);
    }

    a_rollback_that_is_written_back_next_is_told_as_nothing_else = with_sink() => |world| {
        world.rotate(B);
        world.pass(SECOND);
        world.peers[0].view.configured.clear();
        world.roll_back();
        world.pass(SECOND);
        assert_eq!((world.record().active, world.record().persisted(&world.peers[0].view, A)), (A, Persisted::Done));
        assert!(!world.notices.contains(&RotationNotice::NotPersisted(A)));
    }

    a_candidate_that_is_refused_without_a_reason_is_judged_by_the_active_credential = stable() => |world| {
        world.answer_with(B, refused());
        let caller = world.rotate(B);
        world.pass(SECOND);
        assert_eq!(world.times_presented(A), 2, "it is asked once");
        world.pass(20 * SECOND);
        assert_eq!(world.code(caller), Some("ERR_CANDIDATE_REJECTED"));
        assert_eq!(world.times_presented(A), 2);
    }

    where_the_active_credential_is_refused_too_nothing_is_said_of_the_candidate = stable() => |world| {
        world.answer_with(B, refused());
        world.answer_with(A, refused());
        let caller = world.rotate(B);
        world.pass(5 * MINUTE);
        assert_eq!((world.phase(), world.outcome(caller)), (PhaseName::Staged, None));
    }

    refusals_while_a_candidate_spreads_do_not_count = stable() => |world| {
        world.peers[0].view.policy.propagation = 10 * SECOND;
        world.answer_with(B, refused());
        let caller = world.rotate(B);
        world.pass(9 * SECOND);
        assert_eq!(world.times_presented(A), 1);
        world.accept(B);
        world.pass(30 * SECOND);
        assert!(world.is_active(caller));
    }
}

fn stray(number: u8) -> CredentialId {
    CredentialId::from_bytes([number; 8])
}

fn report(world: &mut World, credential: CredentialId, outcome: PersistOutcome) {
    world.peers[0].view.writing.remove(&SLOT);
    world.tell(0, RotationEvent::Persisted { target: SLOT, credential, outcome });
}

/// One process in which A is active and has a place to be written to; B is accepted.
fn with_sink() -> World {
    let mut world = stable();
    world.peers[0].view.targets = vec![TargetSpec { target: SLOT, at_retirement: false }];
    world.accept(B);
    world
}

/// The same while a caller waits for B, which is proved and cannot be written.
fn unkept() -> World {
    let mut world = with_sink();
    world.sink_outcome = Some(PersistOutcome::Failed);
    world.rotate(B);
    world.pass(SECOND);
    assert!(world.notices.contains(&RotationNotice::AwaitsCustody(B)));
    world
}

/// Two members, of which the first alone holds B, which is proved.
fn unkept_fleet() -> World {
    let mut world = fleet();
    world.accept(B);
    world.rotate(B);
    world.pass(SECOND);
    assert_eq!(world.phase(), PhaseName::Staged);
    world
}
