//! A store in memory, for one process and for tests that simulate a fleet.

mod hints;
mod state;

#[cfg(test)]
mod tests;

use std::fmt;
use std::future::{Future, ready};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::Waker;
use std::time::Duration;

use super::beat::{Beat, Pulse};
use super::interface::{Store, Unavailable, Written};
use super::lease::Lease;
use super::snapshot::StoreSnapshot;
use super::token::{Fresh, TokenWrite};
use crate::clock::{Clock, Timestamp};
use crate::credential::CredentialId;
use crate::rotation::{MemberId, Refused, Rejections, Write};
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

    /// See [`Store::load`].
    pub fn load(&self) -> StoreSnapshot {
        let (state, now) = self.lock();
        state.snapshot(now)
    }

    /// See [`Store::write`].
    pub fn write(&self, write: &Write, fresh: Option<&Fresh>) -> Result<Written, Refused> {
        let (written, waiting) = {
            let (mut state, now) = self.lock();
            let written = state.write(write, fresh, now)?;
            (written, state.subscribers.announce(write.record.version.epoch))
        };
        waiting.into_iter().for_each(Waker::wake);
        Ok(written)
    }

    /// See [`Store::put_token`].
    pub fn put_token(&self, token: &TokenWrite) -> Result<u64, Refused> {
        self.lock().0.put_token(token)
    }

    /// See [`Store::invalidate`].
    pub fn invalidate(&self, serial: u64) -> bool {
        self.lock().0.drop_token(|token| token.serial == serial)
    }

    /// See [`Store::drop_tokens`].
    pub fn drop_tokens(&self, credential: CredentialId) -> bool {
        self.lock().0.drop_token(|token| token.credential == credential)
    }

    /// See [`Store::acquire`].
    pub fn acquire(&self, nonce: u64) -> Lease {
        let (mut state, now) = self.lock();
        state.acquire(nonce, now)
    }

    /// See [`Store::renew`].
    pub fn renew(&self, nonce: u64) -> bool {
        let (mut state, now) = self.lock();
        state.renew(nonce, now)
    }

    /// See [`Store::release`].
    pub fn release(&self, nonce: u64) -> bool {
        self.lock().0.release(nonce)
    }

    /// See [`Store::beat`].
    pub fn beat(&self, beat: &Beat) -> Pulse {
        let (mut state, now) = self.lock();
        state.beat(beat, now)
    }

    /// See [`Store::leave`].
    pub fn leave(&self, member: MemberId) {
        if let Some(table) = &mut self.lock().0.members {
            table.rows.remove(&member);
        }
    }

    /// See [`Store::reject`].
    pub fn reject(&self, credential: CredentialId, since: Option<Timestamp>) -> Rejections {
        let (mut state, now) = self.lock();
        state.reject(credential, since, now)
    }

    /// See [`Store::accept`].
    pub fn accept(&self, credential: CredentialId) {
        self.lock().0.rejections.remove(&credential);
    }

    /// See [`Store::cool_down`].
    pub fn cool_down(&self, pause: Duration) -> Timestamp {
        let (mut state, now) = self.lock();
        let until = state.cool_down.map_or(now + pause, |until| until.max(now + pause));
        state.cool_down = Some(until);
        until
    }

    /// See [`Store::subscribe`].
    pub fn subscribe(&self) -> MemoryHints {
        self.lock().0.subscribers.add()
    }

    /// The state at this moment, without what has expired.
    fn lock(&self) -> (MutexGuard<'_, MemoryState>, Timestamp) {
        let mut state = self.shared.state.lock().unwrap_or_else(PoisonError::into_inner);
        // Read under the lock, so that the times of two calls are in the order of the calls.
        let now = self.shared.clock.now();
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

    fn load(&self) -> impl Future<Output = Result<StoreSnapshot, Unavailable>> + Send {
        ready(Ok(self.load()))
    }

    fn write(
        &self,
        write: &Write,
        fresh: Option<&Fresh>,
    ) -> impl Future<Output = Result<Result<Written, Refused>, Unavailable>> + Send {
        ready(Ok(self.write(write, fresh)))
    }

    fn put_token(
        &self,
        token: &TokenWrite,
    ) -> impl Future<Output = Result<Result<u64, Refused>, Unavailable>> + Send {
        ready(Ok(self.put_token(token)))
    }

    fn invalidate(&self, serial: u64) -> impl Future<Output = Result<bool, Unavailable>> + Send {
        ready(Ok(self.invalidate(serial)))
    }

    fn drop_tokens(
        &self,
        credential: CredentialId,
    ) -> impl Future<Output = Result<bool, Unavailable>> + Send {
        ready(Ok(self.drop_tokens(credential)))
    }

    fn acquire(&self, nonce: u64) -> impl Future<Output = Result<Lease, Unavailable>> + Send {
        ready(Ok(self.acquire(nonce)))
    }

    fn renew(&self, nonce: u64) -> impl Future<Output = Result<bool, Unavailable>> + Send {
        ready(Ok(self.renew(nonce)))
    }

    fn release(&self, nonce: u64) -> impl Future<Output = Result<bool, Unavailable>> + Send {
        ready(Ok(self.release(nonce)))
    }

    fn beat(&self, beat: &Beat) -> impl Future<Output = Result<Pulse, Unavailable>> + Send {
        ready(Ok(self.beat(beat)))
    }

    fn leave(&self, member: MemberId) -> impl Future<Output = Result<(), Unavailable>> + Send {
        self.leave(member);
        ready(Ok(()))
    }

    fn reject(
        &self,
        credential: CredentialId,
        since: Option<Timestamp>,
    ) -> impl Future<Output = Result<Rejections, Unavailable>> + Send {
        ready(Ok(self.reject(credential, since)))
    }

    fn accept(
        &self,
        credential: CredentialId,
    ) -> impl Future<Output = Result<(), Unavailable>> + Send {
        self.accept(credential);
        ready(Ok(()))
    }

    fn cool_down(
        &self,
        pause: Duration,
    ) -> impl Future<Output = Result<Timestamp, Unavailable>> + Send {
        ready(Ok(self.cool_down(pause)))
    }

    fn subscribe(&self) -> impl Future<Output = Result<Self::Hints, Unavailable>> + Send {
        ready(Ok(self.subscribe()))
    }
}
