//! How a source is, and what is told of it.

use super::configured::EntryPlace;
use crate::clock::Timestamp;

/// A source did something that people should know of.
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
    /// It yields another credential than before.
    Changed,
    /// It yields nothing any more; its last value stays in use.
    Emptied,
    /// It could not be read, for this reason; its last value, if any, stays in use.
    Unreadable(String),
    /// It changes so often that only some changes are taken up, for which this gives advice; its
    /// last value is not lost.
    Throttled(String),
}

/// How an entry's source is at the moment.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SourceState {
    /// Which entry.
    pub place: EntryPlace,
    /// The entry's label.
    pub label: Option<String>,
    /// It was never read yet.
    pub is_pending: bool,
    /// Why it yields nothing, if so.
    pub problem: Option<SourceProblem>,
    /// What is known if it changes too often.
    pub throttled: Option<Throttled>,
    /// Something that it yielded before is in use, or it is optional.
    pub is_covered: bool,
}

/// That a source changes too often.
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
    /// It was read and was empty; if not, it could not be read.
    pub is_empty: bool,
    /// For people: which source, and why.
    pub message: String,
    /// When that began.
    pub since: Timestamp,
}
