//! Tests of what is true only in memory, and the suite that every store passes.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::task::{Context, Poll, Wake};

use super::*;
use crate::clock::{ManualClock, Sleep};
use crate::rotation::{Barrier, Phase, Record, TokenChange, Version};
use crate::secret::Secret;
use crate::store::Hints;
use crate::store::contract::{Harness, contract};

struct Memory {
    clock: Arc<ManualClock>,
    store: MemoryStore,
}

impl Harness for Memory {
    type Store = MemoryStore;

    const SLACK: Duration = Duration::from_millis(1);

    fn open(&self) -> MemoryStore {
        self.store.clone()
    }

    fn advance(&self, by: Duration) {
        self.clock.advance(by);
    }

    fn run<T>(&self, call: impl Future<Output = T>) -> T {
        let mut context = Context::from_waker(Waker::noop());
        match std::pin::pin!(call).poll(&mut context) {
            Poll::Ready(outcome) => outcome,
            Poll::Pending => panic!("it waits for something that does not come"),
        }
    }
}

fn memory(store: fn(Arc<dyn Clock>) -> MemoryStore) -> Memory {
    let clock = ManualClock::new(0);
    clock.advance(Duration::from_hours(1));
    let store = store(Arc::new(Arc::clone(&clock)));
    Memory { clock, store }
}

mod fleet {
    fn harness() -> super::Memory {
        super::memory(super::MemoryStore::for_fleet)
    }

    super::contract!(fleet);
}

mod process {
    fn harness() -> super::Memory {
        super::memory(super::MemoryStore::for_process)
    }

    super::contract!(process);
}

const CREDENTIAL: CredentialId = CredentialId::from_bytes([7; 8]);

fn write(epoch: u64) -> Write {
    let version = |epoch| Version { incarnation: 1, epoch, nonce: epoch };
    let record = Record {
        version: version(epoch),
        generation: 1,
        active: CREDENTIAL,
        phase: Phase::Stable,
        standby: Vec::new(),
        quarantined: Vec::new(),
        retired: Vec::new(),
        waiting: None,
        targets: BTreeMap::new(),
        history: Vec::new(),
    };
    let expect = (epoch > Version::FIRST_EPOCH).then(|| version(epoch - 1));
    Write { expect, record, token: TokenChange::Keep, barrier: None }
}

#[test]
fn a_process_that_shares_nothing_lists_nobody_and_no_barrier_holds_it_up() {
    let store = memory(MemoryStore::for_process).store;
    let me = MemberId(1);
    store.write(&write(1), None).expect("the first record");
    let beat = Beat { member: me, read: None, holds: [CREDENTIAL].into() };
    assert_eq!(store.beat(&beat).version, Some(write(1).record.version));
    store.leave(me);
    assert_eq!(store.load().members, None);
    let barrier = Barrier { epoch: 9, credential: CREDENTIAL, is_sealed: false, writer: Some(me) };
    let write = Write { barrier: Some(barrier), ..write(2) };
    store.write(&write, None).expect("there is nobody to wait for");
}

#[test]
fn who_waits_for_a_hint_is_woken_once_it_can_be_read_and_nothing_is_locked() {
    struct Reader {
        store: MemoryStore,
        epoch: AtomicUsize,
    }
    impl Wake for Reader {
        fn wake(self: Arc<Self>) {
            assert!(self.store.shared.state.try_lock().is_ok(), "it would wait for ever");
            let epoch = self.store.load().record.expect("what was hinted at").version.epoch;
            self.epoch.store(usize::try_from(epoch).expect("a small one"), Ordering::Relaxed);
        }
    }

    let store = memory(MemoryStore::for_process).store;
    let mut hints = store.subscribe();
    let reader = Arc::new(Reader { store: store.clone(), epoch: AtomicUsize::new(0) });
    let waker = Waker::from(Arc::clone(&reader));
    let mut context = Context::from_waker(&waker);
    for epoch in [1, 2] {
        assert!(std::pin::pin!(hints.next()).poll(&mut context).is_pending());
        store.write(&write(epoch), None).expect("a write");
        assert_eq!(reader.epoch.load(Ordering::Relaxed) as u64, epoch);
        assert_eq!(hints.try_next(), Some(epoch));
        assert_eq!(hints.try_next(), None);
    }
}

#[test]
fn a_subscriber_costs_nothing_once_it_is_gone_and_little_while_it_lags() {
    let store = memory(MemoryStore::for_process).store;
    let (mut lags, gone) = (store.subscribe(), store.subscribe());
    drop(gone);
    for epoch in 1..=100 {
        store.write(&write(epoch), None).expect("a write");
    }
    assert_eq!(store.lock().0.subscribers.count(), 1);
    let unread: Vec<u64> = std::iter::from_fn(|| lags.try_next()).collect();
    assert_eq!(unread, (85..=100).collect::<Vec<u64>>());
}

#[test]
fn every_call_happens_at_one_moment() {
    /// A call that locks twice, with room for another one in between, reads the time twice.
    struct CountingClock(AtomicUsize);
    impl Clock for CountingClock {
        fn now(&self) -> Timestamp {
            self.0.fetch_add(1, Ordering::Relaxed);
            Timestamp::from_millis(1000)
        }

        fn utc_millis(&self, _: Timestamp) -> i64 {
            0
        }

        fn sleep_until(&self, _: Timestamp) -> Sleep {
            Box::pin(ready(()))
        }
    }

    let clock = Arc::new(CountingClock(AtomicUsize::new(0)));
    let store = MemoryStore::for_fleet(Arc::clone(&clock) as Arc<dyn Clock>);
    let (text, issued_at) = (Secret::new("token"), Timestamp::from_millis(1000));
    let expires_at = issued_at + Duration::from_hours(1);
    let fresh = Fresh { text: text.clone(), issued_at };
    let token = TokenChange::Replace { credential: CREDENTIAL, expires_at };
    let promotion = Write { token, ..write(1) };
    let (credential, generation, read) = (CREDENTIAL, 1, 1);
    let refresh = TokenWrite { text, credential, generation, issued_at, expires_at, read };
    let beat = Beat { member: MemberId(1), read: None, holds: [CREDENTIAL].into() };
    let calls: [&dyn Fn(); 14] = [
        &|| assert!(store.write(&promotion, Some(&fresh)).is_ok()),
        &|| assert_eq!(store.write(&promotion, Some(&fresh)), Err(Refused::Stale)),
        &|| assert_eq!(store.put_token(&refresh), Ok(2)),
        &|| assert!(store.invalidate(2)),
        &|| assert!(!store.drop_tokens(CREDENTIAL)),
        &|| assert!(matches!(store.acquire(1), Lease::Acquired { .. })),
        &|| assert!(store.renew(1)),
        &|| assert!(store.release(1)),
        &|| assert_eq!(store.beat(&beat).serial, 2),
        &|| store.leave(MemberId(1)),
        &|| assert_eq!(store.reject(CREDENTIAL, None).count, 1),
        &|| store.accept(CREDENTIAL),
        &|| assert!(store.cool_down(Duration::ZERO) <= issued_at),
        &|| assert_eq!(store.load().serial, 2),
    ];
    for (index, call) in calls.iter().enumerate() {
        call();
        assert_eq!(clock.0.swap(0, Ordering::Relaxed), 1, "call {index}");
    }
}
