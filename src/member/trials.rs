//! Whether a credential that only this process is told of would be kept: files are tried before it is said.

use std::collections::BTreeMap;
use std::time::Duration;

use super::course::Item;
use super::{Candidate, Custody, Effect, Member, Step};
use crate::clock::Timestamp;
use crate::rotation::{CallerId, Request};
use crate::sink::Target;
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
    /// A file that hangs is not worth a longer wait.
    const PATIENCE: Duration = Duration::from_secs(5);

    /// When those who wait go on without an answer.
    pub(super) fn deadline(&self) -> Option<Timestamp> {
        self.deadline
    }

    /// The driver's thread is gone, and with it what was trying files: nobody waits for that any longer.
    pub(super) fn lose(&mut self) {
        self.deadline = self.deadline.map(|_| Timestamp::default());
    }

    pub(super) fn forget(&mut self, caller: CallerId) {
        self.waiting.retain(|(waiting, _)| *waiting != caller);
    }

    fn are_over(&self) -> bool {
        self.known.values().all(Option::is_some)
    }
}

impl Step<'_> {
    /// Tries the files that a rotation would write, and takes this up when it is known which can be.
    pub(super) fn ask_after_trials(&mut self, caller: CallerId, request: Request<Candidate>) {
        let places = self.member.places_of_a_rotation();
        let files = places.into_iter().filter(|(_, target)| !matches!(target, Target::Js { .. }));
        let trials = &mut self.member.trials;
        for (place, target) in files {
            if trials.known.get(&place) != Some(&None) {
                trials.known.insert(place, None);
                self.effects.push(Effect::TrySink { place, target });
            }
        }
        trials.waiting.push((caller, request));
        trials.deadline.get_or_insert(self.now + Trials::PATIENCE);
        self.end_trials();
    }

    pub(super) fn sink_tried(&mut self, place: EntryPlace, is_writable: bool) {
        if let Some(known) = self.member.trials.known.get_mut(&place) {
            *known = Some(is_writable);
        }
        self.end_trials();
    }

    pub(super) fn expire_trials(&mut self) {
        if self.member.trials.deadline.is_some_and(|at| at <= self.now) {
            self.member.trials.known.retain(|_, known| known.is_some());
            self.end_trials();
        }
    }

    fn end_trials(&mut self) {
        if self.member.trials.are_over() {
            self.member.trials.deadline = None;
            for (caller, request) in std::mem::take(&mut self.member.trials.waiting) {
                self.member.queue.push_back(Item::Asked { caller, request });
            }
        }
    }
}

impl Member {
    /// The places that a credential which replaces the active one is written to before it takes over.
    fn places_of_a_rotation(&self) -> Vec<(EntryPlace, Target)> {
        let early = self.view.sinks.iter().filter(|spec| !spec.at_retirement);
        let places = early.filter_map(|spec| self.sinks.place(spec.slot));
        let with_target = places.filter_map(|place| {
            let entry = self.entries.iter().find(|entry| entry.place == place)?;
            Some((place, entry.persist.clone()?))
        });
        with_target.collect()
    }

    /// What would keep a credential that only this process is told of.
    pub(super) fn custody_of_a_rotation(&self) -> Custody {
        let places = self.places_of_a_rotation();
        let is_kept = |(place, target): &(EntryPlace, Target)| match target {
            Target::Js { .. } => self.sinks.is_proven(*place),
            _ => self.trials.known.get(place) == Some(&Some(true)),
        };
        let is_function = |(_, target): &(EntryPlace, Target)| matches!(target, Target::Js { .. });
        if places.iter().any(is_kept) {
            Custody::Kept
        } else if places.iter().any(is_function) {
            Custody::Untested
        } else {
            Custody::None
        }
    }
}
