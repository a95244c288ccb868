//! The store of one process, and of tests that play a fleet in one.

#[cfg(test)]
mod tests;

use std::collections::{BTreeMap, VecDeque};
use std::fmt;
use std::future::{Future, poll_fn, ready};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, Weak};
use std::task::{Context, Poll, Waker};
use std::time::Duration;

use super::{
    Beat, Fresh, Hints, LEASE_TTL, Lease, Pulse, REJECTIONS_TTL, Snapshot, Store, TokenEntry,
    TokenWrite, Unavailable, Written,
};
use crate::clock::{Clock, Timestamp};
use crate::credential::CredentialId;
use crate::rotation::{
    Member, MemberId, Members, Record, Refused, Rejections, Token, TokenChange, Version, Write,
    admit_token,
};

/// A store in the memory of this process; its clones share it.
///
/// Its own methods are those of [`Store`] without the waiting: none blocks on anything but a lock
/// that is held for moments, so that they may be called under a lock of the caller's. They never
/// wake anybody while they hold it.
#[derive(Clone)]
pub struct MemoryStore {
    shared: Arc<Shared>,
}

struct Shared {
    clock: Arc<dyn Clock>,
    state: Mutex<State>,
}

impl MemoryStore {
    /// For one process that shares nothing: it has no members, and no barrier holds a write up.
    pub fn for_process(clock: Arc<dyn Clock>) -> Self {
        Self::new(clock, None)
    }

    /// For members that may be dead or behind: it has a member table.
    pub fn for_fleet(clock: Arc<dyn Clock>) -> Self {
        Self::new(clock, Some(Table::default()))
    }

    fn new(clock: Arc<dyn Clock>, members: Option<Table>) -> Self {
        let state = Mutex::new(State { members, ..State::default() });
        Self { shared: Arc::new(Shared { clock, state }) }
    }

    /// See [`Store::load`].
    pub fn load(&self) -> Snapshot {
        let (state, now) = self.lock();
        state.snapshot(now)
    }

    /// See [`Store::write`].
    pub fn write(&self, write: &Write, fresh: Option<&Fresh>) -> Result<Written, Refused> {
        let (written, waiting) = {
            let (mut state, now) = self.lock();
            let written = state.write(write, fresh, now)?;
            (written, state.announce(write.record.version.epoch))
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
        let hints = MemoryHints::default();
        self.lock().0.subscribers.push(Arc::downgrade(&hints.inbox));
        hints
    }

    /// The state at this moment, without what has expired by then.
    fn lock(&self) -> (MutexGuard<'_, State>, Timestamp) {
        let mut state = self.shared.state.lock().unwrap_or_else(PoisonError::into_inner);
        // Read under the lock: the times of two calls are in the order of the calls.
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

    fn load(&self) -> impl Future<Output = Result<Snapshot, Unavailable>> + Send {
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

/// The hints of a [`MemoryStore`].
#[derive(Debug, Default)]
pub struct MemoryHints {
    inbox: Arc<Mutex<Inbox>>,
}

#[derive(Debug, Default)]
struct Inbox {
    epochs: VecDeque<u64>,
    waker: Option<Waker>,
}

impl MemoryHints {
    const MOST: usize = 16;

    /// The next epoch, if there is one already.
    pub fn try_next(&mut self) -> Option<u64> {
        self.lock().epochs.pop_front()
    }

    fn poll_next(&mut self, context: &Context<'_>) -> Poll<u64> {
        let mut inbox = self.lock();
        if let Some(epoch) = inbox.epochs.pop_front() {
            return Poll::Ready(epoch);
        }
        inbox.waker = Some(context.waker().clone());
        Poll::Pending
    }

    fn lock(&self) -> MutexGuard<'_, Inbox> {
        self.inbox.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Hints for MemoryHints {
    fn next(&mut self) -> impl Future<Output = Result<u64, Unavailable>> + Send {
        poll_fn(|context| self.poll_next(context).map(Ok))
    }
}

#[derive(Default)]
struct State {
    record: Option<Record>,
    token: Option<TokenEntry>,
    /// The token that was stored last: its serial outlives its text.
    latest: Option<Token>,
    members: Option<Table>,
    lease: Option<Held>,
    rejections: BTreeMap<CredentialId, Rejections>,
    cool_down: Option<Timestamp>,
    subscribers: Vec<Weak<Mutex<Inbox>>>,
}

/// The member table with what [`Members`] does not say.
#[derive(Default)]
struct Table {
    /// None: there is none yet.
    since: Option<Timestamp>,
    rows: BTreeMap<MemberId, Row>,
}

struct Row {
    member: Member,
    beat_at: Timestamp,
}

struct Held {
    nonce: u64,
    until: Timestamp,
}

impl State {
    fn forget(&mut self, now: Timestamp) {
        self.token.take_if(|token| now >= token.expires_at);
        self.lease.take_if(|lease| now >= lease.until);
        self.cool_down.take_if(|until| now >= *until);
        self.rejections.retain(|_, rejections| now < rejections.last_at + REJECTIONS_TTL);
        if let Some(table) = &mut self.members {
            table.rows.retain(|_, row| now < row.beat_at + Members::TTL);
        }
    }

    fn snapshot(&self, now: Timestamp) -> Snapshot {
        Snapshot {
            now,
            record: self.record.clone(),
            token: self.token.clone(),
            serial: self.serial(),
            members: self.members(now),
            rejections: self.rejections.clone(),
            cool_down: self.cool_down,
        }
    }

    fn serial(&self) -> u64 {
        self.latest.map_or(0, |latest| latest.serial)
    }

    /// A table that does not exist yet is one that begins now: it lists nobody and is not complete.
    fn members(&self, now: Timestamp) -> Option<Members> {
        self.members.as_ref().map(|table| Members {
            since: table.since.unwrap_or(now),
            rows: table.rows.iter().map(|(id, row)| (*id, row.member.clone())).collect(),
        })
    }

    fn write(
        &mut self,
        write: &Write,
        fresh: Option<&Fresh>,
        now: Timestamp,
    ) -> Result<Written, Refused> {
        write.admit(self.record.as_ref(), self.members(now).as_ref(), now)?;
        let serial = match write.token {
            TokenChange::Keep => None,
            TokenChange::Replace { credential, expires_at } => {
                let Fresh { text, issued_at } = fresh.ok_or(Refused::Stale)?.clone();
                let (generation, serial) = (write.record.generation, self.serial() + 1);
                self.store(TokenEntry {
                    text,
                    credential,
                    generation,
                    serial,
                    issued_at,
                    expires_at,
                });
                Some(serial)
            }
        };
        self.record = Some(write.record.clone());
        self.begin_table(now);
        Ok(Written { now, serial })
    }

    /// Leaves word for everybody; answers who is to be woken once nothing is locked.
    fn announce(&mut self, epoch: u64) -> Vec<Waker> {
        let mut waiting = Vec::new();
        self.subscribers.retain(|subscriber| {
            let Some(inbox) = subscriber.upgrade() else { return false };
            let mut inbox = inbox.lock().unwrap_or_else(PoisonError::into_inner);
            if inbox.epochs.len() == MemoryHints::MOST {
                inbox.epochs.pop_front();
            }
            inbox.epochs.push_back(epoch);
            waiting.extend(inbox.waker.take());
            true
        });
        waiting
    }

    fn put_token(&mut self, token: &TokenWrite) -> Result<u64, Refused> {
        let TokenWrite { credential, generation, issued_at, expires_at, read, .. } = *token;
        let (record, latest) = (self.record.as_ref(), self.latest.as_ref());
        if !admit_token(record, latest, credential, generation, read) {
            return Err(Refused::Stale);
        }
        let (text, serial) = (token.text.clone(), self.serial() + 1);
        self.store(TokenEntry { text, credential, generation, serial, issued_at, expires_at });
        Ok(serial)
    }

    fn store(&mut self, token: TokenEntry) {
        self.latest = Some(Token::from(&token));
        self.token = Some(token);
    }

    fn drop_token(&mut self, which: impl FnOnce(&TokenEntry) -> bool) -> bool {
        self.token.take_if(|token| which(token)).is_some()
    }

    fn acquire(&mut self, nonce: u64, now: Timestamp) -> Lease {
        match &self.lease {
            Some(lease) if lease.nonce != nonce => Lease::Held { until: lease.until },
            _ => {
                let until = now + LEASE_TTL;
                self.lease = Some(Held { nonce, until });
                Lease::Acquired { until }
            }
        }
    }

    fn renew(&mut self, nonce: u64, now: Timestamp) -> bool {
        let held = self.lease.as_mut().filter(|lease| lease.nonce == nonce);
        held.map(|lease| lease.until = now + LEASE_TTL).is_some()
    }

    fn release(&mut self, nonce: u64) -> bool {
        self.lease.take_if(|lease| lease.nonce == nonce).is_some()
    }

    fn beat(&mut self, beat: &Beat, now: Timestamp) -> Pulse {
        let version = self.record.as_ref().map(|record| record.version);
        self.begin_table(now);
        if let Some(table) = &mut self.members {
            table.beat(beat, version, now);
        }
        let token = self.token.as_ref().map(Token::from);
        Pulse { now, version, token, serial: self.serial() }
    }

    fn begin_table(&mut self, now: Timestamp) {
        if let Some(table) = &mut self.members {
            table.since.get_or_insert(now);
        }
    }

    fn reject(
        &mut self,
        credential: CredentialId,
        since: Option<Timestamp>,
        now: Timestamp,
    ) -> Rejections {
        let before = self.rejections.get(&credential);
        let rejections = match before.filter(|before| Some(before.first_at) >= since) {
            Some(before) => {
                let count = before.count.saturating_add(1);
                Rejections { count, last_at: now, ..*before }
            }
            None => Rejections { count: 1, first_at: now, last_at: now },
        };
        self.rejections.insert(credential, rejections);
        rejections
    }
}

impl Table {
    fn beat(&mut self, beat: &Beat, version: Option<Version>, now: Timestamp) {
        let before = self.rows.get(&beat.member).map_or(0, |row| row.member.acked);
        let confirmed = version.filter(|version| beat.read == Some(*version));
        let acked = confirmed.map_or(before, |version| version.epoch);
        let member = Member { acked, holds: beat.holds.clone() };
        self.rows.insert(beat.member, Row { member, beat_at: now });
    }
}
