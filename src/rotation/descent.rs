//! How two copies of a record descend from each other: a store may lose its latest writes, or be
//! written by two sides that do not see each other.

use std::cmp::Ordering;

use super::lineage::Lineage;
use super::record::{Record, Version};
use crate::clock::StoreTime;

/// What a record that is read now is to one that was read or written before.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Descent {
    /// It is the same, or follows from it.
    Continuation,
    /// It is an earlier one: the store has lost the writes after it, and nobody has written since.
    LostWrites,
    /// It follows from an earlier one by other writes.
    Fork,
    /// It is of a later incarnation: the store was empty in between.
    Later,
    /// It is of an earlier incarnation.
    Earlier,
}

impl Record {
    /// What `stored` is to this one.
    pub fn descent_of(&self, stored: &Self) -> Descent {
        let (known, read) = (self.version, stored.version);
        match read.incarnation.cmp(&known.incarnation) {
            Ordering::Less => return Descent::Earlier,
            Ordering::Greater => return Descent::Later,
            Ordering::Equal => {}
        }
        match read.epoch.cmp(&known.epoch) {
            Ordering::Equal if read.nonce == known.nonce => Descent::Continuation,
            Ordering::Greater if stored.descends_from(known) => Descent::Continuation,
            Ordering::Less if self.descends_from(read) => Descent::LostWrites,
            Ordering::Equal | Ordering::Greater | Ordering::Less => Descent::Fork,
        }
    }

    /// Whether an earlier version stands in its place; what is too long ago is taken on trust.
    fn descends_from(&self, earlier: Version) -> bool {
        let writes = self.version.epoch - earlier.epoch;
        match self.lineage.ago(writes) {
            Some(nonce) => nonce == earlier.nonce,
            None => writes > Lineage::REACH as u64,
        }
    }

    /// The same as the first one of a new incarnation, which is later than all that are known here.
    #[must_use]
    pub fn reborn(&self, stored: Option<&Self>, nonce: u64, now: StoreTime) -> Self {
        let known = stored.map_or(self.version.incarnation, |stored| {
            stored.version.incarnation.max(self.version.incarnation)
        });
        let incarnation = Version::new_incarnation(nonce, now).max(known + 1);
        let version = Version { incarnation, epoch: Version::FIRST_EPOCH, nonce };
        let mut record = Self { version, lineage: Lineage::default(), ..self.clone() };
        if let Some(overlap) = record.open_overlap_mut() {
            // What members acknowledge from now on is counted anew.
            overlap.epoch = version.epoch;
        }
        record
    }
}

impl Version {
    /// The epoch of a record's creation.
    pub const FIRST_EPOCH: u64 = 1;

    /// 48 bits of milliseconds and 16 random ones: a later one is greater.
    pub(super) fn new_incarnation(nonce: u64, now: StoreTime) -> u64 {
        let millis = now.since(StoreTime::default()).as_millis();
        let millis = u64::try_from(millis).unwrap_or(u64::MAX);
        millis << 16 | nonce & 0xffff
    }
}
