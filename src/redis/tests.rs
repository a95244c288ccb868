//! The suite that every store passes, against a real server.

mod cluster;
mod connection;
mod faults;
mod record;
mod sentinel;
pub(crate) mod server;

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use tokio::runtime::{Builder, Runtime};

use super::*;
use crate::clock::{Clock, StoreTime, SystemClock};
use crate::store::contract::Harness;
use crate::store::{Operation, Reply, Store, Unavailable};
use server::TestServer;

/// The time of a store, which a test turns by hand.
#[derive(Debug, Clone)]
struct TestClock(Arc<AtomicU64>);

impl TestClock {
    fn now(&self) -> StoreTime {
        StoreTime::from_millis(self.0.load(Ordering::SeqCst))
    }

    fn go_back(&self, by: Duration) {
        let millis = u64::try_from(by.as_millis()).expect("a span of a test");
        self.0.fetch_sub(millis, Ordering::SeqCst);
    }

    fn advance(&self, by: Duration) {
        let millis = u64::try_from(by.as_millis()).expect("a span of a test");
        self.0.fetch_add(millis, Ordering::SeqCst);
    }
}

/// A store that goes by the time of a test.
#[derive(Debug)]
struct Timed {
    store: RedisStore,
    clock: TestClock,
}

impl Store for Timed {
    type Hints = RedisHints;

    async fn perform(&self, operation: &Operation) -> Result<Reply, Unavailable> {
        self.store.perform_at(operation, Some(self.clock.now())).await
    }

    async fn subscribe(&self) -> Result<RedisHints, Unavailable> {
        self.store.subscribe().await
    }
}

/// A logical client on a server that is there for several.
struct Named<'a> {
    shared: &'a Shared,
    server: Server,
    name: &'static str,
}

impl Harness for Named<'_> {
    type Store = Timed;

    const SLACK: Duration = Shared::SLACK;

    fn open(&self) -> Timed {
        let store = self.shared.store(&self.server, self.name).expect("a server that runs");
        Timed { store, clock: self.shared.clock.clone() }
    }

    fn advance(&self, by: Duration) {
        self.shared.advance(by);
    }

    fn run<T>(&self, call: impl Future<Output = T>) -> T {
        self.shared.run(call)
    }
}

/// A server of its own for each case.
struct Shared {
    runtime: Runtime,
    server: TestServer,
    clock: TestClock,
}

impl Harness for Shared {
    type Store = Timed;

    const SLACK: Duration = Duration::from_millis(1);

    fn open(&self) -> Timed {
        let store = self.store(&self.server.login(), "genesys").expect("a server that runs");
        Timed { store, clock: self.clock.clone() }
    }

    fn advance(&self, by: Duration) {
        self.clock.advance(by);
    }

    fn run<T>(&self, call: impl Future<Output = T>) -> T {
        self.runtime.block_on(call)
    }
}

impl Shared {
    /// A store with connections of its own, that may do what it needs.
    fn store(&self, server: &Server, name: &str) -> Result<RedisStore, Unavailable> {
        let store = self.lazy_store(server, name);
        self.run(store.probe()).map(|()| store)
    }

    /// The same before it has tried anything.
    fn lazy_store(&self, server: &Server, name: &str) -> RedisStore {
        let clock: Arc<dyn Clock> = Arc::new(SystemClock::new());
        let _guard = self.runtime.enter();
        RedisStore::new(Connections::open(server, &clock), Keys::new("oauth-rotor", name))
    }
}

fn harness() -> Shared {
    harness_on(TestServer::start())
}

fn harness_on(server: TestServer) -> Shared {
    let runtime = Builder::new_current_thread().enable_all().build();
    let clock = TestClock(Arc::new(AtomicU64::new(1_790_000_000_000)));
    Shared { runtime: runtime.expect("a runtime"), server, clock }
}

mod fleet {
    use super::harness;
    use crate::store::contract::contract;

    contract!(fleet);
}
