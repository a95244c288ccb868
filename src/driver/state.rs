//! What a manager knows, and what follows when something happens: its machine, its sources, its handles.
//!
//! All of it is done under the manager's lock. What must be seen at once (the shared words, a
//! caller's answer) is done here; what takes time is queued for the manager's task.

use std::collections::{BTreeMap, BTreeSet, HashMap, VecDeque};
use std::sync::Arc;
use std::sync::atomic::{AtomicI32, Ordering};
use std::time::Duration;

use super::activity::Doing;
use super::listener::{Listener, NO_TOKEN, Word};
use super::message::{ErrorMessage, HandleId, Message};
use super::occurrence::Occurrence;
use super::settings::Settings;
use crate::clock::Timestamp;
use crate::credential::Credential;
use crate::refresh::{Effect, Event, Refresh, Refusal, Usability, WaiterId};
use crate::secret::Secret;
use crate::source::{Place, Requests, Sources};

/// The held token and its predecessor, which may still be valid.
const REMEMBERED_TOKENS: usize = 2;

/// Something for the manager's task to do.
#[derive(Debug)]
pub(super) enum Todo {
    /// Send a token request.
    Fetch { flight: u64, credential: Arc<Credential>, issued: Vec<Secret> },
    /// Read files.
    ReadFiles(BTreeSet<Place>),
    /// Tell every environment.
    Deliver(Delivery),
}

/// An event on its way.
#[derive(Debug)]
pub(super) struct Delivery {
    pub(super) seq: u64,
    pub(super) at: Timestamp,
    pub(super) occurrence: Occurrence,
}

pub(super) struct State {
    pub(super) refresh: Refresh,
    pub(super) sources: Sources,
    pub(super) handles: BTreeMap<HandleId, Handle>,
    pub(super) waiting: HashMap<WaiterId, HandleId>,
    /// The latest tokens, so that none of them is shown when the endpoint quotes it.
    issued: VecDeque<Secret>,
    pub(super) stamp: i32,
    seq: u64,
    source_poll: Duration,
    pub(super) next_poll: Timestamp,
    pub(super) todo: VecDeque<Todo>,
    /// Its task died; another one takes over at this time.
    pub(super) restart_at: Option<Timestamp>,
    pub(super) doing: Doing,
    pub(super) panic_wanted: bool,
}

pub(super) struct Handle {
    pub(super) listener: Arc<dyn Listener>,
    pub(super) word: Box<dyn Word>,
}

impl State {
    pub(super) fn new(settings: &Settings, now: Timestamp) -> Self {
        Self {
            refresh: Refresh::new(settings.policy.clone()),
            // Half of a caller's patience: what the others yield still serves it.
            sources: Sources::new(settings.policy.acquire_timeout / 2),
            handles: BTreeMap::new(),
            waiting: HashMap::new(),
            issued: VecDeque::new(),
            stamp: NO_TOKEN,
            seq: 0,
            source_poll: settings.source_poll,
            next_poll: now,
            todo: VecDeque::new(),
            restart_at: None,
            doing: Doing::Behind,
            panic_wanted: false,
        }
    }

    /// Has the machine take a step, and does what it decided.
    pub(super) fn step(&mut self, event: Event, now: Timestamp) {
        for effect in self.refresh.step(event, now, fastrand::f64()) {
            match effect {
                Effect::Fetch { flight, credential } => {
                    let issued = self.issued.iter().cloned().collect();
                    self.todo.push_back(Todo::Fetch { flight, credential, issued });
                }
                Effect::Publish(token) => {
                    self.issued.push_front(token.text.clone());
                    self.issued.truncate(REMEMBERED_TOKENS);
                    self.publish(next_stamp());
                }
                Effect::Withdraw => self.publish(NO_TOKEN),
                Effect::Settle { waiter, outcome } => self.settle(waiter, outcome),
                Effect::ReadSources => {
                    let requests = self.sources.begin(now);
                    self.read(requests, now);
                }
                Effect::Notify(notice) => self.note(now, Occurrence::Notice(notice)),
            }
        }
    }

    /// Passes on which files and functions are to be read.
    pub(super) fn read(&mut self, requests: Option<Requests>, now: Timestamp) {
        let Some(requests) = requests else { return };
        self.next_poll = now + self.source_poll;
        if !requests.places.is_empty() {
            self.todo.push_back(Todo::ReadFiles(requests.places));
        }
        for owner in requests.owners {
            if let Some(handle) = self.handles.get(&owner) {
                handle.listener.tell(&Message::Read { handle: owner });
            }
        }
        self.finish_reading_if_complete(now);
    }

    /// Has the machine know what was read, if every source has answered or has had its time.
    pub(super) fn finish_reading_if_complete(&mut self, now: Timestamp) {
        if self.sources.is_complete(now) {
            self.finish_reading(now);
        }
    }

    /// The same at once; who is silent counts as silent.
    pub(super) fn finish_reading(&mut self, now: Timestamp) {
        let Self { sources, refresh, .. } = self;
        let is_rejected = |credential: &Credential| {
            refresh.candidates().iter().any(|(known, usability)| {
                usability == Usability::Rejected && known.is_same_as(credential)
            })
        };
        let (configured, notices) = sources.finish(is_rejected);
        for (owner, notice) in notices {
            self.note(now, Occurrence::Source { owner, notice });
        }
        self.step(Event::Configured(configured), now);
        if self.sources.take_again() {
            let requests = self.sources.begin(now);
            self.read(requests, now);
        }
    }

    /// The machine holds the token already; whoever reads the new word finds it there.
    fn publish(&mut self, stamp: i32) {
        self.stamp = stamp;
        self.handles.values().for_each(|handle| handle.word.store(stamp));
    }

    /// Gives a caller its answer.
    pub(super) fn settle(&mut self, waiter: WaiterId, outcome: Result<(), Refusal>) {
        let handle = self.waiting.remove(&waiter).and_then(|id| self.handles.get(&id));
        if let Some(handle) = handle {
            let error = outcome.err().map(ErrorMessage::from);
            handle.listener.tell(&Message::Settled { waiter, error });
        }
    }

    /// Queues an event.
    fn note(&mut self, at: Timestamp, occurrence: Occurrence) {
        self.seq += 1;
        self.todo.push_back(Todo::Deliver(Delivery { seq: self.seq, at, occurrence }));
    }

    /// Each environment once, with its handles.
    pub(super) fn environments(&self) -> Vec<(&Arc<dyn Listener>, Vec<HandleId>)> {
        let mut environments: Vec<(&Arc<dyn Listener>, Vec<HandleId>)> = Vec::new();
        for (id, handle) in &self.handles {
            let known =
                environments.iter_mut().find(|(listener, _)| listener.id() == handle.listener.id());
            match known {
                Some((_, handles)) => handles.push(*id),
                None => environments.push((&handle.listener, vec![*id])),
            }
        }
        environments
    }
}

/// Process-wide and growing, so that no handle ever sees the stamp of a token it cached before.
fn next_stamp() -> i32 {
    static LAST: AtomicI32 = AtomicI32::new(NO_TOKEN);
    let next = |last: i32| if last == i32::MAX { NO_TOKEN + 1 } else { last + 1 };
    let update = |last| Some(next(last));
    LAST.fetch_update(Ordering::Relaxed, Ordering::Relaxed, update).map_or(NO_TOKEN + 1, next)
}
