//! Secrets that die, come too late or are never accepted, and threads that end.

use super::world::*;
use crate::clock::Timestamp;
use crate::credential::Credential;
use crate::error::Code;
use crate::member::*;
use crate::policy::tests::DEFAULT;
use crate::refresh::TokenRefusal;
use crate::rotation::{PhaseName, Role};
use crate::verdict::Verify;

#[test]
fn a_secret_that_dies_early_in_the_overlap_is_replaced_by_the_fallback_before_anyone_is_refused() {
    let start = START;
    let endpoint =
        move |credential: &Credential, now: Timestamp| match credential.client_secret.expose() {
            "new" if now >= start + 2 * MINUTE => rejected(),
            _ => granted(HOUR),
        };
    let mut world = World::new(DEFAULT, endpoint).with(&["old"]);
    world.pass(MINUTE);
    world.rotate_to("new");
    world.pass(2 * MINUTE);
    let serial = world.serial().unwrap();
    world.tell(MemberEvent::Invalidated(serial));
    world.want(1);
    world.pass(2 * SECOND);
    assert_eq!(world.outcome(1), Some(&Ok(())));
    assert_eq!(world.secret_in_use(), Some("old"));
    world.pass(MINUTE);
    assert_eq!((world.phase(), world.role("old")), (PhaseName::Stable, Role::Active));
}

#[test]
fn when_all_are_dead_callers_are_told_at_once_and_it_heals_by_itself() {
    let (dies, lives) = (START + 2 * MINUTE, START + 20 * MINUTE);
    let endpoint = move |_: &Credential, now: Timestamp| {
        if now < dies || now >= lives { granted(5 * MINUTE) } else { rejected() }
    };
    let mut world = World::new(DEFAULT, endpoint).with(&["one", "two"]);
    world.pass(10 * MINUTE);
    world.configure(&["one", "two"]);
    assert_eq!(world.phase(), PhaseName::Degraded);
    world.want(1);
    let Some(Err(TokenRefusal::Unavailable { cause: Some(cause), .. })) = world.outcome(1) else {
        panic!("{:?}", world.outcome(1))
    };
    assert_eq!(cause.code, Code::Degraded);
    world.pass(12 * MINUTE);
    assert_eq!(world.phase(), PhaseName::Stable);
    assert!(world.has_token());
}

#[test]
fn an_endpoint_that_is_down_is_not_stormed_when_no_credential_is_accepted() {
    let (dies, down) = (START + 2 * MINUTE, START + 8 * MINUTE);
    let endpoint = move |_: &Credential, now: Timestamp| match now {
        now if now < dies => granted(5 * MINUTE),
        now if now < down => rejected(),
        _ => transient(),
    };
    let mut world = World::new(DEFAULT, endpoint).with(&["one"]);
    world.pass(15 * MINUTE);
    assert_eq!(world.phase(), PhaseName::Degraded);
    let before = world.script.fetches.len();
    world.pass(10 * MINUTE);
    assert!(
        world.script.fetches.len() - before < 40,
        "{} requests",
        world.script.fetches.len() - before
    );
}

#[test]
fn a_quarantined_secret_that_is_accepted_during_an_overlap_is_not_asked_for_again_and_again() {
    let lives = START + 3 * MINUTE;
    let endpoint =
        move |credential: &Credential, now: Timestamp| match credential.client_secret.expose() {
            "late" if now < lives => rejected(),
            _ => granted(HOUR),
        };
    let mut world = World::new(DEFAULT, endpoint).with(&["old"]);
    world.pass(MINUTE);
    world.configure(&["old", "late"]);
    world.pass(MINUTE);
    assert_eq!(world.role("late"), Role::Quarantined);
    world.rotate_to("new");
    world.pass(20 * MINUTE);
    let late = world.secrets_tried().iter().filter(|secret| **secret == "late").count();
    assert!(late < 10, "{late} requests");
    world.pass(3 * HOUR);
    assert_eq!(world.role("late"), Role::Active, "its turn comes after the overlap");
}

#[test]
fn a_reload_tries_a_quarantined_secret_at_once() {
    let lives = START + 5 * MINUTE;
    let endpoint =
        move |credential: &Credential, now: Timestamp| match credential.client_secret.expose() {
            "late" if now < lives => rejected(),
            _ => granted(HOUR),
        };
    let mut world = World::new(DEFAULT, endpoint).with(&["old"]);
    world.pass(MINUTE);
    world.configure(&["old", "late"]);
    world.pass(5 * MINUTE);
    let before = world.script.fetches.len();
    world.tell(MemberEvent::Reloaded);
    assert_eq!(world.script.fetches.len(), before + 1);
    world.pass(SECOND);
    assert_eq!(world.role("late"), Role::Active);
}

#[test]
fn a_candidate_that_waits_when_another_one_comes_stays_a_fallback() {
    let mut world = with_token(&["old", "new", "second", "third"]);
    world.rotate_to("new");
    world.pass(SECOND);
    world.configure(&["second", "old"]);
    world.configure(&["second", "old", "third"]);
    assert_eq!(world.role("second"), Role::Standby);
    assert_eq!(world.role("third"), Role::Waiting);
}

#[test]
fn a_restart_of_the_thread_in_any_phase_changes_no_role_and_the_rotation_goes_on() {
    type Setup = fn(&mut World);
    let phases: [(PhaseName, Setup); 3] = [
        (PhaseName::Staged, |world| {
            world.rotate_to("new");
        }),
        (PhaseName::Overlap, |world| {
            world.rotate_to("new");
            world.pass(SECOND);
        }),
        (PhaseName::Prepared, |world| {
            world.ask(Request::Prepare { min_runway: MINUTE });
            world.pass(SECOND);
        }),
    ];
    for (phase, setup) in phases {
        let mut world = with_token(&["old", "new"]);
        setup(&mut world);
        assert_eq!(world.phase(), phase);
        let record = world.member().record().cloned();
        world.restart();
        assert_eq!(world.member().record().cloned(), record, "{phase:?}");
        assert!(world.has_token());
        world.pass(3 * HOUR);
        assert_eq!(world.phase(), PhaseName::Stable);
        let active = if phase == PhaseName::Prepared { "old" } else { "new" };
        assert_eq!(world.role(active), Role::Active);
    }
}

#[test]
fn who_prepares_a_rotation_gets_an_answer_although_the_thread_was_restarted() {
    let mut world = with_token(&["old"]);
    let caller = world.ask(Request::Prepare { min_runway: MINUTE });
    world.restart();
    world.pass(SECOND);
    assert!(matches!(world.script.answers.get(&caller), Some(Ok(Answer::Prepared { .. }))));
}

#[test]
fn a_write_that_fails_or_whose_answer_is_lost_is_made_once_in_the_end() {
    for fate in [StoreFate::Failed, StoreFate::AnswerLost] {
        let mut world = World::new(DEFAULT, accepts(&["old", "new"])).with(&["old"]);
        world.pass(SECOND);
        // Of the staging, then of the promotion.
        world.script.next_write = fate;
        let caller = world.rotate_to("new");
        assert_eq!(world.phase(), PhaseName::Staged);
        world.script.next_write = fate;
        world.pass(SECOND);
        assert_eq!(world.rotated(caller), Some(Progress::Overlap));
        assert_eq!(world.secret_in_use(), Some("new"));
        let record = world.member().record().unwrap();
        assert_eq!((record.generation, record.history.len()), (2, 1));
        assert_eq!(world.process.store.load().record.as_ref(), Some(record));
    }
}

#[test]
fn what_was_answered_to_secrets_that_nothing_refers_to_any_more_is_forgotten() {
    let mut world = World::new(DEFAULT, accepts(&["old"])).with(&["old"]);
    world.pass(SECOND);
    let typos: Vec<String> = (0..20).map(|number| format!("typo {number}")).collect();
    for typo in &typos {
        world.rotate_to(typo);
        world.pass(MINUTE);
    }
    let ledger = world.member().ledger();
    let known = |secret: &&String| ledger.standing(id_of(secret)).is_some();
    let remembered: Vec<_> = typos.iter().filter(known).collect();
    assert_eq!(remembered, typos[12..].iter().collect::<Vec<_>>());
    assert!(ledger.standing(id_of("old")).is_some());
}

#[test]
fn tokens_that_nobody_may_be_handed_yet_are_not_fetched_again_and_again() {
    // The store has a record whose active credential nobody here holds.
    let before = with_token(&["old", "new", "other"]);
    let mut world = World::new(DEFAULT, accepts(&["new", "other"]));
    world.process.store = before.process.store;
    world.script.verified = Verify::Failed;
    world.configure(&["other"]);
    world.ask(verified(rotate(Some("new"))));
    world.pass(SECOND);
    let held = world.serial().expect("the token in the store, or one made here");
    world.tell(MemberEvent::Invalidated(held));
    let before = world.script.fetches.len();
    world.pass(MINUTE);
    let sent = world.script.fetches.len() - before;
    assert!((2..40).contains(&sent), "{sent} requests");
}
