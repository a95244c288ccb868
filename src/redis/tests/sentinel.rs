//! A primary that sentinels know.

use std::collections::BTreeMap;

use redis::RedisConnectionInfo;

use super::server::TestServer;
use super::{Named, harness_on};
use crate::redis::{Server, Topology};
use crate::rotation::Record;
use crate::store::contract::samples::{first_record, followed_by, next};
use crate::store::contract::{Harness, contract};
use crate::store::{Operation, Reply, Store, Unavailable};

/// Somewhere nobody listens.
fn nobody() -> crate::redis::Address {
    crate::redis::Address::Tcp { host: "127.0.0.1".to_owned(), port: 1 }
}

fn by(sentinels: Vec<crate::redis::Address>, name: &str) -> Server {
    let login = RedisConnectionInfo::default();
    let topology = Topology::Sentinel { sentinels, login: login.clone(), name: name.to_owned() };
    Server { topology, login }
}

async fn record(store: &impl Store) -> Result<Option<Record>, Unavailable> {
    match store.perform(&Operation::Load(None)).await? {
        Reply::Loaded(stored) => Ok(stored.record),
        other => panic!("{other:?}"),
    }
}

#[test]
fn a_primary_behind_sentinels_passes_the_suite_of_stores() {
    let primary = harness_on(TestServer::on_port(&[]));
    let sentinel = TestServer::sentinel(primary.server.port());
    let server = by(vec![sentinel.address()], "main");
    let harness = |name| Named { shared: &primary, server: server.clone(), name };
    contract!(fleet on harness);
}

#[test]
fn a_primary_that_has_died_is_replaced_by_the_one_that_the_sentinels_name() {
    let mut primary = harness_on(TestServer::on_port(&[]));
    let port = primary.server.port().to_string();
    let replica = TestServer::on_port(&["--replicaof", "127.0.0.1", &port]);
    let sentinel = TestServer::sentinel(primary.server.port());
    // It only takes longer where that is not known.
    let _ = primary.run(sentinel.tell(&["SENTINEL", "DEBUG", "INFO-PERIOD", "100"]));

    let server = by(vec![nobody(), sentinel.address()], "main");
    let store = primary.store(&server, "genesys").expect("the primary is known");
    let first = followed_by(None, first_record());
    let write = Operation::Write(Box::new(first.clone()), None);
    primary.run(store.perform(&write)).expect("a primary");
    primary.command(&["WAIT", "1", "0"]);
    let known = replica.port().to_string();
    primary.eventually(async || {
        let told = sentinel.tell(&["SENTINEL", "REPLICAS", "main"]).await.expect("it knows");
        let replicas: Vec<BTreeMap<String, String>> =
            redis::from_redis_value(told).expect("a list");
        let is_ready = |replica: &BTreeMap<String, String>| {
            replica["port"] == known && replica["master-link-status"] == "ok"
        };
        replicas.iter().any(is_ready).then_some(())
    });

    primary.server.kill();
    let stored = primary.until_it_succeeds(async || record(&store).await);
    assert_eq!(stored, Some(first.record.clone()));
    let second = Operation::Write(Box::new(next(&first.record).0), None);
    let reply = primary.until_it_succeeds(async || store.perform(&second).await);
    assert!(matches!(reply, Reply::Written(_)), "{reply:?}");
}

#[test]
fn a_primary_that_no_sentinel_knows_is_named() {
    let harness = harness_on(TestServer::on_port(&[]));
    let sentinel = TestServer::sentinel(harness.server.port());
    let server = by(vec![sentinel.address()], "another");
    let reason = harness.store(&server, "genesys").expect_err("nobody knows it").reason;
    assert!(reason.contains("does not know \"another\""), "{reason}");
    let server = by(vec![nobody()], "main");
    let reason = harness.store(&server, "genesys").expect_err("nobody is there").reason;
    assert!(reason.contains("refused"), "{reason}");
}

#[test]
fn a_sentinel_that_hangs_hides_no_other() {
    let primary = harness_on(TestServer::on_port(&[]));
    let [frozen, sentinel] = [(); 2].map(|()| TestServer::sentinel(primary.server.port()));
    frozen.freeze();
    let server = by(vec![frozen.address(), sentinel.address()], "main");
    let store = primary.lazy_store(&server, "genesys");
    primary.until_it_succeeds(async || record(&store).await);
    frozen.thaw();
}
