//! One logical client at run time: its state behind one lock, which any thread may take.

use std::collections::{HashMap, VecDeque};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tokio::sync::Notify;

use super::ClockId;
use super::activity::{Activity, Doing};
use super::health::Health;
use super::listener::{Listener, NO_TOKEN, Word};
use super::message::{HandleId, RotationMessage};
use super::report;
use super::settings::{Agreed, Settings};
use super::state::{Handle, State, Todo};
use super::status::{Metrics, Status, View};
use crate::client::{Attempt, Transport};
use crate::clock::{Clock, Timestamp};
use crate::credential::Credential;
use crate::member::{Ask, Event};
use crate::provider::Endpoint;
use crate::refresh::{Refusal, Wait, WaiterId};
use crate::rotation::{CallerId, SinkOutcome};
use crate::source::{EntryPlace, EntrySpec, FileReading, Place, Reading};

/// So long a task that panicked stays away, so that a panic at every start is no busy loop.
const RESTART_DELAY: Duration = Duration::from_secs(1);

/// Nobody waits longer, and no instant overflows: a year.
const LONGEST_WAIT: Duration = Duration::from_hours(24 * 365);

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
    state: Mutex<State>,
}

impl Manager {
    pub(super) fn new(settings: &Settings, clock: Arc<dyn Clock>) -> Self {
        let state = State::new(settings, &clock);
        Self {
            name: settings.name.clone(),
            endpoint: settings.endpoint.clone(),
            transport: settings.transport.clone(),
            agreed: settings.agreed.clone(),
            changed: Notify::new(),
            clock_id: settings.clock,
            clock,
            acquire_timeout: settings.policy.acquire_timeout,
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
        self.with_state(|state, now| {
            word.store(state.stamp);
            state.handles.insert(id, Handle { listener, word });
            state.sources.add(id, entries, initial);
            let requests = state.sources.begin_with_unread(now);
            state.read(requests, now);
        });
    }

    /// Lets a handle go; answers whether it was the last one.
    pub(super) fn remove_handle(&self, id: HandleId) -> bool {
        self.with_state(|state, now| {
            let orphans: Vec<_> =
                state.waiting.iter().filter(|(_, of)| **of == id).map(|(it, _)| *it).collect();
            for waiter in orphans {
                state.step(Event::Cancelled(waiter), now);
                state.settle(waiter, Err(Refusal::Closed));
            }
            for caller in state
                .asking
                .extract_if(|_, of| *of == id)
                .map(|(caller, _)| caller)
                .collect::<Vec<_>>()
            {
                state.step(Event::Left(caller), now);
            }
            state.abandon_sinks(id, now);
            if let Some(handle) = state.handles.remove(&id) {
                handle.word.store(NO_TOKEN);
            }
            state.is_ignored_by(id);
            state.sources.remove(id);
            let is_last = state.handles.is_empty();
            if is_last {
                state.step(Event::Closed, now);
            } else {
                state.finish_reading_if_complete(now);
            }
            is_last
        })
    }

    /// Every secret and token that is known here.
    pub(super) fn each_secret(&self, see: &mut dyn FnMut(&str)) {
        if let Some(password) = self.transport.proxy_password() {
            see(password.expose());
        }
        let state = self.lock();
        state.member.known().for_each(|credential| see(credential.client_secret.expose()));
        state.issued.iter().for_each(|token| see(token.expose()));
    }

    /// The token that may be handed out, with its end in milliseconds since 1970.
    pub fn token(&self) -> Option<(String, i64)> {
        let now = self.clock.now();
        let state = self.lock();
        state.member.token(now).map(|token| {
            (token.text.expose().to_owned(), self.clock.utc_millis(token.usable_until))
        })
    }

    /// Has a caller wait; its answer comes as a message.
    pub fn wait(
        &self,
        handle: HandleId,
        min_validity: Duration,
        for_readiness: bool,
        timeout: Option<Duration>,
    ) -> WaiterId {
        static LAST: AtomicU64 = AtomicU64::new(0);
        let waiter = LAST.fetch_add(1, Ordering::Relaxed) + 1;
        self.with_state(|state, now| {
            state.waiting.insert(waiter, handle);
            let deadline = now + timeout.unwrap_or(self.acquire_timeout).min(LONGEST_WAIT);
            let wait = Wait { waiter, min_validity, deadline, for_readiness };
            state.step(Event::Wanted(wait), now);
        });
        waiter
    }

    /// A caller of this handle no longer waits.
    pub fn cancel(&self, handle: HandleId, waiter: WaiterId) {
        self.with_state(|state, now| {
            if state.waiting.get(&waiter) == Some(&handle) {
                state.waiting.remove(&waiter);
                state.step(Event::Cancelled(waiter), now);
            }
        });
    }

    /// A resource answered 401 to this token; answers whether it was dropped because of that.
    pub fn invalidate(&self, token: &str) -> bool {
        self.with_state(|state, now| {
            let held = state.member.token(now).filter(|held| held.text.expose() == token);
            let Some(serial) = held.map(|held| held.serial) else { return false };
            state.step(Event::Invalidated(serial), now);
            state.member.token(now).is_none_or(|held| held.serial != serial)
        })
    }

    /// Reads all sources again, and has what was rejected tried again.
    pub fn reload(&self) {
        self.with_state(|state, now| {
            state.step(Event::Reloaded, now);
            state.read_again(now);
        });
    }

    /// Asks something of the credential lifecycle; the answer comes as a message.
    pub fn ask(&self, handle: HandleId, ask: Ask, patience: Option<Duration>) -> CallerId {
        static LAST: AtomicU64 = AtomicU64::new(0);
        let caller = LAST.fetch_add(1, Ordering::Relaxed) + 1;
        self.with_state(|state, now| {
            state.asking.insert(caller, handle);
            let deadline = patience.map(|patience| now + patience);
            state.step(Event::Asked { caller, ask, deadline }, now);
        });
        caller
    }

    /// Whoever asked through this handle no longer waits.
    pub fn leave(&self, handle: HandleId, caller: CallerId) {
        self.with_state(|state, now| {
            if state.asking.get(&caller) == Some(&handle) {
                state.asking.remove(&caller);
                state.step(Event::Left(caller), now);
            }
        });
    }

    /// The latest rotation.
    pub fn rotation(&self) -> Option<RotationMessage> {
        let state = self.lock();
        let labels = |place| state.sources.label(place).map(str::to_owned);
        let snapshot = state.member.latest_rotation();
        snapshot.map(|snapshot| report::rotation(&snapshot, &labels, &*self.clock))
    }

    /// A JavaScript sink of this handle has answered.
    pub fn javascript_wrote(
        &self,
        handle: HandleId,
        write: u64,
        outcome: SinkOutcome,
        message: Option<String>,
    ) {
        self.with_state(|state, now| {
            if state.persisting.get(&write) == Some(&handle) {
                state.sink_written(write, outcome, message, now);
            }
        });
    }

    /// A handle's JavaScript sources answered.
    pub fn javascript_read(&self, handle: HandleId, readings: Vec<Option<Reading>>) {
        self.with_state(|state, now| {
            state.sources.javascript_read(handle, readings);
            state.finish_reading_if_complete(now);
        });
    }

    /// Somebody listens to the events.
    pub fn is_listened_to(&self) {
        self.with_state(State::is_listened_to);
    }

    /// Nobody listens by way of this handle, which was asked.
    pub fn is_ignored_by(&self, handle: HandleId) {
        self.with_state(|state, _| state.is_ignored_by(handle));
    }

    /// A snapshot for people. The first one has the ids derived that it does not tell yet.
    pub fn status(&self, handle: HandleId) -> Status {
        if !self.lock().member.needs_ids() {
            self.with_state(|state, now| state.step(Event::Observed, now));
        }
        self.view().into_status(self.name.clone(), handle, &*self.clock)
    }

    /// A snapshot for probes.
    pub fn health(&self) -> Health {
        self.view().health(&*self.clock)
    }

    fn view(&self) -> View {
        let now = self.clock.now();
        let mut state = self.lock();
        let (is_due, pulse) = (state.pulse.is_due(now), state.pulse.look(now));
        let view = View::of(&state.member, &state.sources, state.opened_at, pulse, now);
        drop(state);
        if is_due {
            // Its sleep may be too long, as in a process that was restored elsewhere: it is not dead for that.
            self.changed.notify_one();
        }
        view
    }

    /// A snapshot for monitoring.
    pub fn metrics(&self) -> Metrics {
        let now = self.clock.now();
        Metrics::of(&self.lock().member, now)
    }

    /// What it is doing, for whoever turns its clock by hand.
    pub(super) fn activity(&self) -> Activity {
        let state = self.lock();
        Activity {
            is_busy: matches!(state.doing, Doing::Behind | Doing::Working)
                || state.looks_for_listeners(),
            requests: usize::from(matches!(state.doing, Doing::Waiting { is_fetching: true })),
            is_reading: state.sources.is_reading(),
            next_wake: None,
        }
    }

    /// Makes the manager's task panic, to show what happens then.
    #[cfg(debug_assertions)]
    pub fn panic(&self) {
        self.with_state(|state, _| state.panic_wanted = true);
    }

    // From the manager's task.

    pub(super) fn take_todo(&self) -> VecDeque<Todo> {
        let mut state = self.lock();
        assert!(!std::mem::take(&mut state.panic_wanted), "a test asked for this panic");
        state.doing = Doing::Working;
        std::mem::take(&mut state.todo)
    }

    pub(super) fn answered(&self, request: u64, attempt: Attempt) {
        let Attempt { sent_at, verdict, verify } = attempt;
        self.in_task(|state, now| {
            state.step(Event::Answered { request, sent_at, verdict, verify }, now);
        });
    }

    pub(super) fn identified(&self) {
        self.in_task(|state, now| state.step(Event::Identified, now));
    }

    /// A file was written, or not.
    pub(super) fn sink_written(&self, write: u64, outcome: SinkOutcome, message: Option<String>) {
        self.in_task(|state, now| state.sink_written(write, outcome, message, now));
    }

    /// A file was tried on behalf of who prepares a rotation.
    pub(super) fn sink_tried(&self, place: EntryPlace, is_writable: bool) {
        self.in_task(|state, now| {
            state.step(Event::SinkTried { place, is_writable }, now);
        });
    }

    pub(super) fn files_read(&self, readings: HashMap<Place, FileReading>) {
        self.in_task(|state, now| {
            state.sources.files_read(readings);
            state.finish_reading_if_complete(now);
        });
    }

    /// Does whatever time has made due.
    pub(super) fn tick(&self) {
        self.in_task(|state, now| {
            if state.sources.is_reading() && state.sources.is_complete(now) {
                state.finish_reading(now);
            }
            let has_token = state.member.token(now).is_some();
            let requests = state.sources.begin_if_due(has_token, now);
            state.read(requests, now);
            state.tell_expiring(now);
            state.step(Event::Ticked, now);
        });
    }

    /// When [`Manager::tick`] is due.
    pub(super) fn wake_at(&self) -> Option<Timestamp> {
        let now = self.clock.now();
        let mut state = self.lock();
        let has_token = state.member.token(now).is_some();
        let poll = || state.sources.next_reading(has_token).map(|(_, at)| at);
        let expiring = state.expiring.next().map(|utc| {
            let left = utc.saturating_sub(self.clock.utc_millis(now));
            now + Duration::from_millis(u64::try_from(left).unwrap_or(0))
        });
        let wakes = [state.member.wake_at(now), state.sources.deadline().or_else(poll), expiring];
        let wake_at = wakes.into_iter().flatten().min();
        state.pulse.is_to_beat(wake_at);
        wake_at
    }

    /// The task is being polled.
    pub(super) fn stir(&self) {
        self.lock().doing.stir();
    }

    /// The task waits, unless something has changed that it has not seen.
    pub(super) fn park(&self, is_fetching: bool) {
        self.lock().doing.park(is_fetching);
    }

    /// The task waits to start over.
    pub(super) fn rest(&self) {
        self.lock().doing = Doing::Resting;
    }

    /// Tells the environments what happened; answers the credential whose id must be derived for more.
    pub(super) fn tell_news(&self) -> Option<Arc<Credential>> {
        self.lock().tell_news()
    }

    // From the supervisor.

    /// The task died: until another one watches over expiry, every call asks for itself.
    pub(super) fn suspend(&self) {
        let restart_at = self.clock.now() + RESTART_DELAY;
        let mut state = self.lock();
        state.restart_at = Some(restart_at);
        state.pulse.is_gone_until(restart_at);
        state.doing = Doing::Behind;
        state.stamp = NO_TOKEN;
        state.handles.values().for_each(|handle| handle.word.store(NO_TOKEN));
    }

    /// When a new task may begin.
    pub(super) fn restart_at(&self) -> Option<Timestamp> {
        self.lock().restart_at
    }

    /// A new task begins: the token that is still valid first, then everything else.
    pub(super) fn restart(&self) {
        self.with_state(|state, now| {
            state.restart_at = None;
            state.doing = Doing::Behind;
            state.todo.clear();
            state.step(Event::Restarted, now);
            // A reading under way died too; the silent ones count as silent.
            state.finish_reading(now);
            state.sources.read_soon();
        });
    }

    // Under the lock.

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Does something that the task has to see.
    fn with_state<R>(&self, act: impl FnOnce(&mut State, Timestamp) -> R) -> R {
        let now = self.clock.now();
        let mut state = self.lock();
        let result = act(&mut state, now);
        state.doing.fall_behind();
        drop(state);
        self.changed.notify_one();
        result
    }

    /// Does something in the task itself, which looks at what follows before it waits again.
    fn in_task(&self, act: impl FnOnce(&mut State, Timestamp)) {
        let now = self.clock.now();
        act(&mut self.lock(), now);
    }
}

impl std::fmt::Debug for Manager {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Manager").field("name", &self.name).finish_non_exhaustive()
    }
}
