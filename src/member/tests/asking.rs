//! Who asks something of the credential lifecycle, and what the answer is.

use super::world::*;
use crate::clock::Timestamp;
use crate::credential::Credential;
use crate::error::Code;
use crate::member::*;
use crate::policy::tests::DEFAULT;
use crate::rotation::{PhaseName, Refusal, Role};

/// In the overlap after a rotation; returns its id.
fn in_overlap(world: &mut World) -> RotationId {
    world.rotate_to("new");
    world.pass(SECOND);
    assert_eq!(world.phase(), PhaseName::Overlap);
    world.member().latest_rotation().unwrap().rotation
}

#[test]
fn nobody_presents_the_active_secret_while_a_person_may_be_replacing_it() {
    let mut world = with_token(&["old", "new"]);
    let caller = world.ask(Request::Prepare { min_runway: 30 * MINUTE });
    world.pass(SECOND);
    assert!(matches!(world.script.answers.get(&caller), Some(Ok(Answer::Prepared { .. }))));
    assert_eq!(world.phase(), PhaseName::Prepared);
    assert_eq!(world.secrets_tried(), ["old", "old"], "with a token as fresh as can be");
    world.want_for(1, 59 * MINUTE);
    world.pass(14 * MINUTE);
    assert_eq!(world.script.fetches.len(), 2);
    world.pass(2 * MINUTE);
    assert_eq!(world.phase(), PhaseName::Stable, "it does not last for ever");
}

#[test]
fn a_preparation_ends_when_it_is_cancelled() {
    let mut world = with_token(&["old"]);
    world.ask(Request::Prepare { min_runway: MINUTE });
    world.pass(SECOND);
    let caller = world.ask(Request::CancelPreparation);
    assert!(matches!(world.script.answers.get(&caller), Some(Ok(Answer::Cancelled))));
    assert_eq!(world.phase(), PhaseName::Stable);
}

#[test]
fn a_preparation_ends_when_its_token_is_gone() {
    let mut world = with_token(&["old"]);
    world.ask(Request::Prepare { min_runway: MINUTE });
    world.pass(20 * SECOND);
    let serial = world.serial().unwrap();
    world.tell(MemberEvent::Invalidated(serial));
    assert_eq!(world.phase(), PhaseName::Stable);
    world.pass(2 * SECOND);
    assert!(world.has_token());
}

#[test]
fn a_preparation_for_longer_than_a_token_lives_is_refused() {
    let mut world = with_token(&["old"]);
    let caller = world.ask(Request::Prepare { min_runway: 2 * HOUR });
    world.pass(SECOND);
    assert!(matches!(world.refusal(caller), Some(Refusal::LifetimeTooShort { .. })));
    assert_eq!(world.phase(), PhaseName::Stable);
}

#[test]
fn a_secret_that_was_prepared_for_bridges_the_death_of_the_old_one() {
    let dies = START + 2 * MINUTE;
    let endpoint = move |credential: &Credential, now: Timestamp| {
        let is_old = credential.client_secret.expose() == "old";
        if is_old == (now < dies) { granted(HOUR) } else { rejected() }
    };
    let mut world = World::new(DEFAULT, endpoint).with(&["old"]);
    world.pass(MINUTE);
    world.ask(Request::Prepare { min_runway: 10 * MINUTE });
    for second in 0..180 {
        world.pass(SECOND);
        assert!(world.has_token());
        if second == 90 {
            world.rotate_to("new");
        }
    }
    assert_eq!((world.role("new"), world.phase()), (Role::Active, PhaseName::Overlap));
    assert!(
        world
            .script
            .notices
            .iter()
            .all(|notice| !matches!(notice, MemberNotice::CredentialRejected { .. }))
    );
}

#[test]
fn a_leaked_secret_is_retired_with_the_promotion_and_its_token_dropped() {
    let mut world = with_token(&["old", "new"]);
    let caller = world.rotate_with("new", |ask| {
        if let Request::Rotate(Rotate { compromised, .. }) = ask {
            *compromised = true;
        }
    });
    world.pass(SECOND);
    assert_eq!(world.rotated(caller), Some(Progress::Retired));
    assert_eq!((world.phase(), world.role("old")), (PhaseName::Stable, Role::Retired));
    assert_eq!(world.secret_in_use(), Some("new"));
    world.configure(&["new", "old"]);
    world.pass(MINUTE);
    assert_eq!(world.role("old"), Role::Retired, "no source brings it back");
}

#[test]
fn a_rollback_makes_the_previous_secret_active_once_it_is_proved() {
    let mut world = with_token(&["old", "new"]);
    let rotation = in_overlap(&mut world);
    let caller = world.ask(Request::RollBack(rotation.clone()));
    world.pass(SECOND);
    assert_eq!(world.rotated(caller), Some(Progress::RolledBack));
    assert_eq!((world.role("old"), world.role("new")), (Role::Active, Role::Previous));
    assert_eq!(world.secret_in_use(), Some("old"));
    let caller = world.ask(Request::RollBack(RotationId::new("another")));
    assert_eq!(world.refusal(caller), Some(&Refusal::Conflict));
}

#[test]
fn a_rollback_that_is_wanted_comes_before_the_retirement() {
    let mut world = with_token(&["old", "new"]);
    let rotation = in_overlap(&mut world);
    world.pass(58 * MINUTE);
    world.latency = 5 * SECOND;
    let overlap = world.member().record().unwrap().overlap().unwrap();
    world.now = world.member().own_time(overlap.retire_not_before - SECOND);
    let caller = world.ask(Request::RollBack(rotation));
    world.pass(10 * SECOND);
    assert_eq!(world.rotated(caller), Some(Progress::RolledBack));
}

#[test]
fn an_overlap_is_ended_on_demand_once_the_active_secret_has_a_fresh_proof() {
    let mut world = with_token(&["old", "new"]);
    let rotation = in_overlap(&mut world);
    world.pass(3 * MINUTE);
    let tried = world.script.fetches.len();
    let caller = world.ask(Request::Retire { rotation, force: false });
    world.pass(SECOND);
    assert_eq!(world.rotated(caller), Some(Progress::Retired));
    assert_eq!(world.role("old"), Role::Retired);
    assert_eq!(world.script.fetches.len(), tried + 1);
}

#[test]
fn whoever_waits_for_the_retirement_is_told_of_it() {
    let mut world = with_token(&["old", "new"]);
    let rotation = in_overlap(&mut world);
    let everywhere = world.ask(Ask::Until(rotation.clone(), Until::Everywhere));
    let reason = world.script.answers[&everywhere].as_ref().err().map(|denial| &denial.reason);
    assert!(matches!(reason, Some(Reason::NoFleet)), "nothing is shared here");
    let retired = world.ask(Ask::Until(rotation.clone(), Until::Retired));
    world.ask(Request::Retire { rotation, force: false });
    assert_eq!(world.rotated(retired), Some(Progress::Retired));
}

#[test]
fn a_caller_is_told_at_its_deadline_and_the_rotation_goes_on() {
    let mut world = World::new(DEFAULT, |credential, _| {
        if credential.client_secret.expose() == "old" { granted(HOUR) } else { transient() }
    });
    world.configure(&["old"]);
    world.pass(MINUTE);
    world.configure(&["old", "new"]);
    let caller = world.rotate_to("new");
    world.pass(5 * MINUTE);
    let Some(Err(denial)) = world.script.answers.get(&caller) else {
        panic!("{:?}", world.script.answers)
    };
    let Reason::TimedOut { is_rotate: true, waiting } = &denial.reason else {
        panic!("{denial:?}")
    };
    let [Waiting { on: WaitsOn::Proof { failure: Some(failure), .. }, .. }] = &waiting[..] else {
        panic!("{waiting:?}")
    };
    assert_eq!(failure.code, Code::Endpoint, "it says what the endpoint answers");
    assert_eq!(world.phase(), PhaseName::Staged);
}

#[test]
fn the_last_caller_takes_the_candidate_away_that_no_source_yields() {
    let mut world = with_token(&["old"]);
    let caller = world.rotate_to("wrong");
    world.tell(MemberEvent::Left(caller));
    assert_eq!(world.phase(), PhaseName::Stable);
    assert_eq!(world.role("wrong"), Role::Unknown);
    world.pass(MINUTE);
    assert!(world.script.answers.is_empty(), "whoever left is not answered");
}

#[test]
fn one_rotation_at_a_time_unless_the_caller_insists() {
    let mut world = with_token(&["old", "second"]);
    let first = world.rotate_to("wrong");
    let second = world.rotate_to("second");
    assert_eq!(world.refusal(second), Some(&Refusal::Conflict));
    let third = world.rotate_with("second", |ask| {
        if let Request::Rotate(Rotate { supersede, .. }) = ask {
            *supersede = true;
        }
    });
    world.pass(SECOND);
    assert_eq!(world.refusal(first), Some(&Refusal::Conflict));
    assert_eq!(world.rotated(third), Some(Progress::Overlap));
}

#[test]
fn the_same_rotation_id_answers_for_the_same_rotation() {
    let mut world = with_token(&["old", "new", "other"]);
    let named = |ask: &mut Request<Candidate>| {
        if let Request::Rotate(Rotate { rotation, .. }) = ask {
            *rotation = Some(RotationId::new("q4"));
        }
    };
    let first = world.rotate_with("new", named);
    let second = world.rotate_with("other", named);
    world.pass(SECOND);
    assert_eq!(world.rotated(first), Some(Progress::Overlap));
    assert_eq!(world.rotated(second), Some(Progress::Overlap));
    assert_eq!(world.role("other"), Role::Unknown);
}

#[test]
fn a_caller_who_asks_beside_empty_sources_is_answered_too() {
    let mut world = World::new(DEFAULT, accepts(&["one", "two"]));
    world.rotate_to_of("app", "one");
    world.configure(&[]);
    world.pass(SECOND);
    let caller = world.rotate_to("two");
    world.pass(SECOND);
    assert_eq!(world.rotated(caller), Some(Progress::Overlap));
    world.pass(2 * HOUR);
    assert_eq!(world.phase(), PhaseName::Stable, "nothing that is due waits for a source");
}
