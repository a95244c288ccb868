//! The writes that a record descends from.

#[cfg(test)]
use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

/// The nonces of the writes before the latest one, the oldest first; at most [`Lineage::REACH`].
#[derive(Debug, Clone, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct Lineage(Vec<u64>);

impl Lineage {
    /// How many earlier writes are known.
    pub const REACH: usize = 16;

    /// Another write follows the one with this nonce.
    pub(crate) fn follow(&mut self, nonce: u64) {
        self.0.push(nonce);
        let older = self.0.len().saturating_sub(Self::REACH);
        self.0.drain(..older);
    }

    /// The nonce of the write that was so many writes ago.
    pub(super) fn ago(&self, writes: u64) -> Option<u64> {
        let writes = usize::try_from(writes).ok()?;
        self.0.len().checked_sub(writes).and_then(|index| self.0.get(index)).copied()
    }

    /// The same under other numbers, of a record with that epoch: what no copy of a record can be
    /// compared with is forgotten.
    #[cfg(test)]
    pub(super) fn renumbered(
        &self,
        epoch: u64,
        epochs: &BTreeMap<u64, u64>,
        nonces: &BTreeMap<u64, u64>,
    ) -> Self {
        let earlier: BTreeMap<u64, u64> = epochs
            .range(..epoch)
            .filter_map(|(was, is)| Some((*is, *nonces.get(&self.ago(epoch - was)?)?)))
            .collect();
        let first = earlier.keys().next().copied().unwrap_or(epochs[&epoch]);
        let nonce = |epoch| earlier.get(&epoch).copied().unwrap_or_default();
        Self((first..epochs[&epoch]).map(nonce).collect())
    }
}
