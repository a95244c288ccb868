//! How a record is written: what a store compares before it takes a write.

use super::fleet::{Census, MemberId, MemberRow, MemberTable};
use super::missing::Missing;
use super::record::{Record, Version};
use super::role::Role;
use super::view::Token;
use crate::clock::StoreTime;
use crate::credential::CredentialId;

/// A record to be stored, and the token with it, in one atomic write.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Write {
    /// The version that this one follows; none: there must be no record.
    pub expect: Option<Version>,
    /// What is stored.
    pub record: Record,
    /// What becomes of the token.
    pub token: TokenChange,
    /// What must hold of the members at that moment.
    pub barrier: Option<Barrier>,
}

/// What becomes of the token with a write of the record.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum TokenChange {
    /// It stays as it is.
    Keep,
    /// The token of the latest probe with this credential replaces it.
    Replace {
        /// What it was made with.
        credential: CredentialId,
        /// When it expires.
        expires_at: StoreTime,
    },
}

/// Every live member has read a promotion and holds the promoted credential.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Barrier {
    /// The promotion's epoch.
    pub epoch: u64,
    /// What was promoted.
    pub credential: CredentialId,
    /// Every member can open it in the store.
    pub is_sealed: bool,
    /// Who writes; none: an administrator, who is no member.
    pub writer: Option<MemberId>,
}

/// Why a store did not take a write.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Refused {
    /// Somebody else wrote meanwhile.
    Stale,
    /// The barrier does not hold any more.
    Barrier(Missing),
}

impl Write {
    /// The comparison that every store makes, atomically with the write.
    ///
    /// `members` are those in the store at that moment; none where one process shares nothing.
    pub fn admit(
        &self,
        stored: Option<&Record>,
        members: Option<&MemberTable>,
        now: StoreTime,
    ) -> Result<(), Refused> {
        if self.expect != stored.map(|stored| stored.version) {
            return Err(Refused::Stale);
        }
        let (Some(barrier), Some(members)) = (self.barrier, members) else { return Ok(()) };
        let missing = barrier.missing(&members.census(barrier.writer), now);
        if missing.is_nothing() { Ok(()) } else { Err(Refused::Barrier(missing)) }
    }
}

impl Barrier {
    /// What the barrier lacks, as the members stand that were counted for its writer.
    pub fn missing(&self, census: &Census, now: StoreTime) -> Missing {
        let is_listed = self.writer.is_none() || census.own.is_some();
        let without = census.live().saturating_sub(census.holders_of(self.credential));
        Missing {
            table: !is_listed || !census.is_complete(now),
            acks: census.behind(self.epoch),
            holders: if self.is_sealed { 0 } else { without },
            ..Missing::default()
        }
    }

    /// Whether a member has not read the promotion.
    pub fn is_behind(&self, member: &MemberRow) -> bool {
        member.acked < self.epoch
    }

    /// Whether a member does not hold the promoted credential.
    pub fn is_without(&self, member: &MemberRow) -> bool {
        !self.is_sealed && !member.holds.contains(&self.credential)
    }
}

/// The comparison that every store makes before it takes a token that was fetched under
/// `generation`.
///
/// `read` is the serial that the fetching member had read, 0 for none.
pub fn admit_token(
    stored: Option<&Record>,
    token: Option<&Token>,
    credential: CredentialId,
    generation: u64,
    read: u64,
) -> bool {
    stored.is_some_and(|record| {
        // A refresh that began before a promotion must not undo it: its secret may be dying.
        record.generation == generation && record.role(credential) != Role::Retired
    }) && token.map_or(0, |token| token.serial) == read
}
