//! The configured keys of one signer at run time: their sources behind one lock, and what wakes the
//! task that reads them.

use std::collections::{BTreeSet, HashMap};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tokio::sync::Notify;

use super::numbers::next_number;
use super::service::Service;
use super::signer::Signer;
use crate::api::{Activity, ClockId, ErrorMessage, KEY_PATIENCE, Message};
use crate::clock::{Clock, Timestamp};
use crate::error::Code;
use crate::refresh::WaiterId;
use crate::signing::{ConfiguredKeys, KeySpec};
use crate::source::{
    EntrySpec, Extent, FileReading, Place, Reading, Requests, SourceState, Sources,
};

/// The keys of one signer, which their sources may change.
pub(super) struct KeySet {
    signer: Arc<Signer>,
    clock_id: Option<ClockId>,
    clock: Arc<dyn Clock>,
    /// Rings when the task should look again.
    changed: Notify,
    state: Mutex<KeySetState>,
}

struct KeySetState {
    sources: Sources,
    keys: ConfiguredKeys,
    /// What the task is to read.
    wanted: BTreeSet<Place>,
    /// Callers that wait for the first reading.
    waiting: Vec<WaiterId>,
    was_read: bool,
    /// When the keys were shown last, in milliseconds since 1970.
    shown_at: i64,
    service: Service,
}

impl KeySet {
    pub(super) fn new(
        signer: Arc<Signer>,
        (clock_id, clock): (Option<ClockId>, Arc<dyn Clock>),
        specs: Vec<KeySpec>,
        poll: Duration,
    ) -> Self {
        let state = KeySetState {
            sources: Sources::new(KEY_PATIENCE, poll),
            keys: ConfiguredKeys::new(specs),
            wanted: BTreeSet::new(),
            waiting: Vec::new(),
            was_read: false,
            shown_at: i64::MIN,
            service: Service::default(),
        };
        Self { signer, clock_id, clock, changed: Notify::new(), state: Mutex::new(state) }
    }

    /// Begins to read the sources. What can be read at once is there when this returns; an error if
    /// it cannot be a key.
    pub(super) fn begin(
        &self,
        entries: Vec<EntrySpec>,
        initial: Vec<Option<Reading>>,
    ) -> Result<(), ErrorMessage> {
        self.with_state(|state, now| {
            state.sources.add(self.signer.handle(), entries, initial);
            let requests = state.sources.begin_with_unread(now);
            self.read(state, requests, now);
        });
        let state = self.lock();
        let Some((index, flaw)) = state.keys.flaw() else { return Ok(()) };
        Err(ErrorMessage::invalid_option(&format!("keys[{index}]"), format!("{flaw}.")))
    }

    /// Has a caller wait for the first reading; its answer comes as a message.
    pub(super) fn wait(&self) -> WaiterId {
        let waiter = next_number();
        self.with_state(|state, _| {
            state.waiting.push(waiter);
            if state.was_read {
                self.settle(state);
            }
        });
        waiter
    }

    /// A caller no longer waits.
    pub(super) fn cancel(&self, waiter: WaiterId) {
        self.lock().waiting.retain(|known| *known != waiter);
    }

    /// Nobody waits any more, and nothing is read.
    pub(super) fn close(&self) {
        let waiting = std::mem::take(&mut self.lock().waiting);
        for waiter in waiting {
            let error = ErrorMessage::new(Code::Closed, "This WebhookSigner is closed.");
            self.signer.tell(&Message::Settled { waiter, error: Some(error) });
        }
        self.signer.fall_silent();
    }

    /// The JavaScript sources were read.
    pub(super) fn javascript_read(&self, readings: Vec<Option<Reading>>) {
        self.with_state(|state, now| {
            state.sources.javascript_read(self.signer.handle(), readings);
            self.finish_if_complete(state, now);
        });
    }

    pub(super) fn files_read(&self, place: Place, reading: FileReading) {
        let now = self.clock.now();
        let state = &mut *self.lock();
        state.sources.files_read(HashMap::from([(place, reading)]));
        self.finish_if_complete(state, now);
    }

    /// What the task has to read now.
    pub(super) fn take_wanted(&self) -> BTreeSet<Place> {
        let mut state = self.lock();
        state.service.begin();
        std::mem::take(&mut state.wanted)
    }

    /// Does whatever time has made due.
    pub(super) fn tick(&self) {
        let now = self.clock.now();
        let state = &mut *self.lock();
        if state.sources.has_ended(now) {
            self.finish(state, now);
        }
        let end = state.keys.next_end(state.shown_at);
        if end.is_some_and(|end| end <= self.clock.utc_millis(now)) {
            self.show(state, now);
        }
        let requests = state.sources.begin_if_due(true, now);
        self.read(state, requests, now);
    }

    /// When [`KeySet::tick`] is due.
    pub(super) fn sleep(&self) -> Option<Timestamp> {
        let now = self.clock.now();
        let state = self.lock();
        let end = state.keys.next_end(state.shown_at).map(|end| {
            let wait = end.saturating_sub(self.clock.utc_millis(now));
            now + Duration::from_millis(u64::try_from(wait).unwrap_or(0))
        });
        state.sources.wake_at(true).into_iter().chain(end).min()
    }

    /// Resolves when the task should look again.
    pub(super) async fn changed(&self) {
        self.changed.notified().await;
    }

    /// Has the task look again.
    pub(super) fn wake(&self) {
        self.changed.notify_one();
    }

    /// What the task says of itself.
    pub(super) fn serve(&self, say: impl FnOnce(&mut Service)) {
        say(&mut self.lock().service);
    }

    /// The task died.
    pub(super) fn suspend(&self) {
        let now = self.clock.now();
        self.lock().service.suspend(now);
    }

    /// When a new task may begin.
    pub(super) fn restart_at(&self) -> Option<Timestamp> {
        self.lock().service.restart_at()
    }

    /// A new task begins. A reading under way died, too.
    pub(super) fn restart(&self) {
        self.with_state(|state, now| {
            state.service.restart();
            state.wanted.clear();
            self.finish(state, now);
            state.sources.read_soon();
        });
    }

    pub(super) fn clock(&self) -> &Arc<dyn Clock> {
        &self.clock
    }

    /// Whether it is on this clock, which a test turns by hand.
    pub(super) fn is_on(&self, clock: ClockId) -> bool {
        self.clock_id == Some(clock)
    }

    /// What it is doing, for whoever turns its clock by hand.
    pub(super) fn activity(&self) -> Activity {
        let state = self.lock();
        Activity {
            is_busy: state.service.is_busy(),
            is_reading: state.sources.is_reading(),
            ..Activity::default()
        }
    }

    /// Passes on which files and functions are to be read.
    fn read(&self, state: &mut KeySetState, requests: Option<Requests>, now: Timestamp) {
        let Some(requests) = requests else { return };
        state.wanted.extend(requests.places);
        let variables_only = requests.extent == Extent::Cheap;
        for handle in requests.owners {
            self.signer.tell(&Message::Read { handle, variables_only });
        }
        self.finish_if_complete(state, now);
    }

    fn finish_if_complete(&self, state: &mut KeySetState, now: Timestamp) {
        if state.sources.is_complete(now) {
            self.finish(state, now);
        }
    }

    /// Ends the reading; sources that have not answered count as silent.
    fn finish(&self, state: &mut KeySetState, now: Timestamp) {
        let (configured, _) = state.sources.finish(now);
        let utc = self.clock.utc_millis(now);
        state.keys.take(self.signer.scheme(), &configured.entries, utc);
        self.show(state, now);
        state.was_read = true;
        self.settle(state);
        if state.sources.take_again() {
            let requests = state.sources.begin(now);
            self.read(state, requests, now);
        }
    }

    fn show(&self, state: &mut KeySetState, now: Timestamp) {
        let since = |source: &SourceState| {
            let since = source.problem.as_ref().map_or(now, |problem| problem.since);
            self.clock.utc_millis(since)
        };
        let problems = state.keys.problems(&state.sources.states(), since);
        state.shown_at = self.clock.utc_millis(now);
        self.signer.show(state.keys.named(), problems, state.shown_at);
    }

    /// Whoever waits for the first reading has an answer: there is a key, or why there is none.
    fn settle(&self, state: &mut KeySetState) {
        let error = self.signer.why_no_key();
        for waiter in state.waiting.drain(..) {
            self.signer.tell(&Message::Settled { waiter, error: error.clone() });
        }
    }

    fn with_state<R>(&self, act: impl FnOnce(&mut KeySetState, Timestamp) -> R) -> R {
        let now = self.clock.now();
        let mut state = self.lock();
        let result = act(&mut state, now);
        state.service.fall_behind();
        drop(state);
        self.wake();
        result
    }

    fn lock(&self) -> MutexGuard<'_, KeySetState> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
