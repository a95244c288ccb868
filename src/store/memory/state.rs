//! The contents of a memory store, and how they change.

use std::collections::BTreeMap;
use std::task::Waker;
use std::time::Duration;

use super::hints::Subscribers;
use crate::clock::StoreTime;
use crate::credential::CredentialId;
use crate::rotation::{
    Census, MemberId, MemberRow, MemberTable, Record, Refused, Rejections, Token, TokenChange,
    Version, Write, admit_token,
};
use crate::store::beat::{Beat, Pulse};
use crate::store::interface::Hint;
use crate::store::lease::{LEASE_TTL, Lease};
use crate::store::operation::{Operation, Reply, Written};
use crate::store::snapshot::{REJECTIONS_TTL, StoreSnapshot};
use crate::store::token::{Fresh, TokenEntry, TokenWrite};

#[derive(Default)]
pub(super) struct MemoryState {
    record: Option<Record>,
    token: Option<TokenEntry>,
    /// The token that was stored last: its serial outlives its text.
    latest: Option<Token>,
    members: Option<Table>,
    lease: Option<Held>,
    rejections: BTreeMap<CredentialId, Rejections>,
    cool_down: Option<StoreTime>,
    pub(super) subscribers: Subscribers,
}

/// The member table, with details that [`Members`] does not have.
#[derive(Default)]
pub(super) struct Table {
    /// When the table began; `None` if it does not exist yet.
    since: Option<StoreTime>,
    /// When anybody last asked for anything.
    used_at: StoreTime,
    rows: BTreeMap<MemberId, StoredRow>,
}

struct StoredRow {
    member: MemberRow,
    beat_at: StoreTime,
}

struct Held {
    nonce: u64,
    until: StoreTime,
}

impl MemoryState {
    /// An empty state, with a member table, or without one for a process that shares nothing.
    pub(super) fn new(members: Option<Table>) -> Self {
        Self { members, ..Self::default() }
    }

    pub(super) fn forget(&mut self, now: StoreTime) {
        self.token.take_if(|token| now >= token.expires_at);
        self.lease.take_if(|lease| now >= lease.until);
        self.cool_down.take_if(|until| now >= *until);
        self.rejections.retain(|_, rejections| now < rejections.last_at + REJECTIONS_TTL);
        if let Some(table) = &mut self.members {
            if now.since(table.used_at) >= MemberTable::TTL {
                // Nobody had a chance to say that it lives: whoever comes first is not all there is.
                *table = Table::default();
            }
            table.used_at = now;
            table.rows.retain(|_, row| now < row.beat_at + MemberTable::TTL);
        }
    }

    /// What was stored at an earlier moment is all that is left.
    #[cfg(test)]
    pub(super) fn restore(&mut self, earlier: Option<StoreSnapshot>) {
        let (record, token) = earlier.map_or((None, None), |earlier| {
            assert!(
                earlier.token.is_some() || earlier.serial == 0,
                "the count is that of the token"
            );
            (earlier.record, earlier.token)
        });
        let epoch = record.as_ref().map_or(0, |record| record.version.epoch);
        (self.latest, self.record, self.token) = (token.as_ref().map(Token::from), record, token);
        match &mut self.members {
            Some(table) if epoch == 0 => *table = Table::default(),
            Some(table) => {
                // Whatever was acknowledged later is lost as well.
                let rows = table.rows.values_mut();
                rows.for_each(|row| row.member.acked = row.member.acked.min(epoch));
            }
            None => {}
        }
    }

    /// Performs an operation; nobody is told of it here.
    pub(super) fn answer(&mut self, operation: &Operation, now: StoreTime) -> Reply {
        let stored =
            |outcome: Result<Written, Refused>| outcome.map_or_else(Reply::Refused, Reply::Written);
        match operation {
            Operation::Load(member) => Reply::Loaded(Box::new(self.snapshot(*member, now))),
            Operation::Members => Reply::Members(
                self.members(now)
                    .unwrap_or_else(|| MemberTable { since: now, rows: BTreeMap::new() }),
            ),
            Operation::Write(write, fresh) => stored(self.write(write, fresh.as_ref(), now)),
            Operation::PutToken(token) => stored(self.put_token(token, now)),
            Operation::Invalidate(id) => Reply::Deleted(self.drop_token(|it| it.id == *id)),
            Operation::DropTokens(credential) => {
                Reply::Deleted(self.drop_token(|it| it.credential == *credential))
            }
            Operation::Acquire(nonce) => Reply::Lease(self.acquire(*nonce, now)),
            Operation::Renew(nonce) => Reply::WasHeld(self.renew(*nonce, now)),
            Operation::Release(nonce) => Reply::WasHeld(self.release(*nonce)),
            Operation::Beat(beat) => Reply::Pulse(Box::new(self.beat(beat, now))),
            Operation::Leave(member) => {
                self.leave(*member);
                Reply::Done
            }
            Operation::Reject { credential, since } => {
                Reply::Rejections(self.reject(*credential, *since, now))
            }
            Operation::Accept(credential) => {
                self.accept(*credential);
                Reply::Done
            }
            Operation::CoolDown(pause) => Reply::Pause(self.cool_down(*pause, now)),
        }
    }

    /// Leaves a hint of what is stored by now. Returns the wakers to call once nothing is locked.
    pub(super) fn announce(&mut self) -> Vec<Waker> {
        let epoch = self.record.as_ref().map_or(0, |record| record.version.epoch);
        let hint = Hint { epoch, serial: self.serial(), has_token: self.token.is_some() };
        self.subscribers.announce(hint)
    }

    pub(super) fn snapshot(&self, member: Option<MemberId>, now: StoreTime) -> StoreSnapshot {
        StoreSnapshot {
            now,
            record: self.record.clone(),
            token: self.token.clone(),
            serial: self.serial(),
            census: self.census(member, now),
            rejections: self.rejections.clone(),
            cool_down: self.cool_down,
        }
    }

    fn serial(&self) -> u64 {
        self.latest.map_or(0, |latest| latest.serial)
    }

    /// A table that does not exist yet counts as one that begins now: it lists nobody and is not
    /// complete.
    fn members(&self, now: StoreTime) -> Option<MemberTable> {
        self.members.as_ref().map(|table| MemberTable {
            since: table.since.unwrap_or(now),
            rows: table.rows.iter().map(|(id, row)| (*id, row.member.clone())).collect(),
        })
    }

    fn census(&self, member: Option<MemberId>, now: StoreTime) -> Option<Census> {
        self.members(now).map(|members| members.census(member))
    }

    fn write(
        &mut self,
        write: &Write,
        fresh: Option<&Fresh>,
        now: StoreTime,
    ) -> Result<Written, Refused> {
        write.admit(self.record.as_ref(), self.members(now).as_ref(), now)?;
        let serial = match write.token {
            TokenChange::Keep => None,
            TokenChange::Replace { credential, expires_at } => {
                let Fresh { id, text, issued_at } = fresh.ok_or(Refused::Stale)?.clone();
                let (generation, serial) = (write.record.generation, self.serial() + 1);
                self.store(TokenEntry {
                    id,
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
        self.replace_record(&write.record);
        self.begin_table(now);
        Ok(Written { now, serial })
    }

    /// What was acknowledged of another incarnation says nothing of this one.
    fn replace_record(&mut self, record: &Record) {
        let incarnation = |record: &Record| record.version.incarnation;
        let was = self.record.replace(record.clone());
        if was.as_ref().map(incarnation) != Some(incarnation(record))
            && let Some(table) = &mut self.members
        {
            table.rows.values_mut().for_each(|row| row.member.acked = 0);
        }
    }

    fn put_token(&mut self, token: &TokenWrite, now: StoreTime) -> Result<Written, Refused> {
        let TokenWrite { id, credential, generation, issued_at, expires_at, read, .. } = *token;
        let (record, latest) = (self.record.as_ref(), self.latest.as_ref());
        if !admit_token(record, latest, credential, generation, read) {
            return Err(Refused::Stale);
        }
        let (text, serial) = (token.text.clone(), self.serial() + 1);
        self.store(TokenEntry { id, text, credential, generation, serial, issued_at, expires_at });
        Ok(Written { now, serial: Some(serial) })
    }

    fn store(&mut self, token: TokenEntry) {
        self.latest = Some(Token::from(&token));
        self.token = Some(token);
    }

    fn drop_token(&mut self, which: impl FnOnce(&TokenEntry) -> bool) -> bool {
        self.token.take_if(|token| which(token)).is_some()
    }

    fn acquire(&mut self, nonce: u64, now: StoreTime) -> Lease {
        match &self.lease {
            Some(lease) if lease.nonce != nonce => Lease::Held { until: lease.until },
            _ => {
                let until = now + LEASE_TTL;
                self.lease = Some(Held { nonce, until });
                Lease::Acquired { until }
            }
        }
    }

    fn renew(&mut self, nonce: u64, now: StoreTime) -> bool {
        let held = self.lease.as_mut().filter(|lease| lease.nonce == nonce);
        held.map(|lease| lease.until = now + LEASE_TTL).is_some()
    }

    fn release(&mut self, nonce: u64) -> bool {
        self.lease.take_if(|lease| lease.nonce == nonce).is_some()
    }

    fn beat(&mut self, beat: &Beat, now: StoreTime) -> Pulse {
        let version = self.record.as_ref().map(|record| record.version);
        self.begin_table(now);
        if let Some(table) = &mut self.members {
            table.beat(beat, version, now);
        }
        let token = self.token.as_ref().map(Token::from);
        let rejections = self.rejections.clone();
        let census = self.census(Some(beat.member), now);
        Pulse { now, version, token, serial: self.serial(), census, rejections }
    }

    fn begin_table(&mut self, now: StoreTime) {
        if let Some(table) = &mut self.members {
            table.since.get_or_insert(now);
        }
    }

    /// A longer pause that was set before stays.
    fn cool_down(&mut self, pause: Duration, now: StoreTime) -> StoreTime {
        let until = self.cool_down.map_or(now + pause, |until| until.max(now + pause));
        self.cool_down = Some(until);
        until
    }

    fn leave(&mut self, member: MemberId) {
        if let Some(table) = &mut self.members {
            table.rows.remove(&member);
        }
    }

    fn accept(&mut self, credential: CredentialId) {
        self.rejections.remove(&credential);
    }

    fn reject(
        &mut self,
        credential: CredentialId,
        since: Option<StoreTime>,
        now: StoreTime,
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
    fn beat(&mut self, beat: &Beat, version: Option<Version>, now: StoreTime) {
        let before = self.rows.get(&beat.member).map_or(0, |row| row.member.acked);
        let confirmed = version.filter(|version| beat.read == Some(*version));
        let acked = confirmed.map_or(before, |version| version.epoch);
        let member =
            MemberRow { acked, holds: beat.holds.clone(), persists: beat.persists.clone() };
        self.rows.insert(beat.member, StoredRow { member, beat_at: now });
    }
}
