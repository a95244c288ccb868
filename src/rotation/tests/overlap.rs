//! Back to the previous credential: it is wanted again, or nobody holds the active one.

use super::candidates::{promoted, promoted_fleet};
use super::promotion::stable;
use super::world::*;
use crate::rotation::*;

super::scenarios! {
    a_rollback_swaps_the_credentials_with_a_new_proof = promoted() => |world| {
        let before = world.times_presented(A);
        world.pass(10 * MINUTE);
        let caller = world.roll_back();
        assert_eq!(world.outcome(caller), None);
        let asked_at = world.now;
        world.pass(SECOND);
        assert!(world.is_active(caller));
        assert_eq!(world.times_presented(A), before + 1);
        let record = world.record();
        assert_eq!((record.active, record.generation), (A, 3));
        let overlap = record.overlap().unwrap();
        assert_eq!(overlap.previous, B);
        assert!(overlap.retire_not_before >= asked_at + 5 * MINUTE);
        assert_eq!(world.shelf.token.map(|token| token.credential), Some(A));
    }

    a_rollback_to_a_dead_credential_is_refused = promoted() => |world| {
        world.kill(A);
        let caller = world.roll_back();
        world.pass(SECOND);
        assert_eq!(world.code(caller), Some("ERR_CANDIDATE_REJECTED"));
        assert_eq!((world.record().active, world.phase()), (B, PhaseName::Overlap));
        let again = world.roll_back();
        world.accept(A);
        world.pass(5 * SECOND);
        assert!(world.is_active(again));
    }

    without_an_overlap_there_is_nothing_to_roll_back_to = stable() => |world| {
        let caller = world.roll_back();
        assert_eq!(world.code(caller), Some("ERR_NO_CANDIDATE"));
    }

    naming_the_previous_credential_is_a_rollback = promoted() => |world| {
        let caller = world.rotate(A);
        world.pass(SECOND);
        assert!(world.is_active(caller));
        assert_eq!(world.took(Transition::RolledBack), 1);
    }

    an_edge_back_rolls_back_where_the_source_had_yielded_the_active_one = promoted() => |world| {
        world.change(0, B, A);
        world.pass(SECOND);
        assert_eq!((world.record().active, world.took(Transition::RolledBack)), (A, 1));
    }

    an_edge_back_in_another_source_does_nothing = promoted() => |world| {
        world.change(0, C, A);
        world.pass(MINUTE);
        assert_eq!(world.record().active, B);
    }

    when_nobody_holds_the_active_credential_the_previous_one_takes_over = promoted_fleet() => |world| {
        world.crash(0);
        world.forget(0);
        world.tell(1, RotationEvent::Ticked);
        world.pass(SECOND);
        assert_eq!((world.record().active, world.phase()), (A, PhaseName::Stable));
        assert_eq!(world.record().role(B), Role::Standby);
        assert_eq!(world.took(Transition::Abandoned), 1);
    }

    a_young_member_table_does_not_show_that_nobody_holds_it = promoted_fleet() => |world| {
        world.crash(0);
        world.forget(0);
        world.renew_table();
        world.tell(1, RotationEvent::Ticked);
        world.pass(10 * SECOND);
        assert_eq!(world.record().active, B);
    }

    a_dead_previous_credential_does_not_take_over = promoted_fleet() => |world| {
        world.pass(2 * MINUTE);
        world.kill(A);
        world.crash(0);
        world.forget(0);
        world.tell(1, RotationEvent::Ticked);
        world.pass(MINUTE);
        assert_eq!(world.record().active, B);
    }

    when_nobody_holds_either_of_them_an_accepted_fallback_takes_over = promoted_fleet() => |world| {
        world.pass(2 * MINUTE);
        world.accept(C);
        world.stand_by(1, C);
        world.take_away(1, A);
        world.crash(0);
        world.forget(0);
        world.tell(1, RotationEvent::Ticked);
        world.pass(SECOND);
        assert_eq!((world.record().active, world.phase()), (C, PhaseName::Stable));
        assert_eq!(world.took(Transition::Abandoned), 1);
        let presented = world.times_presented(C);
        world.pass(10 * MINUTE);
        assert_eq!(world.times_presented(C), presented, "it is proved again and again");
    }

    a_rejected_previous_credential_leaves_its_place_to_an_accepted_fallback = promoted_fleet() => |world| {
        world.pass(2 * MINUTE);
        world.kill(A);
        world.accept(C);
        world.stand_by(1, C);
        world.crash(0);
        world.forget(0);
        world.tell(1, RotationEvent::Ticked);
        world.pass(10 * MINUTE);
        assert_eq!((world.record().active, world.phase()), (C, PhaseName::Stable));
    }

    tokens_made_with_the_previous_credential_move_what_is_safe_to_revoke = promoted() => |world| {
        world.pass(10 * MINUTE);
        let before = world.record().overlap().unwrap().safe_to_revoke_at;
        world.refresh(0, A);
        let after = world.record().overlap().unwrap().safe_to_revoke_at;
        assert_eq!(after, world.now + HOUR);
        assert!(after > before);
    }
}
