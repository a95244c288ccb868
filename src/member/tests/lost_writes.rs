//! A store that loses its latest writes, or all of them, or is written by two sides that do not see
//! each other.

use std::cell::Cell;
use std::rc::Rc;

use super::world::*;
use crate::credential::Credential;
use crate::member::{MemberEvent, Progress};
use crate::policy::tests::DEFAULT;
use crate::rotation::{PhaseName, Request, Role, Rotate, TokenChange, Write};
use crate::store::{Operation, Reply, StoreSnapshot};

const SECRETS: &[&str] = &["old", "new", "third"];

/// One that has rotated from `old` to `new`, in the overlap, and what the store has then.
fn promoted() -> (World, StoreSnapshot) {
    let mut world = with_token(SECRETS);
    world.rotate_to("new");
    world.pass(MINUTE);
    assert_eq!(world.phase(), PhaseName::Overlap);
    let stored = world.process.store.load();
    (world, stored)
}

fn stored_role(world: &World, secret: &str) -> Role {
    world.process.store.load().record.map_or(Role::Unknown, |record| record.role(id_of(secret)))
}

fn is_shared(world: &World) -> bool {
    let handed_out = world.process.handed_out.as_ref().map(|held| held.id);
    handed_out.is_some() && world.process.store.load().token.map(|token| token.id) == handed_out
}

/// Somebody who sees only what was stored at an earlier moment writes it once more.
fn write_as_the_other_side(world: &World, stored: StoreSnapshot) {
    let mut record = stored.record.expect("a record");
    let expect = Some(record.version);
    record.version.epoch += 1;
    record.version.nonce ^= 1;
    let write = Write { expect, record, token: TokenChange::Keep, barrier: None };
    let replied = world.process.store.answer(&Operation::Write(Box::new(write), None));
    assert!(matches!(replied, Reply::Written(_)), "{replied:?}");
}

/// Whether `old` is presented within so many minutes, none of them without a token.
fn presented_old(world: &mut World, minutes: u32) -> bool {
    let before = world.script.fetches.len();
    for minute in 0..minutes {
        world.pass(MINUTE);
        assert!(world.has_token(), "without a token after {minute} minutes");
    }
    world.script.fetches[before..].iter().any(|(_, secret)| secret == "old")
}

#[test]
fn what_the_store_has_lost_is_written_back_by_whoever_has_read_it() {
    let (mut world, overlap) = promoted();
    assert!(!presented_old(&mut world, 3 * 60));
    assert_eq!((world.phase(), world.role("old")), (PhaseName::Stable, Role::Retired));
    let before = world.member().record().cloned().unwrap();
    world.process.store.restore(Some(overlap));
    assert_eq!(stored_role(&world, "old"), Role::Previous, "the failover has lost that");
    assert!(!presented_old(&mut world, 3 * 60));
    let after = world.member().record().cloned().unwrap();
    assert_eq!(after.version.incarnation, before.version.incarnation);
    assert!(after.version.epoch >= before.version.epoch);
    assert_eq!(stored_role(&world, "old"), Role::Retired);
    assert!(is_shared(&world));
}

#[test]
fn a_token_of_a_leaked_secret_that_a_failover_brings_back_is_deleted_and_not_handed_out() {
    let mut world = with_token(SECRETS);
    let before = world.process.store.load();
    let mut leak = rotate(Some("new"));
    if let Request::Rotate(Rotate { compromised, .. }) = &mut leak {
        *compromised = true;
    }
    world.ask(leak);
    world.pass(MINUTE);
    assert_eq!((world.role("new"), world.role("old")), (Role::Active, Role::Retired));
    world.process.store.restore(Some(before));
    // It writes back what was lost, and has to read whether that took place.
    world.script.next_write = StoreFate::AnswerLost;
    world.tell(MemberEvent::Invalidated(world.serial().unwrap()));
    world.pass(MINUTE);
    assert_eq!(world.secret_in_use(), Some("new"));
    assert!(is_shared(&world), "others are not handed it either");
    assert_eq!(stored_role(&world, "old"), Role::Retired);
}

#[test]
fn what_is_named_in_the_moment_of_a_fork_is_presented() {
    let (mut world, overlap) = promoted();
    world.configure(&["new"]);
    world.pass(3 * HOUR);
    assert_eq!(world.role("old"), Role::Retired);
    world.process.store.restore(Some(overlap.clone()));
    write_as_the_other_side(&world, overlap);
    world.configure(&["old"]);
    world.pass(MINUTE);
    assert_eq!(world.role("old"), Role::Active);
    assert!(is_shared(&world));
}

#[test]
fn a_promotion_that_the_store_has_lost_is_written_back_with_its_token() {
    let mut world = with_token(SECRETS);
    let stable = world.process.store.load();
    world.rotate_to("new");
    world.pass(MINUTE);
    world.process.store.restore(Some(stable));
    assert_eq!(stored_role(&world, "new"), Role::Unknown, "the failover has lost that");
    assert!(!presented_old(&mut world, 3 * 60));
    assert_eq!(stored_role(&world, "new"), Role::Active);
    assert_eq!(stored_role(&world, "old"), Role::Retired);
    assert!(is_shared(&world));
}

#[test]
fn a_store_that_was_emptied_goes_on_from_what_a_member_knows() {
    let (mut world, _) = promoted();
    assert!(!presented_old(&mut world, 3 * 60));
    let before = world.member().record().cloned().unwrap();
    world.process.store.restore(None);
    assert!(!presented_old(&mut world, 3 * 60));
    let after = world.member().record().cloned().unwrap();
    assert!(after.version.incarnation > before.version.incarnation);
    assert_eq!((after.generation, after.active), (before.generation, before.active));
    assert_eq!(stored_role(&world, "old"), Role::Retired);
    assert!(is_shared(&world));
}

#[test]
fn an_earlier_incarnation_is_never_adopted() {
    let (mut world, _) = promoted();
    world.pass(3 * HOUR);
    let mut stored = world.process.store.load();
    let record = stored.record.as_mut().expect("a record");
    record.version.incarnation -= 1;
    record.version.epoch += 100;
    let foreign = record.version.incarnation;
    world.process.store.restore(Some(stored));
    let caller = world.rotate_to("third");
    assert!(!presented_old(&mut world, 10));
    assert_eq!(world.rotated(caller), Some(Progress::Overlap));
    let after = world.process.store.load().record.expect("a record");
    assert!(after.version.incarnation > foreign + 1);
    assert_eq!(Some(&after), world.member().record());
}

#[test]
fn of_two_sides_the_stored_one_wins_and_what_was_retired_stays_so_for_who_has_read_it() {
    let mut world = with_token(SECRETS);
    let stable = world.process.store.load();
    world.rotate_to("new");
    for _ in 0..3 * 60 {
        world.pass(MINUTE);
    }
    assert_eq!(world.role("old"), Role::Retired);
    // The other side has gone on without a rotation.
    world.process.store.restore(Some(stable.clone()));
    write_as_the_other_side(&world, stable);
    assert!(!presented_old(&mut world, 3 * 60), "a tombstone");
    assert_eq!(stored_role(&world, "new"), Role::Active, "the fleet has taken what works");
    assert!(is_shared(&world));
}

#[test]
fn what_was_read_as_retired_is_not_presented_though_the_stored_record_calls_it_active() {
    let is_well = Rc::new(Cell::new(true));
    let seen = Rc::clone(&is_well);
    let endpoint = move |credential: &Credential, _| match credential.client_secret.expose() {
        "new" if !seen.get() => transient(),
        _ => granted(HOUR),
    };
    let mut world = World::new(DEFAULT, endpoint).with(&["old"]);
    world.pass(MINUTE);
    let stable = world.process.store.load();
    world.rotate_to("new");
    assert!(!presented_old(&mut world, 3 * 60));
    world.process.store.restore(Some(stable.clone()));
    write_as_the_other_side(&world, stable);
    let before = world.script.fetches.len();
    world.latency = MINUTE;
    while world.phase() != PhaseName::Staged {
        world.pass(SECOND);
    }
    is_well.set(false);
    let serial = world.serial().expect("a token");
    world.tell(MemberEvent::Invalidated(serial));
    world.want(1);
    world.pass(5 * MINUTE);
    assert!(world.script.fetches[before..].iter().all(|(_, secret)| secret == "new"));
    world.rotate_to("old");
    world.pass(5 * MINUTE);
    assert_eq!(world.secret_in_use(), Some("old"), "somebody has named it");
}

#[test]
fn once_the_stored_record_says_so_too_a_retirement_is_cleared_by_whoever_names_the_credential() {
    let mut world = with_token(SECRETS);
    let stable = world.process.store.load();
    world.rotate_to("new");
    assert!(!presented_old(&mut world, 3 * 60));
    world.process.store.restore(Some(stable.clone()));
    write_as_the_other_side(&world, stable);
    assert!(!presented_old(&mut world, 5 * 60));
    assert_eq!(stored_role(&world, "old"), Role::Retired, "the fleet has retired it as well");
    // Somebody else names it, which this member learns from the record alone.
    let mut record = world.process.store.load().record.expect("a record");
    let expect = Some(record.version);
    record.lineage.follow(record.version.nonce);
    record.version.epoch += 1;
    record.version.nonce ^= 1;
    record.retired.clear();
    record.standby.push(id_of("old"));
    let write = Write { expect, record, token: TokenChange::Keep, barrier: None };
    world.process.store.answer(&Operation::Write(Box::new(write), None));
    world.rotate_to("third");
    world.pass(SECOND);
    let presentable = world.member().presentable();
    let is_there = presentable.iter().any(|one| one.client_secret.expose() == "old");
    assert!(is_there, "it may be presented again");
}

#[test]
fn who_waits_for_a_rotation_on_the_losing_side_is_told() {
    let endpoint = |credential: &Credential, _| match credential.client_secret.expose() {
        "never" => transient(),
        _ => granted(HOUR),
    };
    let mut world = World::new(DEFAULT, endpoint).with(&["old"]);
    world.pass(MINUTE);
    let stable = world.process.store.load();
    let caller = world.rotate_to("never");
    world.pass(10 * SECOND);
    assert_eq!(world.phase(), PhaseName::Staged);
    world.process.store.restore(Some(stable.clone()));
    write_as_the_other_side(&world, stable);
    world.pass(20 * MINUTE);
    let told = world.script.answers.get(&caller);
    assert!(matches!(told, Some(Err(_))), "{told:?}");
    assert_eq!(world.phase(), PhaseName::Stable);
}
