//! What people are told of credentials and rotations.

use super::world::*;
use crate::member::*;
use crate::policy::tests::DEFAULT;
use crate::rotation::{Missing, PhaseName, Refusal, Role, SinkOutcome, Transition};
use crate::secret::Secret;
use crate::sink::Target;
use crate::source::{EntrySpec, SourceSpec};

fn named(secret: &str, label: Option<&str>, expires_at: Option<i64>) -> Ask {
    let candidate = Some(Candidate {
        label: label.map(str::to_owned),
        client_id: None,
        client_secret: Secret::new(secret),
        expires_at,
    });
    let (rotation, verify) = (None, None);
    Ask::Rotate { candidate, rotation, supersede: false, compromised: false, verify }
}

fn rotate(world: &mut World, ask: Ask) -> Snapshot {
    let caller = world.ask(ask);
    world.pass(SECOND);
    match &world.answers[&caller] {
        Ok(Answer::Rotation(snapshot)) => (**snapshot).clone(),
        other => panic!("{other:?}"),
    }
}

fn refusal(world: &World, caller: CallerId) -> (Refusal, Option<RotationId>) {
    match &world.answers[&caller] {
        Err(Denial { reason: Reason::Refused(refusal, _), rotation }) => {
            ((**refusal).clone(), rotation.clone())
        }
        other => panic!("{other:?}"),
    }
}

/// In the overlap from `old` to `new`.
fn overlap() -> (World, Snapshot) {
    let mut world = World::new(DEFAULT, accepts(&["old", "new", "other"])).with(&["old"]);
    world.pass(MINUTE);
    let snapshot = rotate(&mut world, named("new", Some("autumn"), Some(1_800_000_000_000)));
    (world, snapshot)
}

fn changes(world: &World) -> Vec<&Change> {
    fn change(notice: &Notice) -> Option<&Change> {
        match notice {
            Notice::Rotation(change) => Some(change),
            _ => None,
        }
    }
    world.notices.iter().filter_map(change).collect()
}

#[test]
fn a_retired_credential_is_listed_by_its_name_alone_and_keeps_it() {
    let (mut world, snapshot) = overlap();
    world.configure(&["new"]);
    world.pass(HOUR);
    rotate(&mut world, named("other", None, None));
    world.pass(HOUR);
    let listed = world.member.credentials();
    let held: Vec<_> = listed.iter().filter_map(|it| it.credential.as_ref().ok()).collect();
    assert!(held.iter().all(|one| one.client_secret.expose() != "old"));
    let last = listed.last().unwrap();
    assert_eq!(last.credential.as_ref().unwrap_err().id, snapshot.previous.unwrap().id);
    assert_eq!((last.role, last.standing), (Some(Role::Retired), Standing::Unknown));
    let may_be_presented: Vec<_> =
        world.member.held().map(|one| one.client_secret.expose()).collect();
    assert_eq!(may_be_presented, ["other"], "new is configured, and retired all the same");
}

#[test]
fn what_was_accepted_in_the_same_instant_does_not_bring_a_dead_credential_back() {
    let mut world = World::new(DEFAULT, accepts(&["old", "new"]));
    world.latency = Duration::ZERO;
    world.configure(&["old"]);
    world.pass(Duration::ZERO);
    let caller = world.ask(named("new", None, None));
    world.pass(Duration::ZERO);
    assert!(world.answers[&caller].is_ok());
    world.endpoint = Box::new(accepts(&["new"]));
    let rotation = world.member.latest_rotation().unwrap().rotation;
    let caller = world.ask(Ask::RollBack(rotation));
    world.pass(Duration::ZERO);
    assert!(matches!(refusal(&world, caller).0, Refusal::CandidateRejected(_)));
    assert_eq!((world.member.phase(), world.secret_in_use()), (PhaseName::Overlap, Some("new")));
}
