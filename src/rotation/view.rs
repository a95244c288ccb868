//! What a member knows that the record does not say.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::time::Duration;

use super::caller::KeptCaller;
use super::ledger::Ledger;
use super::record::Slot;
use crate::clock::Timestamp;
use crate::credential::CredentialId;

/// What one member knows when it takes a step; the driver keeps it up to date and decides nothing by it.
///
/// Everything in it may be old. A [`Write`](super::Write) therefore carries what the store compares
/// again: the version that was read, and the barrier.
#[derive(Debug, Clone, Default)]
pub struct View {
    /// The options that concern rotations.
    pub policy: Policy,
    /// Fresh random bits for the write that this step may ask for.
    pub nonce: u64,
    /// What sources yield here, in the order of the configuration.
    pub configured: Vec<CredentialId>,
    /// Those of them that only the variables of this process hold, which end with it.
    pub fleeting: BTreeSet<CredentialId>,
    /// What this member can present: the configured ones, and those that a caller handed over.
    pub held: BTreeSet<CredentialId>,
    /// The OAuth client of each credential that is held here.
    pub clients: BTreeMap<CredentialId, Arc<str>>,
    /// The endpoint's answers.
    pub ledger: Ledger,
    /// The token that is shared, or in one process held.
    pub token: Option<Token>,
    /// The members of the fleet; none where one process shares nothing.
    pub fleet: Option<Fleet>,
    /// Where credentials are written back to.
    pub sinks: Vec<SinkSpec>,
    /// The callers that wait, by [`Effect::Keep`](super::Effect::Keep).
    pub callers: Vec<KeptCaller>,
    /// Probes under way.
    pub probing: BTreeSet<CredentialId>,
    /// Writes to sinks under way.
    pub writing: BTreeSet<Slot>,
    /// Writes that were given up and may still end: the same credential is not written there meanwhile.
    pub stuck: BTreeSet<(Slot, CredentialId)>,
}

/// The options that concern rotations.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Policy {
    /// How long the previous credential stays a fallback; none: min(max(remaining life of the old
    /// token, 5 min), 1 h).
    pub overlap: Option<Duration>,
    /// How long after its staging a candidate's rejections do not count.
    pub propagation: Duration,
}

impl Default for Policy {
    fn default() -> Self {
        Self { overlap: None, propagation: Duration::ZERO }
    }
}

/// The token that is handed out, without the token.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Token {
    /// What it was made with.
    pub credential: CredentialId,
    /// The generation of the record under which it was made.
    pub generation: u64,
    /// +1 with every token.
    pub serial: u64,
    /// When it expires.
    pub expires_at: Timestamp,
}

/// The members of a fleet, as this one sees it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Fleet {
    /// This member; none for an administrator.
    pub me: Option<MemberId>,
    /// The table, as last read.
    pub members: Members,
    /// What lies sealed in the store, to be opened by every member with the key.
    pub sealed: BTreeSet<CredentialId>,
}

/// Names a member.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct MemberId(pub u64);

/// The table of live members.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Members {
    /// When the table was created: a young one may not list everybody yet.
    pub since: Timestamp,
    /// The live members.
    pub rows: BTreeMap<MemberId, Member>,
}

/// A live member.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Default)]
pub struct Member {
    /// The latest epoch it has read.
    pub acked: u64,
    /// What it can present.
    pub holds: BTreeSet<CredentialId>,
}

impl Members {
    /// How long a silent member counts as live.
    pub const TTL: Duration = Duration::from_secs(15);

    /// Whether every live member must be listed by now.
    pub fn is_complete(&self, now: Timestamp) -> bool {
        now.since(self.since) >= Self::TTL
    }
}

/// A place that credentials are written back to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct SinkSpec {
    /// Names it in the record.
    pub slot: Slot,
    /// A source of its own yields the candidate: it is written only when the old one retires.
    pub at_retirement: bool,
}

impl View {
    /// Whether a source here, or anything of another member's, yields a credential.
    pub fn is_yielded(&self, credential: CredentialId) -> bool {
        self.is_held_elsewhere(credential) || self.configured.contains(&credential)
    }

    /// Whether two credentials are known to be of the same OAuth client.
    pub fn are_of_one_client(&self, one: CredentialId, other: CredentialId) -> bool {
        self.clients.get(&one).is_some_and(|client| self.clients.get(&other) == Some(client))
    }

    /// Whether another live member holds a credential, as far as is known here.
    pub fn is_held_elsewhere(&self, credential: CredentialId) -> bool {
        self.fleet.as_ref().is_some_and(|fleet| {
            let mut others = fleet.members.rows.iter().filter(|(id, _)| Some(**id) != fleet.me);
            others.any(|(_, member)| member.holds.contains(&credential))
        })
    }

    /// Whether a live member holds a credential, as far as is known here.
    pub fn is_held(&self, credential: CredentialId) -> bool {
        self.held.contains(&credential)
            || self.fleet.as_ref().is_some_and(|fleet| {
                fleet.sealed.contains(&credential)
                    || fleet.members.rows.values().any(|member| member.holds.contains(&credential))
            })
    }
}
