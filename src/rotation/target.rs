//! The places that credentials are written back to.

use crate::clock::Timestamp;

/// A place that credentials are written back to.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct TargetId(pub u32);

/// A place that credentials are written back to.
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
        not_before: Timestamp,
    },
    /// It acknowledged.
    Done,
    /// It never will.
    Impossible,
}

/// What came of writing a sink.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum PersistOutcome {
    /// It acknowledged.
    Done,
    /// It never will (EROFS, EBUSY, EACCES).
    Impossible,
    /// It may later.
    Failed,
}
