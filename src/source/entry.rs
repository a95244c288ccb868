//! One entry of the list of credentials: what it yields now, and what it yielded before.

use std::sync::Arc;

use super::configured::Edge;
use super::reading::Place;
use super::spec::{EntrySpec, Field, SourceSpec};
use super::state::{SourceChange, SourceProblem, Throttled};
use super::throttle::Throttle;
use super::yields::{Readings, Yield};
use crate::clock::Timestamp;
use crate::credential::Credential;
use crate::persist::PersistTarget;

/// An entry and what it has yielded so far.
#[derive(Debug)]
pub(super) struct Entry {
    /// Its position in its owner's list.
    index: usize,
    spec: EntrySpec,
    /// The source that takes precedence. It is read once, at the start.
    before: Option<SourceSpec>,
    /// What its own source yields.
    current: Vec<Arc<Credential>>,
    /// The credential that took precedence over `current` at the start.
    front: Option<Arc<Credential>>,
    /// People have been told that `front` and `current` differ.
    is_front_told: bool,
    /// Why it yields nothing at the moment.
    problem: Option<SourceProblem>,
    /// People have been told of the problem.
    is_problem_told: bool,
    was_read: bool,
    throttle: Throttle,
    throttled: Option<Throttled>,
}

impl Entry {
    pub(super) fn new(index: usize, spec: EntrySpec) -> Self {
        let (before, source) = spec.source.split();
        Self {
            index,
            spec: EntrySpec { source, ..spec },
            before,
            current: Vec::new(),
            front: None,
            is_front_told: false,
            problem: None,
            is_problem_told: false,
            was_read: false,
            throttle: Throttle::default(),
            throttled: None,
        }
    }

    pub(super) fn label(&self) -> Option<&str> {
        self.spec.label.as_deref()
    }

    pub(super) fn has_variables(&self) -> bool {
        self.spec.has_variables
    }

    /// Returns where to write a credential that replaces the one that it yields.
    pub(super) fn persist(&self) -> Option<PersistTarget> {
        let fixed = match &self.spec.source {
            SourceSpec::Fields { client_id: Field::Value { value }, .. } => Some(value.expose()),
            _ => None,
        };
        let yielded = || self.credentials().next().map(|one| one.client_id.as_str());
        let target = self.spec.persist.clone()?;
        Some(target.of_client(fixed.or_else(yielded)))
    }

    /// The credentials that it yields.
    pub(super) fn credentials(&self) -> impl Iterator<Item = &Arc<Credential>> {
        let is_new = |front: &&Arc<Credential>| !self.yields_itself(front);
        self.front.iter().filter(is_new).chain(&self.current)
    }

    /// Whether its own source yields this credential, whatever `front` is.
    fn yields_itself(&self, credential: &Credential) -> bool {
        self.current.iter().any(|known| known.is_same_as(credential))
    }

    /// Whether this accepted credential took precedence over variables that hold another one.
    /// Returns `true` only once.
    pub(super) fn take_stale(&mut self, accepted: &Credential) -> bool {
        let is_stale = !self.is_front_told
            && self.front.as_ref().is_some_and(|front| front.is_same_as(accepted))
            && !self.current.is_empty()
            && !self.yields_itself(accepted);
        self.is_front_told |= is_stale;
        is_stale
    }

    /// Returns why this entry makes the configuration incomplete, if it does.
    pub(super) fn problem(&self) -> Option<&str> {
        let is_needed = !self.spec.optional && self.credentials().next().is_none();
        self.problem.as_ref().map(|problem| &*problem.message).filter(|_| is_needed)
    }

    /// Returns why its own source yields nothing, even while an earlier value is in use.
    pub(super) fn trouble(&self) -> Option<&SourceProblem> {
        // An optional source that has never yielded anything is no trouble.
        self.problem.as_ref().filter(|_| !self.spec.optional || !self.current.is_empty())
    }

    /// Whether what it yields is not there any more, so that another process would not read it.
    pub(super) fn is_emptied(&self) -> bool {
        self.front.is_none() && self.problem.as_ref().is_some_and(|problem| problem.is_empty)
    }

    /// Returns what people are told if it changes too often.
    pub(super) fn throttled(&self) -> Option<&Throttled> {
        self.throttled.as_ref()
    }

    /// Returns when it may change again, if a change was held back.
    pub(super) fn held_back_until(&self) -> Option<Timestamp> {
        self.throttle.awaited()
    }

    pub(super) fn was_read(&self) -> bool {
        self.was_read
    }

    pub(super) fn can_change(&self) -> bool {
        !self.spec.source.places().is_empty() || self.asks_javascript()
    }

    pub(super) fn asks_javascript(&self) -> bool {
        self.spec.source.asks_javascript()
    }

    /// Returns the files and directories to read.
    pub(super) fn places(&self) -> Vec<Place> {
        self.before.iter().chain([&self.spec.source]).flat_map(SourceSpec::places).collect()
    }

    /// Whether each of its parts was read or has failed.
    pub(super) fn has_answer(&self, readings: Readings<'_>) -> bool {
        let mut sources = self.before.iter().chain([&self.spec.source]);
        sources.all(|source| !matches!(readings.of(source, &self.spec), Yield::NotYet(_)))
    }

    /// Takes over what was read. Returns a change that people should know of, if any.
    pub(super) fn update(
        &mut self,
        readings: Readings<'_>,
        now: Timestamp,
        edges: &mut Vec<Edge>,
    ) -> Option<SourceChange> {
        let first_time = !std::mem::replace(&mut self.was_read, true);
        self.take_front(readings);
        // `front` comes first, as in `credentials()`.
        let at_front = edges.len();
        let change = self.take_source(readings, first_time, now, edges);
        if first_time && let Some(front) = self.front.as_ref().filter(|it| !self.yields_itself(it))
        {
            let edge = Edge { from: None, to: Arc::clone(front), is_start: true };
            edges.insert(at_front, edge);
        }
        change
    }

    /// A front that cannot be read counts as absent: the entry's own source is the configured one.
    fn take_front(&mut self, readings: Readings<'_>) {
        let Some(before) = self.before.take() else { return };
        if let Yield::Credentials(credentials) = readings.of(&before, &self.spec) {
            self.front = credentials.into_iter().next().map(Arc::new);
        }
    }

    fn take_source(
        &mut self,
        readings: Readings<'_>,
        first_time: bool,
        now: Timestamp,
        edges: &mut Vec<Edge>,
    ) -> Option<SourceChange> {
        self.throttle.forget_refusal();
        let (problem, change) = match readings.of(&self.spec.source, &self.spec) {
            Yield::Credentials(credentials) => {
                self.problem = None;
                if self.yields_exactly(&credentials) {
                    self.calm_down(now);
                    return None;
                }
                let is_new = |one: &&Credential| !self.yields_itself(one);
                let new = credentials.iter().filter(is_new).count();
                if !first_time && !self.throttle.admits(new, now) {
                    return self.hold_back(now);
                }
                self.take_over(credentials, first_time, edges);
                return (!first_time).then_some(SourceChange::Changed);
            }
            Yield::Nothing(reason) => (reason, SourceChange::Emptied),
            Yield::Failed(reason) | Yield::NotYet(reason) => {
                (reason.clone(), SourceChange::Unreadable(reason))
            }
        };
        let message = format!("The source of {} {problem}.", self.described());
        let known = self.problem.as_ref();
        let is_known = known.is_some_and(|known| known.message == message) && self.is_problem_told;
        let since = known.map_or(now, |known| known.since);
        let is_empty = matches!(change, SourceChange::Emptied);
        self.problem = Some(SourceProblem { is_empty, message, since });
        if is_known {
            self.calm_down(now);
            return None;
        }
        self.is_problem_told = first_time || self.throttle.admits(0, now);
        if !self.is_problem_told {
            return self.hold_back(now);
        }
        let expected = self.spec.optional && first_time;
        (!expected).then_some(change)
    }

    /// Holds back a change, since there are too many, and looks again later. People are told once.
    fn hold_back(&mut self, now: Timestamp) -> Option<SourceChange> {
        if self.throttled.is_some() {
            return None;
        }
        let advice = "changes so often that only one change a second is taken up; the latest value always is. Find \
             out what writes to it: two programs may undo each other's changes";
        let message = format!("The source of {} {advice}.", self.described());
        self.throttled = Some(Throttled { message, since: now });
        Some(SourceChange::Throttled(advice.to_owned()))
    }

    /// A reading found no change.
    fn calm_down(&mut self, now: Timestamp) {
        if self.throttle.is_calm(now) {
            self.throttled = None;
        }
    }

    fn yields_exactly(&self, credentials: &[Credential]) -> bool {
        self.current.len() == credentials.len()
            && self.current.iter().zip(credentials).all(|(old, new)| old.is_same_as(new))
    }

    fn described(&self) -> String {
        let list = match self.spec.source {
            SourceSpec::Key { .. } => "keys",
            _ => "credentials",
        };
        match self.label() {
            Some(label) => format!("{list}[{}] (\"{label}\")", self.index),
            None => format!("{list}[{}]", self.index),
        }
    }

    fn take_over(&mut self, credentials: Vec<Credential>, is_start: bool, edges: &mut Vec<Edge>) {
        let knows = |list: &[Arc<Credential>], one: &Credential| {
            list.iter().any(|known| known.is_same_as(one))
        };
        let before = std::mem::take(&mut self.current);
        self.current = credentials
            .into_iter()
            .map(|new| {
                let old = before.iter().find(|old| old.is_same_as(&new));
                old.map_or_else(|| Arc::new(new), Arc::clone)
            })
            .collect();
        for (index, to) in self.current.iter().enumerate() {
            let from = before.get(index).filter(|old| !knows(&self.current, old)).map(Arc::clone);
            // If the first credential leaves the list, the one that is first then replaces it.
            if !knows(&before, to) || index == 0 && from.is_some() {
                edges.push(Edge { from, to: Arc::clone(to), is_start });
            }
        }
    }
}
