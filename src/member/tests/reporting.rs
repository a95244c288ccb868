//! What people are told of credentials and rotations.

use std::time::Duration;

use super::world::*;
use crate::member::*;
use crate::persist::PersistTarget;
use crate::policy::tests::DEFAULT;
use crate::rotation::CallerId;
use crate::rotation::{Missing, PersistOutcome, PhaseName, Refusal, Role, Transition};
use crate::secret::Secret;
use crate::source::{EntrySpec, SourceSpec};

fn named(secret: &str, label: Option<&str>, expires_at: Option<i64>) -> Request<Candidate> {
    let candidate = Some(Candidate {
        label: label.map(str::to_owned),
        client_id: None,
        client_secret: Secret::new(secret),
        expires_at,
    });
    let (rotation, verify) = (None, None);
    Request::Rotate(Rotate { candidate, rotation, supersede: false, compromised: false, verify })
}

fn rotate(world: &mut World, ask: Request<Candidate>) -> RotationSnapshot {
    let caller = world.ask(ask);
    world.pass(SECOND);
    match &world.script.answers[&caller] {
        Ok(Answer::Rotation(snapshot)) => (**snapshot).clone(),
        other => panic!("{other:?}"),
    }
}

fn refusal(world: &World, caller: CallerId) -> (Refusal, Option<RotationId>) {
    match &world.script.answers[&caller] {
        Err(Denial { reason: Reason::Refused(refusal, _), rotation, .. }) => {
            ((**refusal).clone(), rotation.clone())
        }
        other => panic!("{other:?}"),
    }
}

/// In the overlap from `old` to `new`.
fn overlap() -> (World, RotationSnapshot) {
    let mut world = World::new(DEFAULT, accepts(&["old", "new", "other"])).with(&["old"]);
    world.pass(MINUTE);
    let snapshot = rotate(&mut world, named("new", Some("autumn"), Some(1_800_000_000_000)));
    (world, snapshot)
}

fn changes(world: &World) -> Vec<&Change> {
    fn change(notice: &MemberNotice) -> Option<&Change> {
        match notice {
            MemberNotice::Rotation(change) => Some(change),
            _ => None,
        }
    }
    world.script.notices.iter().filter_map(change).collect()
}

#[test]
fn whoever_names_a_known_credential_with_less_takes_nothing_from_what_is_known_of_it() {
    let (mut world, _) = overlap();
    let again = rotate(&mut world, named("new", None, None));
    assert_eq!(again.active.label.as_deref(), Some("autumn"));
    let held = world.member().held().find(|one| one.client_secret.expose() == "new").unwrap();
    assert_eq!((held.label.as_deref(), held.expires_at), (Some("autumn"), Some(1_800_000_000_000)));
    let renamed = rotate(&mut world, named("new", Some("winter"), None));
    assert_eq!(renamed.active.label.as_deref(), Some("winter"));
}

#[test]
fn a_retired_credential_is_listed_by_its_name_alone_and_keeps_it() {
    let (mut world, snapshot) = overlap();
    world.configure(&["new"]);
    world.pass(HOUR);
    rotate(&mut world, named("other", None, None));
    world.pass(HOUR);
    let listed = world.member().credentials();
    let held: Vec<_> = listed.iter().filter_map(|it| it.credential.as_ref().ok()).collect();
    assert!(held.iter().all(|one| one.client_secret.expose() != "old"));
    let last = listed.last().unwrap();
    assert_eq!(last.credential.as_ref().unwrap_err().id, snapshot.previous.unwrap().id);
    assert_eq!((last.role, last.standing), (Some(Role::Retired), CredentialStanding::Unknown));
    let may_be_presented: Vec<_> =
        world.member().held().map(|one| one.client_secret.expose()).collect();
    assert_eq!(may_be_presented, ["other"], "new is configured, and retired all the same");
}

#[test]
fn when_the_previous_credential_may_be_revoked_is_known_after_its_retirement() {
    let (mut world, snapshot) = overlap();
    let at = snapshot.safe_to_revoke_at;
    assert!(at.is_some());
    world.pass(2 * HOUR);
    let retired = world.member().latest_rotation().unwrap();
    assert_eq!(retired.phase, Progress::Retired);
    assert_eq!(retired.safe_to_revoke_at, at);
    assert_eq!(retired.retire_not_before, snapshot.retire_not_before);
    let told = changes(&world);
    let told =
        told.iter().find(|change| change.what == What::Moved(Transition::Retired, None)).unwrap();
    assert_eq!(told.safe_to_revoke_at, at);
    rotate(&mut world, named("other", None, None));
    assert_eq!(world.member().snapshot(&snapshot.rotation).unwrap().safe_to_revoke_at, at);
}

#[test]
fn a_conflict_names_the_rotation_that_is_in_the_way() {
    let (mut world, snapshot) = overlap();
    let caller = world.ask(named("other", None, None));
    world.pass(SECOND);
    assert_eq!(refusal(&world, caller), (Refusal::Conflict, Some(snapshot.rotation)));
}

#[test]
fn after_the_overlap_there_is_nothing_to_roll_back_to() {
    let (mut world, snapshot) = overlap();
    world.pass(2 * HOUR);
    let caller = world.ask(Request::RollBack(snapshot.rotation));
    world.pass(SECOND);
    assert_eq!(refusal(&world, caller).0, Refusal::NoCandidate(Vec::new()));
}

#[test]
fn in_the_overlap_of_another_rotation_a_rollback_is_a_conflict() {
    let (mut world, snapshot) = overlap();
    world.pass(2 * HOUR);
    rotate(&mut world, named("other", None, None));
    let caller = world.ask(Request::RollBack(snapshot.rotation));
    world.pass(SECOND);
    assert_eq!(refusal(&world, caller).0, Refusal::Conflict);
}

#[test]
fn what_was_accepted_in_the_same_instant_does_not_bring_a_dead_credential_back() {
    let mut world = World::new(DEFAULT, accepts(&["old", "new"]));
    world.latency = Duration::ZERO;
    world.configure(&["old"]);
    world.pass(Duration::ZERO);
    let caller = world.ask(named("new", None, None));
    world.pass(Duration::ZERO);
    assert!(world.script.answers[&caller].is_ok());
    world.script.endpoint = Box::new(accepts(&["new"]));
    let rotation = world.member().latest_rotation().unwrap().rotation;
    let caller = world.ask(Request::RollBack(rotation));
    world.pass(Duration::ZERO);
    assert!(matches!(refusal(&world, caller).0, Refusal::CandidateRejected(_)));
    assert_eq!((world.member().phase(), world.secret_in_use()), (PhaseName::Overlap, Some("new")));
}

#[test]
fn a_retirement_that_is_overdue_is_told_once_with_what_is_missing() {
    let entry = |index, persist| EntrySpec {
        label: None,
        optional: false,
        expires_at: None,
        has_variables: false,
        persist,
        source: SourceSpec::Js { index },
    };
    let entries = vec![entry(0, Some(PersistTarget::Js { index: 0 })), entry(1, None)];
    let mut world = World::with_entries(DEFAULT, entries, accepts(&["old", "new"]));
    world.configure_each(&[&["old"], &["new"]]);
    world.script.sink_outcome = PersistOutcome::Failed;
    world.pass(MINUTE);
    rotate(&mut world, named("new", None, None));
    world.pass(2 * HOUR);
    let overdue: Vec<_> = changes(&world)
        .into_iter()
        .filter(|it| matches!(it.what, What::Overdue(..) | What::Moved(Transition::Overdue, _)))
        .collect();
    assert_eq!(overdue.len(), 1);
    let What::Overdue(Missing { targets: sinks, .. }, _) = &overdue[0].what else {
        panic!("{overdue:?}")
    };
    assert_eq!(sinks.len(), 1);
}

#[test]
fn naming_the_active_credential_answers_a_rotation_that_has_come_to_its_end() {
    let mut world = World::new(DEFAULT, accepts(&["old", "new"])).with(&["old"]);
    world.pass(MINUTE);
    let snapshot = rotate(&mut world, named("old", None, None));
    assert_eq!((snapshot.phase, snapshot.generation), (Progress::Retired, 1));
    for until in [Until::Persisted, Until::Retired] {
        let caller = world.ask(Ask::Until(snapshot.rotation.clone(), until));
        assert!(matches!(world.script.answers[&caller], Ok(Answer::Rotation(_))), "{until:?}");
    }
    let caller = world.ask(Request::Retire { rotation: snapshot.rotation, force: false });
    assert!(matches!(world.script.answers[&caller], Ok(Answer::Rotation(_))));
    assert!(world.member().latest_rotation().is_none(), "nothing was rotated");
}

#[test]
fn naming_the_previous_credential_answers_as_a_rollback_does() {
    let (mut world, snapshot) = overlap();
    let back = rotate(&mut world, named("old", None, None));
    assert_eq!((back.rotation, back.phase), (snapshot.rotation, Progress::RolledBack));
    assert_eq!(back.previous.unwrap().id, snapshot.active.id);
}

#[test]
fn what_was_rolled_back_is_never_told_as_retired() {
    let (mut world, snapshot) = overlap();
    world.ask(Request::RollBack(snapshot.rotation.clone()));
    world.pass(3 * HOUR);
    let now = world.member().latest_rotation().unwrap();
    assert_eq!((world.phase(), now.phase), (PhaseName::Stable, Progress::RolledBack));
    let caller = world.ask(Ask::Until(snapshot.rotation, Until::Retired));
    assert_eq!(refusal(&world, caller).0, Refusal::Conflict);
}

#[test]
fn what_was_rolled_back_twice_is_told_as_retired() {
    let (mut world, snapshot) = overlap();
    for _ in 0..2 {
        world.ask(Request::RollBack(snapshot.rotation.clone()));
        world.pass(SECOND);
    }
    world.pass(3 * HOUR);
    let now = world.member().latest_rotation().unwrap();
    assert_eq!((now.phase, now.active.id), (Progress::Retired, snapshot.candidate.id));
}

#[test]
fn a_rollback_that_a_retirement_forestalls_is_not_called_a_rejection() {
    let (mut world, snapshot) = overlap();
    world.script.endpoint = Box::new(script(vec![transient(); 9]));
    let back = world.ask(Request::RollBack(snapshot.rotation.clone()));
    world.ask(Request::Retire { rotation: snapshot.rotation, force: true });
    world.pass(SECOND);
    assert_eq!(refusal(&world, back).0, Refusal::NoCandidate(Vec::new()));
}

#[test]
fn a_candidate_that_was_refused_is_of_no_concern_after_that() {
    let mut world = World::new(DEFAULT, accepts(&["old"])).with(&["old"]);
    world.pass(MINUTE);
    world.ask(named("wrong", None, None));
    world.pass(MINUTE);
    let of = |world: &World| {
        let listed = world.member().credentials();
        let wrong = listed
            .iter()
            .find(|it| matches!(it.standing, CredentialStanding::Rejected(_)))
            .unwrap();
        wrong.is_in_use
    };
    assert!(!of(&world));
    world.configure(&["old", "wrong"]);
    assert!(of(&world), "somebody has to mend that");
}
