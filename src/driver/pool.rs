//! Threads for one kind of work that blocks, which the managers of a process share fairly.
//!
//! A thread starts when there is work for it, and ends when it has had none for a while. What does not return
//! costs its own manager something and no other one: after a second its thread no longer counts, and another one
//! takes its place. How much of one manager is at work or hangs is limited.

use std::collections::HashMap;
use std::num::NonZeroUsize;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::thread::Builder;
use std::time::Duration;

use tokio::sync::oneshot;

use super::ManagerId;
use super::queue::{Queue, Ticket, Urgency};
use super::thread::NAME;
use crate::clock::Clock;

/// So often work that has not returned is looked at. Looks are counted, and not the time between them: a process
/// that was suspended finds nothing that has hung for hours.
const LOOK: Duration = Duration::from_secs(1);

/// How much a pool does at a time.
#[derive(Debug, Clone, Copy)]
pub(super) struct Limits {
    /// So many pieces of work, without those that are slow.
    pub(super) at_once: usize,
    /// So many of one manager, without those that are slow.
    pub(super) of_one: usize,
    /// With so many slow ones of its own a manager has nothing more done before one of them returns.
    pub(super) slow_of_one: usize,
    /// So many slow ones have threads of their own; what is slow beyond that counts as at work.
    pub(super) slow: usize,
    /// So long a thread without work stays.
    pub(super) keep_alive: Duration,
}

/// So many pieces of work at one place that nobody waits for any more mean that the place hangs: what does not hang
/// returns before as many others are begun.
const ABANDONED: usize = 4;

/// Whose work it is, and of what.
#[derive(Debug, Clone)]
pub(super) struct Order {
    pub(super) owner: ManagerId,
    pub(super) urgency: Urgency,
    /// The file that it is about, where it is about one.
    pub(super) place: Option<PathBuf>,
}

/// Why work has brought nothing.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Unfinished {
    /// It began, and has not returned. It may still do so, which nobody learns of.
    Hangs,
    /// It has not begun, since others at the same place, of managers that were closed, have not returned.
    Abandoned,
    /// It has not begun, since so much else has not returned, and never will.
    Crowded,
    /// It panicked, or there is no thread for it.
    Lost,
}

/// A pool of threads.
#[derive(Debug)]
pub(super) struct Pool {
    limits: Limits,
    state: Mutex<State>,
    /// Rings when there is work for a thread that has none.
    hired: Condvar,
}

#[derive(Default)]
struct State {
    queue: Queue<Job>,
    begun: HashMap<Ticket, Begun>,
    places: HashMap<Ticket, PathBuf>,
    threads: usize,
    idle: usize,
}

/// Work, and then what tells whoever waits for it, if somebody still does.
type Job = Box<dyn FnOnce() -> Box<dyn FnOnce()> + Send>;

/// Work that has not returned.
#[derive(Debug, Clone, Copy)]
struct Begun {
    /// Its thread does not count.
    is_slow: bool,
    fate: Fate,
}

/// Who still waits for work.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Fate {
    Wanted,
    /// Nobody: its manager was closed.
    Abandoned,
    /// Nobody: it has taken too long.
    GivenUp,
}

impl std::fmt::Debug for State {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("State").field("begun", &self.begun).finish_non_exhaustive()
    }
}

impl State {
    fn has_next(&self, limits: Limits) -> bool {
        self.queue.has_next(|owner| has_room(&self.begun, owner, limits))
    }

    fn begin_next(&mut self, limits: Limits) -> Option<(Ticket, Job)> {
        let Self { queue, begun, .. } = self;
        let (ticket, job) = queue.pop(|owner| has_room(begun, owner, limits))?;
        begun.insert(ticket, Begun { is_slow: false, fate: Fate::Wanted });
        Some((ticket, job))
    }
}

/// Whether one more piece of this manager's work may begin.
fn has_room(begun: &HashMap<Ticket, Begun>, owner: ManagerId, limits: Limits) -> bool {
    let (mut at_once, mut of_one, mut slow_of_one) = (0, 0, 0);
    for (ticket, Begun { is_slow, .. }) in begun {
        let is_own = usize::from(ticket.owner == owner);
        if *is_slow {
            slow_of_one += is_own;
        } else {
            at_once += 1;
            of_one += is_own;
        }
    }
    at_once < limits.at_once && of_one < limits.of_one && slow_of_one < limits.slow_of_one
}

/// Overwrites what the work has left on this thread's stack, of which no type knows: the first bytes of a file that
/// was read, the key that an id was derived from.
#[inline(never)]
#[expect(clippy::large_stack_arrays, reason = "that much of the stack is wiped")]
fn wipe_stack() {
    std::hint::black_box(&mut [0_u8; 64 * 1024]);
}

impl Pool {
    pub(super) fn new(limits: Limits) -> Arc<Self> {
        Arc::new(Self { limits, state: Mutex::default(), hired: Condvar::new() })
    }

    /// Why nothing is to be begun at this place before something there has returned, if so.
    pub(super) fn hangs_at(&self, place: &Path) -> Option<Unfinished> {
        let state = self.lock();
        let there = state.places.iter().filter(|(_, it)| *it == place).map(|(ticket, _)| ticket);
        let fates = there.filter_map(|ticket| state.begun.get(ticket)).map(|begun| begun.fate);
        let (mut abandoned, mut given_up) = (0, 0);
        for fate in fates {
            abandoned += usize::from(fate == Fate::Abandoned);
            given_up += usize::from(fate == Fate::GivenUp);
        }
        match given_up {
            0 => (abandoned >= ABANDONED).then_some(Unfinished::Abandoned),
            _ => Some(Unfinished::Hangs),
        }
    }

    /// How much has begun and not returned.
    #[cfg(test)]
    pub(super) fn begun(&self) -> usize {
        self.lock().begun.len()
    }

    /// What the work gives. Whoever drops this does not want it any more: it does not begin, or does not count.
    pub(super) async fn run<T: Send + 'static>(
        self: &Arc<Self>,
        order: Order,
        work: impl FnOnce() -> T + Send + 'static,
    ) -> Result<T, Unfinished> {
        let (sender, receiver) = oneshot::channel();
        let _wish = self.push(order, work, sender);
        receiver.await.map_err(|_| Unfinished::Lost)
    }

    /// The same for work that may hang. Its thread does not count for ever, and after so many looks it is given up,
    /// if there is an end to them.
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
                // What has returned by now has returned in time, whatever this thread was kept by.
                biased;
                result = &mut receiver => return result.map_err(|_| Unfinished::Lost),
                () = clock.sleep_until(clock.now() + LOOK) => {}
            }
            looks += 1;
            let is_over = most.is_some_and(|most| looks >= most.get());
            let fate = if is_over { Fate::GivenUp } else { Fate::Wanted };
            let has_begun = self.let_go(wish.ticket, fate);
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
        let mut state = self.lock();
        let ticket = state.queue.push(order.owner, order.urgency, Box::new(job));
        state.places.extend(order.place.map(|place| (ticket, place)));
        self.hire(&mut state);
        drop(state);
        Wish { pool: Arc::clone(self), ticket }
    }

    /// Has a thread do what is next, if it may be done now.
    fn hire(self: &Arc<Self>, state: &mut State) {
        if !state.has_next(self.limits) {
            return;
        }
        if state.idle > 0 {
            self.hired.notify_one();
            return;
        }
        let pool = Arc::clone(self);
        match Builder::new().name(NAME.to_owned()).spawn(move || pool.serve()) {
            Ok(_) => state.threads += 1,
            // Nobody else will ever come for it.
            Err(_) if state.threads == 0 => {
                state.queue.clear();
                state.places.clear();
            }
            Err(_) => {}
        }
    }

    fn serve(self: Arc<Self>) {
        let mut state = self.lock();
        loop {
            if let Some((ticket, job)) = state.begin_next(self.limits) {
                // An idle thread may have been woken once for two pieces of work.
                self.hire(&mut state);
                drop(state);
                let tell = job();
                wipe_stack();
                tell();
                state = self.lock();
                state.begun.remove(&ticket);
                state.places.remove(&ticket);
                continue;
            }
            state.idle += 1;
            let (woken, timeout) = self
                .hired
                .wait_timeout(state, self.limits.keep_alive)
                .unwrap_or_else(PoisonError::into_inner);
            state = woken;
            state.idle -= 1;
            if timeout.timed_out() && !state.has_next(self.limits) {
                state.threads -= 1;
                return;
            }
        }
    }

    /// Its thread does not count any more, if it has begun and not returned; answers whether it has.
    fn let_go(self: &Arc<Self>, ticket: Ticket, fate: Fate) -> bool {
        let mut state = self.lock();
        let may_be_slow = state.begun.values().filter(|it| it.is_slow).count() < self.limits.slow;
        let Some(begun) = state.begun.get_mut(&ticket) else { return false };
        if begun.fate == Fate::Wanted {
            begun.fate = fate;
        }
        if !begun.is_slow && may_be_slow {
            begun.is_slow = true;
            self.hire(&mut state);
        }
        true
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Somebody wants a piece of work done.
struct Wish {
    pool: Arc<Pool>,
    ticket: Ticket,
}

impl Drop for Wish {
    fn drop(&mut self) {
        let mut state = self.pool.lock();
        if state.queue.remove(self.ticket).is_some() {
            state.places.remove(&self.ticket);
            return;
        }
        drop(state);
        self.pool.let_go(self.ticket, Fate::Abandoned);
    }
}

#[cfg(test)]
mod tests;
