//! When the ids of credentials are derived: not before somebody needs one.
//!
//! To derive one takes 20 ms of CPU time. A process that gets its tokens, and nothing else, needs none: until then
//! there is no record, and what would make the first one waits.

use std::sync::Arc;

use super::Member;
use super::course::Item;
use crate::credential::Credential;
use crate::rotation;
use crate::source::Configured;

impl Member {
    /// Whether ids are derived as soon as there is something to derive them of. Once they are, it stays so.
    pub fn needs_ids(&self) -> bool {
        self.wants_ids || self.record.is_some() || !self.is_uneventful()
    }

    /// Queues what concerns the record. What waits for ids that nobody needs does not add up: the sources yield the
    /// same as before, and the latest token counts.
    pub(super) fn enqueue(&mut self, item: Item) {
        if !self.needs_ids() {
            if self.queue.iter().any(|before| before.covers(&item)) {
                return;
            }
            self.queue.retain(|before| !item.supersedes(before));
        }
        self.queue.push_back(item);
    }

    /// The credential that is active as soon as its id is known: callers have had its token.
    pub(super) fn foreseen(&self) -> Option<&Arc<Credential>> {
        let is_waiting = self.record.is_none() && self.is_uneventful();
        let accepted = self.queue.iter().find_map(|item| match item {
            Item::Answered(answered) => Some(&answered.credential),
            _ => None,
        });
        accepted.filter(|_| is_waiting)
    }

    /// Whether the sources were read for the first time, a token came at most, and nothing else has happened.
    fn is_uneventful(&self) -> bool {
        let is_configured = |item: &&Item| matches!(item, Item::Configured(_));
        let is_answered = |item: &&Item| matches!(item, Item::Answered(_));
        self.queue.iter().all(Item::is_uneventful)
            && self.queue.iter().filter(is_configured).count() <= 1
            && self.queue.iter().filter(is_answered).count() <= 1
    }
}

impl Item {
    fn is_uneventful(&self) -> bool {
        match self {
            Self::Configured(configured) => configured.edges.iter().all(|edge| edge.is_start),
            Self::Answered(answered) => answered.is_plain(),
            Self::Rotation(event) => matches!(event, rotation::Event::Ticked),
            Self::Asked { .. } => false,
        }
    }

    /// Whether a later one changes nothing.
    fn covers(&self, later: &Self) -> bool {
        use rotation::Event::Ticked;
        match (self, later) {
            (Self::Configured(known), Self::Configured(read)) => {
                read.edges.is_empty() && yield_the_same(known, read)
            }
            (Self::Rotation(Ticked), Self::Rotation(Ticked)) => true,
            _ => false,
        }
    }

    /// Whether an earlier one tells nothing beside it.
    fn supersedes(&self, earlier: &Self) -> bool {
        match (self, earlier) {
            (Self::Answered(latest), Self::Answered(earlier)) => latest.supersedes(earlier),
            _ => false,
        }
    }
}

fn yield_the_same(one: &Configured, other: &Configured) -> bool {
    let is_described_alike = |(one, other): (&Arc<Credential>, &Arc<Credential>)| {
        one.is_same_as(other) && one.label == other.label && one.expires_at == other.expires_at
    };
    one.entries == other.entries
        && one.credentials.len() == other.credentials.len()
        && one.credentials.iter().zip(&other.credentials).all(is_described_alike)
}
