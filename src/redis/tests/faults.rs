//! What a server may do to a store, and what members are told of it.

use std::collections::BTreeMap;

use redis::{RedisConnectionInfo, Value};

use super::{Harness, Shared, Timed, harness};
use crate::clock::{Clock, StoreTime, SystemClock};
use crate::rotation::{Barrier, MemberId, MemberTable, Missing, Refused};
use crate::store::contract::client::Client;
use crate::store::contract::samples::*;
use crate::store::{Hints, Lease, Operation, Store, Unavailable};

impl Shared {
    /// Sends a command to the server as somebody else might.
    pub(super) fn command(&self, words: &[&str]) -> Value {
        self.run(self.server.tell(words)).expect("a command that it takes")
    }

    /// Lets a user in, with these rights alone.
    pub(super) fn allow(&self, user: &str, rights: &str) {
        let rules = ["ACL", "SETUSER", user, "reset", "resetchannels", "on", ">secret"];
        self.command(&rules.into_iter().chain(rights.split(' ')).collect::<Vec<_>>());
    }

    /// A client that logs in as this user.
    fn client_of(&self, user: &str) -> Result<Client<'_, Self>, Unavailable> {
        let login = RedisConnectionInfo::default().set_username(user).set_password("secret");
        let server = crate::redis::Server { login, ..self.server.login() };
        let store = self.store(&server, "genesys")?;
        Ok(Client { harness: self, store: Timed { store, clock: self.clock.clone() } })
    }

    /// How often the server has performed which command, those of the script included.
    fn commands(&self) -> BTreeMap<String, u64> {
        let info = self.command(&["INFO", "commandstats"]);
        let info: String = redis::from_redis_value(info).expect("a text");
        let lines = info.lines().filter_map(|line| line.strip_prefix("cmdstat_"));
        let calls = lines.filter_map(|line| {
            let (name, figures) = line.split_once(":calls=")?;
            Some((name.to_owned(), figures.split_once(',')?.0.parse().ok()?))
        });
        calls.collect()
    }
}

pub(super) fn key(name: &str) -> String {
    format!("{{oauth-rotor:genesys}}:{name}")
}

/// Why an operation had no reply.
fn why(client: &Client<'_, Shared>, operation: &Operation) -> String {
    let outcome: Result<_, Unavailable> = client.harness.run(client.store.perform(operation));
    outcome.expect_err("it cannot be performed").reason
}

fn write(client: &Client<'_, Shared>) -> Operation {
    Operation::Write(Box::new(next(&client.record()).0), None)
}

#[test]
fn a_full_server_changes_nothing_and_lets_everything_be_read() {
    let harness = harness();
    let client = harness.client();
    client.start();
    let before = client.load();
    harness.command(&["CONFIG", "SET", "maxmemory", "1"]);
    assert!(why(&client, &write(&client)).contains("OOM"));
    let token = client.refresh("second");
    assert!(why(&client, &Operation::PutToken(token)).contains("OOM"));
    assert_eq!(client.load(), before);
    harness.command(&["CONFIG", "SET", "maxmemory", "0"]);
    client.touch();
}

#[test]
fn a_primary_that_has_become_a_replica_lets_everything_be_read() {
    let harness = harness();
    let client = harness.client();
    client.start();
    let before = client.load();
    harness.command(&["REPLICAOF", "127.0.0.1", "1"]);
    let write = write(&client);
    assert!(why(&client, &write).contains("read only replica"));
    harness.until_it_succeeds(async || client.store.perform(&Operation::Load(None)).await);
    assert_eq!(client.load(), before);
    harness.command(&["REPLICAOF", "NO", "ONE"]);
    harness.until_it_succeeds(async || client.store.perform(&write).await);
}

#[test]
fn a_script_that_is_stopped_half_way_hands_nothing_out() {
    let harness = harness();
    let client = harness.client();
    client.start();
    client.put_token(&client.refresh("second")).expect("a refresh");
    harness.allow("half", "+@all ~* &*");
    let half = harness.client_of("half").expect("it may do everything");
    // The token is written by then, and the record not yet.
    harness.command(&["ACL", "SETUSER", "half", "-pexpire"]);

    let refresh = client.refresh("third");
    let reason = why(&half, &Operation::PutToken(refresh.clone()));
    let is_denied =
        ["can't run this command", "no permissions to run"].map(|it| reason.contains(it));
    assert_ne!(is_denied, [false; 2], "{reason}");
    let stored = client.load();
    assert_eq!((stored.token, stored.serial), (None, 2), "neither token is the record's");
    assert_eq!(client.put_token(&refresh), Ok(3));
    assert_eq!(client.token().as_deref(), Some("third"));
}

/// What a user needs, and nothing else.
pub(super) const RIGHTS: &str = "~{oauth-rotor:*}:* &{oauth-rotor:*}:events +evalsha +script|load +time \
    +hset +hsetnx +hget +hmget +hgetall +hlen +hdel +pexpire +del \
    +zadd +zcard +zcount +zlexcount +zrange +zrangebylex +zrangebyscore +zscore +zrem \
    +publish +subscribe +ping";

#[test]
fn a_user_needs_no_more_than_is_documented() {
    let harness = harness();
    harness.allow("member", RIGHTS);
    harness.command(&["SCRIPT", "FLUSH"]);
    let client = harness.client_of("member").expect("it may do what it needs");
    let mut hints = client.subscribe();
    let version = client.start().version;
    client.beat(1, Some(version), &[OLD]);
    client.promote("second");
    client.pass(2 * MemberTable::TTL);
    client.members();
    client.acquire(1);
    client.reject(NEW, None);
    client.cool_down(SECOND);
    client.invalidate("second");
    client.leave(1);
    assert_eq!(harness.run(hints.next()).expect("a subscription that lasts").epoch, 1);
}

#[test]
fn a_user_without_a_right_is_told_which() {
    let harness = harness();
    let rights = RIGHTS.split(' ').filter(|it| it.starts_with('+'));
    let beside = ["+evalsha", "+script|load", "+subscribe", "+ping"];
    for right in rights.filter(|right| !beside.contains(right)) {
        harness.allow("member", &format!("{RIGHTS} -{}", &right[1..]));
        let denied = harness.client_of("member").err().expect("something is denied");
        assert_eq!(denied.reason, format!("the user may not run {}", right[1..].to_uppercase()));
    }
    harness.allow("member", &RIGHTS.replace("&{oauth-rotor:*}:events ", ""));
    let denied = harness.client_of("member").err().expect("something is denied");
    assert_eq!(denied.reason, "the user may not run PUBLISH");
    harness.allow("member", &RIGHTS.replace("~{oauth-rotor:*}:* ", ""));
    let denied = harness.client_of("member").err().expect("something is denied");
    assert!(denied.reason.contains("ermissions to access"), "{denied:?}");
    harness.allow("member", &RIGHTS.replace("+evalsha ", ""));
    let denied = harness.client_of("member").err().expect("something is denied");
    assert!(denied.reason.contains("'evalsha'"), "{denied:?}");
}

#[test]
fn a_member_table_of_which_a_part_was_evicted_begins_anew() {
    for part in ["live", "acks", "holds", "rows"] {
        let harness = harness();
        let client = harness.client();
        let version = client.start().version;
        client.pass(MemberTable::TTL);
        client.beat(1, Some(version), &[OLD]);
        client.beat(2, None, &[]);
        harness.command(&["DEL", &key(part)]);
        client.beat(1, Some(version), &[OLD]);
        let census = client.load().census.expect("a fleet");
        assert_eq!((census.live(), census.is_complete(client.now())), (1, false), "{part}");
        let writer = Some(MemberId(1));
        let barrier = Barrier { epoch: 1, credential: OLD, is_sealed: false, writer };
        let (mut blocked, _) = next(&client.record());
        blocked.barrier = Some(barrier);
        let young = Missing { table: true, ..Missing::default() };
        assert_eq!(client.write(&blocked, None), Err(Refused::Barrier(young)), "{part}");
    }
}

#[test]
fn a_token_outlives_no_record() {
    let harness = harness();
    let client = harness.client();
    client.start();
    client.beat(1, None, &[OLD]);
    harness.command(&["DEL", &key("fleet")]);
    let stored = client.load();
    assert_eq!((stored.record, stored.token, stored.serial), (None, None, 0));
    assert_eq!(stored.census.expect("a fleet").live(), 0, "nor does the member table");
    client.start();
    assert_eq!(client.token().as_deref(), Some("first"));
}

#[test]
fn what_no_member_has_written_is_named() {
    let harness = harness();
    let client = harness.client();
    client.start();
    let spoil = |name: &str, value: &str, expected: &str| {
        let stored = harness.command(&["HGET", &key("fleet"), name]);
        let stored: String = redis::from_redis_value(stored).expect("a field");
        harness.command(&["HSET", &key("fleet"), name, value]);
        assert_eq!(why(&client, &Operation::Load(None)), expected);
        harness.command(&["HSET", &key("fleet"), name, &stored]);
        client.load();
    };
    spoil("body", "{", "the record has an unknown form");
    spoil("body", "{}", "the record has an unknown form");
    spoil("epoch", "9", "the record has an unknown form");
    spoil("nonce", "-1", "the version has an unknown form");
    spoil("schema", "2", "the record has the form 2 of a later version of oauth-rotor");
    spoil("serial", "one", "the serial has an unknown form");
    harness.command(&["HSET", &key("token"), "credential", "nobody"]);
    assert_eq!(why(&client, &Operation::Load(None)), "the token has an unknown form");
    harness.command(&["DEL", &key("token")]);
    harness.command(&["SET", &key("token"), "text"]);
    assert!(why(&client, &Operation::Load(None)).contains("WRONGTYPE"));
}

#[test]
fn a_server_that_has_lost_the_script_is_given_it_again() {
    let harness = harness();
    let client = harness.client();
    client.start();
    harness.command(&["SCRIPT", "FLUSH"]);
    client.touch();
}

#[test]
fn a_lease_that_would_last_too_long_is_none() {
    let harness = harness();
    let client = harness.client();
    let until = (harness.clock.now() + HOUR).millis().to_string();
    harness.command(&["HSET", &key("fleet"), "lease", "9", "leaseUntil", &until]);
    assert!(matches!(client.acquire(5), Lease::Acquired { .. }));
    assert!(!client.renew(9));
}

#[test]
fn a_clock_that_goes_back_a_little_takes_no_lease_away() {
    let harness = harness();
    let client = harness.client();
    assert!(matches!(client.acquire(5), Lease::Acquired { .. }));
    harness.clock.go_back(SECOND);
    assert!(matches!(client.acquire(6), Lease::Held { .. }));
    assert!(client.renew(5));
}

#[test]
fn rejections_that_are_over_are_deleted_while_others_go_on() {
    let harness = harness();
    let client = harness.client();
    client.reject(NEW, None);
    for _ in 0..11 {
        harness.advance(60 * SECOND);
        client.reject(OLD, None);
    }
    let rows: u64 = redis::from_redis_value(harness.command(&["HLEN", &key("rejected")])).unwrap();
    assert_eq!(rows, 1);
}

#[test]
fn a_pause_that_would_last_too_long_is_cut_short() {
    let harness = harness();
    let client = harness.client();
    for foreign in [(harness.clock.now() + HOUR).millis().to_string(), "9".repeat(40)] {
        harness.command(&["HSET", &key("fleet"), "coolDown", &foreign]);
        let pause = client.load().cool_down.expect("a pause").since(harness.clock.now());
        assert_eq!(pause, 180 * SECOND);
    }
    harness.command(&["HSET", &key("fleet"), "coolDown", "later"]);
    assert_eq!(client.load().cool_down, None);
}

#[test]
fn what_is_no_time_is_long_over() {
    let harness = harness();
    let client = harness.client();
    let version = client.start().version;
    for field in ["used", "since", "leaseUntil", "coolDown"] {
        client.acquire(5);
        harness.command(&["HSET", &key("fleet"), field, "never"]);
        client.beat(1, Some(version), &[OLD]);
        client.load();
        assert!(matches!(client.acquire(6), Lease::Acquired { .. } | Lease::Held { .. }));
        client.release(6);
    }
}

#[test]
fn nobody_is_relied_upon_while_members_cannot_say_that_they_live() {
    let harness = harness();
    let client = harness.client();
    let version = client.start().version;
    client.pass(MemberTable::TTL);
    client.beat(1, Some(version), &[OLD]);
    harness.command(&["CONFIG", "SET", "maxmemory", "1"]);
    harness.advance(HOUR);
    let stored = client.load();
    let census = stored.census.expect("a fleet");
    assert_eq!((census.live(), census.is_complete(stored.now)), (0, false));
    assert!(client.members().rows.is_empty());
    harness.command(&["DEL", &key("acks")]);
    client.load();
}

#[test]
fn whoever_is_far_behind_counts_as_having_read_nothing() {
    let harness = harness();
    let client = harness.client();
    client.start();
    for member in 1..=20 {
        let version = client.touch().version;
        client.beat(member, Some(version), &[]);
    }
    let acks = client.load().census.expect("a fleet").acks;
    let latest = (6..=21).map(|epoch| (epoch, 1));
    assert_eq!(acks, std::iter::once((0, 4)).chain(latest).collect());
}

#[test]
fn a_subscription_that_is_lost_says_so() {
    let harness = harness();
    let client = harness.client();
    let mut hints = client.subscribe();
    harness.command(&["CLIENT", "KILL", "TYPE", "pubsub"]);
    let lost = harness.run(hints.next()).expect_err("it was ended");
    assert_eq!(lost.reason, "the subscription has ended");
}

#[test]
fn a_server_tells_its_own_time() {
    let harness = harness();
    let store = harness.store(&harness.server.login(), "genesys").expect("a server that runs");
    let clock = SystemClock::new();
    let now = || {
        let millis = clock.utc_millis(clock.now());
        StoreTime::from_millis(millis.try_into().expect("a time after 1970"))
    };
    // The clocks of one machine differ by what is lost when they are rounded.
    let before = now() - SECOND;
    let reply = harness.run(store.perform(&Operation::Load(None))).expect("a reply");
    let told = reply.now().expect("its time");
    assert!(before <= told && told <= now() + SECOND, "{before:?} {told:?}");
}

#[test]
fn two_logical_clients_share_nothing() {
    let harness = harness();
    let client = harness.client();
    client.start();
    let other = harness.store(&harness.server.login(), "other").expect("a server that runs");
    let reply = harness.run(other.perform(&Operation::Load(None))).expect("a reply");
    let crate::store::Reply::Loaded(stored) = reply else { panic!("{reply:?}") };
    assert_eq!((stored.record, stored.token), (None, None));
}

#[test]
fn a_beat_costs_a_server_the_same_with_any_number_of_members() {
    let harness = harness();
    let client = harness.client();
    let version = client.start().version;
    let cost = |members: std::ops::Range<u64>| {
        members.for_each(|member| drop(client.beat(member, Some(version), &[OLD])));
        let before = harness.commands();
        client.beat(1, Some(version), &[OLD]);
        let after = harness.commands();
        let spent = |(name, calls): (&String, &u64)| {
            (name.clone(), calls - before.get(name).copied().unwrap_or_default())
        };
        let spent = after.iter().map(spent).filter(|(_, calls)| *calls > 0);
        spent.collect::<BTreeMap<_, _>>()
    };
    let (few, many) = (cost(0..2), cost(2..1000));
    assert_eq!(few, many);
    // Nothing is read whole but the rejections, of which there are few.
    assert_eq!(many.get("hgetall"), Some(&1));
    // One epoch, and the end.
    assert_eq!(many.get("zrange"), Some(&2));
}
