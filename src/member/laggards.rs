//! The members that keep a previous credential from being retired, and who is to be told of them.

use std::time::Duration;

use super::calls::Open;
use crate::clock::Timestamp;
use crate::rotation::{CallerId, Census, Missing};

/// Who waits for the names, and when they were last asked for.
#[derive(Debug, Default)]
pub(super) struct Laggards {
    waiting: Vec<Naming>,
    /// The census that people were told of.
    seen: Option<Census>,
    /// When they were last to be told.
    looked_at: Option<Timestamp>,
}

/// Somebody who is told once the members are known by name.
#[derive(Debug)]
pub(super) enum Naming {
    /// A caller whose retirement is blocked.
    Call(CallerId, Open, Missing),
    /// Those who listen: the retirement is overdue.
    Notice(Missing),
}

impl Laggards {
    /// While a retirement is overdue, people are told of others in the way so late at the latest.
    const PAUSE: Duration = Duration::from_mins(1);

    /// Somebody waits for the names; returns whether nobody did before.
    pub(super) fn wait(&mut self, naming: Naming) -> bool {
        self.waiting.push(naming);
        self.waiting.len() == 1
    }

    /// Those who wait are told now.
    pub(super) fn take(&mut self) -> Vec<Naming> {
        std::mem::take(&mut self.waiting)
    }

    /// The caller no longer waits.
    pub(super) fn forget(&mut self, caller: CallerId) {
        self.waiting
            .retain(|naming| !matches!(naming, Naming::Call(other, ..) if *other == caller));
    }

    /// Whether people may have to be told of other members than before. Then they count as told.
    pub(super) fn is_to_look(&mut self, census: &Census, now: Timestamp) -> bool {
        let is_time = self.looked_at.is_none_or(|at| now.since(at) >= Self::PAUSE);
        if !is_time || self.seen.as_ref() == Some(census) {
            return false;
        }
        (self.seen, self.looked_at) = (Some(census.clone()), Some(now));
        true
    }

    /// They could not be told: they are another time.
    pub(super) fn look_again(&mut self) {
        self.seen = None;
    }
}
