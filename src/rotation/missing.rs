//! What stands between the previous credential and its retirement.

use super::target::TargetId;

/// What stands between the previous credential and its retirement.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Missing {
    /// The active credential has no proof that is fresh enough; it is asked for once nothing else is
    /// missing.
    pub proof: bool,
    /// The member table is too young to be relied upon.
    pub table: bool,
    /// How many live members have not seen the promotion.
    pub acks: u32,
    /// How many live members do not hold the active credential.
    pub holders: u32,
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

    /// How many live members have to catch up, at least: one may lack both.
    pub fn members(&self) -> u32 {
        self.acks.max(self.holders)
    }

    /// Whether a probe that is on its way is all that is missing.
    pub fn is_only_proof(&self) -> bool {
        *self == Self { proof: true, ..Self::default() }
    }
}
