//! The members of a fleet, and what they hold.

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
    /// The live members, as last counted for this one.
    pub census: Census,
    /// What lies sealed in the store, to be opened by every member with the key.
    pub sealed: BTreeSet<CredentialId>,
}

impl Fleet {
    /// Whether a live member can present a credential.
    pub fn is_held(&self, credential: CredentialId) -> bool {
        self.sealed.contains(&credential) || self.census.holders_of(credential) > 0
    }

    /// Whether every live member can present a credential.
    pub fn all_hold(&self, credential: CredentialId) -> bool {
        self.sealed.contains(&credential)
            || self.census.holders_of(credential) == self.census.live()
    }
}

/// Names a member.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct MemberId(pub u64);

/// How many live members a fleet has, and how many of them have what.
///
/// Every member asks for it again and again. Counts cost the store the same however many members
/// there are; their rows do not.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Census {
    /// When the table was created: a young one may not list everybody yet.
    pub since: StoreTime,
    /// How many members have read which epoch as their latest.
    pub acks: BTreeMap<u64, u32>,
    /// How many can present a credential.
    pub holders: BTreeMap<CredentialId, u32>,
    /// How many have a function that persists credentials.
    pub persisters: BTreeMap<TargetId, u32>,
    /// The row of the member that asked; none: it is not listed, or no member asked.
    pub own: Option<MemberRow>,
}

impl Census {
    /// How many members are live.
    pub fn live(&self) -> u32 {
        self.acks.values().sum()
    }

    /// Whether every live member must be listed by now.
    pub fn is_complete(&self, now: StoreTime) -> bool {
        now >= self.complete_at()
    }

    /// From when on every live member must be listed.
    pub(super) fn complete_at(&self) -> StoreTime {
        self.since + MemberTable::TTL
    }

    /// How many members have not read this epoch, or a later one.
    pub fn behind(&self, epoch: u64) -> u32 {
        self.acks.range(..epoch).map(|(_, members)| members).sum()
    }

    /// How many members can present a credential.
    pub(super) fn holders_of(&self, credential: CredentialId) -> u32 {
        self.holders.get(&credential).copied().unwrap_or_default()
    }

    /// Whether a member other than the one that asked can present a credential.
    pub(super) fn is_held_by_others(&self, credential: CredentialId) -> bool {
        let is_own = self.own.as_ref().is_some_and(|own| own.holds.contains(&credential));
        self.holders_of(credential) > u32::from(is_own)
    }

    /// Whether a member has a function that persists credentials.
    pub(super) fn can_persist(&self, target: TargetId) -> bool {
        self.persisters.contains_key(&target)
    }
}

/// The live members by name.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct MemberTable {
    /// When the table was created.
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

    /// Counts the members for one of them, or for an administrator.
    pub fn census(&self, asks: Option<MemberId>) -> Census {
        let own = asks.and_then(|id| self.rows.get(&id)).cloned();
        let mut census = Census {
            since: self.since,
            acks: BTreeMap::new(),
            holders: BTreeMap::new(),
            persisters: BTreeMap::new(),
            own,
        };
        for row in self.rows.values() {
            *census.acks.entry(row.acked).or_default() += 1;
            for credential in &row.holds {
                *census.holders.entry(*credential).or_default() += 1;
            }
            for target in &row.persists {
                *census.persisters.entry(*target).or_default() += 1;
            }
        }
        census
    }
}
