//! From nothing to the first token, and what becomes of whoever asks before that.

use std::sync::Arc;
use std::time::Duration;

use super::world::*;
use crate::clock::StoreTime;
use crate::credential::Credential;
use crate::member::*;
use crate::policy::tests::DEFAULT;
use crate::rotation::{PhaseName, Refusal, Role};
use crate::secret::Secret;
use crate::source::{Configured, Edge};
use crate::verdict::Verify;

#[test]
fn the_first_accepted_credential_becomes_active_with_the_token_that_proved_it() {
    let mut world = World::new(DEFAULT, accepts(&["two"])).with(&["one", "two", "three"]);
    world.pass(SECOND);
    assert_eq!(world.phase(), PhaseName::Stable);
    assert_eq!(world.role("one"), Role::Quarantined);
    assert_eq!(world.role("two"), Role::Active);
    assert_eq!(world.role("three"), Role::Standby);
    assert_eq!(world.process.store.load().token.map(|token| token.serial), world.serial());
}

#[test]
fn a_secret_that_is_rotated_to_before_the_first_token_is_tried_first() {
    let mut world = World::new(DEFAULT, accepts(&["one", "two"]));
    let caller = world.rotate_to_of("app", "two");
    world.configure(&["one"]);
    world.pass(SECOND);
    assert_eq!(world.rotated(caller), Some(Progress::Retired));
    assert_eq!(world.secret_in_use(), Some("two"));
    assert_eq!(world.secrets_tried(), ["two"]);
}

#[test]
fn a_wrong_secret_before_the_first_token_is_refused_and_what_is_configured_serves() {
    let mut world = World::new(DEFAULT, accepts(&["one"]));
    let caller = world.rotate_to_of("app", "wrong");
    world.configure(&["one"]);
    world.pass(SECOND);
    assert!(matches!(world.refusal(caller), Some(Refusal::CandidateRejected(_))));
    assert_eq!(world.secret_in_use(), Some("one"));
}

#[test]
fn a_secret_without_a_client_id_waits_for_the_sources_to_say_whose_it_is() {
    let mut world = World::new(DEFAULT, accepts(&["one", "two"]));
    let caller = world.rotate_to("two");
    world.pass(SECOND);
    assert!(world.script.answers.is_empty());
    world.configure(&["one"]);
    world.pass(SECOND);
    assert!(world.rotated(caller).is_some());
    assert_eq!(world.secret_in_use(), Some("two"));
}

#[test]
fn a_first_token_that_fails_verify_is_not_handed_out() {
    for verified in [Verify::Refused, Verify::Failed] {
        let mut world = World::new(DEFAULT, accepts(&["one", "two"]));
        world.script.verified = verified;
        world.rotate_with("two", |ask| {
            if let Request::Rotate(Rotate { candidate: Some(candidate), verify, .. }) = ask {
                candidate.client_id = Some("app".to_owned());
                *verify = Some("https://resource.example/me".parse().unwrap());
            }
        });
        world.configure(&["one"]);
        world.pass(SECOND);
        assert_eq!(world.secret_in_use(), Some("one"), "{verified:?}");
    }
}

#[test]
fn a_preparation_before_the_first_token_has_nothing_to_go_on_with() {
    let mut world = World::new(DEFAULT, accepts(&["one"]));
    let caller = world.ask(Request::Prepare { min_runway: MINUTE });
    world.pass(SECOND);
    assert_eq!(world.refusal(caller), Some(&Refusal::TokenUnavailable));
}

#[test]
fn nobody_waits_for_the_derivation_of_an_id_to_get_the_first_token() {
    let mut world = World::new(DEFAULT, accepts(&["one"]));
    world.script.derives_ids = false;
    world.configure(&["one"]);
    world.want(1);
    world.pass(SECOND);
    assert_eq!(world.outcome(1), Some(&Ok(())));
    assert!(world.member().record().is_none());
    world.derive_ids();
    assert!(world.member().record().is_some());
    assert_eq!(world.serial(), Some(1), "the same token is shared");
    assert_eq!(world.script.fetches.len(), 1);
}

#[test]
fn a_token_that_was_invalidated_while_its_id_was_derived_does_not_come_back() {
    let mut world = World::new(DEFAULT, accepts(&["one"]));
    world.script.derives_ids = false;
    world.configure(&["one"]);
    world.pass(2 * SECOND);
    world.tell(MemberEvent::Invalidated(1));
    world.pass(2 * SECOND);
    assert_eq!(world.serial(), Some(2));
    world.derive_ids();
    world.pass(SECOND);
    assert_eq!(world.serial(), Some(2));
}

#[test]
fn a_member_that_holds_nothing_asks_for_nothing() {
    let mut world = World::new(DEFAULT, accepts(&["one"]));
    world.tell(MemberEvent::Configured { configured: Configured::default(), is_followed: false });
    assert_eq!(world.member().wake_at(world.now), None);
}

fn to(secret: &str) -> Request<Candidate> {
    let candidate = Some(Candidate {
        label: None,
        client_id: None,
        client_secret: Secret::new(secret),
        expires_at: None,
    });
    let (rotation, verify) = (None, None);
    Request::Rotate(Rotate { candidate, rotation, supersede: false, compromised: false, verify })
}

#[test]
fn without_any_client_id_nothing_can_be_rotated_to() {
    let mut world = World::new(DEFAULT, accepts(&["new"]));
    let caller = world.ask(to("new"));
    world.configure(&[]);
    let Err(Denial { reason: Reason::Refused(refusal, _), .. }) = &world.script.answers[&caller]
    else {
        panic!("{:?}", world.script.answers)
    };
    assert!(matches!(**refusal, Refusal::NoCandidate(_)));
}

#[test]
fn what_was_accepted_in_the_same_instant_is_no_proof_of_a_candidate() {
    let mut world = World::new(DEFAULT, accepts(&["old", "new"]));
    world.latency = Duration::ZERO;
    world.configure(&["old"]);
    world.pass(Duration::ZERO);
    let leaked = Request::Rotate(Rotate {
        candidate: None,
        rotation: None,
        supersede: false,
        compromised: true,
        verify: None,
    });
    world.configure(&["old", "new"]);
    world.pass(Duration::ZERO);
    world.ask(leaked);
    world.pass(Duration::ZERO);
    let back = world.ask(to("old"));
    world.pass(Duration::ZERO);
    assert!(
        matches!(world.script.answers[&back], Ok(Answer::Rotation(_))),
        "{:?}",
        world.script.answers
    );
    assert_eq!(world.secret_in_use(), Some("old"));
}

#[test]
fn where_nobody_looks_no_id_is_derived_however_often_the_token_is_refreshed_and_the_sources_are_read()
 {
    let mut world = World::unobserved(accepts(&["one", "two"]));
    world.script.derives_ids = false;
    world.configure(&["one", "two"]);
    for _ in 0..3 {
        world.pass(HOUR);
        world.configure(&["one", "two"]);
        world.tell(MemberEvent::Reloaded);
    }
    world.tell(MemberEvent::Invalidated(world.serial().expect("a token is held")));
    world.pass(HOUR);
    assert!(world.script.fetches.len() > 4, "{} requests", world.script.fetches.len());
    assert!(!world.member().needs_ids() && world.member().record().is_none());
    let foreseen = (world.member().phase(), world.member().generation());
    assert_eq!(foreseen, (PhaseName::Stable, Some(1)));
    let roles: Vec<_> = world.member().credentials().iter().map(|it| it.role).collect();
    assert_eq!(roles, [Some(Role::Active), Some(Role::Standby)]);
    let (held, fetched) = (world.serial(), world.script.fetches.len());

    world.tell(MemberEvent::Observed);
    world.derive_ids();
    let record = world.member().record().expect("what was foreseen has come about");
    assert_eq!((PhaseName::of(Some(record)), Some(record.generation)), foreseen);
    assert_eq!((world.role("one"), world.role("two")), (Role::Active, Role::Standby));
    assert_eq!(
        (world.serial(), world.script.fetches.len()),
        (held, fetched),
        "the same token goes on"
    );
    assert!(world.process.store.load().token.is_some(), "and is shared");
    let received_at =
        world.process.handed_out.as_ref().map(|token| StoreTime::of(token.received_at));
    let proof = world.member().ledger().proof(id_of("one"));
    assert_eq!(proof.map(|proof| proof.at), received_at, "it proves nothing of the time since");
}

type Happens<'a> = &'a dyn Fn(&mut World);

#[test]
fn what_happens_to_a_credential_has_its_id_derived() {
    let rejected = |world: &mut World| {
        world.script.endpoint = Box::new(accepts(&[]));
        world.pass(HOUR);
    };
    let failed = |world: &mut World| {
        world.script.endpoint = Box::new(|_, _| transient());
        world.pass(HOUR);
    };
    let changed = |world: &mut World| world.configure(&["two"]);
    let gone = |world: &mut World| world.drop_entry(0);
    let rotated = |world: &mut World| {
        world.rotate_to("two");
    };
    let prepared = |world: &mut World| {
        world.ask(Request::Prepare { min_runway: MINUTE });
    };
    let happenings: [(&str, Happens<'_>); 6] = [
        ("rejected", &rejected),
        ("failed", &failed),
        ("changed", &changed),
        ("gone", &gone),
        ("rotated", &rotated),
        ("prepared", &prepared),
    ];
    for (what, happens) in happenings {
        let mut world = World::unobserved(accepts(&["one", "two"])).with(&["one"]);
        world.pass(SECOND);
        assert!(!world.member().needs_ids());
        happens(&mut world);
        assert!(world.member().needs_ids() && world.member().record().is_some(), "{what}");
    }
}

#[test]
fn a_token_that_outlives_the_next_one_is_not_forgotten() {
    let mut world = World::unobserved(script(vec![granted(2 * HOUR), granted(HOUR)]));
    world.configure(&["one"]);
    world.pass(SECOND);
    let held = world.member().refresh().held().expect("a token is held");
    let expires_at = StoreTime::of(held.expires_at);
    world.tell(MemberEvent::Invalidated(1));
    world.pass(MINUTE);
    let record = world.member().record().expect("both tokens count");
    assert_eq!(world.member().ledger().last_expiry(record.active), Some(expires_at));
}

/// One that nobody has looked into, whose first token has expired while the machine slept, and
/// that gets no other one.
fn overslept() -> World {
    let mut world = World::unobserved(accepts(&["one", "two"])).with(&["one"]);
    world.pass(SECOND);
    world.latency = HOUR;
    world.now = world.now + 24 * HOUR;
    world
}

#[test]
fn a_credential_whose_token_was_handed_out_was_active_though_that_has_expired_since() {
    let mut world = overslept();
    assert_eq!((world.member().phase(), world.member().generation()), (PhaseName::Stable, Some(1)));
    world.tell(MemberEvent::Observed);
    assert_eq!((world.phase(), world.role("one")), (PhaseName::Stable, Role::Active));

    let mut world = overslept();
    let caller = world.rotate_to("two");
    world.latency = Duration::from_millis(50);
    world.pass(SECOND);
    assert_eq!(world.rotated(caller), Some(Progress::Overlap), "it is no start");
    assert_eq!((world.role("two"), world.role("one")), (Role::Active, Role::Previous));

    let mut world = overslept();
    world.configure(&["two"]);
    assert_eq!((world.phase(), world.role("one")), (PhaseName::Staged, Role::Active));
    assert!(world.member().latest_rotation().is_some());
}

#[test]
fn an_invalidated_token_takes_nothing_back_of_what_is_foreseen() {
    let mut world = World::unobserved(accepts(&["one"])).with(&["one"]);
    world.pass(SECOND);
    world.latency = HOUR;
    world.tell(MemberEvent::Invalidated(1));
    let states = world.member().credentials();
    assert_eq!(world.member().phase(), PhaseName::Stable);
    assert_eq!(
        (states[0].role, states[0].standing),
        (Some(Role::Active), CredentialStanding::Accepted)
    );
}

#[test]
fn ids_that_happened_to_be_known_make_no_later_one_wait() {
    let mut world = World::unobserved(accepts(&["one", "two"]));
    let credential = |secret| Arc::new(Credential::new(None, "app".into(), Secret::new(secret)));
    let mut credentials = Vec::new();
    let mut start = |world: &mut World, to: Arc<Credential>| {
        credentials.push(Arc::clone(&to));
        let edges = vec![Edge { from: None, to, is_start: true }];
        let configured =
            Configured { credentials: credentials.clone(), edges, ..Configured::default() };
        world.tell(MemberEvent::Configured { configured, is_followed: false });
        world.pass(SECOND);
    };
    let one = credential("one");
    one.kept_id();
    start(&mut world, one);
    assert_eq!(world.role("one"), Role::Active);
    start(&mut world, credential("two"));
    assert_ne!(world.role("two"), Role::Unknown, "it is taken up");
}
