//! The state of a source, and what people are told of it.

use super::configured::EntryPlace;
use crate::clock::Timestamp;

/// Something that a source did and that people should know of.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SourceNotice {
    /// The position of the entry in its owner's list of credentials.
    pub entry: usize,
    /// The entry's label.
    pub label: Option<String>,
    /// What happened.
    pub change: SourceChange,
}

/// What a source did.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum SourceChange {
    /// It yields a different credential than before.
    Changed,
    /// It no longer yields anything; its last value stays in use.
    Emptied,
    /// It could not be read, for this reason; its last value, if any, stays in use.
    Unreadable(String),
    /// It changes so often that only some changes are used. Its latest value is not lost. The text
    /// gives advice.
    Throttled(String),
}

/// The current state of an entry's source.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SourceState {
    /// Which entry.
    pub place: EntryPlace,
    /// The entry's label.
    pub label: Option<String>,
    /// It has not been read yet.
    pub is_pending: bool,
    /// Why it yields nothing, if that is so.
    pub problem: Option<SourceProblem>,
    /// Set if it changes too often.
    pub throttled: Option<Throttled>,
    /// A value that it yielded is in use, or it is optional.
    pub is_covered: bool,
}

/// A source that changes too often.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Throttled {
    /// For people: which source, and what to do.
    pub message: String,
    /// When that began.
    pub since: Timestamp,
}

/// Why a source yields nothing.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SourceProblem {
    /// It was read and is empty. Otherwise, it could not be read.
    pub is_empty: bool,
    /// For people: which source, and why.
    pub message: String,
    /// When that began.
    pub since: Timestamp,
}
