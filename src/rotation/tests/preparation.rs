//! A preparation, before a person presses Regenerate, and its end.

use super::candidates::promoted;
use super::promotion::{stable, stable_with};
use super::world::*;
use crate::rotation::*;

super::scenarios! {
    preparing_fetches_a_fresh_token_and_says_how_long_it_bridges = stable() => |world| {
        world.pass(10 * MINUTE);
        let caller = prepare(world, MINUTE);
        world.pass(SECOND);
        let token = world.shelf.token.unwrap();
        assert_eq!((token.serial, world.phase()), (2, PhaseName::Prepared));
        let safe_until = token.expires_at;
        assert_eq!(world.outcome(caller), Some(&Ok(Settled::Prepared { safe_until })));
    }

    nobody_presents_the_active_credential_while_prepared = prepared() => |world| {
        assert!(!world.record().may_present(A));
        let before = world.times_presented(A);
        let again = prepare(world, MINUTE);
        world.answered(0, A, rejected());
        world.pass(14 * MINUTE);
        assert!(matches!(world.outcome(again), Some(Ok(Settled::Prepared { .. }))));
        assert_eq!(world.phase(), PhaseName::Prepared);
        assert_eq!(world.times_presented(A), before);
    }

    a_second_preparation_does_not_refresh_again_and_may_be_too_short = prepared() => |world| {
        world.pass(10 * MINUTE);
        let caller = prepare(world, 55 * MINUTE);
        assert_eq!(world.code(caller), Some("ERR_LIFETIME_TOO_SHORT"));
        assert_eq!(world.phase(), PhaseName::Prepared);
    }

    a_preparation_ends_after_fifteen_minutes = prepared() => |world| {
        world.pass(898 * SECOND);
        assert_eq!(world.phase(), PhaseName::Prepared);
        world.pass(2 * SECOND);
        assert_eq!((world.phase(), world.took(Transition::PreparationEnded)), (PhaseName::Stable, 1));
    }

    a_preparation_ends_where_the_soft_window_begins = stable() => |world| {
        world.lifetime = 10 * MINUTE;
        prepare(world, MINUTE);
        world.pass(299 * SECOND);
        assert_eq!(world.phase(), PhaseName::Prepared);
        world.pass(2 * SECOND);
        assert_eq!(world.phase(), PhaseName::Stable);
    }

    a_preparation_can_be_cancelled = prepared() => |world| {
        let caller = world.ask(Request::CancelPreparation);
        assert_eq!(world.outcome(caller), Some(&Ok(Settled::Cancelled)));
        assert_eq!(world.phase(), PhaseName::Stable);
    }

    a_preparation_ends_with_its_token = prepared() => |world| {
        world.shelf.token = None;
        world.read_all();
        world.tell(0, RotationEvent::Ticked);
        assert_eq!(world.phase(), PhaseName::Stable);
    }

    a_token_that_lives_too_short_prepares_nothing = stable() => |world| {
        let caller = prepare(world, 2 * HOUR);
        world.pass(SECOND);
        assert_eq!(world.code(caller), Some("ERR_LIFETIME_TOO_SHORT"));
        assert_eq!(world.phase(), PhaseName::Stable);
    }

    a_refresh_that_fails_prepares_nothing = stable() => |world| {
        world.answer_with(A, unclear());
        let caller = prepare(world, MINUTE);
        world.pass(SECOND);
        assert_eq!(world.code(caller), Some("ERR_TOKEN_UNAVAILABLE"));
        assert_eq!(world.phase(), PhaseName::Stable);
    }

    before_the_first_token_nothing_can_be_prepared = World::process(&[D]) => |world| {
        let caller = prepare(world, MINUTE);
        assert_eq!(world.code(caller), Some("ERR_TOKEN_UNAVAILABLE"));
    }

    during_a_rotation_nothing_can_be_prepared = promoted() => |world| {
        let caller = prepare(world, MINUTE);
        assert_eq!(world.code(caller), Some("ERR_ROTATION_CONFLICT"));
    }

    while_a_candidate_is_staged_nothing_can_be_prepared = stable() => |world| {
        world.answer_with(B, unclear());
        world.rotate(B);
        let caller = prepare(world, MINUTE);
        assert_eq!(world.code(caller), Some("ERR_ROTATION_CONFLICT"));
    }

    in_degraded_nothing_can_be_prepared = stable() => |world| {
        world.kill(A);
        world.refresh(0, A);
        assert_eq!(world.phase(), PhaseName::Degraded);
        let caller = prepare(world, MINUTE);
        assert_eq!(world.code(caller), Some("ERR_DEGRADED"));
    }

    a_new_secret_goes_from_prepared_to_staged = prepared() => |world| {
        // The provider keeps one secret at a time: regenerating killed the old one.
        world.kill(A);
        world.accept(B);
        let caller = world.rotate(B);
        world.pass(SECOND);
        assert!(world.is_active(caller));
        assert_eq!(world.taken, [Transition::Started, Transition::Prepared, Transition::Staged, Transition::Promoted]);
    }

    a_rejection_that_was_under_way_lets_a_fallback_take_over = prepared_with_fallback() => |world| {
        world.accept(B);
        world.answered(0, A, rejected());
        world.pass(SECOND);
        assert_eq!((world.record().active, world.phase()), (B, PhaseName::Stable));
    }
}

fn prepare(world: &mut World, min_runway: std::time::Duration) -> CallerId {
    world.ask(Request::Prepare { min_runway })
}

fn prepared() -> World {
    let mut world = stable();
    prepare(&mut world, MINUTE);
    world.pass(SECOND);
    assert_eq!(world.phase(), PhaseName::Prepared);
    world
}

fn prepared_with_fallback() -> World {
    let mut world = stable_with(&[A, B]);
    prepare(&mut world, MINUTE);
    world.pass(SECOND);
    assert_eq!(world.phase(), PhaseName::Prepared);
    world
}
