//! The phases of a record: what a request, an edge, an answer and time mean in each of them.
//!
//! A rule of a phase is in the file of that phase and nowhere else; `quiet` has what Stable and
//! Degraded share. [`dispatch`] finds the file.

pub(super) mod dispatch;
pub(super) mod starting;

mod degraded;
mod overlap;
mod prepared;
mod quiet;
mod stable;
mod staged;
