//! What goes on at a clock that a test turns by hand.

use serde::Serialize;

/// What the managers on one clock are doing at one moment.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Activity {
    /// Something goes on by itself: ask again.
    pub is_busy: bool,
    /// How many token requests wait for their answers.
    pub requests: usize,
    /// Sources are being read; JavaScript's own may take their time.
    pub is_reading: bool,
    /// When something happens by itself, in milliseconds since 1970.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub next_wake: Option<i64>,
}

impl Activity {
    /// What both do together. The next wake-up is the clock's, and stays.
    #[must_use]
    pub fn and(self, other: Self) -> Self {
        Self {
            is_busy: self.is_busy || other.is_busy,
            requests: self.requests + other.requests,
            is_reading: self.is_reading || other.is_reading,
            next_wake: self.next_wake,
        }
    }
}
