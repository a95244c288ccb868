//! One reading of the sources: what it is of, and what is still to come.

use std::collections::BTreeSet;

use super::configured::Owner;
use super::pace::Extent;
use super::reading::Place;
use crate::clock::Timestamp;

/// What to read now; nothing, if everything is known already.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Requests {
    /// What the reading is of.
    pub extent: Extent,
    /// Files and directories, for the driver.
    pub places: BTreeSet<Place>,
    /// Owners whose JavaScript sources are to be asked.
    pub owners: Vec<Owner>,
}

/// A reading that has begun and not ended.
#[derive(Debug)]
pub(super) struct ReadingRound {
    /// What has not answered yet.
    awaited: Requests,
    deadline: Timestamp,
    /// What is being read was written meanwhile: what the reading brings may be older than that.
    is_outdated: bool,
}

impl ReadingRound {
    pub(super) fn new(requests: &Requests, deadline: Timestamp) -> Self {
        Self { awaited: requests.clone(), deadline, is_outdated: false }
    }

    /// When the reading goes on without the silent ones.
    pub(super) fn deadline(&self) -> Timestamp {
        self.deadline
    }

    /// Whether no function is called.
    pub(super) fn is_cheap(&self) -> bool {
        self.awaited.extent == Extent::Cheap
    }

    /// Whether everybody has answered or has had their time.
    pub(super) fn is_complete(&self, now: Timestamp) -> bool {
        let Requests { places, owners, .. } = &self.awaited;
        places.is_empty() && owners.is_empty() || now >= self.deadline
    }

    pub(super) fn forget_place(&mut self, place: &Place) {
        self.awaited.places.remove(place);
    }

    pub(super) fn forget_owner(&mut self, owner: Owner) {
        self.awaited.owners.retain(|waiting| *waiting != owner);
    }

    pub(super) fn is_outdated(&self) -> bool {
        self.is_outdated
    }

    pub(super) fn outdate(&mut self) {
        self.is_outdated = true;
    }
}
