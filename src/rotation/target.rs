//! Where credentials are persisted to, and how far that has come.

use crate::clock::StoreTime;

/// Names a place that credentials are persisted to.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct TargetId(pub u32);

/// A place that a credential is to be persisted to, and when.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct TargetSpec {
    /// Names it in the record.
    pub target: TargetId,
    /// A source of its own yields the candidate: it is written only when the old one retires.
    pub at_retirement: bool,
}

/// How far a place is behind.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum TargetState {
    /// To be written.
    Pending {
        /// Not before.
        not_before: StoreTime,
    },
    /// It acknowledged.
    Done,
    /// It never will.
    Impossible,
}

/// What came of an attempt to persist.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum PersistOutcome {
    /// It acknowledged.
    Done,
    /// It never will (EROFS, EBUSY, EACCES).
    Impossible,
    /// It may later.
    Failed,
}
