//! A candidate that takes the place of an open rotation; what is previous stays a fallback until it
//! is proved.

use super::candidates::{promoted, promoted_fleet};
use super::promotion::stable;
use super::world::*;
use crate::rotation::*;

super::scenarios! {
    supersede_takes_the_place_of_a_staged_candidate = stable() => |world| {
        world.accept(C);
        world.answer_with(B, unclear());
        let first = world.rotate(B);
        let want = Rotate { candidate: Some(C), supersede: true, ..Rotate::default() };
        let second = world.ask(Request::Rotate(want));
        assert_eq!(world.code(first), Some("ERR_ROTATION_CONFLICT"));
        world.pass(SECOND);
        assert!(world.is_active(second));
    }

    supersede_retires_the_previous_credential_with_the_promotion_and_not_before = promoted() => |world| {
        world.accept(C);
        let caller = world.ask(Request::Rotate(superseding(C)));
        assert_eq!((world.phase(), world.record().role(A)), (PhaseName::Staged, Role::Previous));
        world.pass(SECOND);
        assert!(world.is_active(caller));
        assert_eq!((world.record().role(A), world.record().role(B)), (Role::Retired, Role::Previous));
    }

    a_superseding_candidate_that_is_wrong_leaves_the_overlap_as_it_was = promoted() => |world| {
        let before = world.record().overlap().cloned();
        let caller = world.ask(Request::Rotate(superseding(C)));
        world.pass(10 * SECOND);
        assert_eq!(world.code(caller), Some("ERR_CANDIDATE_REJECTED"));
        assert_eq!((world.phase(), world.record().overlap().cloned()), (PhaseName::Overlap, before));
        world.roll_back();
        world.pass(SECOND);
        assert_eq!(world.record().active, A, "it is a fallback still");
    }

    a_superseding_candidate_that_nothing_proves_leaves_the_overlap_as_it_was = promoted() => |world| {
        world.answer_with(C, unclear());
        world.ask(Request::Rotate(superseding(C)));
        world.pass(10 * MINUTE);
        assert_eq!((world.phase(), world.record().role(A)), (PhaseName::Overlap, Role::Previous));
        world.pass(2 * HOUR);
        assert_eq!(world.record().role(A), Role::Retired, "it ends as it would have");
    }

    an_overlap_that_rested_beneath_a_candidate_is_not_late_for_that = promoted() => |world| {
        // The retirement waits for a proof of what is active, which is given up as leaked.
        let overlap = world.record().overlap().cloned().expect("an overlap");
        world.answer_with(B, unclear());
        world.pass(overlap.retire_not_before.since(world.now) + MINUTE);
        world.answer_with(C, unclear());
        world.ask(Request::Rotate(Rotate { compromised: true, ..superseding(C) }));
        assert_eq!(world.phase(), PhaseName::Staged);
        world.accept(B);
        world.pass(11 * MINUTE);
        assert_eq!((world.took(Transition::CandidateWithdrawn), world.took(Transition::Retired)), (1, 1));
        assert_eq!(world.took(Transition::Overdue), 0);
    }

    a_rotation_with_another_one_above_can_be_neither_undone_nor_ended = promoted() => |world| {
        world.answer_with(C, unclear());
        world.ask(Request::Rotate(superseding(C)));
        let rotation = world.open_rotation();
        let retire = Request::Retire { rotation: rotation.clone(), force: true };
        for want in [Request::RollBack(rotation), retire] {
            let caller = world.ask(want);
            assert_eq!(world.code(caller), Some("ERR_ROTATION_CONFLICT"));
        }
        assert_eq!(world.record().role(A), Role::Previous);
    }

    who_waits_for_a_retirement_or_a_rollback_is_told_when_another_rotation_comes_above = promoted() => |world| {
        world.answer_with(A, unclear());
        world.answer_with(C, unclear());
        let back = world.roll_back();
        assert_eq!(world.outcome(back), None);
        world.ask(Request::Rotate(superseding(C)));
        assert_eq!(world.code(back), Some("ERR_ROTATION_CONFLICT"));
    }

    the_previous_credential_takes_over_while_a_superseding_one_is_being_proved = promoted() => |world| {
        world.answer_with(C, unclear());
        world.ask(Request::Rotate(superseding(C)));
        world.kill(B);
        world.refresh(0, B);
        world.pass(SECOND);
        assert_eq!((world.record().active, world.phase()), (A, PhaseName::Staged));
        assert!(world.record().open_overlap().is_none());
        assert_eq!(world.record().role(B), Role::Quarantined);
    }

    another_fallback_takes_over_while_a_superseding_one_is_being_proved = promoted() => |world| {
        world.peers[0].view.configured.push(D);
        world.give(0, D);
        world.accept(D);
        world.change(0, B, D);
        world.answer_with(C, unclear());
        world.ask(Request::Rotate(superseding(C)));
        world.kill(A);
        world.kill(B);
        world.refresh(0, B);
        world.pass(SECOND);
        assert_eq!((world.record().active, world.phase()), (D, PhaseName::Staged));
        assert_eq!((world.record().role(A), world.record().role(B)), (Role::Quarantined, Role::Quarantined));
    }

    a_superseding_promotion_waits_for_the_proof_of_what_is_active = promoted() => |world| {
        world.answer_with(C, unclear());
        let caller = world.ask(Request::Rotate(superseding(C)));
        world.pass(5 * MINUTE);
        world.accept(C);
        world.answer_with(B, unclear());
        world.pass(MINUTE);
        assert_eq!((world.phase(), world.record().role(A)), (PhaseName::Staged, Role::Previous));
        world.accept(B);
        world.pass(MINUTE);
        assert!(world.is_active(caller));
        assert_eq!(world.record().role(A), Role::Retired);
    }

    a_superseding_candidate_that_stays_blocked_is_kept_as_a_fallback = promoted() => |world| {
        world.accept(C);
        let caller = world.ask(Request::Rotate(superseding(C)));
        // A place of the active credential is behind again.
        let lagging = TargetId::Shared(7);
        world.peers[0].view.targets = vec![TargetSpec { target: lagging, at_retirement: true }];
        if let Phase::Staged(staged) = &mut world.shelf.record.as_mut().unwrap().phase {
            staged.targets.insert(lagging, TargetState::Pending { not_before: world.now + 9 * HOUR });
        }
        world.read_all();
        world.pass(11 * MINUTE);
        assert_eq!(world.code(caller), Some("ERR_RETIRE_BLOCKED"));
        assert_eq!((world.phase(), world.record().role(C)), (PhaseName::Overlap, Role::Standby));
    }

    supersede_after_a_leak_retires_both_without_a_proof_of_what_is_active = promoted() => |world| {
        world.pass(2 * MINUTE);
        world.accept(C);
        world.answer_with(B, unclear());
        let want = Rotate { compromised: true, ..superseding(C) };
        let caller = world.ask(Request::Rotate(want));
        world.pass(SECOND);
        assert!(world.is_active(caller));
        assert_eq!((world.record().role(A), world.record().role(B)), (Role::Retired, Role::Retired));
        assert_eq!(world.phase(), PhaseName::Stable);
    }

    where_the_active_credential_is_dead_supersede_retires_nothing = promoted() => |world| {
        world.pass(2 * MINUTE);
        world.accept(C);
        world.kill(B);
        let caller = world.ask(Request::Rotate(superseding(C)));
        world.pass(SECOND);
        assert!(world.is_active(caller));
        assert_eq!((world.record().role(A), world.record().role(B)), (Role::Standby, Role::Previous));
        assert!(world.record().retired.is_empty());
    }

    supersede_asks_for_the_proof_that_it_needs = promoted() => |world| {
        world.pass(2 * MINUTE);
        world.accept(C);
        let caller = world.ask(Request::Rotate(superseding(C)));
        assert_eq!(world.outcome(caller), None);
        world.pass(SECOND);
        assert!(world.is_active(caller));
        assert_eq!((world.record().role(A), world.record().role(B)), (Role::Retired, Role::Previous));
    }

    supersede_goes_on_when_the_overlap_has_ended_otherwise = promoted() => |world| {
        world.pass(2 * MINUTE);
        world.accept(C);
        world.answer_with(B, unclear());
        let (caller, other) = (world.ask(Request::Rotate(superseding(C))), world.ask(Request::Rotate(superseding(D))));
        world.leave(other);
        world.pass(SECOND);
        world.retire(true);
        world.accept(B);
        world.pass(MINUTE);
        assert_eq!(world.took(Transition::Retired), 1);
        assert!(world.is_active(caller));
        assert_eq!((world.record().role(B), world.record().role(D)), (Role::Previous, Role::Unknown));
    }

    supersede_is_blocked_by_a_member_that_lacks_the_active_credential = promoted_fleet() => |world| {
        let want = Rotate { candidate: Some(C), supersede: true, ..Rotate::default() };
        let caller = world.ask(Request::Rotate(want));
        assert_eq!(world.code(caller), Some("ERR_RETIRE_BLOCKED"));
        assert_eq!(world.record().role(A), Role::Previous);
    }

    what_every_member_holds_ends_an_overlap_that_one_without_the_active_one_holds_open = promoted_fleet() => |world| {
        world.pass(2 * HOUR);
        assert_eq!((world.phase(), world.took(Transition::Overdue)), (PhaseName::Overlap, 1));
        world.accept(C);
        world.change(0, B, C);
        world.pass(MINUTE);
        assert_eq!((world.record().active, world.record().waiting), (B, Some(C)), "one lacks it yet");
        world.change(1, A, C);
        world.pass(MINUTE);
        assert_eq!((world.record().active, world.record().role(B)), (C, Role::Previous));
        assert_eq!(world.record().role(A), Role::Retired);
        world.pass(2 * HOUR);
        assert_eq!((world.phase(), world.record().role(B)), (PhaseName::Stable, Role::Retired));
    }

    what_every_member_holds_retires_nothing_where_it_is_rejected = promoted_fleet() => |world| {
        world.pass(2 * HOUR);
        world.change(0, B, C);
        world.change(1, A, C);
        world.pass(5 * MINUTE);
        assert_eq!((world.phase(), world.record().active), (PhaseName::Overlap, B));
        assert_eq!((world.record().role(A), world.record().role(C)), (Role::Previous, Role::Quarantined));
    }
}

fn superseding(candidate: crate::credential::CredentialId) -> Rotate {
    Rotate { candidate: Some(candidate), supersede: true, ..Rotate::default() }
}
