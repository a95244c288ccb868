//! Which of the configured credentials a token is requested with.

use std::time::Duration;

use super::world::*;
use crate::clock::Timestamp;
use crate::credential::Credential;
use crate::member::*;
use crate::policy::Policy;
use crate::policy::tests::DEFAULT;
use crate::refresh::{self};

#[test]
fn the_list_is_tried_in_order_and_what_works_is_remembered() {
    let mut world = World::new(DEFAULT, accepts(&["two"])).with(&["one", "two"]);
    world.pass(HOUR);
    assert_eq!(world.secrets_tried()[..2], ["one", "two"]);
    let two = world.secrets_tried().iter().filter(|secret| **secret == "two").count();
    assert_eq!(two, 2, "it is refreshed with what works");
    let rejections =
        |notice: &&MemberNotice| matches!(notice, MemberNotice::CredentialRejected { .. });
    assert_eq!(world.script.notices.iter().filter(rejections).count(), 1);
}

#[test]
fn a_secret_that_dies_early_is_replaced_by_the_next_one_without_a_gap() {
    let dies = Timestamp::from_millis(1_000_000 + 60_000);
    let endpoint =
        move |credential: &Credential, now: Timestamp| match credential.client_secret.expose() {
            "old" if now >= dies => rejected(),
            _ => granted(HOUR),
        };
    let mut world = World::new(DEFAULT, endpoint).with(&["old", "new"]);
    world.pass(SECOND);
    for _ in 0..180 {
        world.pass(Duration::from_mins(1));
        assert!(world.has_token());
    }
    assert_eq!(world.secrets_tried()[..3], ["old", "old", "new"]);
    assert_eq!(world.secret_in_use(), Some("new"));
}

#[test]
fn a_bare_401_counts_against_a_secret_only_when_another_is_accepted() {
    let endpoint = |credential: &Credential, _: Timestamp| match credential.client_secret.expose() {
        "one" => refused(),
        _ => granted(HOUR),
    };
    let mut world = World::new(DEFAULT, endpoint).with(&["one", "two"]);
    world.pass(SECOND);
    let is_rejection =
        |notice: &MemberNotice| matches!(notice, MemberNotice::CredentialRejected { .. });
    assert!(world.script.notices.iter().any(is_rejection));

    let mut world = World::new(DEFAULT, |_, _| refused()).with(&["one", "two"]);
    world.want(1);
    world.pass(SECOND);
    assert!(world.script.notices.iter().all(|notice| matches!(
        notice,
        MemberNotice::Token(refresh::RefreshNotice::RefreshFailed { .. })
    )));
    assert_eq!(world.outcome(1), None, "a gateway may recover: the caller waits");
}

#[test]
fn a_changed_secret_that_is_wrong_is_tried_three_times_at_once_and_slowly_after_that() {
    let mut world = World::new(DEFAULT, accepts(&["old"])).with(&["old"]);
    world.pass(Duration::from_mins(1));
    world.configure(&["wrong", "old"]);
    world.pass(Duration::from_secs(8));
    assert_eq!(world.secrets_tried(), ["old", "wrong", "wrong", "wrong"]);
    assert_eq!(world.serial(), Some(1), "it changes nothing");
    world.pass(HOUR);
    assert_eq!(world.secret_in_use(), Some("old"));
    let wrong = world.secrets_tried().iter().filter(|secret| **secret == "wrong").count();
    assert!(wrong < 20, "it is tried {wrong} times in an hour");
}

#[test]
fn a_credential_that_appears_during_a_refresh_is_tried_before_anyone_is_refused() {
    let mut world = World::new(DEFAULT, accepts(&["new"])).with(&["old"]);
    world.want(1);
    world.configure(&["old", "new"]);
    world.pass(Duration::from_millis(200));
    assert_eq!(world.secrets_tried(), ["old", "new"]);
    assert_eq!(world.outcome(1), Some(&Ok(())));
}

#[test]
fn a_credential_that_went_away_during_a_refresh_is_not_presented_any_more() {
    let mut world = World::new(DEFAULT, accepts(&["three"])).with(&["one", "two", "three"]);
    world.configure(&["one", "three"]);
    world.pass(Duration::from_millis(200));
    assert_eq!(world.secrets_tried(), ["one", "three"]);
}

#[test]
fn a_changed_secret_that_met_an_outage_is_tried_again_before_the_next_refresh() {
    let outage = 1_060_000..1_090_000;
    let endpoint = move |_: &Credential, now: Timestamp| {
        let millis = u64::try_from(now.since(Timestamp::default()).as_millis()).unwrap();
        if outage.contains(&millis) { transient() } else { granted(HOUR) }
    };
    let mut world = World::new(DEFAULT, endpoint).with(&["old"]);
    world.pass(Duration::from_mins(1));
    world.configure(&["new", "old"]);
    world.pass(Duration::from_mins(2));
    assert!(world.secrets_tried()[1..].iter().all(|secret| *secret == "new"));
    assert_eq!(world.secret_in_use(), Some("new"));
    assert!(world.script.fetches.len() < 9, "{} fetches", world.script.fetches.len());
    assert!(world.member().refresh().last_failure().is_none());
}

#[test]
fn a_secret_that_changes_during_the_first_refresh_is_tried_right_after_it() {
    let mut world = World::new(DEFAULT, accepts(&["old", "new"])).with(&["old"]);
    world.configure(&["new"]);
    world.pass(Duration::from_secs(3));
    assert_eq!(world.secrets_tried(), ["old", "new"]);
    assert_eq!(world.secret_in_use(), Some("new"));
}

#[test]
fn a_fallback_that_was_there_from_the_start_waits_until_it_is_needed() {
    let mut world = World::new(DEFAULT, accepts(&["one"])).with(&["one", "standby"]);
    world.pass(HOUR);
    assert_eq!(world.secrets_tried(), ["one", "one"]);
}

#[test]
fn a_new_secret_rejected_while_it_propagates_is_tried_again() {
    let known_from = Timestamp::from_millis(1_000_000 + 65_000);
    let endpoint =
        move |credential: &Credential, now: Timestamp| match credential.client_secret.expose() {
            "new" if now < known_from => rejected(),
            _ => granted(HOUR),
        };
    let policy = Policy { propagation: Duration::from_secs(10), ..DEFAULT };
    let mut world = World::new(policy, endpoint).with(&["old"]);
    world.pass(Duration::from_mins(1));
    world.configure(&["new", "old"]);
    world.pass(Duration::from_secs(30));
    assert_eq!(world.secrets_tried(), ["old", "new", "new", "new"]);
    assert_eq!(world.secret_in_use(), Some("new"));
    assert!(
        !world
            .script
            .notices
            .iter()
            .any(|notice| matches!(notice, MemberNotice::CredentialRejected { .. }))
    );
}

#[test]
fn a_secret_that_was_accepted_and_changes_before_its_id_is_known_stays_a_fallback() {
    let mut world = World::new(DEFAULT, accepts(&["old", "new"]));
    world.script.derives_ids = false;
    world.configure(&["old"]);
    world.pass(SECOND / 10);
    assert_eq!(world.secret_in_use(), Some("old"), "nobody waits for the id");
    world.configure(&["new"]);
    world.derive_ids();
    assert_eq!(world.secrets_tried(), ["old", "new"], "its answer is known");
    world.pass(SECOND);
    assert_eq!(world.secret_in_use(), Some("new"));
    let record = world.member().record().unwrap();
    let (old, new) = (record.overlap().unwrap().previous, record.active);
    assert_ne!(old, new);
}

#[test]
fn a_credential_that_is_accepted_again_serves_the_token_that_says_so() {
    let endpoint = script(vec![granted(HOUR), rejected()]);
    let mut world = World::new(DEFAULT, endpoint).with(&["one"]);
    world.pass(Duration::from_mins(51));
    assert_eq!(world.serial(), Some(2));
    assert_eq!(world.script.fetches.len(), 3, "one was rejected, and one more was enough");
}
