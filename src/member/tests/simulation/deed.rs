//! What people do.

use std::time::Duration;

use super::places::Mood;
use super::provider::{Key, Kind};
use crate::member::Ask;

/// Something that somebody does.
#[derive(Debug)]
pub(super) enum Deed {
    Announce(Key, Kind, Duration),
    Kill(Key),
    Edit(usize, Vec<Key>),
    Read,
    Ask(Ask, Option<Key>),
    /// The process died before it answered this.
    Again(Ask, Option<Key>),
    Unreadable(usize, bool),
    Mood(usize, Mood),
    Down(bool),
    StoreDown(bool),
    Reload,
    Leave,
    Restart,
    Suspend(Duration),
    Crash,
    Invalidate,
    Want,
    Cancel,
}
