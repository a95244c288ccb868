//! The store operations that are under way, and what each of them is for.

use std::collections::BTreeMap;
use std::time::Duration;

use crate::clock::Timestamp;
use crate::credential::CredentialId;

/// What was asked of the store and not answered yet, by its number.
#[derive(Debug, Default)]
pub(super) struct Operations {
    under_way: BTreeMap<u64, PendingOperation>,
    last: u64,
}

/// An operation under way.
#[derive(Debug)]
pub(super) struct PendingOperation {
    pub(super) purpose: Purpose,
    pub(super) asked_at: Timestamp,
    /// No answer counts after it; none: the store is this process's own, and answers at once.
    pub(super) deadline: Option<Timestamp>,
}

/// Who waits for what comes of an operation.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Purpose {
    /// The work that concerns the record.
    Work,
    /// A deletion is owed.
    Deletion,
    /// This member says that it lives.
    Beat,
    /// This member wants the lease under that number.
    Lease(u64),
    /// This member wants to keep the lease of that number.
    Renewal(u64),
    /// A rejection of this credential is noted for the fleet.
    Rejection(CredentialId),
    /// People are told of members by name.
    Naming,
    /// Nobody waits for it.
    Note,
}

impl Operations {
    /// How long a shared store may take.
    pub(super) const LONGEST: Duration = Duration::from_millis(250);
    /// However little is left of a token.
    pub(super) const SHORTEST: Duration = Duration::from_millis(20);

    /// The number of a new operation.
    pub(super) fn number(&mut self) -> u64 {
        self.last += 1;
        self.last
    }

    /// An operation begins; after the deadline no answer to it counts.
    pub(super) fn begin(
        &mut self,
        id: u64,
        purpose: Purpose,
        asked_at: Timestamp,
        deadline: Option<Timestamp>,
    ) {
        self.under_way.insert(id, PendingOperation { purpose, asked_at, deadline });
    }

    /// An operation has ended, unless nobody waits for it any more.
    pub(super) fn end(&mut self, id: u64) -> Option<PendingOperation> {
        self.under_way.remove(&id)
    }

    /// When the first of them has taken too long.
    pub(super) fn deadline(&self) -> Option<Timestamp> {
        self.under_way.values().filter_map(|it| it.deadline).min()
    }

    /// Those that have taken too long.
    pub(super) fn overdue(&self, now: Timestamp) -> Vec<u64> {
        let is_due = |it: &PendingOperation| it.deadline.is_some_and(|at| at <= now);
        self.under_way.iter().filter(|(_, it)| is_due(it)).map(|(id, _)| *id).collect()
    }

    /// Nobody hears of them any more.
    pub(super) fn lose(&mut self) {
        self.under_way.clear();
    }
}
