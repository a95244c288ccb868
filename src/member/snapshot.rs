//! Where a rotation stands, as it is told.

use super::keyring::Name;
use super::waiting::Waiting;
use crate::clock::Timestamp;
use crate::error::Code;
use crate::rotation::{Persisted, RotationId};

/// Where a rotation stands.
#[derive(Debug, Clone)]
pub struct RotationSnapshot {
    /// Its key.
    pub rotation: RotationId,
    /// How far it is.
    pub phase: Progress,
    /// The generation of the record.
    pub generation: u64,
    /// What was to become active.
    pub candidate: Name,
    /// What is active.
    pub active: Name,
    /// The fallback, while the overlap is open.
    pub previous: Option<Name>,
    /// Whether the candidate has been persisted.
    pub persisted: Persisted,
    /// The previous one stays a fallback until then.
    pub retire_not_before: Option<Timestamp>,
    /// The last expiry of any token that was made with the previous one.
    pub safe_to_revoke_at: Option<Timestamp>,
    /// Why it failed.
    pub reason: Option<Code>,
    /// What it waits for.
    pub waiting: Vec<Waiting>,
}

/// How far a rotation is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Progress {
    /// Its candidate is being proved.
    Staged,
    /// The candidate is active, and the previous one is a fallback.
    Overlap,
    /// The candidate became active, and no previous one is left.
    Retired,
    /// The candidate was active, and another one took over again.
    RolledBack,
    /// The candidate never became active.
    Failed,
}
