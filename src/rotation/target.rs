//! Where credentials are persisted to, and how far that has come.

use std::borrow::Cow;
use std::fmt;
use std::str::FromStr;
use std::time::Duration;

use serde::{Deserialize, Deserializer, Serialize, Serializer, de};

use crate::clock::StoreTime;
use crate::credential::UnknownForm;

/// Names a place that credentials are persisted to.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum TargetId {
    /// A place of one process, by a number of its own. In a fleet these are the files of a member,
    /// and the record says nothing of them.
    Own(u32),
    /// A function that every member of a fleet has which is configured alike, by the position of its
    /// entry. One of them calls it.
    Shared(u32),
}

impl fmt::Display for TargetId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Own(number) => write!(f, "own-{number}"),
            Self::Shared(number) => write!(f, "shared-{number}"),
        }
    }
}

/// Reads what [`Display`](fmt::Display) writes.
impl FromStr for TargetId {
    type Err = UnknownForm;

    fn from_str(text: &str) -> Result<Self, UnknownForm> {
        let number = |digits: &str| digits.parse().map_err(|_| UnknownForm);
        match text.split_once('-') {
            Some(("own", digits)) => number(digits).map(Self::Own),
            Some(("shared", digits)) => number(digits).map(Self::Shared),
            _ => Err(UnknownForm),
        }
    }
}

impl Serialize for TargetId {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for TargetId {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        Cow::<str>::deserialize(deserializer)?.parse().map_err(de::Error::custom)
    }
}

/// A place that a credential is to be persisted to, and when.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct TargetSpec {
    /// Names it in the record.
    pub target: TargetId,
    /// A source of its own yields the candidate: it is written only when the old one retires.
    pub at_retirement: bool,
}

/// How far a place is behind.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", rename_all_fields = "camelCase")]
pub enum TargetState {
    /// To be written.
    Pending {
        /// Not before.
        not_before: StoreTime,
    },
    /// A member of the fleet is writing it; another one may from then on.
    Claimed {
        /// By then it has written it, or has died.
        until: StoreTime,
        /// It was tried before.
        was_tried: bool,
    },
    /// No live member can write it; the next one that can does.
    Lost {
        /// Since when. It is given up after a while.
        since: StoreTime,
    },
    /// It acknowledged.
    Done,
    /// It never will.
    Impossible,
}

impl TargetState {
    /// The gap between attempts to write to a place.
    const GAP: Duration = Duration::from_secs(10);
    /// A member that has not written to a place in this time leaves it to the next one.
    const CLAIM: Duration = Duration::from_mins(1);
    /// A deploy that takes all members away which can write to a place has ended by then.
    const DEPLOY: Duration = Duration::from_mins(10);

    /// After an attempt that ended at that time.
    pub fn after(outcome: PersistOutcome, now: StoreTime) -> Self {
        match outcome {
            PersistOutcome::Done => Self::Done,
            PersistOutcome::Impossible => Self::Impossible,
            PersistOutcome::Failed => Self::Pending { not_before: now + Self::GAP },
        }
    }

    /// A member begins to write what was so far behind before.
    pub(super) fn claimed(before: Option<Self>, now: StoreTime) -> Self {
        let was_tried = before.is_some_and(Self::was_tried);
        Self::Claimed { until: now + Self::CLAIM, was_tried }
    }

    /// After no live member could write it at that time.
    pub(super) fn without_writer(self, now: StoreTime) -> Self {
        match self {
            Self::Lost { since } if now >= since + Self::DEPLOY => Self::Impossible,
            Self::Pending { .. } | Self::Claimed { .. } => Self::Lost { since: now },
            Self::Lost { .. } | Self::Done | Self::Impossible => self,
        }
    }

    /// When it is given up, if nobody can write it until then.
    pub(super) fn given_up_at(self) -> Option<StoreTime> {
        match self {
            Self::Lost { since } => Some(since + Self::DEPLOY),
            Self::Pending { .. } | Self::Claimed { .. } | Self::Done | Self::Impossible => None,
        }
    }

    /// Whether an attempt has ended.
    pub(super) fn was_tried(self) -> bool {
        !matches!(self, Self::Claimed { was_tried: false, .. })
    }

    /// From when on it is to be written, if it is.
    pub fn due(self) -> Option<StoreTime> {
        match self {
            Self::Pending { not_before: at }
            | Self::Claimed { until: at, .. }
            | Self::Lost { since: at } => Some(at),
            Self::Done | Self::Impossible => None,
        }
    }
}

/// What came of an attempt to persist.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum PersistOutcome {
    /// It acknowledged.
    Done,
    /// It never will (EROFS, EBUSY, EACCES).
    Impossible,
    /// It may later.
    Failed,
}
