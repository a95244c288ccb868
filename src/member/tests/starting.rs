//! Rotations that are asked for before there is a token.

use super::world::*;
use crate::member::*;
use crate::policy::tests::DEFAULT;
use crate::rotation::Refusal;
use crate::secret::Secret;

fn to(secret: &str) -> Ask {
    let candidate = Some(Candidate {
        label: None,
        client_id: None,
        client_secret: Secret::new(secret),
        expires_at: None,
    });
    let (rotation, verify) = (None, None);
    Ask::Rotate { candidate, rotation, supersede: false, compromised: false, verify }
}

#[test]
fn whoever_names_a_secret_before_the_sources_are_read_waits_for_the_client_id() {
    let mut world = World::new(DEFAULT, accepts(&["new"]));
    let caller = world.ask(to("new"));
    world.pass(SECOND);
    assert!(world.answers.is_empty());
    world.configure(&["old"]);
    world.pass(SECOND);
    assert!(matches!(world.answers[&caller], Ok(Answer::Rotation(_))));
    assert_eq!(world.secret_in_use(), Some("new"));
}

#[test]
fn without_any_client_id_nothing_can_be_rotated_to() {
    let mut world = World::new(DEFAULT, accepts(&["new"]));
    let caller = world.ask(to("new"));
    world.configure(&[]);
    let Err(Denial { reason: Reason::Refused(refusal, _), .. }) = &world.answers[&caller] else {
        panic!("{:?}", world.answers)
    };
    assert!(matches!(**refusal, Refusal::NoCandidate(_)));
}

#[test]
fn what_was_accepted_in_the_same_instant_is_no_proof_of_a_candidate() {
    let mut world = World::new(DEFAULT, accepts(&["old", "new"]));
    world.latency = Duration::ZERO;
    world.configure(&["old"]);
    world.pass(Duration::ZERO);
    let leaked = Ask::Rotate {
        candidate: None,
        rotation: None,
        supersede: false,
        compromised: true,
        verify: None,
    };
    world.configure(&["old", "new"]);
    world.pass(Duration::ZERO);
    world.ask(leaked);
    world.pass(Duration::ZERO);
    let back = world.ask(to("old"));
    world.pass(Duration::ZERO);
    assert!(matches!(world.answers[&back], Ok(Answer::Rotation(_))), "{:?}", world.answers);
    assert_eq!(world.secret_in_use(), Some("old"));
}
