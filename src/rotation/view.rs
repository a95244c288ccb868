//! What a member knows that the record does not say.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use super::caller::KeptCaller;
use super::fleet::Fleet;
use super::ledger::Ledger;
use super::policy::RotationPolicy;
use super::record::Staged;
use super::target::{TargetId, TargetSpec, TargetState};
use crate::clock::StoreTime;
use crate::credential::CredentialId;
use crate::token::TokenId;

/// What one member knows when it takes a step. The driver keeps it up to date and decides nothing
/// by it.
///
/// Everything in it may be old. A [`Write`](super::Write) therefore carries what the store compares
/// again: the version that was read, and the barrier.
#[derive(Debug, Clone, Default)]
pub struct View {
    /// The options that concern rotations.
    pub policy: RotationPolicy,
    /// Fresh random bits for the write that this step may ask for.
    pub nonce: u64,
    /// What sources yield here, in the order of the configuration.
    pub configured: Vec<CredentialId>,
    /// Those of them that only the environment variables of this process hold, and that end with
    /// it.
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
    /// Where credentials are persisted to.
    pub targets: Vec<TargetSpec>,
    /// How far the files of this member of a fleet are with the active and the next credential, as
    /// far as they are concerned. In one process the record says so.
    pub files: BTreeMap<(TargetId, CredentialId), TargetState>,
    /// The callers that wait, as [`RotationEffect::Keep`](super::RotationEffect::Keep) said.
    pub callers: Vec<KeptCaller>,
    /// Probes under way.
    pub probing: BTreeSet<CredentialId>,
    /// Writes to persist targets under way.
    pub writing: BTreeSet<TargetId>,
    /// Writes that were given up and may still end: the same credential is not written there
    /// meanwhile.
    pub stuck: BTreeSet<(TargetId, CredentialId)>,
}

/// The token that is handed out, without the token.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Token {
    /// Which one it is.
    pub id: TokenId,
    /// The credential that it was made with.
    pub credential: CredentialId,
    /// The generation of the record under which it was made.
    pub generation: u64,
    /// +1 with every token.
    pub serial: u64,
    /// When the token expires.
    pub expires_at: StoreTime,
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
        self.fleet.as_ref().is_some_and(|fleet| fleet.census.is_held_by_others(credential))
    }

    /// Whether a live member holds a credential, as far as is known here.
    pub fn is_held(&self, credential: CredentialId) -> bool {
        self.held.contains(&credential)
            || self.fleet.as_ref().is_some_and(|fleet| fleet.is_held(credential))
    }

    /// Whether the record says how far a place is.
    pub(super) fn is_recorded(&self, target: TargetId) -> bool {
        self.fleet.is_none() || matches!(target, TargetId::Shared(_))
    }

    /// Whether the endpoint's latest certain answer to the next credential is a token, even one
    /// that has expired.
    pub(super) fn has_proved(&self, staged: &Staged) -> bool {
        self.ledger.proof(staged.next).is_some_and(|proof| proof.at >= staged.at)
    }
}
