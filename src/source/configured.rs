//! What the sources yield.

use std::sync::Arc;

use crate::credential::Credential;
use crate::error::Failure;
use crate::persist::PersistTarget;

/// What the sources yield at one moment, and how that differs from before.
#[derive(Debug, Default)]
pub struct Configured {
    /// The credentials in the order of the configuration, each once.
    pub credentials: Vec<Arc<Credential>>,
    /// The credentials that are new, and what they replace.
    pub edges: Vec<Edge>,
    /// What each entry yields by itself, in the same order.
    pub entries: Vec<Yielded>,
    /// Why a required source yields nothing, if that is so.
    pub unreadable: Option<Failure>,
    /// There is no credential yet, and entries that came too late for this reading are still
    /// unread.
    pub pending: bool,
}

/// A credential that an entry did not yield before.
#[derive(Debug, Clone)]
pub struct Edge {
    /// What the entry yielded in the same place.
    pub from: Option<Arc<Credential>>,
    /// What it yields.
    pub to: Arc<Credential>,
    /// The entry was never read before.
    pub is_start: bool,
}

/// What one entry yields.
#[derive(Debug, Clone, PartialEq)]
pub struct Yielded {
    /// Which entry.
    pub place: EntryPlace,
    /// What it yields.
    pub credentials: Vec<Arc<Credential>>,
    /// Where to write a credential that replaces what it yields.
    pub persist: Option<PersistTarget>,
    /// Whether environment variables are among its sources.
    pub has_variables: bool,
    /// Its source holds nothing any more: this is what it yielded last.
    pub is_emptied: bool,
}

/// Identifies an entry among those of all handles.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct EntryPlace {
    /// The handle that configured it.
    pub owner: Owner,
    /// Its position in the owner's list.
    pub index: usize,
}

/// The handle that configured a group of entries.
pub type Owner = u64;
