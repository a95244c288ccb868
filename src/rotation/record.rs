//! What a fleet agrees upon: which credential has which role.

use std::collections::BTreeMap;
use std::sync::Arc;

use serde::{Deserialize, Serialize};
use url::Url;

use super::history::{End, Past, RotationId};
use super::lineage::Lineage;
use super::role::{Former, Quarantined, Retired, Role};
use super::target::{TargetId, TargetState};
use crate::clock::StoreTime;
use crate::credential::CredentialId;

/// The credential lifecycle of one logical client, as the store keeps it.
///
/// It changes only by [`Write`](super::Write), one version after the other. It holds no secret.
/// Each credential has one [`Role`]; [`Record::role`] tells which.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Record {
    /// Which write this is the outcome of.
    pub version: Version,
    /// +1 whenever the active credential changes.
    pub generation: u64,
    /// What tokens are fetched with.
    pub active: CredentialId,
    /// The OAuth client of the active credential.
    pub client: Arc<str>,
    /// What the latest token of the active credential may be used for; none: the endpoint did not
    /// say.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub scope: Option<Arc<str>>,
    /// Where a rotation stands.
    pub phase: Phase,
    /// Known and configured, not in rotation: fallbacks.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub standby: Vec<CredentialId>,
    /// Rejected while another one was accepted; probed again slowly.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub quarantined: Vec<Quarantined>,
    /// Not presented again, the latest last; at most [`Record::MOST_RETIRED`].
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub retired: Vec<Retired>,
    /// The candidate that is staged when the rotation that is open has ended.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub waiting: Option<CredentialId>,
    /// Where [`Record::to_persist`] is written to.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub targets: BTreeMap<TargetId, TargetState>,
    /// Where the token of a candidate is tried before the candidate counts as proved, for those that
    /// somebody wants it of; also when one that was rejected is tried again.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub verify: BTreeMap<CredentialId, Url>,
    /// How the latest rotations ended, the latest last; at most [`Record::MOST_HISTORY`].
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub history: Vec<Past>,
    /// The writes before this one.
    pub lineage: Lineage,
}

/// Tells two writes of a record apart.
///
/// The epoch alone does not: a store that lost its latest writes counts the same numbers again.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Version {
    /// New when a record is created; a later one is greater.
    pub incarnation: u64,
    /// +1 with every accepted write.
    pub epoch: u64,
    /// Random, new with every write.
    pub nonce: u64,
}

/// Where a rotation stands, with what only this state has.
///
/// There is no variant for `Starting`: that is a missing record.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum Phase {
    /// The active credential works, and no rotation is open.
    Stable,
    /// A fresh token is held, and nobody presents the active credential.
    Prepared(Prepared),
    /// A next credential is being proved.
    Staged(Staged),
    /// It was promoted; the previous one is still a fallback.
    Overlap(Overlap),
    /// No known credential is accepted.
    Degraded {
        /// Since when; an answer from before does not end it.
        since: StoreTime,
    },
}

/// See [`Phase::Prepared`].
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Prepared {
    /// Ends it.
    pub deadline: StoreTime,
    /// The expiry of the token that bridges the change.
    pub safe_until: StoreTime,
}

/// See [`Phase::Staged`].
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Staged {
    /// What is being proved.
    pub next: CredentialId,
    /// The role it had, and has again when it is withdrawn.
    pub former: Former,
    /// The idempotency key of this rotation.
    pub rotation: RotationId,
    /// When it was staged; the propagation window begins here.
    pub at: StoreTime,
    /// Ends it without a promotion.
    pub deadline: StoreTime,
    /// The active credential has leaked: it is retired with the promotion.
    pub compromised: bool,
    /// Since when no live member holds `next`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub forsaken: Option<StoreTime>,
    /// Since when nobody waits for `next`, which is proved, and no source yields it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub unwanted: Option<StoreTime>,
    /// How far each place is with the active credential, which goes on when this is withdrawn.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub targets: BTreeMap<TargetId, TargetState>,
    /// The overlap in which it was staged; it rests, and goes on when this is withdrawn.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub beneath: Option<Box<Overlap>>,
}

/// See [`Phase::Overlap`].
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Overlap {
    /// What was active before.
    pub previous: CredentialId,
    /// The rotation that promoted the active one.
    pub rotation: RotationId,
    /// The epoch of the promotion, which every live member has to have seen.
    pub epoch: u64,
    /// When the active one was promoted.
    pub at: StoreTime,
    /// The previous one stays a fallback until then.
    pub retire_not_before: StoreTime,
    /// The last expiry of any token that was made with the previous one.
    pub safe_to_revoke_at: StoreTime,
    /// When it is told that the retirement is overdue.
    pub deadline: StoreTime,
    /// It was told.
    pub overdue: bool,
    /// Since when it is wanted that the previous one becomes active again.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reverting: Option<StoreTime>,
}

impl Record {
    /// How many of the credentials that no source yields are kept as fallbacks, and how many of
    /// those that were rejected and never active; older ones are forgotten.
    pub const MOST_STRAYS: usize = 8;
    /// The generation of the first active credential.
    pub const FIRST_GENERATION: u64 = 1;
    /// Older retirements are forgotten.
    pub const MOST_RETIRED: usize = 32;
    /// Older rotations are forgotten.
    pub const MOST_HISTORY: usize = 8;

    /// The role of a credential.
    pub fn role(&self, credential: CredentialId) -> Role {
        if self.active == credential {
            return Role::Active;
        }
        if self.staged().is_some_and(|staged| staged.next == credential) {
            return Role::Next;
        }
        if self.open_overlap().is_some_and(|overlap| overlap.previous == credential) {
            return Role::Previous;
        }
        if self.waiting == Some(credential) {
            Role::Waiting
        } else if self.standby.contains(&credential) {
            Role::Standby
        } else if self.quarantined.iter().any(|known| known.credential == credential) {
            Role::Quarantined
        } else if self.retired.iter().any(|known| known.credential == credential) {
            Role::Retired
        } else {
            Role::Unknown
        }
    }

    /// Whether this credential may be sent to the token endpoint.
    ///
    /// A retired one never is, one that the record does not know only where it becomes a candidate,
    /// and the active one not while a person may be replacing it at the provider.
    pub fn may_present(&self, credential: CredentialId) -> bool {
        match self.role(credential) {
            Role::Active => !matches!(self.phase, Phase::Prepared(_)),
            Role::Retired | Role::Unknown => false,
            _ => true,
        }
    }

    /// Whether a token that was made with this credential may be handed out.
    pub fn may_use_token_of(&self, credential: CredentialId) -> bool {
        !self.retired.iter().any(|known| known.credential == credential && known.compromised)
    }

    /// What stands in for the active credential, in the order in which it is tried.
    pub fn fallbacks(&self) -> impl Iterator<Item = CredentialId> {
        let next = self.staged().map(|staged| staged.next);
        let previous = self.open_overlap().map(|overlap| overlap.previous);
        let slow = self.quarantined.iter().map(|known| known.credential);
        // One that waits may have been retired: an edge has named it since.
        let all = next.into_iter().chain(previous).chain(self.waiting);
        let all = all.chain(self.standby.iter().copied()).chain(slow);
        let mut seen = vec![self.active];
        all.filter(move |credential| {
            let is_new = !seen.contains(credential);
            seen.push(*credential);
            is_new
        })
    }

    /// What may be presented as this record stands: the active credential, and what stands in for
    /// it.
    pub fn in_use(&self) -> impl Iterator<Item = CredentialId> {
        [self.active].into_iter().chain(self.fallbacks())
    }

    /// How the latest rotation of that key ended.
    pub fn past(&self, rotation: &RotationId) -> Option<&Past> {
        self.history.iter().rev().find(|past| past.rotation == *rotation)
    }

    /// Adds a rotation that has ended to the history.
    pub(super) fn remember(&mut self, past: Past) {
        self.history.push(past);
        let surplus = self.history.len().saturating_sub(Self::MOST_HISTORY);
        self.history.drain(..surplus);
    }

    /// Forgets where the tokens of those are tried that are no candidates any more.
    pub(super) fn forget_verified(&mut self) {
        let is_over = |role| matches!(role, Role::Active | Role::Unknown | Role::Retired);
        let over: Vec<_> =
            self.verify.keys().filter(|id| is_over(self.role(**id))).copied().collect();
        self.verify.retain(|id, _| !over.contains(id));
    }

    /// Whether the rotation that was open ended with its candidate, now that another credential is
    /// active.
    pub(super) fn revise_end(&mut self, rotation: &RotationId) {
        let active = self.active;
        let past = self.history.iter_mut().rev().find(|past| past.rotation == *rotation);
        if let Some(past) = past {
            past.end = if past.candidate == active { End::Promoted } else { End::RolledBack };
        }
    }

    /// The latest moment that it tells of as past.
    pub fn latest(&self) -> StoreTime {
        let overlap = self.open_overlap().map(|it| it.reverting.map_or(it.at, |at| at.max(it.at)));
        let of_phase = match &self.phase {
            Phase::Staged(staged) => {
                [staged.forsaken, staged.unwanted].into_iter().flatten().fold(staged.at, Ord::max)
            }
            Phase::Degraded { since } => *since,
            Phase::Stable | Phase::Prepared(_) | Phase::Overlap(_) => StoreTime::default(),
        };
        overlap.unwrap_or_default().max(of_phase)
    }

    /// The rotation whose candidate is being proved.
    pub fn staged(&self) -> Option<&Staged> {
        match &self.phase {
            Phase::Staged(staged) => Some(staged),
            _ => None,
        }
    }

    /// The candidate that is being proved, and where its token is tried, if anywhere.
    pub fn verified(&self) -> Option<(CredentialId, &Url)> {
        let next = self.staged()?.next;
        Some((next, self.verify.get(&next)?))
    }

    /// What has to be accepted once more before it becomes active: the next credential, or the
    /// previous one that is wanted back.
    pub fn on_trial(&self) -> Option<CredentialId> {
        let reverting = self.overlap().filter(|overlap| overlap.reverting.is_some());
        let staged = self.staged().map(|staged| staged.next);
        staged.or(reverting.map(|overlap| overlap.previous))
    }

    /// What is persisted: the next credential while it is being proved, else the active one.
    pub fn to_persist(&self) -> CredentialId {
        self.staged().map_or(self.active, |staged| staged.next)
    }

    /// The overlap that is open and goes on.
    pub fn overlap(&self) -> Option<&Overlap> {
        match &self.phase {
            Phase::Overlap(overlap) => Some(overlap),
            _ => None,
        }
    }

    /// The overlap that is open, even while a candidate that was staged in it is being proved.
    pub fn open_overlap(&self) -> Option<&Overlap> {
        self.overlap().or_else(|| self.staged()?.beneath.as_deref())
    }

    /// Whether an overlap rests while a candidate that was staged in it is being proved.
    pub(super) fn has_overlap_beneath(&self) -> bool {
        self.staged().is_some_and(|staged| staged.beneath.is_some())
    }

    /// The overlap that is open, to change it.
    pub(super) fn open_overlap_mut(&mut self) -> Option<&mut Overlap> {
        match &mut self.phase {
            Phase::Overlap(overlap) => Some(overlap),
            Phase::Staged(staged) => staged.beneath.as_deref_mut(),
            _ => None,
        }
    }

    /// How far each place is with a credential, which is the active or the next one.
    pub(super) fn targets_of(&self, credential: CredentialId) -> &BTreeMap<TargetId, TargetState> {
        let staged = self.staged().filter(|staged| staged.next != credential);
        staged.map_or(&self.targets, |staged| &staged.targets)
    }

    /// The same, to change it.
    pub(super) fn targets_of_mut(
        &mut self,
        credential: CredentialId,
    ) -> &mut BTreeMap<TargetId, TargetState> {
        match &mut self.phase {
            Phase::Staged(staged) if staged.next != credential => &mut staged.targets,
            _ => &mut self.targets,
        }
    }
}
