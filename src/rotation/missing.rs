//! What stands between the previous credential and its retirement.

use super::fleet::MemberId;
use super::target::TargetId;

/// What stands between the previous credential and its retirement.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Missing {
    /// The active credential has no proof that is fresh enough; it is asked for once nothing else is
    /// missing.
    pub proof: bool,
    /// The member table is too young to be relied upon.
    pub table: bool,
    /// Live members that have not seen the promotion.
    pub acks: Vec<MemberId>,
    /// Live members that do not hold the active credential.
    pub holders: Vec<MemberId>,
    /// Persist targets that have not been written.
    pub targets: Vec<TargetId>,
    /// No persist target could be written, and nothing else keeps the active credential.
    pub custody: bool,
}

impl Missing {
    /// Whether nothing is missing.
    pub fn is_nothing(&self) -> bool {
        *self == Self::default()
    }

    /// Whether a probe that is on its way is all that is missing.
    pub fn is_only_proof(&self) -> bool {
        *self == Self { proof: true, ..Self::default() }
    }
}
