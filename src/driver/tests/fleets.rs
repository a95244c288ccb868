//! Processes that share a store: each has a driver of its own, and Redis is a real one.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use redis::Value as Reply;
use serde_json::json;
use tokio::runtime::{Builder, Runtime};

use super::*;
use crate::driver::shared::SharedStore;
use crate::driver::stores::Stores;
use crate::member::MemberEvent;
use crate::redis::Address;
use crate::redis::tests::server::TestServer;
use crate::store::Hint;

/// An endpoint that counts what it grants, each time another token.
struct Endpoint {
    server: Server,
    grants: Arc<AtomicUsize>,
}

impl Endpoint {
    fn start() -> Self {
        let grants = Arc::new(AtomicUsize::new(0));
        let counted = Arc::clone(&grants);
        let server = Server::start(move |stream| {
            loop {
                // A request that never comes is not counted.
                let mut first = [0];
                if !matches!(stream.peek(&mut first), Ok(1)) {
                    return;
                }
                let number = counted.fetch_add(1, Ordering::SeqCst) + 1;
                let body = format!(r#"{{"access_token":"token-{number}","expires_in":3600}}"#);
                if !answer(&stream, (200, &body)) {
                    return;
                }
            }
        });
        Self { server, grants }
    }

    fn grants(&self) -> usize {
        self.grants.load(Ordering::SeqCst)
    }
}

/// Where the processes of a test meet.
struct Fleet {
    redis: TestServer,
    endpoint: Endpoint,
}

impl Fleet {
    fn new() -> Self {
        Self { redis: TestServer::start(), endpoint: Endpoint::start() }
    }

    /// A process begins: a driver, and a manager of the one name.
    fn begin(&self) -> Handle {
        Handle::open(&driver(), &self.endpoint.server, |form| {
            form["name"] = json!("genesys");
            form["store"] = self.store(&json!({}));
        })
    }

    fn store(&self, login: &Value) -> Value {
        let Address::Unix(path) = self.redis.address() else { panic!("it has a socket") };
        let topology = json!({ "standalone": { "unix": path } });
        json!({ "prefix": "oauth-rotor", "redis": { "topology": topology, "login": login } })
    }

    fn tell(&self, words: &[&str]) -> Reply {
        runtime().block_on(self.redis.tell(words)).expect("it replies")
    }

    /// Another process gets a token of the others.
    fn is_joined(&self, others: [&Handle; 2]) {
        let is_shared = || self.tell(&["EXISTS", "{oauth-rotor:genesys}:token"]) == Reply::Int(1);
        await_that("a shared token", is_shared);
        let third = self.begin();
        third.wait().expect("a token");
        assert!(others.map(token).contains(&token(&third)));
        assert_eq!(self.endpoint.grants(), 2);
    }

    /// How many members are listed.
    fn members(&self) -> Reply {
        self.tell(&["ZCARD", "{oauth-rotor:genesys}:live"])
    }
}

fn token(process: &Handle) -> Option<String> {
    process.manager().token().map(|(token, _)| token)
}

/// Between two looks.
const PAUSE: Duration = Duration::from_millis(5);

/// Looks again and again; what never comes is a failure.
fn await_that(what: &str, is_so: impl Fn() -> bool) {
    let clock = SystemClock::new();
    let end = clock.now() + PATIENCE;
    while !is_so() {
        assert!(clock.now() < end, "{what} never comes");
        runtime().block_on(async { clock.sleep_until(clock.now() + PAUSE).await });
    }
}

fn runtime() -> Runtime {
    Builder::new_current_thread().enable_all().build().expect("a runtime")
}

#[test]
fn processes_that_start_together_ask_for_one_token() {
    let fleet = Fleet::new();
    let processes: Vec<_> = (0..5).map(|_| fleet.begin()).collect();
    for process in &processes {
        process.wait().expect("a token");
        assert_eq!(token(process).as_deref(), Some("token-1"));
    }
    assert_eq!(fleet.endpoint.grants(), 1);
    await_that("five members", || fleet.members() == Reply::Int(5));
}

#[test]
fn a_token_that_one_process_has_dropped_is_replaced_once_for_all() {
    let fleet = Fleet::new();
    let processes: Vec<_> = (0..3).map(|_| fleet.begin()).collect();
    for process in &processes {
        process.wait().expect("a token");
    }
    assert!(processes[0].manager().invalidate("token-1"));
    await_that("another token", || {
        processes.iter().all(|process| token(process).as_deref() == Some("token-2"))
    });
    assert_eq!(fleet.endpoint.grants(), 2);
}

#[test]
fn whoever_closes_its_last_handle_leaves_the_table_at_once() {
    let fleet = Fleet::new();
    let (first, second) = (fleet.begin(), fleet.begin());
    for process in [&first, &second] {
        process.wait().expect("a token");
    }
    assert_eq!(fleet.members(), Reply::Int(2));
    first.driver.close(first.id);
    await_that("one member", || fleet.members() == Reply::Int(1));
    second.driver.close(second.id);
    await_that("no member", || fleet.members() == Reply::Int(0));
}

#[test]
fn without_the_store_each_process_goes_on_alone_and_afterwards_they_share_again() {
    let mut fleet = Fleet::new();
    let first = fleet.begin();
    first.wait().expect("a token");
    fleet.redis.kill();
    let second = fleet.begin();
    second.wait().expect("a token of its own");
    assert_eq!(token(&first).as_deref(), Some("token-1"));
    assert_eq!(token(&second).as_deref(), Some("token-2"));
    fleet.redis.restart();
    fleet.is_joined([&first, &second]);
}

#[test]
fn a_store_that_hangs_keeps_nobody_from_a_token() {
    let fleet = Fleet::new();
    let first = fleet.begin();
    first.wait().expect("a token");
    fleet.redis.freeze();
    let second = fleet.begin();
    second.wait().expect("a token of its own");
    assert_eq!(token(&first).as_deref(), Some("token-1"));
    fleet.redis.thaw();
    fleet.is_joined([&first, &second]);
}

#[test]
fn a_task_that_takes_the_place_of_a_dead_one_is_the_same_member() {
    let fleet = Fleet::new();
    let (first, second) = (fleet.begin(), fleet.begin());
    for process in [&first, &second] {
        process.wait().expect("a token");
    }
    first.manager().panic();
    assert!(second.manager().invalidate("token-1"));
    await_that("the next token", || {
        [&first, &second].iter().all(|process| token(process).as_deref() == Some("token-2"))
    });
    assert_eq!(fleet.endpoint.grants(), 2);
    await_that("two members", || fleet.members() == Reply::Int(2));
}

#[test]
fn whoever_listens_hears_what_is_announced_and_listens_again_to_a_server_that_was_away() {
    let mut fleet = Fleet::new();
    let settings = serde_json::from_value(fleet.store(&json!({}))).expect("a whole form");
    let clock: Arc<dyn Clock> = Arc::new(SystemClock::new());
    let runtime = runtime();
    let mut shared = runtime.block_on(async {
        SharedStore::new(Stores::default().open(&settings, "genesys", &clock), Arc::clone(&clock))
    });
    let (pause, channel) = (PAUSE, "{oauth-rotor:genesys}:events");
    for serial in [1, 2] {
        // Nobody may listen yet: then nobody is counted.
        let end = clock.now() + PATIENCE;
        while fleet.tell(&["PUBLISH", channel, &format!("3 {serial} 1")]) == Reply::Int(0) {
            assert!(clock.now() < end, "nobody listens");
            runtime.block_on(async { clock.sleep_until(clock.now() + pause).await });
        }
        let heard = runtime.block_on(shared.next());
        let hint = Hint { epoch: 3, serial, has_token: true };
        assert!(matches!(heard, MemberEvent::Hinted(it) if it == hint), "{heard:?}");
        fleet.redis.kill();
        fleet.redis.restart();
    }
}

#[test]
fn the_password_of_the_store_is_not_shown_where_an_endpoint_repeats_it() {
    let fleet = Fleet::new();
    let body = r#"{"error":"invalid_client","error_description":"not hunter-of-redis"}"#;
    let server = Server::start(move |stream| while answer(&stream, (400, body)) {});
    let process = Handle::open(&driver(), &server, |form| {
        form["name"] = json!("genesys");
        form["store"] = fleet.store(&json!({ "password": "hunter-of-redis" }));
        // Without its store it waits as long for a secret that is accepted.
        form["policy"]["acquireTimeoutMs"] = json!(1000);
    });
    let error = process.wait().expect_err("it is rejected");
    let told = format!("{error:?}");
    assert!(told.contains("not [redacted]") && !told.contains("hunter-of-redis"), "{told}");
}
