//! The store of a test.

use std::collections::{BTreeMap, BTreeSet};

use crate::clock::StoreTime;
use crate::credential::CredentialId;
use crate::rotation::*;
use crate::token::TokenId;

/// A store that compares as every store does, with the production code.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Default)]
pub(super) struct Shelf {
    pub(super) record: Option<Record>,
    pub(super) token: Option<Token>,
    /// The members of the fleet; none where one process shares nothing.
    pub(super) members: Option<MemberTable>,
    /// The rejections that were noted for everybody.
    pub(super) rejections: BTreeMap<CredentialId, Rejections>,
}

impl Shelf {
    pub(super) fn record(&self) -> &Record {
        self.record.as_ref().expect("a record")
    }

    pub(super) fn members(&self) -> &MemberTable {
        self.members.as_ref().expect("a fleet")
    }

    /// A member says that it has read the record, what it holds and what it can write to.
    pub(super) fn acknowledge(
        &mut self,
        peer: usize,
        holds: &BTreeSet<CredentialId>,
        targets: &[TargetSpec],
    ) {
        let acked = self.record.as_ref().map_or(0, |record| record.version.epoch);
        if let Some(members) = &mut self.members {
            let persists = targets.iter().map(|spec| spec.target).collect();
            let row = MemberRow { acked, holds: holds.clone(), persists };
            members.rows.insert(MemberId(peer as u64), row);
        }
    }

    /// A member has been silent for too long.
    pub(super) fn forget(&mut self, peer: usize) {
        if let Some(members) = &mut self.members {
            members.rows.remove(&MemberId(peer as u64));
        }
    }

    /// Stores a record, and the token that comes with it, unless somebody else was faster.
    pub(super) fn write(&mut self, write: &Write, now: StoreTime) -> Result<(), Refused> {
        write.admit(self.record.as_ref(), self.members.as_ref(), now)?;
        let incarnation = |record: &Record| record.version.incarnation;
        let was = self.record.replace(write.record.clone());
        if was.as_ref().map(incarnation) != Some(incarnation(&write.record)) {
            let rows = self.members.iter_mut().flat_map(|table| table.rows.values_mut());
            rows.for_each(|row| row.acked = 0);
        }
        if let TokenChange::Replace { credential, expires_at } = write.token {
            self.put_token(credential, write.record.generation, expires_at);
        }
        Ok(())
    }

    /// Stores a token that a member fetched; returns whether it did. `read` is the serial that the
    /// member had read.
    pub(super) fn serve(
        &mut self,
        credential: CredentialId,
        generation: u64,
        read: u64,
        expires_at: StoreTime,
    ) -> bool {
        let (stored, token) = (self.record.as_ref(), self.token.as_ref());
        let is_admitted = admit_token(stored, token, credential, generation, read);
        if is_admitted {
            self.put_token(credential, generation, expires_at);
        }
        is_admitted
    }

    /// Notes that a credential was rejected, or accepted.
    pub(super) fn note(&mut self, credential: CredentialId, is_accepted: bool, now: StoreTime) {
        if is_accepted {
            self.rejections.remove(&credential);
            return;
        }
        let first = Rejections { count: 0, first_at: now, last_at: now };
        let row = self.rejections.entry(credential).or_insert(first);
        *row = Rejections { count: row.count + 1, last_at: now, ..*row };
    }

    pub(super) fn drop_tokens(&mut self, credential: CredentialId) {
        self.token = self.token.filter(|token| token.credential != credential);
    }

    fn put_token(&mut self, credential: CredentialId, generation: u64, expires_at: StoreTime) {
        let serial = self.token.map_or(0, |token| token.serial) + 1;
        self.token =
            Some(Token { id: TokenId(serial), credential, generation, serial, expires_at });
    }
}
