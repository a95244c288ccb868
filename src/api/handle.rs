//! The numbers by which JavaScript knows what is native.

/// Names one handle of a manager, for as long as the process lives.
pub type HandleId = u64;

/// Names a clock that a test turns by hand.
pub type ClockId = u64;
