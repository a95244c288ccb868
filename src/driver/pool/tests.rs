//! Pools with real threads, whose looks a test's clock times.

use std::sync::mpsc::{Receiver, Sender, channel};
use std::time::Duration;

use tokio::task::{JoinHandle, yield_now};

use super::*;
use crate::clock::ManualClock;
use crate::driver::manager::ManagerId;
use crate::driver::queue::Urgency;

/// Nothing here takes that long; a test that waits for it has failed.
const PATIENCE: Duration = Duration::from_secs(20);

const LIMITS: WorkLimits = WorkLimits {
    at_once: 2,
    of_one: 1,
    slow_of_one: 2,
    slow: 3,
    keep_alive: Duration::from_secs(1),
};

/// A pool and its clock.
struct Bench {
    pool: Arc<Pool>,
    clock: Arc<ManualClock>,
    done: (Sender<&'static str>, Receiver<&'static str>),
}

/// Work that has begun, and returns when this is dropped.
struct Hanging {
    release: Sender<()>,
    outcome: JoinHandle<Result<(), Unfinished>>,
}

impl Bench {
    fn new(limits: WorkLimits) -> Self {
        Self { pool: Pool::new(limits), clock: ManualClock::new(0), done: channel() }
    }

    fn order(owner: ManagerId, place: &str) -> Order {
        Order { owner, urgency: Urgency::Unawaited, place: Some(place.into()) }
    }

    fn submit(
        &self,
        order: Order,
        work: impl FnOnce() + Send + 'static,
    ) -> JoinHandle<Result<(), Unfinished>> {
        let (pool, clock) = (Arc::clone(&self.pool), Arc::clone(&self.clock));
        tokio::spawn(async move {
            pool.run_with_looks(order, (&clock, NonZeroUsize::new(3)), work).await
        })
    }

    /// Work that is at work already, and does not return by itself.
    async fn hang(&self, owner: ManagerId, place: &str) -> Hanging {
        let (start, started) = channel();
        let (release, released) = channel::<()>();
        let outcome = self.submit(Self::order(owner, place), move || {
            start.send(()).expect("the test waits for it");
            let _ = released.recv();
        });
        yield_now().await;
        started.recv_timeout(PATIENCE).expect("it begins");
        Hanging { release, outcome }
    }

    /// Work that says when it is done.
    async fn work(
        &self,
        owner: ManagerId,
        name: &'static str,
    ) -> JoinHandle<Result<(), Unfinished>> {
        let done = self.done.0.clone();
        let work = move || done.send(name).expect("the test listens");
        let outcome = self.submit(Self::order(owner, name), work);
        yield_now().await;
        outcome
    }

    fn next_done(&self) -> &'static str {
        self.done.1.recv_timeout(PATIENCE).expect("it is done")
    }

    fn is_nothing_done(&self) -> bool {
        self.done.1.try_recv().is_err()
    }

    /// Everything that has not returned is looked at once more.
    async fn look(&self) {
        self.clock.advance(LOOK);
        while self.clock.is_waking() {
            yield_now().await;
        }
    }
}

#[tokio::test]
async fn work_that_hangs_costs_no_other_manager_its_thread_for_long() {
    let bench = Bench::new(LIMITS);
    let _hanging = [bench.hang(1, "/a").await, bench.hang(2, "/b").await];
    let _queued = bench.work(3, "other").await;
    assert!(bench.is_nothing_done(), "two are at work");
    bench.look().await;
    assert_eq!(bench.next_done(), "other");
}

#[tokio::test]
async fn threads_end_at_once_when_no_more_work_is_expected() {
    let bench = Bench::new(WorkLimits { keep_alive: Duration::from_hours(1), ..LIMITS });
    let hanging = bench.hang(1, "/a").await;
    let idle = bench.work(2, "idle").await;
    assert_eq!(bench.next_done(), "idle");
    // Nothing runs that task while this one waits below, and it has the pool, too.
    idle.await.unwrap().unwrap();
    bench.pool.dismiss();
    drop(hanging.release);
    hanging.outcome.await.unwrap().unwrap();
    // A thread holds its pool.
    while Arc::strong_count(&bench.pool) > 1 {
        std::thread::yield_now();
    }
    let _again = bench.work(1, "again").await;
    assert_eq!(bench.next_done(), "again");
}

#[tokio::test]
async fn one_manager_does_not_take_every_thread() {
    let bench = Bench::new(LIMITS);
    let _hanging = bench.hang(1, "/a").await;
    let _queued = bench.work(1, "second").await;
    let _other = bench.work(2, "other").await;
    assert_eq!(bench.next_done(), "other");
    assert!(bench.is_nothing_done());
}

#[tokio::test]
async fn work_that_hangs_is_given_up_and_its_place_hangs_until_it_returns() {
    let bench = Bench::new(LIMITS);
    let hanging = bench.hang(1, "/a").await;
    let at = |place: &str| bench.pool.hangs_at(Path::new(place));
    for _ in 0..3 {
        assert_eq!(at("/a"), None, "it may be slow, and no more");
        bench.look().await;
    }
    assert_eq!(hanging.outcome.await.unwrap(), Err(Unfinished::Hangs));
    assert_eq!((at("/a"), at("/b")), (Some(Unfinished::Hangs), None));
    drop(hanging.release);
    while at("/a").is_some() {
        std::thread::yield_now();
    }
}

#[tokio::test]
async fn a_place_whose_work_was_abandoned_again_and_again_hangs() {
    let bench = Bench::new(WorkLimits { slow: 64, ..LIMITS });
    let mut hanging = Vec::new();
    for owner in 1..=4 {
        assert_eq!(
            bench.pool.hangs_at(Path::new("/a")),
            None,
            "it may be a manager that was closed"
        );
        hanging.push(bench.hang(owner, "/a").await);
        hanging[hanging.len() - 1].outcome.abort();
        yield_now().await;
    }
    assert_eq!(bench.pool.hangs_at(Path::new("/a")), Some(Unfinished::Abandoned));
    hanging.pop();
    while bench.pool.hangs_at(Path::new("/a")).is_some() {
        std::thread::yield_now();
    }
}

#[tokio::test]
async fn a_manager_with_too_much_that_hangs_has_nothing_more_begun_and_is_told_so() {
    let bench = Bench::new(LIMITS);
    let mut hanging = Vec::new();
    for place in ["/a", "/b"] {
        hanging.push(bench.hang(1, place).await);
        bench.look().await;
    }
    let queued = bench.work(1, "third").await;
    for _ in 0..3 {
        bench.look().await;
    }
    assert_eq!(queued.await.unwrap(), Err(Unfinished::Crowded));
    let again = bench.work(1, "again").await;
    assert!(bench.is_nothing_done());
    hanging.clear();
    assert_eq!(bench.next_done(), "again", "what was given up is not done");
    assert_eq!(again.await.unwrap(), Ok(()));
}

#[tokio::test]
async fn no_more_threads_hang_than_the_process_affords() {
    let bench = Bench::new(LIMITS);
    let mut hanging = Vec::new();
    for owner in 1..=5 {
        hanging.push(bench.hang(owner, "/a").await);
        if owner >= 2 {
            bench.look().await;
        }
    }
    let queued = bench.work(6, "sixth").await;
    for _ in 0..3 {
        bench.look().await;
    }
    assert!(bench.is_nothing_done(), "three have threads of their own, and two are at work");
    assert_eq!(queued.await.unwrap(), Err(Unfinished::Crowded));
    hanging.pop();
    let _seventh = bench.work(7, "seventh").await;
    assert_eq!(bench.next_done(), "seventh");
}

#[tokio::test]
async fn what_nobody_wants_any_more_is_not_begun() {
    let bench = Bench::new(WorkLimits { at_once: 1, ..LIMITS });
    let hanging = bench.hang(1, "/a").await;
    let gone = bench.work(2, "gone").await;
    let _wanted = bench.work(3, "wanted").await;
    gone.abort();
    yield_now().await;
    drop(hanging);
    assert_eq!(bench.next_done(), "wanted");
    assert!(bench.is_nothing_done());
}

#[tokio::test]
async fn what_is_at_work_for_nobody_any_more_counts_no_longer() {
    let bench = Bench::new(WorkLimits { at_once: 1, ..LIMITS });
    let hanging = bench.hang(1, "/a").await;
    let _other = bench.work(2, "other").await;
    hanging.outcome.abort();
    yield_now().await;
    assert_eq!(bench.next_done(), "other");
}

#[tokio::test]
async fn work_that_panics_is_lost_and_nothing_else() {
    let bench = Bench::new(WorkLimits { at_once: 1, ..LIMITS });
    let lost = bench.submit(Bench::order(1, "/a"), || panic!("a test asked for this panic"));
    assert_eq!(lost.await.unwrap(), Err(Unfinished::Lost));
    let _next = bench.work(1, "next").await;
    assert_eq!(bench.next_done(), "next");
}
