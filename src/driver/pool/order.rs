//! A piece of work as it is ordered, and why it may bring nothing.

use std::path::PathBuf;

use crate::driver::manager::ManagerId;
use crate::driver::queue::Urgency;

/// What is known of a piece of work before it begins.
#[derive(Debug, Clone)]
pub(in crate::driver) struct Order {
    pub(in crate::driver) owner: ManagerId,
    pub(in crate::driver) urgency: Urgency,
    /// The file that it is about, if it is about one.
    pub(in crate::driver) place: Option<PathBuf>,
}

/// Why a piece of work has brought nothing.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::driver) enum Unfinished {
    /// It began, and has not returned. It may still do so, but nobody is told.
    Hangs,
    /// It has not begun, because others at the same place, of managers that were closed, have not
    /// returned.
    Abandoned,
    /// It has not begun, because so much else has not returned, and never will.
    Crowded,
    /// It panicked, or there is no thread for it.
    Lost,
}
