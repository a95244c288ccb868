//! The options that concern rotations.

use std::time::Duration;

/// The options that concern rotations.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct RotationPolicy {
    /// How long the previous credential stays a fallback; none: min(max(remaining life of the old
    /// token, 5 min), 1 h).
    pub overlap: Option<Duration>,
    /// How long after its staging a candidate's rejections do not count.
    pub propagation: Duration,
}

impl Default for RotationPolicy {
    fn default() -> Self {
        Self { overlap: None, propagation: Duration::ZERO }
    }
}
