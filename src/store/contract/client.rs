//! What the cases use a store through.

use std::collections::BTreeSet;
use std::time::Duration;

use super::Harness;
use super::samples::*;
use crate::clock::StoreTime;
use crate::credential::CredentialId;
use crate::rotation::{
    MemberId, MemberTable, Record, Refused, Rejections, TokenChange, Version, Write,
};
use crate::secret::Secret;
use crate::store::{
    Beat, Fresh, Lease, Operation, Pulse, Reply, Store, StoreSnapshot, TokenWrite, Unavailable,
    Written,
};

/// What a reply of this kind holds.
macro_rules! reply {
    ($reply:expr, $kind:ident) => {
        match $reply {
            Reply::$kind(held) => held,
            other => panic!("it replies {other:?}"),
        }
    };
}

fn stored(reply: Reply) -> Result<Written, Refused> {
    match reply {
        Reply::Written(written) => Ok(written),
        Reply::Refused(refused) => Err(refused),
        other => panic!("it replies {other:?}"),
    }
}

/// A client of a store that can be reached.
pub(crate) struct Client<'a, H: Harness> {
    pub(crate) harness: &'a H,
    pub(crate) store: H::Store,
}

impl<H: Harness> Client<'_, H> {
    pub(crate) fn run<T>(&self, call: impl Future<Output = Result<T, Unavailable>>) -> T {
        self.harness.run(call).expect("a store that can be reached")
    }

    pub(crate) fn perform(&self, operation: &Operation) -> Reply {
        self.run(self.store.perform(operation))
    }

    pub(crate) fn load(&self) -> StoreSnapshot {
        self.load_as(None)
    }

    pub(crate) fn load_as(&self, member: Option<MemberId>) -> StoreSnapshot {
        *reply!(self.perform(&Operation::Load(member)), Loaded)
    }

    pub(crate) fn members(&self) -> MemberTable {
        reply!(self.perform(&Operation::Members), Members)
    }

    pub(crate) fn now(&self) -> StoreTime {
        self.load().now
    }

    pub(crate) fn record(&self) -> Record {
        self.load().record.expect("a record")
    }

    pub(crate) fn write(&self, write: &Write, fresh: Option<&Fresh>) -> Result<Written, Refused> {
        stored(self.perform(&Operation::Write(Box::new(write.clone()), fresh.cloned())))
    }

    pub(crate) fn put_token(&self, token: &TokenWrite) -> Result<u64, Refused> {
        let written = stored(self.perform(&Operation::PutToken(token.clone())));
        written.map(|written| written.serial.expect("a token has a serial"))
    }

    pub(crate) fn invalidate(&self, text: &str) -> bool {
        reply!(self.perform(&Operation::Invalidate(id_of(text))), Deleted)
    }

    pub(crate) fn drop_tokens(&self, credential: CredentialId) -> bool {
        reply!(self.perform(&Operation::DropTokens(credential)), Deleted)
    }

    pub(crate) fn acquire(&self, nonce: u64) -> Lease {
        reply!(self.perform(&Operation::Acquire(nonce)), Lease)
    }

    pub(crate) fn renew(&self, nonce: u64) -> bool {
        reply!(self.perform(&Operation::Renew(nonce)), WasHeld)
    }

    pub(crate) fn release(&self, nonce: u64) -> bool {
        reply!(self.perform(&Operation::Release(nonce)), WasHeld)
    }

    pub(crate) fn beat(&self, member: u64, read: Option<Version>, holds: &[CredentialId]) -> Pulse {
        let (member, holds) = (MemberId(member), holds.iter().copied().collect());
        self.say(Beat { member, read, holds, persists: BTreeSet::new() })
    }

    pub(crate) fn say(&self, beat: Beat) -> Pulse {
        *reply!(self.perform(&Operation::Beat(beat)), Pulse)
    }

    pub(crate) fn leave(&self, member: u64) {
        assert_eq!(self.perform(&Operation::Leave(MemberId(member))), Reply::Done);
    }

    pub(crate) fn reject(&self, credential: CredentialId, since: Option<StoreTime>) -> Rejections {
        reply!(self.perform(&Operation::Reject { credential, since }), Rejections)
    }

    pub(crate) fn accept(&self, credential: CredentialId) {
        assert_eq!(self.perform(&Operation::Accept(credential)), Reply::Done);
    }

    pub(crate) fn cool_down(&self, pause: Duration) -> StoreTime {
        reply!(self.perform(&Operation::CoolDown(pause)), Pause)
    }

    pub(crate) fn subscribe(&self) -> <H::Store as Store>::Hints {
        self.run(self.store.subscribe())
    }

    /// Lets time pass for a store that is in use all the while.
    pub(crate) fn pass(&self, whole: Duration) {
        let mut left = whole;
        while !left.is_zero() {
            let step = left.min(MemberTable::TTL / 4);
            left -= step;
            self.harness.advance(step);
            self.now();
        }
    }

    /// Stores a first record with [`OLD`] active, and a token with serial 1 that lives an hour.
    pub(crate) fn start(&self) -> Record {
        let record = first_record();
        let write = Write { token: self.replace(OLD), ..followed_by(None, record.clone()) };
        let written =
            self.write(&write, Some(&fresh("first", self.now()))).expect("the first write");
        assert_eq!(written.serial, Some(1));
        record
    }

    /// Stores another version of what is stored.
    pub(crate) fn touch(&self) -> Record {
        let (write, record) = next(&self.record());
        self.write(&write, None).expect("a write that follows");
        record
    }

    /// Makes [`NEW`] active, with a token that has this text.
    pub(crate) fn promote(&self, text: &str) -> Record {
        let write = self.promotion(&self.record());
        self.write(&write, Some(&fresh(text, self.now()))).expect("a promotion");
        write.record
    }

    /// The write that makes [`NEW`] active after that record.
    pub(crate) fn promotion(&self, before: &Record) -> Write {
        let (write, record) = next(before);
        let record = Record { generation: before.generation + 1, active: NEW, ..record };
        Write { record, token: self.replace(NEW), ..write }
    }

    pub(crate) fn replace(&self, credential: CredentialId) -> TokenChange {
        TokenChange::Replace { credential, expires_at: self.now() + HOUR }
    }

    /// A refresh that has just read what is stored, with the active credential.
    pub(crate) fn refresh(&self, text: &str) -> TokenWrite {
        let stored = self.load();
        let record = stored.record.expect("a record");
        TokenWrite {
            id: id_of(text),
            text: Secret::new(text),
            credential: record.active,
            generation: record.generation,
            issued_at: stored.now,
            expires_at: stored.now + HOUR,
            read: stored.serial,
        }
    }

    pub(crate) fn token(&self) -> Option<String> {
        self.load().token.map(|token| token.text.expose().to_owned())
    }

    /// Runs an action and checks that every client reads the same before and after it.
    pub(crate) fn expect_unchanged<T>(&self, action: impl FnOnce() -> T) -> T {
        let other = self.harness.client();
        let (before, members) = (self.load(), self.members());
        let outcome = action();
        for client in [self, &other] {
            assert_eq!(StoreSnapshot { now: before.now, ..client.load() }, before);
            assert_eq!(client.members().rows, members.rows);
        }
        outcome
    }
}
