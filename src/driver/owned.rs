//! Numbers that belong to handles: callers that wait, writes that are under way.

use std::collections::HashMap;

use crate::api::HandleId;

/// Numbers, each with the handle that it belongs to. No other handle has a say in it.
#[derive(Debug, Default)]
pub(super) struct OwnedNumbers(HashMap<u64, HandleId>);

impl OwnedNumbers {
    pub(super) fn give(&mut self, number: u64, owner: HandleId) {
        self.0.insert(number, owner);
    }

    pub(super) fn owner(&self, number: u64) -> Option<HandleId> {
        self.0.get(&number).copied()
    }

    pub(super) fn belongs_to(&self, number: u64, owner: HandleId) -> bool {
        self.owner(number) == Some(owner)
    }

    /// Forgets a number; returns the handle that it belonged to.
    pub(super) fn take(&mut self, number: u64) -> Option<HandleId> {
        self.0.remove(&number)
    }

    /// Forgets a number if it belongs to this handle; returns whether it did.
    pub(super) fn take_from(&mut self, number: u64, owner: HandleId) -> bool {
        self.belongs_to(number, owner) && self.take(number).is_some()
    }

    /// The numbers of a handle.
    pub(super) fn of(&self, owner: HandleId) -> Vec<u64> {
        self.0.iter().filter(|(_, of)| **of == owner).map(|(number, _)| *number).collect()
    }

    /// Forgets the numbers of a handle, and returns them.
    pub(super) fn take_all(&mut self, owner: HandleId) -> Vec<u64> {
        self.0.extract_if(|_, of| *of == owner).map(|(number, _)| number).collect()
    }
}
