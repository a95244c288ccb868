//! Rotations: by a secret, by a source, and what happens while one is open.

use super::world::*;
use crate::clock::Timestamp;
use crate::credential::Credential;
use crate::member::*;
use crate::policy::tests::DEFAULT;
use crate::rotation::{PhaseName, Refusal, Role};
use crate::secret::Secret;
use crate::token::Grant;
use crate::verdict::{Verdict, Verify};

/// The endpoint of a secret that dies when the other one comes to life.
fn dies_at(at: Timestamp) -> impl FnMut(&Credential, Timestamp) -> Verdict {
    move |credential, now| match credential.client_secret.expose() {
        "old" if now < at => granted(HOUR),
        "new" if now >= at => granted(HOUR),
        _ => rejected(),
    }
}

#[test]
fn a_secret_that_is_accepted_takes_over_with_its_token_in_one_step() {
    let mut world = with_token(&["old", "new"]);
    let caller = world.rotate_to("new");
    assert_eq!(world.secret_in_use(), Some("old"), "until it is proved");
    world.pass(SECOND);
    assert_eq!(world.rotated(caller), Some(Progress::Overlap));
    assert_eq!(world.role("new"), Role::Active);
    assert_eq!(world.secret_in_use(), Some("new"));
    assert_eq!(world.process.store.load().token.map(|token| token.serial), world.serial());
    assert_eq!(world.secrets_tried(), ["old", "new"], "the probe's token is the one in use");
}

#[test]
fn the_previous_secret_is_retired_at_the_end_of_the_overlap_and_not_presented_again() {
    let mut world = with_token(&["old", "new"]);
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
    let mut world = with_token(&["old", "new"]);
    world.configure(&["new"]);
    world.pass(SECOND);
    assert_eq!((world.phase(), world.secret_in_use()), (PhaseName::Overlap, Some("new")));
}

#[test]
fn rotate_without_a_secret_reads_the_sources_and_takes_what_is_new_there() {
    let mut world = with_token(&["old", "new"]);
    let caller = world.ask(rotate(None));
    assert_eq!(world.script.rereads, 1);
    world.configure(&["old", "new"]);
    world.pass(SECOND);
    assert_eq!(world.rotated(caller), Some(Progress::Overlap));

    let mut world = with_token(&["old"]);
    let caller = world.ask(rotate(None));
    world.configure(&["old"]);
    assert!(
        matches!(world.refusal(caller), Some(Refusal::NoCandidate(looked)) if looked.len() == 1)
    );
}

#[test]
fn there_is_a_token_at_every_moment_of_a_rotation() {
    let mut world = with_token(&["old", "new"]);
    world.configure(&["new"]);
    for _ in 0..3 * 60 {
        world.pass(MINUTE);
        assert!(world.has_token());
    }
}

#[test]
fn a_wrong_secret_is_refused_after_three_rejections_and_changes_nothing() {
    let mut world = with_token(&["old"]);
    let caller = world.rotate_to("wrong");
    world.pass(4 * SECOND);
    assert_eq!(world.script.answers.len(), 0, "two rejections may pass");
    world.pass(4 * SECOND);
    assert!(matches!(world.refusal(caller), Some(Refusal::CandidateRejected(_))));
    assert_eq!((world.phase(), world.role("old")), (PhaseName::Stable, Role::Active));
    assert_eq!(world.serial(), Some(1));
}

#[test]
fn a_candidate_whose_verification_is_refused_is_rejected_and_its_token_never_used() {
    let mut world = with_token(&["old", "new"]);
    world.script.verified = Verify::Refused;
    let caller = world.rotate_verified("new");
    world.pass(10 * SECOND);
    assert!(matches!(world.refusal(caller), Some(Refusal::CandidateRejected(_))));
    assert_eq!(world.secret_in_use(), Some("old"));
}

#[test]
fn a_configured_candidate_that_nobody_names_is_verified_before_it_takes_over() {
    let mut world = World::new(DEFAULT, accepts(&["old", "new"])).with(&["old", "new"]);
    world.pass(MINUTE);
    world.script.verified = Verify::Refused;
    let caller = world.ask(verified(rotate(None)));
    world.configure(&["old", "new"]);
    world.pass(10 * SECOND);
    assert!(matches!(world.refusal(caller), Some(Refusal::CandidateRejected(_))));
    assert_eq!(world.secret_in_use(), Some("old"));
    assert_eq!(world.script.fetches.len(), 1 + 3, "no request is made in vain");
}

#[test]
fn a_candidate_that_failed_its_verification_takes_over_only_when_it_passes() {
    let mut world = World::new(DEFAULT, accepts(&["old", "new"])).with(&["old", "new"]);
    world.pass(MINUTE);
    world.script.verified = Verify::Refused;
    world.rotate_verified("new");
    world.pass(HOUR);
    assert_eq!((world.role("new"), world.secret_in_use()), (Role::Quarantined, Some("old")));
    world.script.verified = Verify::Passed;
    world.pass(10 * MINUTE);
    assert_eq!(world.secret_in_use(), Some("new"));
}

#[test]
fn a_candidate_that_failed_its_verification_takes_over_for_who_asks_for_none() {
    let mut world = World::new(DEFAULT, accepts(&["old", "new"])).with(&["old", "new"]);
    world.pass(MINUTE);
    world.script.verified = Verify::Refused;
    world.rotate_verified("new");
    world.pass(MINUTE);
    let caller = world.rotate_to("new");
    world.pass(SECOND);
    assert_eq!(world.rotated(caller), Some(Progress::Overlap));
}

#[test]
fn a_candidate_that_failed_its_verification_stands_in_for_one_that_is_dead() {
    let mut world = World::new(DEFAULT, accepts(&["old", "new"])).with(&["old", "new"]);
    world.pass(MINUTE);
    world.script.verified = Verify::Refused;
    world.rotate_verified("new");
    world.pass(MINUTE);
    world.script.endpoint = Box::new(accepts(&["new"]));
    world.pass(2 * HOUR);
    assert_eq!(world.secret_in_use(), Some("new"));
}

#[test]
fn a_verification_comes_before_the_promotion_though_the_request_is_under_way() {
    let mut world = with_token(&["old", "new"]);
    world.configure(&["new"]);
    assert_eq!((world.phase(), world.process.under_way.len()), (PhaseName::Staged, 1));
    world.script.verified = Verify::Refused;
    let caller = world.rotate_verified("new");
    world.pass(MINUTE);
    assert!(matches!(world.refusal(caller), Some(Refusal::CandidateRejected(_))));
    assert_eq!(world.secret_in_use(), Some("old"));
}

#[test]
fn a_verification_that_fails_for_another_reason_is_tried_again() {
    let mut world = with_token(&["old", "new"]);
    world.script.verified = Verify::Failed;
    let caller = world.rotate_verified("new");
    world.pass(MINUTE);
    assert_eq!((world.phase(), world.secret_in_use()), (PhaseName::Staged, Some("old")));
    world.script.verified = Verify::Passed;
    world.pass(MINUTE);
    assert_eq!(world.rotated(caller), Some(Progress::Overlap));
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
    world.tell(MemberEvent::Invalidated(1));
    world.want(1);
    world.rotate_to("new");
    world.pass(SECOND);
    assert_eq!(world.outcome(1), Some(&Ok(())));
    assert_eq!((world.role("new"), world.secret_in_use()), (Role::Active, Some("new")));
}

#[test]
fn what_was_retired_is_not_presented_while_a_token_is_being_stored() {
    let mut world = World::new(DEFAULT, |credential, _| {
        let access_token = Secret::new(format!("made with {}", credential.client_secret.expose()));
        Verdict::Accepted(Grant { access_token, lifetime: HOUR, refresh_in: None, scope: None })
    });
    world.configure(&["old"]);
    world.pass(MINUTE);
    let mut leak = rotate(Some("new"));
    if let Request::Rotate(Rotate { compromised, .. }) = &mut leak {
        *compromised = true;
    }
    world.ask(leak);
    world.script.next_write = StoreFate::AnswerLost;
    world.script.store = StoreState::DelaysTokens;
    world.pass(SECOND);
    assert_eq!(world.role("old"), Role::Retired);
    let tried = world.script.fetches.len();
    world.tell(MemberEvent::Invalidated(world.serial().unwrap()));
    world.pass(20 * SECOND);
    assert!(!world.secrets_tried()[tried..].contains(&"old"), "{:?}", world.script.fetches);
}
