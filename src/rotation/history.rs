//! The rotations of a record: what names them, and how they ended.

use std::fmt;
use std::sync::Arc;

use serde::{Deserialize, Serialize};

use crate::credential::CredentialId;

/// The idempotency key of one rotation.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct RotationId(Arc<str>);

impl RotationId {
    /// A key of the caller's choice.
    pub fn new(id: &str) -> Self {
        Self(id.into())
    }

    /// The key of who chooses none: the same in every process that is told the same secret.
    pub fn of(candidate: CredentialId) -> Self {
        Self(format!("r-{candidate}").into())
    }
}

impl fmt::Display for RotationId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// A rotation that has ended.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Past {
    /// Its key.
    pub rotation: RotationId,
    /// What was to become active.
    pub candidate: CredentialId,
    /// What became of it.
    pub end: End,
}

/// How a rotation ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum End {
    /// Its candidate became active.
    Promoted,
    /// So it did, and what it had replaced took over again.
    RolledBack,
    /// The endpoint does not accept the candidate.
    Rejected,
    /// Nothing proved it in time, or it was withdrawn.
    Unverified,
    /// It was proved, but only a process that may die held it.
    NoCustody,
    /// It was proved, but what was previous then could not be retired.
    RetireBlocked,
    /// Another rotation took its place.
    Superseded,
}
