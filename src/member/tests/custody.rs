//! Whatever `persist` does, a secret that was proved is there when it is needed.

use std::time::Duration;

use super::world::*;
use crate::clock::Timestamp;
use crate::credential::Credential;
use crate::error::Code;
use crate::member::*;
use crate::persist::PersistTarget;
use crate::policy::tests::DEFAULT;
use crate::refresh::TokenRefusal as NoToken;
use crate::rotation::{PersistOutcome, PhaseName, Refusal, Role, Transition};
use crate::source::{EntrySpec, SourceSpec};

/// One entry that yields `old` and is persisted; the old secret dies then.
fn vault(dies_at: Timestamp) -> World {
    let endpoint = move |credential: &Credential, now: Timestamp| {
        let is_old = credential.client_secret.expose() == "old";
        if is_old && now >= dies_at { rejected() } else { granted(HOUR) }
    };
    let spec = EntrySpec {
        label: None,
        optional: false,
        expires_at: None,
        has_variables: false,
        persist: Some(PersistTarget::Js { index: 0 }),
        source: SourceSpec::Js { index: 0 },
    };
    let mut world = World::with_entries(DEFAULT, vec![spec], endpoint);
    world.configure(&["old"]);
    world.pass(MINUTE);
    world
}

const NEVER: Timestamp = Timestamp::from_millis(u64::MAX);

fn at(minutes: u32) -> Timestamp {
    START + minutes * MINUTE
}

/// What was told of rotations, by its name and why.
fn told(world: &World) -> Vec<(What, Option<Code>)> {
    let changes = world.script.notices.iter().filter_map(|notice| match notice {
        MemberNotice::Rotation(change) => {
            Some((change.what.clone(), change.failure.as_ref().map(|failure| failure.code)))
        }
        _ => None,
    });
    changes.collect()
}

#[test]
fn a_secret_that_was_proved_while_the_vault_was_down_is_there_an_hour_later() {
    // As a person does it: prepared, Regenerate pressed, the new secret told to the service.
    let mut world = vault(at(2));
    world.script.sink_outcome = PersistOutcome::Failed;
    world.ask(Request::Prepare { min_runway: 30 * MINUTE });
    world.pass(2 * MINUTE);
    let caller = world.rotate_to("new");
    world.pass(SECOND);
    assert_eq!(
        world.rotated(caller),
        Some(Progress::Overlap),
        "the old one is dead: nothing waits"
    );
    world.pass(5 * MINUTE);
    world.script.sink_outcome = PersistOutcome::Done;
    for minute in 0..180 {
        world.pass(MINUTE);
        assert!(world.has_token(), "no token after {minute} minutes");
    }
    let snapshot = world.member().latest_rotation().unwrap();
    assert_eq!((snapshot.persisted, snapshot.phase), (Persisted::Done, Progress::Retired));
}

#[test]
fn a_vault_that_fails_or_hangs_for_any_time_costs_no_token_whenever_the_old_secret_dies() {
    for dies_at in [at(1), at(3), at(8), at(14), at(40), at(70), NEVER] {
        for (delays, outcome) in [
            (false, PersistOutcome::Failed),
            (false, PersistOutcome::Impossible),
            (true, PersistOutcome::Failed),
            (true, PersistOutcome::Done),
        ] {
            for down in [MINUTE, 5 * MINUTE, 11 * MINUTE, 2 * HOUR] {
                for stays in [Duration::ZERO, 5 * MINUTE] {
                    let mut world = vault(dies_at);
                    (world.script.delays_sinks, world.script.sink_outcome) = (delays, outcome);
                    world.pass(at(2).since(world.now));
                    let caller = world.rotate_to("new");
                    world.pass(stays);
                    world.tell(MemberEvent::Left(caller));
                    let case = format!(
                        "{:?} {delays} {outcome:?} {down:?} {stays:?}",
                        dies_at.since(START)
                    );
                    for minute in 0..240 {
                        world.pass(MINUTE);
                        if down < minute * MINUTE {
                            world.script.sink_outcome = PersistOutcome::Done;
                            world.script.delays_sinks = false;
                            world.end_sinks();
                        }
                        assert!(world.has_token(), "{case}: no token after {minute} minutes");
                    }
                    let was_asked = dies_at != NEVER;
                    let active = if was_asked { "new" } else { world.secret_in_use().unwrap() };
                    assert_eq!(world.secret_in_use(), Some(active), "{case}");
                }
            }
        }
    }
}

#[test]
fn an_acceptance_that_comes_after_the_withdrawal_makes_a_fallback_that_takes_over() {
    let mut world = vault(at(30));
    let caller = world.rotate_to("new");
    world.tell(MemberEvent::Left(caller));
    assert_eq!((world.phase(), world.role("new")), (PhaseName::Stable, Role::Unknown));
    world.pass(SECOND);
    assert_eq!(world.role("new"), Role::Standby);
    world.pass(2 * HOUR);
    assert_eq!((world.secret_in_use(), world.role("new")), (Some("new"), Role::Active));
}

#[test]
fn at_its_deadline_a_caller_hears_that_custody_is_missing_and_why() {
    let mut world = vault(NEVER);
    world.script.sink_outcome = PersistOutcome::Failed;
    let caller = world.rotate_to("new");
    world.pass(5 * MINUTE);
    let Some(Err(Denial { reason: Reason::TimedOut { waiting, .. }, .. })) =
        world.script.answers.get(&caller)
    else {
        panic!("{:?}", world.script.answers)
    };
    let [Waiting { on: WaitsOn::Custody { failures }, since }] = &waiting[..] else {
        panic!("{waiting:?}")
    };
    assert_eq!(failures.len(), 1);
    assert!(*since < START + 2 * MINUTE);
}

#[test]
fn who_still_waits_when_the_candidate_is_given_up_hears_why_nothing_keeps_it() {
    let mut world = vault(NEVER);
    world.script.sink_outcome = PersistOutcome::Failed;
    let mut ask = rotate(Some("new"));
    if let Request::Rotate(Rotate { rotation, .. }) = &mut ask {
        *rotation = Some(RotationId::new("autumn"));
    }
    world.ask(ask.clone());
    world.pass(4 * MINUTE);
    world.ask(ask.clone());
    world.pass(4 * MINUTE);
    let caller = world.ask(ask);
    world.pass(3 * MINUTE);
    let Some(Err(Denial { reason: Reason::Refused(refusal, failure), .. })) =
        world.script.answers.get(&caller)
    else {
        panic!("{:?}", world.script.answers)
    };
    assert!(matches!(**refusal, Refusal::NoCustody(_)));
    assert_eq!(failure.as_ref().map(|failure| failure.code), Some(Code::PersistFailed));
    let given_up = (
        What::Moved(Transition::CandidateWithdrawn, Some(Why::NoCustody)),
        Some(Code::PersistFailed),
    );
    assert!(told(&world).contains(&given_up), "{:?}", told(&world));
}

#[test]
fn a_write_that_takes_too_long_counts_as_failed_and_is_not_made_twice_at_a_time() {
    let mut world = vault(NEVER);
    world.script.delays_sinks = true;
    let caller = world.rotate_to("new");
    world.pass(29 * SECOND);
    assert!(world.script.aborted.is_empty());
    world.pass(2 * SECOND);
    assert_eq!(world.script.aborted.len(), 1, "whoever makes it is asked to give up");
    let failed = |notice: &MemberNotice| {
        matches!(
            notice,
            MemberNotice::Persisted { outcome: PersistOutcome::Failed, message: Some(_), .. }
        )
    };
    assert!(world.script.notices.iter().any(failed));
    world.pass(2 * MINUTE);
    assert_eq!(world.script.written.len(), 1, "it may still be writing");
    world.end_sinks();
    assert_eq!(world.rotated(caller), Some(Progress::Overlap), "a late success counts");
}

#[test]
fn a_write_that_fails_late_is_made_again() {
    let mut world = vault(NEVER);
    (world.script.delays_sinks, world.script.sink_outcome) = (true, PersistOutcome::Failed);
    world.rotate_to("new");
    world.pass(2 * MINUTE);
    let told = world.script.notices.len();
    world.end_sinks();
    let is_persisted = |notice: &MemberNotice| matches!(notice, MemberNotice::Persisted { .. });
    assert!(!world.script.notices[told..].iter().any(is_persisted), "that it failed was told");
    assert_eq!(world.script.written.len(), 2);
}

#[test]
fn a_function_goes_on_writing_when_the_thread_is_restarted() {
    let mut world = vault(NEVER);
    world.script.delays_sinks = true;
    let caller = world.rotate_to("new");
    world.pass(SECOND);
    world.restart();
    world.pass(SECOND);
    assert_eq!(world.script.written.len(), 1);
    world.end_sinks();
    assert_eq!(world.rotated(caller), Some(Progress::Overlap));
}

#[test]
fn a_place_that_gets_a_secret_too_late_is_written_again() {
    let mut world = vault(NEVER);
    world.script.delays_sinks = true;
    let caller = world.rotate_to("new");
    world.pass(MINUTE);
    world.tell(MemberEvent::Left(caller));
    world.pass(SECOND);
    assert_eq!((world.phase(), world.role("new")), (PhaseName::Stable, Role::Standby));
    world.end_sinks();
    world.end_sinks();
    let written: Vec<_> =
        world.script.written.iter().map(|(_, _, secret)| secret.as_str()).collect();
    assert_eq!(written, ["new", "old"]);
}

#[test]
fn a_reason_to_wait_is_told_once_and_another_one_again() {
    let mut world = vault(NEVER);
    world.script.sink_outcome = PersistOutcome::Failed;
    world.rotate_to("new");
    let times = |world: &World| {
        told(world).into_iter().filter(|(what, _)| *what == What::AwaitsCustody).count()
    };
    world.pass(2 * MINUTE);
    assert_eq!(times(&world), 1);
    world.script.sink_message = Some("Error (ECONNREFUSED)".to_owned());
    world.pass(2 * MINUTE);
    assert_eq!(times(&world), 2);
    world.script.sink_message = None;
    world.pass(2 * MINUTE);
    assert_eq!(times(&world), 2, "it was told before");
}

#[test]
fn what_a_rotation_would_be_kept_by_is_known_before_the_button_is_pressed() {
    let custody = |world: &mut World| {
        let caller = world.ask(Request::Prepare { min_runway: MINUTE });
        world.pass(SECOND);
        let answer = world.script.answers.get(&caller);
        let Some(Ok(Answer::Prepared { custody, .. })) = answer else { panic!("{answer:?}") };
        let custody = *custody;
        world.ask(Request::CancelPreparation);
        custody
    };
    let mut world = vault(NEVER);
    assert_eq!(custody(&mut world), Custody::Untested, "the function was never called");
    world.rotate_to("new");
    world.pass(2 * HOUR);
    assert_eq!(custody(&mut world), Custody::Kept, "it has kept one");
    let mut world = with_token(&["old"]);
    assert_eq!(custody(&mut world), Custody::None);
    for (outcome, expected) in
        [(PersistOutcome::Done, Custody::Kept), (PersistOutcome::Impossible, Custody::None)]
    {
        let mut world = vault_file();
        world.script.sink_outcome = outcome;
        assert_eq!(custody(&mut world), expected);
    }
}

#[test]
fn before_the_first_token_no_file_is_tried_for_a_preparation() {
    let mut world = World::with_entries(DEFAULT, vec![file()], |_, _| transient());
    world.configure(&["old"]);
    world.script.delays_sinks = true;
    let caller = world.ask(Request::Prepare { min_runway: MINUTE });
    world.pass(SECOND);
    assert_eq!(world.refusal(caller), Some(&Refusal::TokenUnavailable));
}

#[test]
fn a_place_that_is_written_once_more_is_not_told_as_given_up() {
    let mut world = vault_file();
    world.script.sink_outcome = PersistOutcome::Impossible;
    world.rotate_to("new");
    world.pass(SECOND);
    assert_eq!(world.member().persist_failures()[0].outcome, PersistOutcome::Impossible);
    world.script.delays_sinks = true;
    world.rotate_to("new");
    world.pass(SECOND);
    let [failure] = &world.member().persist_failures()[..] else { panic!("one place") };
    assert_eq!((failure.outcome, failure.is_hanging), (PersistOutcome::Failed, false));
    world.pass(MINUTE);
    let failure = &world.member().persist_failures()[0];
    assert!(failure.is_hanging, "it has taken too long, and has not ended");
    assert!(failure.message.starts_with("writing /vault has not"), "{}", failure.message);
}

fn file() -> EntrySpec {
    EntrySpec {
        label: None,
        optional: false,
        expires_at: None,
        has_variables: false,
        persist: Some(PersistTarget::SecretFile { path: "/vault".into(), of_client: None }),
        source: SourceSpec::Js { index: 0 },
    }
}

fn vault_file() -> World {
    let mut world = World::with_entries(DEFAULT, vec![file()], accepts(&["old", "new"]));
    world.configure(&["old"]);
    world.pass(MINUTE);
    world
}

#[test]
fn a_file_that_hangs_holds_a_preparation_up_for_five_seconds_at_most() {
    let mut world = vault_file();
    world.script.delays_sinks = true;
    let caller = world.ask(Request::Prepare { min_runway: MINUTE });
    world.pass(4 * SECOND);
    assert!(world.script.answers.is_empty());
    world.pass(2 * SECOND);
    let answer = world.script.answers.get(&caller);
    assert!(
        matches!(answer, Some(Ok(Answer::Prepared { custody: Custody::None, .. }))),
        "{answer:?}"
    );
}

#[test]
fn an_answer_that_may_be_about_one_credential_has_the_others_tried_in_the_same_round() {
    let endpoint = |credential: &Credential, _: Timestamp| {
        if credential.client_secret.expose() == "good" { granted(HOUR) } else { ambiguous() }
    };
    let mut world = World::new(DEFAULT, endpoint).with(&["wrong", "good"]);
    world.want(1);
    world.pass(SECOND);
    assert_eq!(world.outcome(1), Some(&Ok(())));
    let rejected =
        |notice: &MemberNotice| matches!(notice, MemberNotice::CredentialRejected { .. });
    assert!(world.script.notices.iter().any(rejected), "it was a rejection");
}

#[test]
fn an_answer_that_is_the_same_to_every_credential_is_about_the_request() {
    let mut world = World::new(DEFAULT, |_, _| ambiguous()).with(&["one", "two"]);
    world.want(1);
    world.pass(SECOND);
    let outcome = world.outcome(1);
    let Some(Err(NoToken::Unavailable { cause: Some(cause), .. })) = outcome else {
        panic!("{outcome:?}")
    };
    assert_eq!(cause.code, Code::Misconfigured);
    assert_eq!(world.secrets_tried(), ["one", "two"]);
}

#[test]
fn a_candidate_that_the_request_is_blamed_for_is_rejected() {
    let endpoint = |credential: &Credential, _: Timestamp| {
        if credential.client_secret.expose() == "old" { granted(HOUR) } else { ambiguous() }
    };
    let mut world = World::new(DEFAULT, endpoint).with(&["old"]);
    world.pass(MINUTE);
    let caller = world.rotate_to("wrong");
    world.pass(MINUTE);
    assert!(matches!(world.refusal(caller), Some(Refusal::CandidateRejected(_))));
}
