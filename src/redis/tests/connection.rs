//! Connections survive what servers go through.

use std::time::Duration;

use redis::RedisConnectionInfo;
use tokio::runtime::Builder;

use super::faults::{RIGHTS, key};
use super::{Shared, harness};
use crate::clock::{Clock, SystemClock};
use crate::redis::patience::within;
use crate::redis::{RedisStore, Server};
use crate::rotation::TokenChange;
use crate::store::contract::Harness;
use crate::store::contract::samples::{first_record, followed_by};
use crate::store::{Hints, Operation, Reply, Store, Unavailable};

const LOAD: Operation = Operation::Load(None);

impl Shared {
    fn plain_store(&self) -> RedisStore {
        self.store(&self.server.login(), "genesys").expect("a server that runs")
    }

    /// Repeats something until it comes to this; it takes as long as it has to.
    pub(super) fn eventually<T>(&self, attempt: impl AsyncFn() -> Option<T>) -> T {
        let clock = SystemClock::new();
        self.run(async {
            loop {
                if let Some(outcome) = attempt().await {
                    return outcome;
                }
                clock.sleep_until(clock.now() + Duration::from_millis(5)).await;
            }
        })
    }

    /// Repeats an attempt until it succeeds.
    pub(super) fn until_it_succeeds<T>(
        &self,
        attempt: impl AsyncFn() -> Result<T, Unavailable>,
    ) -> T {
        self.eventually(async || attempt().await.ok())
    }

    /// Repeats an attempt until it fails for this reason.
    pub(super) fn until_it_says<T>(
        &self,
        said: &str,
        attempt: impl AsyncFn() -> Result<T, Unavailable>,
    ) {
        self.eventually(async || {
            attempt().await.err().filter(|error| error.reason.contains(said)).map(drop)
        });
    }

    fn login_as(&self, user: &str) -> Server {
        let login = RedisConnectionInfo::default().set_username(user).set_password("secret");
        Server { login, ..self.server.login() }
    }

    /// The connections that somebody has to the server, beside the one that asks.
    async fn ids(&self) -> Vec<String> {
        let list = self.server.tell(&["CLIENT", "LIST"]).await.expect("a server that runs");
        let list: String = redis::from_redis_value(list).expect("a text");
        let others = list.lines().filter(|line| !line.contains("cmd=client"));
        others.filter_map(|line| line.split(' ').next()).map(str::to_owned).collect()
    }

    /// How many connections somebody has to the server, beside the one that asks.
    async fn connections(&self) -> usize {
        let opened = self.server.login().connect(0, &SystemClock::new()).await;
        let (mut connection, _) = opened.expect("a server that runs");
        let list: String =
            redis::cmd("CLIENT").arg("LIST").query_async(&mut connection).await.expect("a text");
        list.lines().count() - 1
    }
}

fn reason<T: std::fmt::Debug>(outcome: Result<T, Unavailable>) -> String {
    outcome.expect_err("it cannot be performed").reason
}

#[test]
fn a_connection_that_was_ended_is_opened_again() {
    let harness = harness();
    let store = harness.plain_store();
    harness.command(&["CLIENT", "KILL", "TYPE", "normal", "SKIPME", "yes"]);
    reason(harness.run(store.perform(&LOAD)));
    harness.until_it_succeeds(async || store.perform(&LOAD).await);
}

#[test]
fn a_server_that_dies_is_reported_at_once_and_found_again() {
    let mut harness = harness();
    let store = harness.plain_store();
    harness.server.kill();
    reason(harness.run(store.perform(&LOAD)));
    harness.until_it_says("refused", async || store.perform(&LOAD).await);
    harness.server.restart();
    harness.until_it_succeeds(async || store.perform(&LOAD).await);
}

#[test]
fn a_frozen_server_costs_one_command_its_patience_and_is_found_again() {
    let harness = harness();
    let store = harness.plain_store();
    harness.server.freeze();
    let clock = SystemClock::new();
    let began = clock.now();
    assert_eq!(reason(harness.run(store.perform(&LOAD))), "it did not answer in time");
    let first = clock.now().since(began);
    // From now on nobody waits.
    for _ in 0..100 {
        assert_eq!(reason(harness.run(store.perform(&LOAD))), "it did not answer in time");
    }
    assert!(clock.now().since(began) < 2 * first);
    harness.server.thaw();
    harness.until_it_succeeds(async || store.perform(&LOAD).await);
}

#[test]
fn callers_that_give_up_early_have_a_frozen_server_doubted_all_the_same() {
    let harness = harness();
    let store = harness.plain_store();
    harness.server.freeze();
    let clock = SystemClock::new();
    let patience = Duration::from_millis(100);
    // Whoever gives up meanwhile waits less, in the end not at all.
    harness.eventually(async || {
        let begun = clock.now();
        let outcome = within(&clock, patience, store.perform(&LOAD)).await;
        outcome.filter(|_| clock.now().since(begun) < patience).map(reason)
    });
    harness.server.thaw();
    harness.until_it_succeeds(async || store.perform(&LOAD).await);
}

#[test]
fn a_server_that_is_slow_for_long_keeps_its_connection() {
    let harness = harness();
    let store = harness.plain_store();
    let before = harness.run(harness.ids());
    harness.command(&["CLIENT", "PAUSE", "1500", "ALL"]);
    assert_eq!(reason(harness.run(store.perform(&LOAD))), "it did not answer in time");
    harness.until_it_succeeds(async || store.perform(&LOAD).await);
    assert_eq!(harness.run(harness.ids()), before, "it has replied to a ping");
}

#[test]
fn a_server_that_was_demoted_is_left_and_found_again() {
    let harness = harness();
    let store = harness.plain_store();
    let write = followed_by(None, first_record());
    assert_eq!(write.token, TokenChange::Keep);
    let write = Operation::Write(Box::new(write), None);
    let before = harness.run(harness.ids());
    harness.command(&["REPLICAOF", "127.0.0.1", "1"]);
    let why = reason(harness.run(store.perform(&write)));
    assert!(why.contains("read only replica"), "{why}");
    harness.until_it_succeeds(async || store.perform(&LOAD).await);
    assert_ne!(harness.run(harness.ids()), before, "it may be another server by now");
    harness.command(&["REPLICAOF", "NO", "ONE"]);
    let reply = harness.until_it_succeeds(async || store.perform(&write).await);
    assert!(matches!(reply, Reply::Written(_)), "{reply:?}");
}

#[test]
fn a_password_that_was_wrong_for_a_while_does_no_lasting_harm() {
    let harness = harness();
    harness.allow("member", RIGHTS);
    let store = harness.store(&harness.login_as("member"), "genesys").expect("it may log in");
    harness.command(&["ACL", "SETUSER", "member", "resetpass", ">another"]);
    harness.command(&["CLIENT", "KILL", "USER", "member"]);
    harness.until_it_says("AuthenticationFailed", async || store.perform(&LOAD).await);
    harness.command(&["ACL", "SETUSER", "member", "resetpass", ">secret"]);
    harness.until_it_succeeds(async || store.perform(&LOAD).await);
}

#[test]
fn a_subscription_that_is_refused_after_a_reconnect_is_told_and_tried_again() {
    let harness = harness();
    harness.allow("member", RIGHTS);
    let store = harness.store(&harness.login_as("member"), "genesys").expect("it may log in");
    let mut hints = harness.run(store.subscribe()).expect("a subscription");
    harness.allow("member", &RIGHTS.replace("&{oauth-rotor:*}:events ", ""));
    harness.command(&["CLIENT", "KILL", "TYPE", "pubsub"]);
    assert_eq!(reason(harness.run(hints.next())), "the subscription has ended");
    harness.until_it_says("ermission", async || store.subscribe().await);
    harness.allow("member", RIGHTS);
    let mut hints = harness.until_it_succeeds(async || store.subscribe().await);
    let write = Operation::Write(Box::new(followed_by(None, first_record())), None);
    harness.until_it_succeeds(async || store.perform(&write).await);
    assert_eq!(harness.run(hints.next()).expect("a hint").epoch, 1);
}

#[test]
fn a_channel_that_may_not_be_listened_to_leaves_the_others_alone() {
    let harness = harness();
    harness.allow(
        "member",
        &RIGHTS.replace("&{oauth-rotor:*}:events", &format!("&{}", key("events"))),
    );
    let store = harness.store(&harness.login_as("member"), "genesys").expect("it may log in");
    let mut hints = harness.run(store.subscribe()).expect("a subscription");
    let other = RedisStore::new(
        store.connections().clone(),
        crate::redis::Keys::new("oauth-rotor", "other"),
    );
    for _ in 0..3 {
        assert!(reason(harness.run(other.subscribe()).map(drop)).contains("ermission"));
    }
    let write = Operation::Write(Box::new(followed_by(None, first_record())), None);
    harness.run(store.perform(&write)).expect("a server that runs");
    assert_eq!(harness.run(hints.next()).expect("a hint").epoch, 1);
}

#[test]
fn all_stores_on_a_server_share_two_connections() {
    let harness = harness();
    let store = harness.plain_store();
    let other = RedisStore::new(store.connections().clone(), crate::redis::Keys::new("a", "b"));
    for store in [&store, &other] {
        harness.run(store.perform(&LOAD)).expect("a server that runs");
    }
    let hints = [&store, &other].map(|store| harness.run(store.subscribe()).expect("it listens"));
    assert_eq!(harness.run(harness.connections()), 2);
    drop((hints, store, other));
    // The server hears of the end a moment later.
    harness.eventually(async || (harness.connections().await == 0).then_some(()));
}

#[test]
fn who_listens_later_hears_nothing_of_before() {
    let harness = harness();
    let store = harness.plain_store();
    let mut early = harness.run(store.subscribe()).expect("a subscription");
    // Somebody who does not have this process read what it is sent.
    let other = Builder::new_current_thread().enable_all().build().expect("a runtime");
    let say = |hint: &str| {
        let said = other.block_on(harness.server.tell(&["PUBLISH", &key("events"), hint]));
        said.expect("a command that it takes");
    };
    say("1 0 0");
    let mut late = harness.run(store.subscribe()).expect("a subscription");
    say("2 0 0");
    assert_eq!(harness.run(late.next()).expect("a hint").epoch, 2);
    let heard = [(); 2].map(|()| harness.run(early.next()).expect("a hint").epoch);
    assert_eq!(heard, [1, 2]);
}

#[test]
fn what_others_say_on_the_channel_is_no_hint() {
    let harness = harness();
    let store = harness.plain_store();
    let mut hints = harness.run(store.subscribe()).expect("a subscription");
    for said in ["", "hello", "1 2", "-1 0 1", "1 2 1"] {
        harness.command(&["PUBLISH", &key("events"), said]);
    }
    let hint = harness.run(hints.next()).expect("the last one");
    assert_eq!((hint.epoch, hint.serial, hint.has_token), (1, 2, true));
}
