//! How a credential stands by the endpoint's answers.

use std::time::Duration;

use crate::clock::StoreTime;

/// The latest certain answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Standing {
    /// A token came.
    Accepted(Proof),
    /// It was rejected, so often and since when.
    Rejected(Rejections),
}

/// A token that was obtained with a credential.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Proof {
    /// When the answer came.
    pub at: StoreTime,
    /// When the token expires.
    pub expires_at: StoreTime,
    /// When its soft window begins.
    pub soft_at: StoreTime,
}

/// Rejections in a row.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Rejections {
    /// How many.
    pub count: u32,
    /// The first one.
    pub first_at: StoreTime,
    /// The latest one.
    pub last_at: StoreTime,
}

impl Rejections {
    /// The gap between probes that were rejected, until that is final.
    pub(super) const FIRST_GAP: Duration = Duration::from_millis(2500);
    pub(super) const SLOW_GAP: Duration = Duration::from_secs(30);
    const SLOWEST_GAP: Duration = Duration::from_mins(5);

    /// So many rejections …
    pub const ENOUGH: u32 = 3;
    /// … over at least this long are held to be the provider's last word.
    pub const SPAN: Duration = Duration::from_secs(5);

    /// When the credential is worth another probe.
    pub(super) fn retry_at(&self) -> StoreTime {
        if !self.are_final() {
            return self.last_at + Self::FIRST_GAP;
        }
        let doublings = (self.count - Self::ENOUGH).min(8);
        self.last_at + (Self::SLOW_GAP * 2_u32.pow(doublings)).min(Self::SLOWEST_GAP)
    }

    /// Whether it is not a passing matter.
    pub fn are_final(&self) -> bool {
        self.count >= Self::ENOUGH && self.last_at.since(self.first_at) >= Self::SPAN
    }
}
