//! A store in a cluster: all of its keys are on one node.

use redis::{RedisConnectionInfo, Value};

use super::server::TestServer;
use super::{Named, Shared, harness_on};
use crate::redis::{RedisStore, Server, Topology};
use crate::rotation::Record;
use crate::store::contract::samples::{first_record, followed_by, next};
use crate::store::contract::{Harness, contract};
use crate::store::{Hints, Operation, Reply, Store, Unavailable};

/// Two nodes, each with half of the slots.
struct Cluster {
    first: Shared,
    second: TestServer,
}

impl Cluster {
    fn start() -> Self {
        let settings = ["--cluster-enabled", "yes", "--cluster-node-timeout", "2000"];
        let first = harness_on(TestServer::on_port(&settings));
        let cluster = Self { first, second: TestServer::on_port(&settings) };
        for (node, slots, epoch) in
            [(&cluster.first.server, ["0", "8191"], "1"), (&cluster.second, ["8192", "16383"], "2")]
        {
            cluster.tell(node, &["CLUSTER", "ADDSLOTSRANGE", slots[0], slots[1]]);
            cluster.tell(node, &["CLUSTER", "SET-CONFIG-EPOCH", epoch]);
        }
        let [port, bus] = cluster.second.ports().map(|port| port.to_string());
        cluster.tell(&cluster.first.server, &["CLUSTER", "MEET", "127.0.0.1", &port, &bus]);
        for node in [&cluster.first.server, &cluster.second] {
            cluster.first.eventually(async || {
                let told = node.tell(&["CLUSTER", "INFO"]).await.expect("it knows");
                let told: String = redis::from_redis_value(told).expect("a text");
                let is_well = ["cluster_state:ok", "cluster_known_nodes:2"];
                is_well.iter().all(|it| told.contains(it)).then_some(())
            });
        }
        cluster
    }

    fn tell(&self, node: &TestServer, words: &[&str]) -> Value {
        self.first.run(node.tell(words)).expect("a command that it takes")
    }

    /// As it is known to whoever was told of the first node alone.
    fn server(&self) -> Server {
        let topology = Topology::Cluster(vec![self.first.server.address()]);
        Server { topology, login: RedisConnectionInfo::default() }
    }

    fn store(&self, name: &str) -> RedisStore {
        self.first.store(&self.server(), name).expect("a cluster that works")
    }

    /// The slot of the keys of a logical client.
    fn slot(&self, name: &str) -> u16 {
        let key = format!("{{oauth-rotor:{name}}}:fleet");
        let slot = self.tell(&self.second, &["CLUSTER", "KEYSLOT", &key]);
        redis::from_redis_value(slot).expect("a number")
    }

    /// Names whose keys are on the first node, and on the second.
    fn names(&self) -> [String; 2] {
        let on = |is_second: bool| {
            let names = (0..).map(|number| format!("client-{number}"));
            names.into_iter().find(|name| (self.slot(name) >= 8192) == is_second)
        };
        [false, true].map(|is_second| on(is_second).expect("one of so many"))
    }

    fn id(&self, node: &TestServer) -> String {
        redis::from_redis_value(self.tell(node, &["CLUSTER", "MYID"])).expect("a text")
    }
}

async fn record(store: &RedisStore) -> Result<Option<Record>, Unavailable> {
    match store.perform(&Operation::Load(None)).await? {
        Reply::Loaded(stored) => Ok(stored.record),
        other => panic!("{other:?}"),
    }
}

fn first_write() -> Operation {
    Operation::Write(Box::new(followed_by(None, first_record())), None)
}

#[test]
fn a_cluster_passes_the_suite_of_stores() {
    let cluster = Cluster::start();
    let harness = |name| Named { shared: &cluster.first, server: cluster.server(), name };
    contract!(fleet on harness);
}

#[test]
fn a_store_finds_the_node_that_has_its_keys() {
    let cluster = Cluster::start();
    for name in cluster.names() {
        let store = cluster.store(&name);
        let mut hints = cluster.first.run(store.subscribe()).expect("any node will do");
        cluster.first.run(store.perform(&first_write())).expect("the node that has its keys");
        assert_eq!(cluster.first.run(record(&store)), Ok(Some(first_record())));
        assert_eq!(
            cluster.first.run(hints.next()).expect("a hint").epoch,
            1,
            "nodes tell each other"
        );
    }
}

#[test]
fn keys_that_move_are_followed() {
    let cluster = Cluster::start();
    let [name, _] = cluster.names();
    let store = cluster.store(&name);
    cluster.first.run(store.perform(&first_write())).expect("the first node");

    let (from, to) = (&cluster.first.server, &cluster.second);
    let (slot, port) = (cluster.slot(&name).to_string(), to.port().to_string());
    cluster.tell(to, &["CLUSTER", "SETSLOT", &slot, "IMPORTING", &cluster.id(from)]);
    cluster.tell(from, &["CLUSTER", "SETSLOT", &slot, "MIGRATING", &cluster.id(to)]);
    cluster.first.run(store.perform(&Operation::Load(None))).expect_err("a part may be elsewhere");
    let keys = cluster.tell(from, &["CLUSTER", "GETKEYSINSLOT", &slot, "100"]);
    let keys: Vec<String> = redis::from_redis_value(keys).expect("a list");
    let mut migrate = vec!["MIGRATE", "127.0.0.1", &port, "", "0", "5000", "KEYS"];
    migrate.extend(keys.iter().map(String::as_str));
    cluster.tell(from, &migrate);
    for node in [to, from] {
        cluster.tell(node, &["CLUSTER", "SETSLOT", &slot, "NODE", &cluster.id(to)]);
    }
    let stored = cluster.first.until_it_succeeds(async || record(&store).await);
    assert_eq!(stored, Some(first_record()));
    let second = Operation::Write(Box::new(next(&first_record()).0), None);
    let reply = cluster.first.run(store.perform(&second)).expect("the second node");
    assert!(matches!(reply, Reply::Written(_)), "{reply:?}");
}

#[test]
fn a_node_that_the_others_have_forgotten_is_left() {
    let cluster = Cluster::start();
    let forgotten = TestServer::on_port(&["--cluster-enabled", "yes"]);
    let nodes = vec![forgotten.address(), cluster.first.server.address()];
    let server = Server { topology: Topology::Cluster(nodes), ..cluster.server() };
    for name in cluster.names() {
        let store = cluster.first.lazy_store(&server, &name);
        cluster.first.until_it_succeeds(async || record(&store).await);
    }
}

#[test]
fn a_node_that_does_not_know_its_name_is_followed() {
    let cluster = Cluster::start();
    let settings = ["CONFIG", "SET", "cluster-preferred-endpoint-type", "unknown-endpoint"];
    cluster.tell(&cluster.first.server, &settings);
    cluster.tell(&cluster.second, &settings);
    let [_, name] = cluster.names();
    assert_eq!(cluster.first.run(record(&cluster.store(&name))), Ok(None));
}
