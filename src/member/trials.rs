//! Whether a credential that only this process is told of would be kept: files are tried before it
//! is said.

use std::collections::BTreeMap;
use std::time::Duration;

use super::event::Candidate;
use crate::clock::Timestamp;
use crate::rotation::{CallerId, Request};
use crate::source::EntryPlace;

/// Files that are being tried, and who waits for that.
#[derive(Debug, Default)]
pub(super) struct Trials {
    /// The latest trial of each place; none: it is under way.
    known: BTreeMap<EntryPlace, Option<bool>>,
    waiting: Vec<(CallerId, Request<Candidate>)>,
    deadline: Option<Timestamp>,
}

impl Trials {
    /// How long those who wait give the trials: a file that hangs is not worth more.
    const PATIENCE: Duration = Duration::from_secs(5);

    /// When those who wait go on without an answer.
    pub(super) fn deadline(&self) -> Option<Timestamp> {
        self.deadline
    }

    /// Whether a trial of this place begins now; none does where one is under way.
    pub(super) fn begin(&mut self, place: EntryPlace) -> bool {
        self.known.insert(place, None) != Some(None)
    }

    /// The caller waits until all trials have ended.
    pub(super) fn wait(&mut self, caller: CallerId, request: Request<Candidate>, now: Timestamp) {
        self.waiting.push((caller, request));
        self.deadline.get_or_insert(now + Self::PATIENCE);
    }

    /// The trial of this place has ended.
    pub(super) fn end(&mut self, place: EntryPlace, is_writable: bool) {
        if let Some(known) = self.known.get_mut(&place) {
            *known = Some(is_writable);
        }
    }

    /// Trials that take too long are given up.
    pub(super) fn expire(&mut self, now: Timestamp) {
        if self.deadline.is_some_and(|at| at <= now) {
            self.known.retain(|_, known| known.is_some());
        }
    }

    /// The driver's thread is gone, and with it what was trying files: nobody waits for that any
    /// longer.
    pub(super) fn lose(&mut self) {
        self.deadline = self.deadline.map(|_| Timestamp::default());
    }

    pub(super) fn forget(&mut self, caller: CallerId) {
        self.waiting.retain(|(waiting, _)| *waiting != caller);
    }

    /// Those who waited, once every trial has ended.
    pub(super) fn take_served(&mut self) -> Vec<(CallerId, Request<Candidate>)> {
        if !self.known.values().all(Option::is_some) {
            return Vec::new();
        }
        self.deadline = None;
        std::mem::take(&mut self.waiting)
    }

    /// Whether the latest trial of this place went well.
    pub(super) fn is_writable(&self, place: EntryPlace) -> bool {
        self.known.get(&place) == Some(&Some(true))
    }
}
