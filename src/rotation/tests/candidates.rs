//! §4: what makes a credential a candidate, and what does not.

use super::promotion::{fleet, stable, stable_with};
use super::world::*;
use crate::rotation::*;

super::scenarios! {
    a_source_that_changes_makes_a_candidate = stable() => |world| {
        world.accept(B);
        world.change(0, A, B);
        world.pass(SECOND);
        assert_eq!(world.record().active, B);
    }

    a_list_that_stays_configured_starts_no_rotation = stable_with(&[A, B]) => |world| {
        world.accept(B);
        world.pass(HOUR);
        assert_eq!((world.record().active, world.record().generation), (A, 1));
    }

    a_member_that_starts_with_a_new_credential_beside_a_known_one_offers_it = fleet() => |world| {
        world.accept(B);
        world.join(&[B, A]);
        world.tell(2, RotationEvent::Started(B));
        world.pass(SECOND);
        assert_eq!(world.record().active, B);
    }

    a_member_that_starts_with_nothing_known_offers_nothing = fleet() => |world| {
        world.accept(B);
        world.join(&[B]);
        world.tell(2, RotationEvent::Started(B));
        world.pass(SECOND);
        assert_eq!((world.record().active, world.phase()), (A, PhaseName::Stable));
    }

    a_stale_configuration_never_brings_an_old_secret_back = fleet() => |world| {
        world.accept(B);
        world.change(0, A, B);
        world.change(1, A, B);
        world.pass(2 * HOUR);
        assert_eq!(world.record().role(A), Role::Retired);
        world.join(&[A]);
        world.tell(2, RotationEvent::Started(A));
        world.join(&[A, B]);
        world.tell(3, RotationEvent::Started(A));
        let presented = world.times_presented(A);
        world.pass(2 * HOUR);
        assert_eq!((world.record().active, world.record().generation), (B, 2));
        assert_eq!(world.times_presented(A), presented);
    }

    an_edge_to_a_retired_credential_starts_its_rotation = retired() => |world| {
        world.change(0, B, A);
        world.pass(SECOND);
        assert_eq!(world.record().active, A);
    }

    a_token_from_before_proves_nothing_of_a_retired_credential = retired() => |world| {
        world.lifetime = 24 * HOUR;
        world.refresh(0, B);
        world.change(0, B, C);
        world.accept(C);
        world.pass(5 * HOUR);
        assert_eq!(world.record().role(B), Role::Retired);
        assert!(world.peers[0].view.ledger.proof(B).unwrap().expires_at > world.now);
        world.kill(B);
        let caller = world.rotate(B);
        world.pass(10 * SECOND);
        assert_eq!(world.code(caller), Some("ERR_CANDIDATE_REJECTED"));
        assert_eq!(world.record().active, C);
    }

    an_edge_to_a_leaked_credential_is_ignored_and_told = leaked() => |world| {
        world.change(0, B, A);
        world.pass(MINUTE);
        assert_eq!((world.record().active, world.phase()), (B, PhaseName::Stable));
        assert!(world.notices.contains(&RotationNotice::Compromised(A)));
    }

    an_explicit_rotation_brings_a_leaked_credential_back = leaked() => |world| {
        let caller = world.rotate(A);
        world.pass(SECOND);
        assert!(world.is_active(caller));
    }

    naming_the_active_credential_answers_at_once = stable() => |world| {
        let caller = world.rotate(A);
        assert!(world.is_active(caller));
    }

    naming_next_joins_the_open_rotation = stable() => |world| {
        world.accept(B);
        let first = world.rotate(B);
        let second = world.rotate(B);
        world.pass(SECOND);
        assert!(world.is_active(first) && world.is_active(second));
        assert_eq!(world.took(Transition::Staged), 1);
    }

    a_rotation_id_is_idempotent_while_its_candidate_is_active = stable() => |world| {
        world.accept(B);
        let rotation = Some(RotationId::new("quarterly"));
        let want = Rotate { candidate: Some(B), rotation: rotation.clone(), ..Rotate::default() };
        world.ask(Request::Rotate(want.clone()));
        world.pass(SECOND);
        let again = world.ask(Request::Rotate(Rotate { candidate: None, ..want }));
        assert_eq!(world.outcome(again), Some(&Ok(Settled::Active { rotation })));
        assert_eq!(world.record().generation, 2);
    }

    an_edge_back_withdraws_next = stable() => |world| {
        world.answer_with(B, unclear());
        world.change(0, A, B);
        assert_eq!(world.phase(), PhaseName::Staged);
        world.change(0, B, A);
        assert_eq!(world.phase(), PhaseName::Stable);
        assert_eq!(world.took(Transition::CandidateWithdrawn), 1);
    }

    a_source_that_never_yielded_next_does_not_withdraw_it = fleet() => |world| {
        world.answer_with(B, unclear());
        world.change(0, A, B);
        world.change(1, C, A);
        assert_eq!(world.phase(), PhaseName::Staged);
    }

    another_candidate_waits_and_follows_a_failed_rotation = stable() => |world| {
        world.accept(C);
        world.change(0, A, B);
        world.change(0, B, C);
        assert_eq!(world.record().waiting, Some(C));
        world.pass(10 * SECOND);
        assert_eq!(world.record().active, C);
    }

    the_latest_waiting_candidate_wins = stable() => |world| {
        world.accept(D);
        world.change(0, A, B);
        world.change(0, B, C);
        world.change(0, C, D);
        world.pass(10 * SECOND);
        assert_eq!(world.record().active, D);
        assert_eq!(world.times_presented(C), 0);
    }

    a_candidate_never_ends_an_open_overlap = promoted() => |world| {
        world.accept(C);
        world.change(0, B, C);
        world.pass(MINUTE);
        assert_eq!((world.phase(), world.record().active), (PhaseName::Overlap, B));
        world.pass(2 * HOUR);
        assert!(world.took(Transition::Retired) >= 1);
        assert_eq!(world.record().active, C);
    }

    another_explicit_rotation_conflicts_with_a_staged_one = stable() => |world| {
        world.answer_with(B, unclear());
        let first = world.rotate(B);
        let second = world.rotate(C);
        assert_eq!(world.code(second), Some("ERR_ROTATION_CONFLICT"));
        assert_eq!(world.outcome(first), None);
    }

    another_explicit_rotation_conflicts_with_an_overlap = promoted() => |world| {
        let caller = world.rotate(C);
        assert_eq!(world.code(caller), Some("ERR_ROTATION_CONFLICT"));
    }

    rotate_without_an_argument_takes_the_first_configured_candidate = stable_with(&[A, B, C]) => |world| {
        world.accept(B);
        let caller = world.ask(Request::Rotate(Rotate::default()));
        world.pass(SECOND);
        assert!(world.is_active(caller));
        assert_eq!(world.record().active, B);
    }

    rotate_without_a_candidate_says_what_was_looked_at = stable() => |world| {
        let caller = world.ask(Request::Rotate(Rotate::default()));
        assert_eq!(world.outcome(caller), Some(&Err(Refusal::NoCandidate(vec![A]))));
    }

    rotate_without_an_argument_joins_an_open_rotation = stable() => |world| {
        world.answer_with(B, unclear());
        world.rotate(B);
        let caller = world.ask(Request::Rotate(Rotate::default()));
        world.accept(B);
        world.pass(MINUTE);
        assert!(world.is_active(caller));
    }

    a_secret_configured_too_early_is_taken_once_the_provider_accepts_it = stable() => |world| {
        world.peers[0].view.configured = vec![B, A];
        world.give(0, B);
        world.tell(0, RotationEvent::Started(B));
        world.pass(MINUTE);
        assert_eq!(world.record().role(B), Role::Quarantined);
        world.accept(B);
        world.pass(10 * MINUTE);
        assert_eq!(world.record().active, B);
    }

    a_quarantined_credential_is_probed_slowly = stable() => |world| {
        world.peers[0].view.configured = vec![B, A];
        world.give(0, B);
        world.tell(0, RotationEvent::Started(B));
        world.pass(MINUTE);
        let before = world.times_presented(B);
        world.pass(HOUR);
        let probes = world.times_presented(B) - before;
        assert!((11..=16).contains(&probes), "{probes} probes in an hour");
    }
}

/// One process in which B has just taken over from A.
pub(super) fn promoted() -> World {
    let mut world = stable();
    world.accept(B);
    world.change(0, A, B);
    world.pass(SECOND);
    assert_eq!((world.phase(), world.record().active), (PhaseName::Overlap, B));
    world
}

/// Two members, of which only the first one holds B, which has just taken over.
pub(super) fn promoted_fleet() -> World {
    let mut world = fleet();
    world.accept(B);
    world.change(0, A, B);
    world.pass(SECOND);
    assert_eq!((world.phase(), world.record().active), (PhaseName::Overlap, B));
    world
}

fn retired() -> World {
    let mut world = promoted();
    world.pass(2 * HOUR);
    assert_eq!(world.record().role(A), Role::Retired);
    world
}

fn leaked() -> World {
    let mut world = stable();
    world.accept(B);
    let want = Rotate { candidate: Some(B), compromised: true, ..Rotate::default() };
    world.ask(Request::Rotate(want));
    world.pass(SECOND);
    world
}
