//! The members of a fleet, and what each of them holds.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use super::target::TargetId;
use crate::clock::StoreTime;
use crate::credential::CredentialId;

/// The members of a fleet, as this one sees it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Fleet {
    /// This member; none for an administrator.
    pub me: Option<MemberId>,
    /// The table, as last read.
    pub members: MemberTable,
    /// What lies sealed in the store, to be opened by every member with the key.
    pub sealed: BTreeSet<CredentialId>,
}

impl Fleet {
    /// Whether a live member can present a credential.
    pub fn is_held(&self, credential: CredentialId) -> bool {
        self.sealed.contains(&credential)
            || self.members.rows.values().any(|row| row.holds.contains(&credential))
    }

    /// Whether every live member can present a credential.
    pub(super) fn all_hold(&self, credential: CredentialId) -> bool {
        self.sealed.contains(&credential)
            || self.members.rows.values().all(|row| row.holds.contains(&credential))
    }
}

/// Names a member.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct MemberId(pub u64);

/// The table of live members.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct MemberTable {
    /// When the table was created: a young one may not list everybody yet.
    pub since: StoreTime,
    /// The live members.
    pub rows: BTreeMap<MemberId, MemberRow>,
}

/// A live member.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Default)]
pub struct MemberRow {
    /// The latest epoch it has read.
    pub acked: u64,
    /// What it can present.
    pub holds: BTreeSet<CredentialId>,
    /// The functions of its configuration that write credentials back.
    pub persists: BTreeSet<TargetId>,
}

impl MemberTable {
    /// How long a silent member counts as live.
    pub const TTL: Duration = Duration::from_secs(15);

    /// Whether every live member must be listed by now.
    pub fn is_complete(&self, now: StoreTime) -> bool {
        now.since(self.since) >= Self::TTL
    }
}
