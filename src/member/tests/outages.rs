//! The store is out of reach, answers late, or loses what was asked of it.

use super::world::*;
use crate::clock::Timestamp;
use crate::credential::Credential;
use crate::member::*;
use crate::policy::tests::DEFAULT;
use crate::rotation::{PhaseName, Request, Role};
use crate::store::{Operation, Unavailable};

/// The token that the store has.
fn stored(world: &World) -> Option<crate::token::TokenId> {
    world.process.store.load().token.map(|token| token.id)
}

fn handed_out(world: &World) -> Option<crate::token::TokenId> {
    world.process.handed_out.as_ref().map(|held| held.id)
}

/// One minute after the other, none of them without a token.
fn pass_with_token(world: &mut World, minutes: u32) {
    for minute in 0..minutes {
        world.pass(MINUTE);
        assert!(world.has_token(), "without a token after {minute} minutes");
    }
}

#[test]
fn tokens_are_fetched_and_handed_out_for_as_long_as_the_store_is_out_of_reach() {
    let mut world = with_token(&["old"]);
    let record = world.member().record().cloned();
    world.script.store = StoreState::Down;
    pass_with_token(&mut world, 10 * 60);
    // One for each life of a token, and the one before the outage.
    assert!((10..=13).contains(&world.script.fetches.len()), "{}", world.script.fetches.len());
    assert_eq!(world.process.store.load().record, record);
    assert_ne!(stored(&world), handed_out(&world));

    world.script.store = StoreState::Well;
    world.pass(2 * SECOND);
    assert_eq!(stored(&world), handed_out(&world), "what was fetched alone is the fleet's now");
    pass_with_token(&mut world, 3 * 60);
    assert_eq!(stored(&world), handed_out(&world));
    assert_eq!(world.phase(), PhaseName::Stable);
}

#[test]
fn a_fallback_stands_in_during_an_outage_and_the_record_follows_after_it() {
    let dies = START + 10 * MINUTE;
    let endpoint =
        move |credential: &Credential, now: Timestamp| match credential.client_secret.expose() {
            "first" if now >= dies => rejected(),
            _ => granted(HOUR),
        };
    let mut world = World::new(DEFAULT, endpoint).with(&["first", "second"]);
    world.pass(MINUTE);
    world.script.store = StoreState::Down;
    pass_with_token(&mut world, 3 * 60);
    assert_eq!(world.secret_in_use(), Some("second"));
    assert_eq!(world.role("first"), Role::Active, "no role changes without the store");
    world.script.store = StoreState::Well;
    pass_with_token(&mut world, 5);
    assert_eq!(world.role("second"), Role::Active);
    assert_eq!(world.role("first"), Role::Quarantined);
    assert_eq!(stored(&world), handed_out(&world));
}

#[test]
fn what_is_rejected_is_tried_again_during_an_outage() {
    let (dies, lives) = (START + 30 * MINUTE, START + 90 * MINUTE);
    let endpoint = move |_: &Credential, now: Timestamp| {
        if now < dies || now >= lives { granted(HOUR) } else { rejected() }
    };
    let mut world = World::new(DEFAULT, endpoint).with(&["only"]);
    world.pass(MINUTE);
    world.script.store = StoreState::Down;
    world.pass(2 * HOUR);
    assert!(world.has_token());
    let rejected = world.script.fetches.iter().filter(|(at, _)| (dies..lives).contains(at));
    assert!(rejected.count() <= 90, "about one request a minute at most");
    assert_eq!(world.phase(), PhaseName::Stable);
}

#[test]
fn a_preparation_that_nobody_can_end_ends_at_its_deadline() {
    let mut world = with_token(&["old"]);
    world.ask(Request::Prepare { min_runway: 10 * MINUTE });
    world.pass(SECOND);
    assert_eq!(world.phase(), PhaseName::Prepared);
    world.script.store = StoreState::Down;
    let fetched = world.script.fetches.len();
    // Nothing but a step that has to be stored asks for the store.
    world.pass(14 * MINUTE);
    assert_eq!(world.script.fetches.len(), fetched, "a person may be replacing it");
    pass_with_token(&mut world, 3 * 60);
    assert_eq!(world.phase(), PhaseName::Prepared, "as the store has it");
    world.script.store = StoreState::Well;
    pass_with_token(&mut world, 2);
    assert_eq!(world.phase(), PhaseName::Stable);
}

#[test]
fn a_preparation_whose_token_is_gone_ends_at_once() {
    let mut world = with_token(&["old"]);
    world.ask(Request::Prepare { min_runway: 10 * MINUTE });
    world.pass(SECOND);
    world.script.store = StoreState::Down;
    let serial = world.serial().expect("a token");
    world.tell(MemberEvent::Invalidated(serial));
    world.want(1);
    world.pass(5 * SECOND);
    assert_eq!(world.outcome(1), Some(&Ok(())));
}

#[test]
fn a_secret_that_comes_during_an_outage_is_used_once_there_is_no_other() {
    let dies = START + 10 * MINUTE;
    let endpoint =
        move |credential: &Credential, now: Timestamp| match credential.client_secret.expose() {
            "old" if now >= dies => rejected(),
            _ => granted(HOUR),
        };
    let mut world = World::new(DEFAULT, endpoint).with(&["old"]);
    world.pass(MINUTE);
    world.script.store = StoreState::Down;
    pass_with_token(&mut world, 20);
    world.configure(&["new"]);
    pass_with_token(&mut world, 3 * 60);
    assert_eq!(world.secret_in_use(), Some("new"));
    assert_eq!(world.role("new"), Role::Unknown, "nothing changes without the store");
    world.script.store = StoreState::Well;
    pass_with_token(&mut world, 5);
    assert_eq!(world.role("new"), Role::Active);
    assert_eq!(stored(&world), handed_out(&world));
}

#[test]
fn what_waits_for_the_store_does_not_add_up_with_every_reading() {
    let mut world = with_token(&["one"]);
    world.script.store = StoreState::Down;
    pass_with_token(&mut world, 60);
    for _ in 0..100 {
        world.configure(&["one"]);
        world.pass(10 * SECOND);
    }
    let waiting = world.member().work.items().count();
    assert!(waiting < 10, "{waiting} items wait");
}

#[test]
fn a_process_that_starts_during_an_outage_has_a_token() {
    let mut world = World::new(DEFAULT, accepts(&["second"]));
    world.script.store = StoreState::Down;
    world.script.derives_ids = false;
    world.configure(&["first", "second"]);
    world.want(1);
    world.pass(SECOND);
    world.derive_ids();
    world.pass(SECOND);
    assert_eq!(world.outcome(1), Some(&Ok(())));
    pass_with_token(&mut world, 3 * 60);
    assert!(world.member().record().is_none());
    world.script.store = StoreState::Well;
    pass_with_token(&mut world, 5);
    assert_eq!(world.role("second"), Role::Active);
    assert_eq!(stored(&world), handed_out(&world));
}

#[test]
fn what_was_accepted_before_there_was_a_record_is_not_forgotten_in_an_outage() {
    let mut world = World::new(DEFAULT, accepts(&["good"]));
    world.script.store = StoreState::Down;
    world.configure(&["good"]);
    pass_with_token(&mut world, 30);
    // A slip: nothing yields it any more.
    world.configure(&["wrong"]);
    pass_with_token(&mut world, 3 * 60);
    assert_eq!(world.secret_in_use(), Some("good"));
    world.script.store = StoreState::Well;
    pass_with_token(&mut world, 5);
    assert_eq!(world.role("good"), Role::Active);
}

#[test]
fn a_rotation_waits_for_the_store_and_goes_on_after_it() {
    let mut world = with_token(&["old", "new"]);
    world.script.store = StoreState::Down;
    let caller = world.rotate_to("new");
    pass_with_token(&mut world, 2 * 60);
    assert_eq!(world.role("old"), Role::Active);
    assert!(world.script.answers.contains_key(&caller), "nobody waits for ever");
    world.script.store = StoreState::Well;
    world.pass(MINUTE);
    let caller = world.rotate_to("new");
    pass_with_token(&mut world, 1);
    assert_eq!(world.rotated(caller), Some(Progress::Overlap));
}

#[test]
fn a_refused_token_is_deleted_as_soon_as_the_store_can_be_reached() {
    let mut world = with_token(&["one"]);
    let refused = handed_out(&world);
    world.script.store = StoreState::Down;
    world.tell(MemberEvent::Invalidated(1));
    assert_eq!(handed_out(&world), None);
    world.pass(MINUTE);
    assert_eq!(stored(&world), refused, "it was out of reach");
    assert!(world.has_token());
    assert_ne!(handed_out(&world), refused);
    world.script.store = StoreState::Well;
    world.pass(2 * SECOND);
    assert_ne!(stored(&world), refused);
    assert_eq!(stored(&world), handed_out(&world));
}

#[test]
fn a_deletion_is_owed_until_the_store_has_acknowledged_it() {
    let mut world = with_token(&["one"]);
    let refused = handed_out(&world).expect("a token");
    world.script.store = StoreState::Down;
    let mut deletions = 0;
    world.tell(MemberEvent::Invalidated(1));
    for _ in 0..10 {
        world.pass(SECOND);
        deletions += world.script.asked_of_store(&Operation::Invalidate(refused));
    }
    assert_eq!(deletions, 1, "it is known to be out of reach");
    world.script.store = StoreState::Well;
    world.pass(2 * SECOND);
    assert_eq!(world.script.asked_of_store(&Operation::Invalidate(refused)), 1);
    world.pass(HOUR);
    assert_eq!(world.script.asked_of_store(&Operation::Invalidate(refused)), 0, "it is done");
}

#[test]
fn a_deletion_that_fails_alone_is_made_again() {
    let mut world = with_token(&["one"]);
    let refused = handed_out(&world).expect("a token");
    world.script.store = StoreState::KeepsAll;
    world.tell(MemberEvent::Invalidated(1));
    world.pass(10 * SECOND);
    let count = world.script.asked_of_store(&Operation::Invalidate(refused));
    assert!((9..=11).contains(&count), "{count} times in ten seconds");
    world.script.store = StoreState::Well;
    world.pass(MINUTE);
    assert_eq!(world.script.asked_of_store(&Operation::Invalidate(refused)), 1);
}

#[test]
fn a_thread_that_is_lost_takes_no_store_operation_with_it() {
    let mut world = World::new(DEFAULT, accepts(&["one"])).with(&["one"]);
    world.pass(MINUTE);
    world.script.store = StoreState::DelaysTokens;
    world.pass(50 * MINUTE);
    assert_eq!(world.script.fetches.len(), 2);
    assert_eq!(world.serial(), Some(1), "nothing has come of the write so far");
    world.script.store = StoreState::Well;
    world.restart();
    world.pass(SECOND);
    assert_eq!(world.serial(), Some(2));
    assert_eq!(stored(&world), handed_out(&world));
    assert_eq!(world.script.fetches.len(), 2, "the token that came is not lost");
    pass_with_token(&mut world, 3 * 60);
}

#[test]
fn a_reply_that_nobody_waits_for_any_more_changes_nothing() {
    let mut world = World::new(DEFAULT, accepts(&["one"])).with(&["one"]);
    world.pass(MINUTE);
    world.script.store = StoreState::DelaysTokens;
    world.pass(50 * MINUTE);
    assert_eq!(world.script.fetches.len(), 2);
    // That of the very first operation comes once more, while another one is under way.
    let reason = "too late".to_owned();
    world.tell(MemberEvent::Stored { id: 1, result: Err(Unavailable { reason }) });
    let reply = world.process.store.answer(&Operation::Load(None));
    world.tell(MemberEvent::Stored { id: 1, result: Ok(reply) });
    assert_eq!(world.serial(), Some(1), "the write of the second token is still under way");
}
