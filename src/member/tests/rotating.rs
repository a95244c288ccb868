//! Rotations: by a secret, by a source, and what happens while one is open.

use super::world::*;
use crate::credential::Credential;
use crate::error::Code;
use crate::member::*;
use crate::policy::tests::DEFAULT;
use crate::refresh::Refusal as TokenRefusal;
use crate::rotation::{PhaseName, Refusal, Role, Verify};

/// One with a token made with the first of these secrets; all of them are accepted.
fn stable(secrets: &'static [&'static str]) -> World {
    let mut world = World::new(DEFAULT, accepts(secrets)).with(&secrets[..1]);
    world.pass(MINUTE);
    world
}

/// The endpoint of a secret that dies when the other one comes to life.
fn dies_at(at: Timestamp) -> impl FnMut(&Credential, Timestamp) -> crate::verdict::Verdict {
    move |credential, now| match credential.client_secret.expose() {
        "old" if now < at => granted(HOUR),
        "new" if now >= at => granted(HOUR),
        _ => rejected(),
    }
}

#[test]
fn a_secret_that_is_accepted_takes_over_with_its_token_in_one_step() {
    let mut world = stable(&["old", "new"]);
    let caller = world.rotate_to("new");
    assert_eq!(world.secret_in_use(), Some("old"), "until it is proved");
    world.pass(SECOND);
    assert_eq!(world.rotated(caller), Some(Phase::Overlap));
    assert_eq!(world.role("new"), Role::Active);
    assert_eq!(world.secret_in_use(), Some("new"));
    assert_eq!(world.store.load().token.map(|token| token.serial), world.serial());
    assert_eq!(world.secrets_tried(), ["old", "new"], "the probe's token is the one in use");
}

#[test]
fn the_previous_secret_is_retired_at_the_end_of_the_overlap_and_not_presented_again() {
    let mut world = stable(&["old", "new"]);
    world.rotate_to("new");
    world.pass(2 * HOUR);
    assert_eq!((world.phase(), world.role("old")), (PhaseName::Stable, Role::Retired));
    let tried = world.secrets_tried().iter().filter(|secret| **secret == "old").count();
    assert_eq!(tried, 1);
    world.pass(24 * HOUR);
    assert_eq!(world.secrets_tried().iter().filter(|secret| **secret == "old").count(), tried);
}

#[test]
fn a_source_that_changes_starts_a_rotation_by_itself() {
    let mut world = stable(&["old", "new"]);
    world.configure(&["new"]);
    world.pass(SECOND);
    assert_eq!((world.phase(), world.secret_in_use()), (PhaseName::Overlap, Some("new")));
}

#[test]
fn rotate_without_a_secret_reads_the_sources_and_takes_what_is_new_there() {
    let mut world = stable(&["old", "new"]);
    let caller = world.ask(rotate(None));
    assert_eq!(world.rereads, 1);
    world.configure(&["old", "new"]);
    world.pass(SECOND);
    assert_eq!(world.rotated(caller), Some(Phase::Overlap));

    let mut world = stable(&["old"]);
    let caller = world.ask(rotate(None));
    world.configure(&["old"]);
    assert!(
        matches!(world.refusal(caller), Some(Refusal::NoCandidate(looked)) if looked.len() == 1)
    );
}

#[test]
fn there_is_a_token_at_every_moment_of_a_rotation() {
    let mut world = stable(&["old", "new"]);
    world.configure(&["new"]);
    for _ in 0..3 * 60 {
        world.pass(MINUTE);
        assert!(world.handed_out.is_some());
    }
}

#[test]
fn a_wrong_secret_is_refused_after_three_rejections_and_changes_nothing() {
    let mut world = stable(&["old"]);
    let caller = world.rotate_to("wrong");
    world.pass(4 * SECOND);
    assert_eq!(world.answers.len(), 0, "two rejections may pass");
    world.pass(4 * SECOND);
    assert!(matches!(world.refusal(caller), Some(Refusal::CandidateRejected(_))));
    assert_eq!((world.phase(), world.role("old")), (PhaseName::Stable, Role::Active));
    assert_eq!(world.serial(), Some(1));
}

#[test]
fn a_candidate_whose_verification_is_refused_is_rejected_and_its_token_never_used() {
    let mut world = stable(&["old", "new"]);
    world.verified = Verify::Refused;
    let caller = world.rotate_verified("new");
    world.pass(10 * SECOND);
    assert!(matches!(world.refusal(caller), Some(Refusal::CandidateRejected(_))));
    assert_eq!(world.secret_in_use(), Some("old"));
}

#[test]
fn a_verification_that_fails_for_another_reason_is_tried_again() {
    let mut world = stable(&["old", "new"]);
    world.verified = Verify::Failed;
    let caller = world.rotate_verified("new");
    world.pass(MINUTE);
    assert_eq!((world.phase(), world.secret_in_use()), (PhaseName::Staged, Some("old")));
    world.verified = Verify::Passed;
    world.pass(MINUTE);
    assert_eq!(world.rotated(caller), Some(Phase::Overlap));
}

#[test]
fn a_candidate_with_a_narrower_scope_is_rejected() {
    let endpoint = |credential: &Credential, _: Timestamp| match credential.client_secret.expose() {
        "old" => with_scope("read write"),
        _ => with_scope("read"),
    };
    let mut world = World::new(DEFAULT, endpoint).with(&["old"]);
    world.pass(MINUTE);
    let caller = world.rotate_to("new");
    world.pass(10 * SECOND);
    assert!(matches!(world.refusal(caller), Some(Refusal::CandidateRejected(_))));
    assert_eq!(world.secret_in_use(), Some("old"));
}

#[test]
fn a_candidate_that_nobody_can_judge_is_given_up_after_ten_minutes() {
    let endpoint = |credential: &Credential, _: Timestamp| match credential.client_secret.expose() {
        "old" => granted(HOUR),
        _ => transient(),
    };
    let mut world = World::new(DEFAULT, endpoint).with(&["old"]);
    world.pass(MINUTE);
    world.configure(&["old", "new"]);
    world.pass(599 * SECOND);
    assert_eq!(world.phase(), PhaseName::Staged);
    world.pass(2 * SECOND);
    assert_eq!(world.phase(), PhaseName::Stable);
    assert_eq!(world.role("new"), Role::Standby, "a source yields it: it is a fallback");
}

#[test]
fn a_deadline_is_met_although_something_else_happens_at_that_very_moment() {
    let endpoint = |credential: &Credential, _: Timestamp| match credential.client_secret.expose() {
        "old" => granted(HOUR),
        _ => transient(),
    };
    let mut world = World::new(DEFAULT, endpoint).with(&["old"]);
    world.pass(MINUTE);
    world.configure(&["old", "new"]);
    world.pass(9 * MINUTE + 55 * SECOND);
    world.now = world.now + 10 * SECOND;
    world.want(1);
    assert_eq!(world.phase(), PhaseName::Stable);
}

#[test]
fn waiters_are_served_by_the_promotion() {
    let start = START + MINUTE;
    let mut world = World::new(DEFAULT, dies_at(start)).with(&["old"]);
    world.pass(MINUTE);
    world.tell(Event::Invalidated(1));
    world.want(1);
    world.rotate_to("new");
    world.pass(SECOND);
    assert_eq!(world.outcome(1), Some(&Ok(())));
    assert_eq!((world.role("new"), world.secret_in_use()), (Role::Active, Some("new")));
}

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
    world.tell(Event::Invalidated(serial));
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
    assert!(world.handed_out.is_some());
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
    let before = world.fetches.len();
    world.pass(10 * MINUTE);
    assert!(world.fetches.len() - before < 40, "{} requests", world.fetches.len() - before);
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
    let before = world.fetches.len();
    world.tell(Event::Reloaded);
    assert_eq!(world.fetches.len(), before + 1);
    world.pass(SECOND);
    assert_eq!(world.role("late"), Role::Active);
}

#[test]
fn a_candidate_that_waits_when_another_one_comes_stays_a_fallback() {
    let mut world = stable(&["old", "new", "second", "third"]);
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
            world.ask(Ask::Prepare { min_runway: MINUTE });
            world.pass(SECOND);
        }),
    ];
    for (phase, setup) in phases {
        let mut world = stable(&["old", "new"]);
        setup(&mut world);
        assert_eq!(world.phase(), phase);
        let record = world.member.record().cloned();
        world.under_way.clear();
        world.tell(Event::Restarted);
        assert_eq!(world.member.record().cloned(), record, "{phase:?}");
        assert!(world.handed_out.is_some());
        world.pass(3 * HOUR);
        assert_eq!(world.phase(), PhaseName::Stable);
        let active = if phase == PhaseName::Prepared { "old" } else { "new" };
        assert_eq!(world.role(active), Role::Active);
    }
}
