//! One reading of the sources: what it covers, and what is still awaited.

use std::collections::BTreeSet;

use super::configured::Owner;
use super::pace::Extent;
use super::reading::Place;
use crate::clock::Timestamp;

/// What to read now. Empty if everything is known already.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Requests {
    /// What the reading covers.
    pub extent: Extent,
    /// The files and directories that the driver reads.
    pub places: BTreeSet<Place>,
    /// The owners whose JavaScript sources are read.
    pub owners: Vec<Owner>,
}

/// A reading that is under way.
#[derive(Debug)]
pub(super) struct ReadingRound {
    /// What has not been read yet.
    awaited: Requests,
    deadline: Timestamp,
    /// Something was written meanwhile to what is being read, so the reading may be older than the
    /// write.
    is_outdated: bool,
}

impl ReadingRound {
    pub(super) fn new(requests: &Requests, deadline: Timestamp) -> Self {
        Self { awaited: requests.clone(), deadline, is_outdated: false }
    }

    /// When the reading stops waiting for silent sources.
    pub(super) fn deadline(&self) -> Timestamp {
        self.deadline
    }

    /// Whether the reading calls no function.
    pub(super) fn is_cheap(&self) -> bool {
        self.awaited.extent == Extent::Cheap
    }

    /// Whether everything has been read, or the deadline has passed.
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
