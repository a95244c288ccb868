//! The end of the overlap: the previous credential is retired, or that is overdue.

use super::candidates::{promoted, promoted_fleet};
use super::promotion::stable;
use super::world::*;
use crate::rotation::*;

super::scenarios! {
    the_previous_credential_is_retired_when_the_overlap_is_over = promoted() => |world| {
        let at = world.record().overlap().unwrap().retire_not_before;
        world.pass(at.since(world.now + SECOND));
        assert_eq!(world.record().role(A), Role::Previous);
        world.pass(2 * SECOND);
        assert_eq!((world.record().role(A), world.phase()), (Role::Retired, PhaseName::Stable));
        assert_eq!(world.took(Transition::Retired), 1);
    }

    a_retired_credential_is_never_presented_again = promoted() => |world| {
        world.pass(2 * HOUR);
        assert!(!world.record().may_present(A));
        let before = world.times_presented(A);
        world.kill(B);
        world.refresh(0, B);
        world.pass(HOUR);
        assert_eq!(world.times_presented(A), before);
    }

    retirement_asks_for_a_fresh_proof_of_the_active_credential = promoted() => |world| {
        let before = world.times_presented(B);
        world.kill(B);
        world.pass(2 * HOUR);
        assert!(world.times_presented(B) > before);
        // B died unnoticed: the overlap is what saves the client.
        assert_eq!(world.record().active, A);
        assert!(world.record().retired.is_empty());
    }

    retiring_now_does_not_wait_for_the_overlap = promoted() => |world| {
        let caller = world.retire(false);
        assert_eq!(world.outcome(caller), Some(&Ok(Settled::Retired)));
        assert_eq!(world.record().role(A), Role::Retired);
    }

    retiring_now_waits_for_the_probe_that_it_needs = promoted() => |world| {
        world.pass(10 * MINUTE);
        let caller = world.retire(false);
        assert_eq!(world.outcome(caller), None);
        world.pass(SECOND);
        assert_eq!(world.outcome(caller), Some(&Ok(Settled::Retired)));
    }

    retiring_now_is_refused_when_the_previous_credential_takes_over = promoted() => |world| {
        world.pass(10 * MINUTE);
        world.kill(B);
        let caller = world.retire(false);
        world.pass(20 * SECOND);
        assert_eq!((world.record().active, world.took(Transition::FellBack)), (A, 1));
        assert_eq!(world.code(caller), Some("ERR_ROTATION_CONFLICT"));
    }

    retiring_now_is_refused_when_the_previous_credential_stays_a_fallback = promoted() => |world| {
        world.pass(10 * MINUTE);
        world.kill(B);
        world.kill(A);
        let caller = world.retire(false);
        world.pass(20 * SECOND);
        assert_eq!(world.phase(), PhaseName::Degraded);
        assert_eq!(world.code(caller), Some("ERR_ROTATION_CONFLICT"));
    }

    retiring_now_retires_nothing_else_after_a_rollback = promoted() => |world| {
        world.pass(10 * MINUTE);
        world.answer_with(B, unclear());
        let caller = world.retire(false);
        world.pass(SECOND);
        let rollback = world.roll_back();
        world.pass(MINUTE);
        assert!(world.is_active(rollback));
        assert_eq!(world.code(caller), Some("ERR_ROTATION_CONFLICT"));
        assert_eq!((world.record().active, world.record().role(B)), (A, Role::Previous));
    }

    retiring_without_an_overlap_has_nothing_to_do = stable() => |world| {
        let caller = world.retire(false);
        assert_eq!(world.outcome(caller), Some(&Ok(Settled::Retired)));
    }

    a_member_without_the_active_credential_blocks_retirement = promoted_fleet() => |world| {
        let caller = world.retire(false);
        let missing = Missing { holders: 1, ..Missing::default() };
        assert_eq!(world.outcome(caller), Some(&Err(Refusal::RetireBlocked(missing))));
        world.pass(2 * HOUR);
        assert_eq!(world.record().role(A), Role::Previous);
        world.give(1, B);
        world.tell(1, RotationEvent::Ticked);
        world.pass(SECOND);
        assert_eq!(world.record().role(A), Role::Retired);
    }

    a_member_that_has_not_read_the_promotion_blocks_retirement = fleet_with_sleeper() => |world| {
        let caller = world.retire(false);
        let missing = Missing { acks: 1, ..Missing::default() };
        assert_eq!(world.outcome(caller), Some(&Err(Refusal::RetireBlocked(missing))));
        world.peers[1].is_asleep = false;
        world.read_all();
        let again = world.retire(false);
        assert_eq!(world.outcome(again), Some(&Ok(Settled::Retired)));
    }

    force_does_without_members_and_never_without_a_proof = promoted_fleet() => |world| {
        world.pass(10 * MINUTE);
        world.kill(B);
        let caller = world.retire(true);
        world.pass(SECOND);
        assert_eq!(world.outcome(caller), None);
        assert_eq!(world.record().role(A), Role::Previous);
        world.accept(B);
        world.pass(3 * SECOND);
        assert_eq!(world.outcome(caller), Some(&Ok(Settled::Retired)));
    }

    a_young_member_table_blocks_retirement = promoted_fleet() => |world| {
        world.give(1, B);
        world.renew_table();
        let caller = world.retire(false);
        let missing = Missing { table: true, ..Missing::default() };
        assert_eq!(world.outcome(caller), Some(&Err(Refusal::RetireBlocked(missing))));
        world.pass(MemberTable::TTL);
        let again = world.retire(false);
        assert_eq!(world.outcome(again), Some(&Ok(Settled::Retired)));
    }

    what_every_member_can_open_in_the_store_every_member_holds = promoted_fleet() => |world| {
        world.seal(B);
        let caller = world.retire(false);
        assert_eq!(world.outcome(caller), Some(&Ok(Settled::Retired)));
    }

    an_overdue_retirement_is_told_once_with_what_is_missing = promoted_fleet() => |world| {
        world.pass(5 * HOUR);
        assert_eq!(world.took(Transition::Overdue), 1);
        let told = |notice: &&RotationNotice| matches!(notice, RotationNotice::Overdue(missing) if missing.holders == 1);
        assert_eq!(world.notices.iter().filter(told).count(), 1);
        assert_eq!(world.phase(), PhaseName::Overlap);
    }

    a_member_that_joins_between_decision_and_write_blocks_it_in_the_store = promoted_fleet() => |world| {
        world.give(1, B);
        let peer = &world.peers[0];
        let request = Request::Retire { rotation: world.open_rotation(), force: false };
        let asked = RotationEvent::Asked { caller: 99, request };
        let done = step(peer.record.as_ref(), &peer.view, &asked, world.now);
        let write = done.write.expect("nothing was missing");
        let mut members = world.shelf.members().clone();
        assert_eq!(write.admit(world.shelf.record.as_ref(), Some(&members), world.now), Ok(()));
        members.rows.insert(MemberId(7), MemberRow::default());
        let refused = write.admit(world.shelf.record.as_ref(), Some(&members), world.now);
        assert!(matches!(refused, Err(Refused::Barrier(missing)) if missing.acks == 1));
    }

    a_refresh_from_before_a_promotion_does_not_replace_its_token = promoted() => |world| {
        let read = world.shelf.token.unwrap().serial;
        let admits = |credential, generation, read| {
            let (stored, token) = (world.shelf.record.as_ref(), world.shelf.token.as_ref());
            admit_token(stored, token, credential, generation, read)
        };
        assert!(admits(B, 2, read));
        assert!(!admits(A, 1, read));
        assert!(!admits(B, 2, read - 1));
    }

    a_write_on_an_older_version_changes_nothing = promoted() => |world| {
        let stored = world.record().clone();
        let peer = &world.peers[0];
        let event = RotationEvent::Changed { from: Some(B), to: C };
        let write = step(Some(&stored), &peer.view, &event, world.now).write.unwrap();
        for version in [
            Version { epoch: stored.version.epoch + 1, ..stored.version },
            Version { nonce: stored.version.nonce + 1, ..stored.version },
            Version { incarnation: stored.version.incarnation + 1, ..stored.version },
        ] {
            let other = Record { version, ..stored.clone() };
            assert_eq!(write.admit(Some(&other), None, world.now), Err(Refused::Stale));
        }
        assert_eq!(write.admit(None, None, world.now), Err(Refused::Stale));
        assert_eq!(write.admit(Some(&stored), None, world.now), Ok(()));
        assert_ne!(write.record.version.nonce, stored.version.nonce);
    }
}

/// Two members that hold B, of which the second one has not read that it is active.
fn fleet_with_sleeper() -> World {
    let mut world = World::fleet(&[&[A, B], &[A, B]]);
    world.pass(SECOND);
    world.accept(B);
    world.peers[1].is_asleep = true;
    world.rotate(B);
    world.pass(SECOND);
    assert_eq!(world.record().active, B);
    world
}
