//! The active credential is rejected: another one takes over, or none is accepted any more.

use super::candidates::promoted;
use super::promotion::{stable, stable_with};
use super::world::*;
use crate::credential::CredentialId;
use crate::rotation::*;

super::scenarios! {
    a_fallback_takes_over_from_a_rejected_credential = stable_with(&[A, B]) => |world| {
        world.accept(B);
        world.kill(A);
        world.refresh(0, A);
        world.pass(SECOND);
        assert_eq!((world.record().active, world.phase()), (B, PhaseName::Stable));
        assert_eq!(world.record().role(A), Role::Quarantined);
        let token = world.shelf.token.unwrap();
        assert_eq!((token.credential, token.generation), (B, 2));
        assert_eq!(world.took(Transition::Substituted), 1);
    }

    a_fallback_takes_over_when_nobody_alive_holds_the_active_credential = World::fleet(&[&[A, B], &[B]]) => |world| {
        world.pass(SECOND);
        assert_eq!(world.record().active, A);
        world.accept(B);
        world.crash(0);
        world.forget(0);
        world.tell(1, RotationEvent::Ticked);
        world.pass(5 * MINUTE);
        assert_eq!((world.record().active, world.phase()), (B, PhaseName::Stable));
        // Nobody has judged A.
        assert_eq!(world.record().role(A), Role::Standby);
    }

    while_a_candidate_is_staged_a_fallback_takes_over_and_the_candidate_stays = stable_with(&[A, C]) => |world| {
        world.accept(C);
        world.answer_with(B, unclear());
        world.rotate(B);
        world.kill(A);
        world.refresh(0, A);
        world.pass(SECOND);
        assert_eq!((world.record().active, world.phase()), (C, PhaseName::Staged));
        assert_eq!(world.record().role(B), Role::Next);
        world.accept(B);
        world.pass(MINUTE);
        assert_eq!(world.record().role(C), Role::Previous);
    }

    of_mistyped_secrets_only_the_latest_are_kept = stable() => |world| {
        let typo = |number: u8| CredentialId::from_bytes([number; 8]);
        for number in 50..70 {
            world.rotate(typo(number));
            world.pass(MINUTE);
        }
        let kept: Vec<_> = world.record().quarantined.iter().map(|it| it.credential).collect();
        assert_eq!(kept, (62..70).map(typo).collect::<Vec<_>>());
    }

    a_retired_credential_that_a_source_has_brought_back_stands_in_although_it_waits = promoted() => |world| {
        world.pass(2 * HOUR);
        assert_eq!(world.record().role(A), Role::Retired);
        world.answer_with(C, unclear());
        world.rotate(C);
        world.change(0, B, A);
        assert_eq!((world.phase(), world.record().role(A)), (PhaseName::Staged, Role::Waiting));
        world.kill(B);
        world.refresh(0, B);
        world.pass(SECOND);
        assert_eq!((world.record().active, world.phase()), (A, PhaseName::Staged));
        assert!(world.record().retired.is_empty());
    }

    a_staged_candidate_that_is_accepted_takes_over_by_its_promotion = stable() => |world| {
        world.answer_with(B, unclear());
        world.rotate(B);
        world.kill(A);
        world.refresh(0, A);
        world.accept(B);
        world.pass(5 * SECOND);
        assert_eq!((world.record().active, world.took(Transition::Promoted)), (B, 1));
    }

    what_was_accepted_before_the_rejection_is_no_proof = stable_with(&[A, B]) => |world| {
        world.accept(B);
        world.refresh(0, B);
        world.kill(B);
        world.kill(A);
        world.refresh(0, A);
        world.pass(SECOND);
        assert_eq!((world.record().active, world.phase()), (A, PhaseName::Degraded));
    }

    a_bare_401_counts_once_another_credential_is_accepted = stable_with(&[A, B]) => |world| {
        world.accept(B);
        world.answer_with(A, refused());
        world.refresh(0, A);
        assert_eq!((world.phase(), world.record().active), (PhaseName::Stable, A));
        world.refresh(0, B);
        world.pass(SECOND);
        assert_eq!(world.record().active, B);
    }

    a_gateway_that_answers_401_to_all_rejects_nothing = stable_with(&[A, B]) => |world| {
        world.answer_with(B, refused());
        world.answer_with(A, refused());
        world.refresh(0, A);
        world.refresh(0, B);
        world.pass(MINUTE);
        assert_eq!((world.phase(), world.record().active), (PhaseName::Stable, A));
    }

    while_a_fallback_stands_in_it_is_not_asked_again_and_again = promoted() => |world| {
        let before = world.presented.iter().filter(|(_, one)| *one == A).count();
        world.kill(B);
        world.refresh(0, B);
        world.pass(4 * SECOND);
        assert_eq!((world.phase(), world.record().active), (PhaseName::Overlap, B), "it may be a mistake");
        let asked = world.presented.iter().filter(|(_, one)| *one == A).count() - before;
        assert_eq!(asked, 1, "one token says that it is accepted");
    }

    without_a_certain_answer_of_every_credential_nothing_is_degraded = stable_with(&[A, B]) => |world| {
        world.answer_with(B, unclear());
        world.kill(A);
        world.refresh(0, A);
        world.pass(MINUTE);
        assert_eq!(world.phase(), PhaseName::Stable);
    }

    with_every_credential_rejected_nothing_is_retired = promoted() => |world| {
        world.kill(A);
        world.kill(B);
        world.refresh(0, B);
        world.pass(SECOND);
        assert_eq!(world.phase(), PhaseName::Degraded);
        assert!(world.record().retired.is_empty());
        assert_eq!(world.record().role(A), Role::Quarantined);
        // Nothing takes the token away.
        assert!(world.shelf.token.is_some());
    }

    degraded_ends_with_the_first_accepted_credential = degraded() => |world| {
        world.accept(A);
        world.pass(10 * MINUTE);
        assert_eq!((world.record().active, world.phase()), (A, PhaseName::Stable));
        assert_eq!(world.record().generation, 3);
        assert_eq!(world.record().role(B), Role::Quarantined);
        assert_eq!(world.took(Transition::Recovered), 1);
    }

    degraded_ends_without_a_change_when_the_active_one_is_accepted_again = degraded() => |world| {
        world.accept(B);
        world.pass(10 * MINUTE);
        assert_eq!((world.record().active, world.record().generation), (B, 2));
        assert_eq!(world.phase(), PhaseName::Stable);
    }

    in_degraded_everything_is_probed_with_patience = degraded() => |world| {
        let before = world.presented.len();
        world.pass(HOUR);
        let probes = world.presented.len() - before;
        assert!((60..=130).contains(&probes), "{probes} probes of two in an hour");
    }

    a_candidate_is_proved_also_in_degraded = degraded() => |world| {
        world.accept(C);
        world.change(0, B, C);
        world.pass(SECOND);
        assert_eq!(world.record().active, C);
    }

    a_rejected_candidate_leads_back_to_degraded = degraded() => |world| {
        world.change(0, B, C);
        world.pass(10 * SECOND);
        assert_eq!(world.phase(), PhaseName::Degraded);
        assert!(world.took(Transition::CandidateRejected) == 1);
    }

    in_the_overlap_one_rejection_serves_the_previous_credentials_token = promoted() => |world| {
        world.kill(B);
        world.refresh(0, B);
        world.pass(SECOND);
        assert_eq!((world.phase(), world.record().active), (PhaseName::Overlap, B));
        assert_eq!(world.shelf.token.map(|token| token.credential), Some(A));
    }

    in_the_overlap_three_rejections_over_five_seconds_go_back = promoted() => |world| {
        world.kill(B);
        world.refresh(0, B);
        world.pass(4 * SECOND);
        assert_eq!(world.record().active, B);
        world.pass(2 * SECOND);
        assert_eq!((world.record().active, world.phase()), (A, PhaseName::Stable));
        assert_eq!(world.record().generation, 3);
        assert_eq!(world.record().role(B), Role::Quarantined);
        assert_eq!(world.took(Transition::FellBack), 1);
    }

    throttled_and_transient_answers_change_nothing = promoted() => |world| {
        let before = world.record().clone();
        for _ in 0..20 {
            world.answered(0, B, throttled(MINUTE));
            world.answered(0, A, unclear());
        }
        assert_eq!(*world.record(), before);
    }
}

/// One process in which neither B, which is active, nor A is accepted.
fn degraded() -> World {
    let mut world = promoted();
    world.kill(A);
    world.kill(B);
    world.refresh(0, B);
    world.pass(SECOND);
    assert_eq!(world.phase(), PhaseName::Degraded);
    world
}
