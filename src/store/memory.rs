//! A store in memory, for one process and for tests that simulate a fleet.

mod hints;
mod state;

#[cfg(test)]
mod tests;

use std::fmt;
use std::future::{Future, ready};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::Waker;

use super::interface::Store;
use super::operation::{Operation, Reply, Unavailable};
use crate::clock::{Clock, StoreTime};
pub use hints::MemoryHints;
use state::{MemoryState, Table};

/// A store in the memory of this process. Its clones share it.
///
/// Its own methods are those of [`Store`] without the waiting. They block only on a lock that is
/// held for moments, so a caller may call them under a lock of its own. They never wake anybody
/// while they hold that lock.
#[derive(Clone)]
pub struct MemoryStore {
    shared: Arc<SharedMemory>,
}

struct SharedMemory {
    clock: Arc<dyn Clock>,
    state: Mutex<MemoryState>,
}

impl MemoryStore {
    /// A store for one process that shares nothing. It has no members, and no barrier holds up a
    /// write.
    pub fn for_process(clock: Arc<dyn Clock>) -> Self {
        Self::new(clock, None)
    }

    /// A store for a fleet, whose members may be dead or behind. It has a member table.
    pub fn for_fleet(clock: Arc<dyn Clock>) -> Self {
        Self::new(clock, Some(Table::default()))
    }

    fn new(clock: Arc<dyn Clock>, members: Option<Table>) -> Self {
        let state = Mutex::new(MemoryState::new(members));
        Self { shared: Arc::new(SharedMemory { clock, state }) }
    }

    /// Performs an operation at once.
    pub fn answer(&self, operation: &Operation) -> Reply {
        let (reply, waiting) = {
            let (mut state, now) = self.lock();
            let reply = state.answer(operation, now);
            let waiting = match &reply {
                Reply::Written(_) | Reply::Deleted(true) => state.announce(),
                _ => Vec::new(),
            };
            (reply, waiting)
        };
        waiting.into_iter().for_each(Waker::wake);
        reply
    }

    /// What is stored.
    #[cfg(test)]
    pub(crate) fn load(&self) -> super::StoreSnapshot {
        let (state, now) = self.lock();
        state.snapshot(None, now)
    }

    /// All that was stored after that moment is lost; with nothing, everything.
    #[cfg(test)]
    pub(crate) fn restore(&self, earlier: Option<super::StoreSnapshot>) {
        self.lock().0.restore(earlier);
    }

    /// See [`Store::subscribe`].
    pub fn subscribe(&self) -> MemoryHints {
        self.lock().0.subscribers.add()
    }

    /// The state at this moment, without what has expired.
    fn lock(&self) -> (MutexGuard<'_, MemoryState>, StoreTime) {
        let mut state = self.shared.state.lock().unwrap_or_else(PoisonError::into_inner);
        // Read under the lock, so that the times of two calls are in the order of the calls.
        let now = StoreTime::of(self.shared.clock.now());
        state.forget(now);
        (state, now)
    }
}

impl fmt::Debug for MemoryStore {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("MemoryStore").finish_non_exhaustive()
    }
}

impl Store for MemoryStore {
    type Hints = MemoryHints;

    fn perform(
        &self,
        operation: &Operation,
    ) -> impl Future<Output = Result<Reply, Unavailable>> + Send {
        ready(Ok(self.answer(operation)))
    }

    fn subscribe(&self) -> impl Future<Output = Result<Self::Hints, Unavailable>> + Send {
        ready(Ok(self.subscribe()))
    }
}
