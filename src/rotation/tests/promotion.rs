//! A first credential, and a candidate that is promoted, rejected or withdrawn.

use super::world::*;
use crate::rotation::*;

super::scenarios! {
    the_first_accepted_credential_of_the_list_becomes_active = World::process(&[D, A, B]) => |world| {
        world.accept(B);
        world.pass(SECOND);
        let record = world.record();
        assert_eq!((record.active, record.generation), (A, 1));
        assert_eq!(record.role(D), Role::Quarantined);
        assert_eq!(record.role(B), Role::Standby);
        assert_eq!(world.shelf.token.map(|token| token.credential), Some(A));
    }

    without_an_accepted_credential_there_is_no_record = World::process(&[D]) => |world| {
        world.pass(10 * MINUTE);
        assert_eq!(world.phase(), PhaseName::Starting);
        assert!(world.times_presented(D) > 3 && world.times_presented(D) < 15);
    }

    before_the_first_record_a_rotation_puts_its_credential_first = World::process(&[A]) => |world| {
        world.accept(B);
        let caller = world.rotate(B);
        world.pass(SECOND);
        // A was asked already; whichever is accepted first in the new order is active.
        assert_eq!(world.record().active, B);
        assert!(world.is_active(caller));
    }

    before_the_first_record_a_rejected_rotation_leaves_the_list_in_force = World::process(&[]) => |world| {
        let caller = world.rotate(B);
        world.pass(SECOND);
        assert_eq!(world.outcome(caller), None);
        world.peers[0].view.configured = vec![A];
        world.give(0, A);
        world.tell(0, RotationEvent::Ticked);
        world.pass(SECOND);
        assert_eq!(world.record().active, A);
        assert_eq!(world.code(caller), Some("ERR_CANDIDATE_REJECTED"));
    }

    an_accepted_candidate_becomes_active_with_its_token_in_one_write = stable() => |world| {
        world.accept(B);
        let epoch = world.record().version.epoch;
        let caller = world.rotate(B);
        assert_eq!(world.phase(), PhaseName::Staged);
        assert_eq!(world.outcome(caller), None);
        world.pass(SECOND);
        let record = world.record();
        assert_eq!((record.active, record.generation), (B, 2));
        assert_eq!(record.role(A), Role::Previous);
        assert_eq!(record.version.epoch, epoch + 2);
        let token = world.shelf.token.unwrap();
        assert_eq!((token.credential, token.generation), (B, 2));
        assert!(world.is_active(caller));
    }

    the_usual_overlap_is_the_life_of_the_old_token_but_five_minutes_to_an_hour = stable() => |world| {
        world.accept(B);
        let first_token_ends = world.shelf.token.unwrap().expires_at;
        world.rotate(B);
        world.pass(SECOND);
        let overlap = world.record().overlap().unwrap();
        assert_eq!(overlap.retire_not_before, first_token_ends);
        assert_eq!(overlap.safe_to_revoke_at, first_token_ends);
        assert_eq!(overlap.deadline, first_token_ends + 10 * MINUTE);
    }

    a_short_token_still_gives_an_overlap_of_five_minutes = stable_with_lifetime(2 * MINUTE) => |world| {
        world.accept(B);
        world.rotate(B);
        world.pass(SECOND);
        let overlap = world.record().overlap().unwrap();
        let promoted_at = world.peers[0].view.ledger.proof(B).unwrap().at;
        assert_eq!(overlap.retire_not_before, promoted_at + 5 * MINUTE);
    }

    a_long_token_gives_an_overlap_of_an_hour = stable_with_lifetime(24 * HOUR) => |world| {
        world.accept(B);
        world.rotate(B);
        world.pass(SECOND);
        let overlap = world.record().overlap().unwrap();
        let promoted_at = world.peers[0].view.ledger.proof(B).unwrap().at;
        assert_eq!(overlap.retire_not_before, promoted_at + HOUR);
        assert!(overlap.safe_to_revoke_at > promoted_at + 23 * HOUR);
    }

    a_leaked_credential_is_retired_with_the_promotion = stable() => |world| {
        world.accept(B);
        let want = Rotate { candidate: Some(B), compromised: true, ..Rotate::default() };
        let caller = world.ask(Request::Rotate(want));
        world.pass(SECOND);
        let record = world.record();
        assert_eq!((record.active, world.phase()), (B, PhaseName::Stable));
        assert_eq!(record.role(A), Role::Retired);
        assert!(!record.may_use_token_of(A) && record.may_use_token_of(B));
        assert!(world.is_active(caller));
        assert_eq!(world.took(Transition::PromotedAfterLeak), 1);
    }

    a_leak_that_is_told_while_the_successor_is_proved_counts = stable() => |world| {
        world.answer_with(B, unclear());
        world.change(0, A, B);
        let want = Rotate { candidate: Some(B), compromised: true, ..Rotate::default() };
        world.ask(Request::Rotate(want));
        // Who knows of no leak takes nothing back.
        world.rotate(B);
        world.accept(B);
        world.pass(MINUTE);
        assert_eq!((world.record().role(A), world.took(Transition::PromotedAfterLeak)), (Role::Retired, 1));
    }

    a_leak_counts_also_where_the_rotation_is_named = stable() => |world| {
        world.answer_with(B, unclear());
        world.rotate(B);
        let rotation = world.record().staged().map(|staged| staged.rotation.clone());
        world.ask(Request::Rotate(Rotate { rotation, compromised: true, ..Rotate::default() }));
        world.accept(B);
        world.pass(MINUTE);
        assert_eq!((world.record().role(A), world.took(Transition::PromotedAfterLeak)), (Role::Retired, 1));
    }

    a_leaked_credential_stays_until_its_successor_is_proved = stable() => |world| {
        let want = Rotate { candidate: Some(B), compromised: true, ..Rotate::default() };
        let caller = world.ask(Request::Rotate(want));
        world.pass(10 * SECOND);
        assert_eq!(world.code(caller), Some("ERR_CANDIDATE_REJECTED"));
        assert_eq!(world.record().active, A);
    }

    a_candidate_is_given_up_after_three_rejections_over_five_seconds = stable() => |world| {
        let caller = world.rotate(B);
        world.pass(4 * SECOND);
        assert_eq!(world.phase(), PhaseName::Staged);
        world.pass(2 * SECOND);
        assert_eq!(world.phase(), PhaseName::Stable);
        assert_eq!(world.times_presented(B), 3);
        assert_eq!(world.code(caller), Some("ERR_CANDIDATE_REJECTED"));
        assert_eq!(world.record().role(B), Role::Quarantined);
    }

    rejections_in_the_propagation_window_do_not_count = stable_with_propagation() => |world| {
        world.rotate(B);
        world.pass(14 * SECOND);
        assert_eq!(world.phase(), PhaseName::Staged);
        world.accept(B);
        world.pass(5 * SECOND);
        assert_eq!(world.record().active, B);
    }

    what_a_candidate_was_answered_before_it_was_staged_does_not_count = stable() => |world| {
        world.rotate(B);
        world.pass(10 * SECOND);
        assert_eq!(world.record().role(B), Role::Quarantined);
        world.accept(B);
        let caller = world.rotate(B);
        world.pass(SECOND);
        assert!(world.is_active(caller));
    }

    answers_that_say_nothing_leave_the_candidate_staged = stable() => |world| {
        world.answer_with(B, unclear());
        let caller = world.rotate(B);
        world.pass(5 * MINUTE);
        assert_eq!((world.phase(), world.outcome(caller)), (PhaseName::Staged, None));
        assert!(world.times_presented(B) < 20);
        world.accept(B);
        world.pass(MINUTE);
        assert!(world.is_active(caller));
        assert!(world.took(Transition::AwaitingProof) > 5);
    }

    a_verification_that_fails_for_other_reasons_leaves_the_candidate_staged = stable() => |world| {
        world.accept_with(B, None, Some(Verify::Failed));
        world.rotate(B);
        world.pass(MINUTE);
        assert_eq!(world.phase(), PhaseName::Staged);
        world.accept_with(B, None, Some(Verify::Passed));
        world.pass(MINUTE);
        assert_eq!(world.record().active, B);
    }

    a_verification_that_is_refused_rejects_the_candidate = stable() => |world| {
        world.accept_with(B, None, Some(Verify::Refused));
        let caller = world.rotate(B);
        world.pass(10 * SECOND);
        assert_eq!(world.code(caller), Some("ERR_CANDIDATE_REJECTED"));
        assert_eq!(world.shelf.token.map(|token| token.credential), Some(A));
    }

    a_narrower_scope_rejects_the_candidate = stable_with_scope("read write") => |world| {
        world.accept_with(B, Some("read"), None);
        let caller = world.rotate(B);
        world.pass(10 * SECOND);
        assert_eq!(world.code(caller), Some("ERR_CANDIDATE_REJECTED"));
    }

    a_candidate_that_was_given_up_for_its_scope_is_not_taken_up_again_with_the_same = stable_with_scope("read write") => |world| {
        world.accept_with(B, Some("read"), None);
        world.change(0, A, B);
        world.pass(HOUR);
        assert_eq!((world.record().active, world.took(Transition::Staged)), (A, 1));
        let asked = world.presented.iter().filter(|(_, one)| *one == B).count();
        assert!(asked < 25, "it was asked for {asked} tokens in an hour");
    }

    a_wider_scope_in_another_order_is_not_narrower = stable_with_scope("read write") => |world| {
        world.accept_with(B, Some("write admin read"), None);
        let caller = world.rotate(B);
        world.pass(SECOND);
        assert!(world.is_active(caller));
    }

    an_unproved_candidate_is_withdrawn_after_ten_minutes = stable() => |world| {
        world.answer_with(B, unclear());
        let caller = world.rotate(B);
        world.pass(599 * SECOND);
        assert_eq!(world.phase(), PhaseName::Staged);
        world.pass(SECOND);
        assert_eq!(world.phase(), PhaseName::Stable);
        assert_eq!(world.code(caller), Some("ERR_CANDIDATE_UNVERIFIED"));
        assert_eq!(world.record().role(B), Role::Unknown);
    }

    a_withdrawn_candidate_has_the_role_that_it_had = stable_with(&[A, B]) => |world| {
        assert_eq!(world.record().role(B), Role::Standby);
        world.answer_with(B, unclear());
        world.rotate(B);
        assert_eq!(world.record().role(B), Role::Next);
        world.pass(10 * MINUTE);
        assert_eq!(world.record().role(B), Role::Standby);
    }

    the_last_caller_that_leaves_withdraws_what_no_source_yields = stable() => |world| {
        world.answer_with(B, unclear());
        let first = world.rotate(B);
        let second = world.rotate(B);
        world.leave(first);
        assert_eq!(world.phase(), PhaseName::Staged);
        world.leave(second);
        assert_eq!(world.phase(), PhaseName::Stable);
    }

    a_caller_that_leaves_does_not_withdraw_what_a_source_yields = stable_with(&[A, B]) => |world| {
        world.answer_with(B, unclear());
        let caller = world.rotate(B);
        world.leave(caller);
        assert_eq!(world.phase(), PhaseName::Staged);
    }

    a_candidate_that_nobody_alive_holds_is_withdrawn = fleet() => |world| {
        world.answer_with(B, unclear());
        world.rotate(B);
        world.crash(0);
        world.forget(0);
        world.tell(1, RotationEvent::Ticked);
        world.pass(14 * SECOND);
        assert_eq!(world.phase(), PhaseName::Staged);
        world.pass(SECOND);
        assert_eq!(world.phase(), PhaseName::Stable);
    }

    in_a_fleet_a_promotion_waits_for_custody = fleet() => |world| {
        world.accept(B);
        let caller = world.rotate(B);
        world.pass(SECOND);
        assert_eq!(world.phase(), PhaseName::Staged);
        assert!(world.notices.contains(&RotationNotice::AwaitsCustody(B)));
        world.give(1, B);
        world.tell(0, RotationEvent::Ticked);
        assert!(world.is_active(caller));
    }

    without_custody_a_proved_candidate_is_withdrawn_at_the_deadline = fleet() => |world| {
        world.accept(B);
        let caller = world.rotate(B);
        world.pass(10 * MINUTE);
        assert_eq!(world.phase(), PhaseName::Staged, "the active one is asked once more");
        world.pass(SECOND);
        assert_eq!(world.code(caller), Some("ERR_NO_CUSTODY"));
        assert_eq!((world.record().active, world.record().role(B)), (A, Role::Standby));
    }

    a_credential_that_is_sealed_in_the_store_is_in_custody = fleet() => |world| {
        world.accept(B);
        world.seal(B);
        let caller = world.rotate(B);
        world.pass(SECOND);
        assert!(world.is_active(caller));
    }

    the_source_of_a_service_member_is_custody = fleet() => |world| {
        world.accept(B);
        world.change(1, A, B);
        world.pass(SECOND);
        assert_eq!(world.record().active, B);
    }

    in_one_process_a_promotion_that_is_kept_nowhere_is_told = stable() => |world| {
        world.accept(B);
        let caller = world.rotate(B);
        world.pass(SECOND);
        assert!(world.notices.contains(&RotationNotice::NotPersisted(B)));
        assert_eq!(world.record().persisted(&world.peers[0].view, B), Persisted::None);
        let rotation = Some(RotationId::of(B));
        assert_eq!(world.outcome(caller), Some(&Ok(Settled::Active { rotation })));
    }
}

pub(super) fn stable() -> World {
    stable_with(&[A])
}

/// One process in which A is active.
pub(super) fn stable_with(configured: &[crate::credential::CredentialId]) -> World {
    let mut world = World::process(configured);
    world.pass(SECOND);
    assert_eq!(world.phase(), PhaseName::Stable);
    world
}

/// Two members with the configuration A.
pub(super) fn fleet() -> World {
    let mut world = World::fleet(&[&[A], &[A]]);
    world.pass(SECOND);
    assert_eq!(world.record().active, A);
    world
}

fn stable_with_lifetime(lifetime: std::time::Duration) -> World {
    let mut world = World::process(&[A]);
    world.lifetime = lifetime;
    world.pass(SECOND);
    world.lifetime = HOUR;
    world
}

fn stable_with_scope(scope: &str) -> World {
    let mut world = World::process(&[A]);
    world.accept_with(A, Some(scope), None);
    world.pass(SECOND);
    world
}

fn stable_with_propagation() -> World {
    let mut world = stable();
    world.peers[0].view.policy.propagation = 10 * SECOND;
    world
}
