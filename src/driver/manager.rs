//! One logical client at run time: its machine, its sources, its handles, behind one lock.
//!
//! Any thread may call it. What must be seen at once (the shared words, a caller's answer) is done
//! under the lock; what takes time is queued for the manager's task on the driver's thread.

use std::collections::{BTreeMap, BTreeSet, HashMap, VecDeque};
use std::sync::atomic::{AtomicI32, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tokio::sync::Notify;

use super::ClockId;
use super::activity::Activity;
use super::listener::{Listener, NO_TOKEN, Word};
use super::message::{ErrorMessage, EventMessage, HandleId, Message};
use super::occurrence::Occurrence;
use super::settings::{Agreed, Settings};
use super::status::{Health, Metrics, Status, View};
use crate::client::{Attempt, Transport};
use crate::clock::{Clock, Timestamp};
use crate::credential::Credential;
use crate::provider::Endpoint;
use crate::refresh::{Effect, Event, Refresh, Refusal, Usability, Wait, WaiterId};
use crate::secret::Secret;
use crate::source::{EntrySpec, FileReading, Place, Reading, Requests, Sources};

/// So long a task that panicked stays away, so that a panic at every start is no busy loop.
const RESTART_DELAY: Duration = Duration::from_secs(1);

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
    seq: u64,
    at: Timestamp,
    pub(super) occurrence: Occurrence,
}

/// One logical client of this process.
pub struct Manager {
    pub(super) name: Option<String>,
    pub(super) endpoint: Endpoint,
    pub(super) transport: Transport,
    pub(super) agreed: Agreed,
    /// Rings when the task should look again.
    pub(super) changed: Notify,
    pub(super) clock_id: Option<ClockId>,
    pub(super) clock: Arc<dyn Clock>,
    acquire_timeout: Duration,
    source_poll: Duration,
    state: Mutex<State>,
}

struct State {
    refresh: Refresh,
    sources: Sources,
    handles: BTreeMap<HandleId, Handle>,
    waiting: HashMap<WaiterId, HandleId>,
    /// The latest tokens, so that none of them is shown when the endpoint quotes it.
    issued: VecDeque<Secret>,
    stamp: i32,
    seq: u64,
    next_poll: Timestamp,
    todo: VecDeque<Todo>,
    /// Its task died; another one takes over at this time.
    restart_at: Option<Timestamp>,
    /// That task waits for the time to come.
    is_resting: bool,
    /// Nothing has changed since the task looked.
    is_seen: bool,
    /// Its task has nothing to do before something happens or a sleep ends.
    parked: Option<Parked>,
    panic_wanted: bool,
}

/// What is under way while a task waits.
#[derive(Debug, Clone, Copy)]
pub(super) struct Parked {
    /// A token request is.
    pub(super) is_fetching: bool,
}

struct Handle {
    listener: Arc<dyn Listener>,
    word: Box<dyn Word>,
}

impl Manager {
    pub(super) fn new(settings: &Settings, clock: Arc<dyn Clock>) -> Self {
        let state = State {
            refresh: Refresh::new(settings.policy.clone()),
            // Half of a caller's patience: what the others yield still serves it.
            sources: Sources::new(settings.policy.acquire_timeout / 2),
            handles: BTreeMap::new(),
            waiting: HashMap::new(),
            issued: VecDeque::new(),
            stamp: NO_TOKEN,
            seq: 0,
            next_poll: clock.now(),
            todo: VecDeque::new(),
            restart_at: None,
            is_resting: false,
            is_seen: false,
            parked: None,
            panic_wanted: false,
        };
        Self {
            name: settings.name.clone(),
            endpoint: settings.endpoint.clone(),
            transport: settings.transport.clone(),
            agreed: settings.agreed.clone(),
            changed: Notify::new(),
            clock_id: settings.clock,
            clock,
            acquire_timeout: settings.policy.acquire_timeout,
            source_poll: settings.source_poll,
            state: Mutex::new(state),
        }
    }

    // From any thread.

    pub(super) fn add_handle(
        &self,
        id: HandleId,
        entries: Vec<EntrySpec>,
        initial: Vec<Option<Reading>>,
        listener: Arc<dyn Listener>,
        word: Box<dyn Word>,
    ) {
        self.with_state(|manager, state, now| {
            word.store(state.stamp);
            state.handles.insert(id, Handle { listener, word });
            state.sources.add(id, entries, initial);
            let requests = state.sources.begin_with_unread(now);
            manager.read(state, requests, now);
        });
    }

    /// Lets a handle go; answers whether it was the last one.
    pub(super) fn remove_handle(&self, id: HandleId) -> bool {
        self.with_state(|manager, state, now| {
            let orphans: Vec<_> =
                state.waiting.iter().filter(|(_, of)| **of == id).map(|(it, _)| *it).collect();
            for waiter in orphans {
                manager.step(state, Event::Cancelled(waiter), now);
                state.settle(waiter, Err(Refusal::Closed));
            }
            if let Some(handle) = state.handles.remove(&id) {
                handle.word.store(NO_TOKEN);
            }
            state.sources.remove(id);
            let is_last = state.handles.is_empty();
            if is_last {
                manager.step(state, Event::Closed, now);
            } else if state.sources.is_complete(now) {
                manager.finish_reading(state, now);
            }
            is_last
        })
    }

    /// The token that may be handed out, with its end in milliseconds since 1970.
    pub fn token(&self) -> Option<(String, i64)> {
        let now = self.clock.now();
        let state = self.lock();
        state.refresh.token(now).map(|token| {
            (token.text.expose().to_owned(), self.clock.utc_millis(token.usable_until))
        })
    }

    /// Has a caller wait; its answer comes as a message.
    pub fn wait(&self, handle: HandleId, min_validity: Duration, for_readiness: bool) -> WaiterId {
        static LAST: AtomicU64 = AtomicU64::new(0);
        let waiter = LAST.fetch_add(1, Ordering::Relaxed) + 1;
        self.with_state(|manager, state, now| {
            state.waiting.insert(waiter, handle);
            let deadline = now + manager.acquire_timeout;
            let wait = Wait { waiter, min_validity, deadline, for_readiness };
            manager.step(state, Event::Wanted(wait), now);
        });
        waiter
    }

    /// A caller no longer waits.
    pub fn cancel(&self, waiter: WaiterId) {
        self.with_state(|manager, state, now| {
            state.waiting.remove(&waiter);
            manager.step(state, Event::Cancelled(waiter), now);
        });
    }

    /// A resource answered 401 to this token; answers whether it was dropped because of that.
    pub fn invalidate(&self, token: &str) -> bool {
        self.with_state(|manager, state, now| {
            let held = state.refresh.token(now).filter(|held| held.text.expose() == token);
            let Some(serial) = held.map(|held| held.serial) else { return false };
            manager.step(state, Event::Invalidated(serial), now);
            state.refresh.token(now).is_none_or(|held| held.serial != serial)
        })
    }

    /// Reads all sources again.
    pub fn reload(&self) {
        self.with_state(|manager, state, now| {
            let requests = state.sources.begin(now);
            manager.read(state, requests, now);
        });
    }

    /// A handle's JavaScript sources answered.
    pub fn javascript_read(&self, handle: HandleId, readings: Vec<Option<Reading>>) {
        self.with_state(|manager, state, now| {
            state.sources.javascript_read(handle, readings);
            if state.sources.is_complete(now) {
                manager.finish_reading(state, now);
            }
        });
    }

    /// A snapshot for people.
    pub fn status(&self) -> Status {
        self.view().into_status(self.name.clone(), &*self.clock)
    }

    /// A snapshot for probes.
    pub fn health(&self) -> Health {
        self.view().health()
    }

    fn view(&self) -> View {
        let now = self.clock.now();
        View::of(&self.lock().refresh, now)
    }

    /// A snapshot for monitoring.
    pub fn metrics(&self) -> Metrics {
        let now = self.clock.now();
        Metrics::of(&self.lock().refresh, now)
    }

    /// What it is doing, for whoever turns its clock by hand.
    pub(super) fn activity(&self) -> Activity {
        let state = self.lock();
        Activity {
            is_busy: state.parked.is_none() && !state.is_resting,
            requests: usize::from(state.parked.is_some_and(|parked| parked.is_fetching)),
            is_reading: state.sources.is_reading(),
            next_wake: None,
        }
    }

    /// Makes the manager's task panic, to show what happens then.
    #[cfg(debug_assertions)]
    pub fn panic(&self) {
        self.with_state(|_, state, _| state.panic_wanted = true);
    }

    // From the manager's task.

    pub(super) fn take_todo(&self) -> VecDeque<Todo> {
        let mut state = self.lock();
        assert!(!std::mem::take(&mut state.panic_wanted), "a test asked for this panic");
        state.is_seen = true;
        std::mem::take(&mut state.todo)
    }

    pub(super) fn answered(&self, flight: u64, attempt: Attempt) {
        let Attempt { sent_at, verdict } = attempt;
        self.with_state(|manager, state, now| {
            manager.step(state, Event::Answered { flight, sent_at, verdict }, now);
        });
    }

    pub(super) fn files_read(&self, readings: HashMap<Place, FileReading>) {
        self.with_state(|manager, state, now| {
            state.sources.files_read(readings);
            if state.sources.is_complete(now) {
                manager.finish_reading(state, now);
            }
        });
    }

    /// Does whatever time has made due.
    pub(super) fn tick(&self) {
        self.with_state(|manager, state, now| {
            if state.sources.is_reading() && state.sources.is_complete(now) {
                manager.finish_reading(state, now);
            }
            if state.sources.can_change() && now >= state.next_poll && !state.sources.is_reading() {
                let requests = state.sources.begin(now);
                manager.read(state, requests, now);
            }
            manager.step(state, Event::Ticked, now);
        });
    }

    /// When [`Manager::tick`] is due.
    pub(super) fn wake_at(&self) -> Option<Timestamp> {
        let now = self.clock.now();
        let state = self.lock();
        let poll = || state.sources.can_change().then_some(state.next_poll);
        // While a token is held its end is checked that often, whatever timers slept through.
        let check = || {
            let longest = self.clock.longest_sleep()?;
            state.refresh.token(now).map(|_| now + longest)
        };
        [state.refresh.wake_at(), state.sources.deadline().or_else(poll), check()]
            .into_iter()
            .flatten()
            .min()
    }

    /// The task waits, unless something has changed that it has not seen.
    pub(super) fn park(&self, parked: Option<Parked>) {
        let mut state = self.lock();
        state.parked = parked.filter(|_| state.is_seen);
    }

    /// The task no longer waits.
    pub(super) fn unpark(&self) {
        self.lock().parked = None;
    }

    /// Tells the environments; naming a credential for the first time takes CPU time.
    pub(super) fn deliver(&self, delivery: &Delivery) {
        let event = delivery.occurrence.describe(&*self.clock);
        let (seq, at) = (delivery.seq, self.clock.utc_millis(delivery.at));
        let state = self.lock();
        for (listener, mut handles) in state.environments() {
            if let Some(owner) = delivery.occurrence.owner() {
                handles.retain(|handle| *handle == owner);
            }
            if !handles.is_empty() {
                let event = event.clone();
                listener.tell(&Message::Event(EventMessage { handles, seq, at, event }));
            }
        }
    }

    // From the supervisor.

    /// The task died: until another one watches over expiry, every call asks for itself.
    pub(super) fn suspend(&self) {
        let restart_at = self.clock.now() + RESTART_DELAY;
        let mut state = self.lock();
        state.restart_at = Some(restart_at);
        state.is_resting = false;
        state.parked = None;
        state.stamp = NO_TOKEN;
        state.handles.values().for_each(|handle| handle.word.store(NO_TOKEN));
    }

    /// When a new task may begin.
    pub(super) fn restart_at(&self) -> Option<Timestamp> {
        self.lock().restart_at
    }

    /// A new task waits for that time.
    pub(super) fn rest(&self) {
        self.lock().is_resting = true;
    }

    /// A new task begins: the token that is still valid first, then everything else.
    pub(super) fn restart(&self) {
        self.with_state(|manager, state, now| {
            state.restart_at = None;
            state.is_resting = false;
            state.todo.retain(|todo| matches!(todo, Todo::Deliver(_)));
            manager.step(state, Event::Restarted, now);
            // A reading under way died too; the silent ones count as silent.
            manager.finish_reading(state, now);
            state.next_poll = now;
        });
    }

    // Under the lock.

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn with_state<R>(&self, act: impl FnOnce(&Self, &mut State, Timestamp) -> R) -> R {
        let now = self.clock.now();
        let mut state = self.lock();
        let result = act(self, &mut state, now);
        state.parked = None;
        state.is_seen = false;
        drop(state);
        self.changed.notify_one();
        result
    }

    fn step(&self, state: &mut State, event: Event, now: Timestamp) {
        for effect in state.refresh.step(event, now, fastrand::f64()) {
            match effect {
                Effect::Fetch { flight, credential } => {
                    let issued = state.issued.iter().cloned().collect();
                    state.todo.push_back(Todo::Fetch { flight, credential, issued });
                }
                Effect::Publish(token) => {
                    state.issued.push_front(token.text.clone());
                    state.issued.truncate(REMEMBERED_TOKENS);
                    state.publish(next_stamp());
                }
                Effect::Withdraw => state.publish(NO_TOKEN),
                Effect::Settle { waiter, outcome } => state.settle(waiter, outcome),
                Effect::ReadSources => {
                    let requests = state.sources.begin(now);
                    self.read(state, requests, now);
                }
                Effect::Notify(notice) => state.note(now, Occurrence::Notice(notice)),
            }
        }
    }

    fn read(&self, state: &mut State, requests: Option<Requests>, now: Timestamp) {
        let Some(requests) = requests else { return };
        state.next_poll = now + self.source_poll;
        if !requests.places.is_empty() {
            state.todo.push_back(Todo::ReadFiles(requests.places));
        }
        for owner in requests.owners {
            if let Some(handle) = state.handles.get(&owner) {
                handle.listener.tell(&Message::Read { handle: owner });
            }
        }
        if state.sources.is_complete(now) {
            self.finish_reading(state, now);
        }
    }

    fn finish_reading(&self, state: &mut State, now: Timestamp) {
        let State { sources, refresh, .. } = state;
        let is_rejected = |credential: &Credential| {
            refresh.candidates().iter().any(|(known, usability)| {
                usability == Usability::Rejected && known.is_same_as(credential)
            })
        };
        let (configured, notices) = sources.finish(is_rejected);
        for (owner, notice) in notices {
            state.note(now, Occurrence::Source { owner, notice });
        }
        self.step(state, Event::Configured(configured), now);
        if state.sources.take_again() {
            let requests = state.sources.begin(now);
            self.read(state, requests, now);
        }
    }
}

impl State {
    /// The machine holds the token already; whoever reads the new word finds it there.
    fn publish(&mut self, stamp: i32) {
        self.stamp = stamp;
        self.handles.values().for_each(|handle| handle.word.store(stamp));
    }

    fn settle(&mut self, waiter: WaiterId, outcome: Result<(), Refusal>) {
        let handle = self.waiting.remove(&waiter).and_then(|id| self.handles.get(&id));
        if let Some(handle) = handle {
            let error = outcome.err().map(ErrorMessage::from);
            handle.listener.tell(&Message::Settled { waiter, error });
        }
    }

    fn note(&mut self, at: Timestamp, occurrence: Occurrence) {
        self.seq += 1;
        self.todo.push_back(Todo::Deliver(Delivery { seq: self.seq, at, occurrence }));
    }

    /// Each environment once, with its handles.
    fn environments(&self) -> Vec<(&Arc<dyn Listener>, Vec<HandleId>)> {
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

impl std::fmt::Debug for Manager {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Manager").field("name", &self.name).finish_non_exhaustive()
    }
}
