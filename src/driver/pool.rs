//! Threads for one kind of work that blocks, which the managers of a process share fairly.
//!
//! A thread starts when there is work for it, and ends when it has had none for a while. Work that
//! does not return costs only its own manager something: after a second its thread no longer
//! counts, and another one takes its place. How much of one manager is at work or hangs is limited
//! (`policy::work`).

mod order;
mod roster;

use std::num::NonZeroUsize;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::Path;
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::thread::Builder;

use tokio::sync::oneshot;

use super::queue::Ticket;
use super::thread_name::NAME;
use crate::clock::Clock;
use crate::policy::work::{LOOK, WorkLimits};
pub(super) use order::{Order, Unfinished};
use roster::{Fate, Looked, Roster};

/// A pool of threads.
#[derive(Debug)]
pub(super) struct Pool {
    limits: WorkLimits,
    crew: Mutex<Crew>,
    /// Rings when there is work for a thread that has none.
    hired: Condvar,
}

/// The work, and the threads that do it.
#[derive(Debug)]
struct Crew {
    roster: Roster<Job>,
    threads: usize,
    idle: usize,
    /// No more work is expected: a thread without any ends at once.
    is_dismissed: bool,
}

/// Does the work, and returns what tells its result to whoever still waits for it.
type Job = Box<dyn FnOnce() -> Box<dyn FnOnce()> + Send>;

/// Overwrites what the work has left on this thread's stack, where no type wipes it: the first
/// bytes of a file that was read, the key that an id was derived from.
#[inline(never)]
#[expect(clippy::large_stack_arrays, reason = "that much of the stack is wiped")]
fn wipe_stack() {
    std::hint::black_box(&mut [0_u8; 64 * 1024]);
}

impl Pool {
    pub(super) fn new(limits: WorkLimits) -> Arc<Self> {
        let crew = Crew { roster: Roster::new(limits), threads: 0, idle: 0, is_dismissed: false };
        Arc::new(Self { limits, crew: Mutex::new(crew), hired: Condvar::new() })
    }

    /// Why nothing may begin at this place before something there has returned, if so.
    pub(super) fn hangs_at(&self, place: &Path) -> Option<Unfinished> {
        self.lock().roster.hangs_at(place)
    }

    /// Has the threads end as soon as they have no work, until there is some again.
    pub(super) fn dismiss(&self) {
        self.lock().is_dismissed = true;
        self.hired.notify_all();
    }

    /// How much has begun and not returned.
    #[cfg(test)]
    pub(super) fn begun(&self) -> usize {
        self.lock().roster.begun()
    }

    /// Returns what the work returns. Whoever drops this does not want it any more: it does not
    /// begin, or does not count.
    pub(super) async fn run<T: Send + 'static>(
        self: &Arc<Self>,
        order: Order,
        work: impl FnOnce() -> T + Send + 'static,
    ) -> Result<T, Unfinished> {
        let (sender, receiver) = oneshot::channel();
        let _wish = self.push(order, work, sender);
        receiver.await.map_err(|_| Unfinished::Lost)
    }

    /// The same for work that may hang. Its thread does not count for ever, and after `most` looks
    /// it is given up.
    pub(super) async fn run_with_looks<T: Send + 'static>(
        self: &Arc<Self>,
        order: Order,
        (clock, most): (&dyn Clock, Option<NonZeroUsize>),
        work: impl FnOnce() -> T + Send + 'static,
    ) -> Result<T, Unfinished> {
        let (sender, mut receiver) = oneshot::channel();
        let wish = self.push(order, work, sender);
        let mut looks = 0;
        loop {
            tokio::select! {
                // What has returned by now is in time, whatever has kept this thread from looking.
                biased;
                result = &mut receiver => return result.map_err(|_| Unfinished::Lost),
                () = clock.sleep_until(clock.now() + LOOK) => {}
            }
            looks += 1;
            let is_over = most.is_some_and(|most| looks >= most.get());
            let fate = if is_over { Fate::GivenUp } else { Fate::Wanted };
            let has_begun = self.look(wish.ticket, fate);
            if is_over {
                let why = if has_begun { Unfinished::Hangs } else { Unfinished::Crowded };
                return receiver.try_recv().map_err(|_| why);
            }
        }
    }

    fn push<T: Send + 'static>(
        self: &Arc<Self>,
        order: Order,
        work: impl FnOnce() -> T + Send + 'static,
        sender: oneshot::Sender<T>,
    ) -> Wish {
        let job = move || -> Box<dyn FnOnce()> {
            let result = catch_unwind(AssertUnwindSafe(work));
            Box::new(move || {
                if let Ok(result) = result {
                    let _ = sender.send(result);
                }
            })
        };
        let mut crew = self.lock();
        crew.is_dismissed = false;
        let ticket = crew.roster.push(order, Box::new(job));
        self.hire(&mut crew);
        drop(crew);
        Wish { pool: Arc::clone(self), ticket }
    }

    /// Has a thread do what is next, if it may be done now.
    fn hire(self: &Arc<Self>, crew: &mut Crew) {
        if !crew.roster.has_next() {
            return;
        }
        if crew.idle > 0 {
            self.hired.notify_one();
            return;
        }
        let pool = Arc::clone(self);
        match Builder::new().name(NAME.to_owned()).spawn(move || pool.serve()) {
            Ok(_) => crew.threads += 1,
            // No other thread will ever come for it.
            Err(_) if crew.threads == 0 => crew.roster.clear(),
            Err(_) => {}
        }
    }

    fn serve(self: Arc<Self>) {
        let mut crew = self.lock();
        loop {
            if let Some((ticket, job)) = crew.roster.begin_next() {
                // An idle thread may have been woken once for two pieces of work.
                self.hire(&mut crew);
                drop(crew);
                let tell = job();
                wipe_stack();
                tell();
                crew = self.lock();
                crew.roster.end(ticket);
                continue;
            }
            crew.idle += 1;
            let (woken, timeout) = self
                .hired
                .wait_timeout_while(crew, self.limits.keep_alive, |crew| {
                    !crew.is_dismissed && !crew.roster.has_next()
                })
                .unwrap_or_else(PoisonError::into_inner);
            crew = woken;
            crew.idle -= 1;
            let is_free = timeout.timed_out() || crew.is_dismissed;
            if is_free && !crew.roster.has_next() {
                crew.threads -= 1;
                return;
            }
        }
    }

    /// Looks at work that takes its time; returns whether it has begun and not returned.
    fn look(self: &Arc<Self>, ticket: Ticket, fate: Fate) -> bool {
        let mut crew = self.lock();
        let looked = crew.roster.look(ticket, fate);
        if looked == Looked::Slow {
            self.hire(&mut crew);
        }
        looked != Looked::Elsewhere
    }

    fn lock(&self) -> MutexGuard<'_, Crew> {
        self.crew.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Somebody wants a piece of work done.
struct Wish {
    pool: Arc<Pool>,
    ticket: Ticket,
}

impl Drop for Wish {
    fn drop(&mut self) {
        let was_queued = self.pool.lock().roster.withdraw(self.ticket);
        if !was_queued {
            self.pool.look(self.ticket, Fate::Abandoned);
        }
    }
}

#[cfg(test)]
mod tests;
