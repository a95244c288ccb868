//! Tests of what is true only in memory, and the suite that every store passes.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::task::{Context, Poll, Wake};
use std::time::Duration;

use super::*;
use crate::clock::{ManualClock, Sleep, Timestamp};
use crate::credential::CredentialId;
use crate::rotation::{
    Barrier, Lineage, MemberId, Phase, Record, Refused, TokenChange, Version, Write,
};
use crate::secret::Secret;
use crate::store::contract::{Harness, contract};
use crate::store::{Beat, Fresh, Hints, Lease, TokenWrite, Written};
use crate::token::TokenId;

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

impl MemoryStore {
    fn write(&self, write: Write) -> Result<Written, Refused> {
        match self.answer(&Operation::Write(Box::new(write), None)) {
            Reply::Written(written) => Ok(written),
            Reply::Refused(refused) => Err(refused),
            other => panic!("it replies {other:?}"),
        }
    }
}

fn write(epoch: u64) -> Write {
    let version = |epoch| Version { incarnation: 1, epoch, nonce: epoch };
    let record = Record {
        version: version(epoch),
        generation: 1,
        active: CREDENTIAL,
        client: "app".into(),
        scope: None,
        verify: BTreeMap::new(),
        phase: Phase::Stable,
        standby: Vec::new(),
        quarantined: Vec::new(),
        retired: Vec::new(),
        waiting: None,
        targets: BTreeMap::new(),
        history: Vec::new(),
        lineage: Lineage::default(),
    };
    let expect = (epoch > Version::FIRST_EPOCH).then(|| version(epoch - 1));
    Write { expect, record, token: TokenChange::Keep, barrier: None }
}

#[test]
fn a_process_that_shares_nothing_lists_nobody_and_no_barrier_holds_it_up() {
    let store = memory(MemoryStore::for_process).store;
    let me = MemberId(1);
    store.write(write(1)).expect("the first record");
    let beat = Operation::Beat(Beat {
        member: me,
        read: None,
        holds: [CREDENTIAL].into(),
        persists: BTreeSet::new(),
    });
    let Reply::Pulse(pulse) = store.answer(&beat) else { panic!("a pulse") };
    assert_eq!(pulse.version, Some(write(1).record.version));
    assert_eq!(store.answer(&Operation::Leave(me)), Reply::Done);
    assert_eq!(store.load().census, None);
    let barrier = Barrier { epoch: 9, credential: CREDENTIAL, is_sealed: false, writer: Some(me) };
    let write = Write { barrier: Some(barrier), ..write(2) };
    store.write(write).expect("there is nobody to wait for");
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
        store.write(write(epoch)).expect("a write");
        assert_eq!(reader.epoch.load(Ordering::Relaxed) as u64, epoch);
        assert_eq!(hints.try_next().map(|hint| hint.epoch), Some(epoch));
        assert_eq!(hints.try_next(), None);
    }
}

#[test]
fn a_subscriber_costs_nothing_once_it_is_gone_and_little_while_it_lags() {
    let store = memory(MemoryStore::for_process).store;
    let (mut lags, gone) = (store.subscribe(), store.subscribe());
    drop(gone);
    for epoch in 1..=100 {
        store.write(write(epoch)).expect("a write");
    }
    assert_eq!(store.lock().0.subscribers.count(), 1);
    let unread: Vec<u64> = std::iter::from_fn(|| lags.try_next()).map(|hint| hint.epoch).collect();
    assert_eq!(unread, (85..=100).collect::<Vec<u64>>());
}

type Expected<'a> = &'a dyn Fn(&Reply) -> bool;

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
    let (text, issued_at) = (Secret::new("token"), StoreTime::from_millis(1000));
    let expires_at = issued_at + Duration::from_hours(1);
    let (first, second) = (TokenId(1), TokenId(2));
    let fresh = Fresh { id: first, text: text.clone(), issued_at };
    let token = TokenChange::Replace { credential: CREDENTIAL, expires_at };
    let promotion = Operation::Write(Box::new(Write { token, ..write(1) }), Some(fresh));
    let (credential, generation, read) = (CREDENTIAL, 1, 1);
    let refresh =
        TokenWrite { id: second, text, credential, generation, issued_at, expires_at, read };
    let beat = Beat {
        member: MemberId(1),
        read: None,
        holds: [CREDENTIAL].into(),
        persists: BTreeSet::new(),
    };
    let written = |serial| Reply::Written(Written { now: issued_at, serial: Some(serial) });
    let is_lease = |reply: &Reply| matches!(reply, Reply::Lease(Lease::Acquired { .. }));
    let is_pulse = |reply: &Reply| matches!(reply, Reply::Pulse(pulse) if pulse.serial == 2);
    let is_first = |reply: &Reply| matches!(reply, Reply::Rejections(row) if row.count == 1);
    let is_loaded = |reply: &Reply| matches!(reply, Reply::Loaded(loaded) if loaded.serial == 2);
    let calls: [(Operation, Expected<'_>); 14] = [
        (promotion.clone(), &|reply| *reply == written(1)),
        (promotion, &|reply| *reply == Reply::Refused(Refused::Stale)),
        (Operation::PutToken(refresh), &|reply| *reply == written(2)),
        (Operation::Invalidate(second), &|reply| *reply == Reply::Deleted(true)),
        (Operation::DropTokens(CREDENTIAL), &|reply| *reply == Reply::Deleted(false)),
        (Operation::Acquire(1), &is_lease),
        (Operation::Renew(1), &|reply| *reply == Reply::WasHeld(true)),
        (Operation::Release(1), &|reply| *reply == Reply::WasHeld(true)),
        (Operation::Beat(beat), &is_pulse),
        (Operation::Leave(MemberId(1)), &|reply| *reply == Reply::Done),
        (Operation::Reject { credential, since: None }, &is_first),
        (Operation::Accept(CREDENTIAL), &|reply| *reply == Reply::Done),
        (Operation::CoolDown(Duration::ZERO), &|reply| *reply == Reply::Pause(issued_at)),
        (Operation::Load(None), &is_loaded),
    ];
    for (operation, is_expected) in calls {
        let reply = store.answer(&operation);
        assert!(is_expected(&reply), "{operation:?}: {reply:?}");
        assert_eq!(clock.0.swap(0, Ordering::Relaxed), 1, "{operation:?}");
    }
}
