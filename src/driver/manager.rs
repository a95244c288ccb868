//! One logical client at run time: its state behind one lock, which any thread may take, and what
//! wakes its task.

#[cfg(test)]
mod tests;
mod upkeep;

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tokio::sync::Notify;

use super::listener::{Listener, Word};
use super::numbers::next_number;
use super::signer::Signer;
use super::state::State;
use crate::api::{
    Activity, Agreed, ClockId, ErrorMessage, HandleId, Health, Metrics, RotationMessage, Settings,
    Status, StoreSettings,
};
use crate::client::Transport;
use crate::clock::{Clock, Timestamp};
use crate::member::Ask;
use crate::policy::Policy;
use crate::provider::Endpoint;
use crate::refresh::{TokenWait, WaiterId};
use crate::rotation::{CallerId, PersistOutcome};
use crate::source::{EntrySpec, Reading};

/// Names a manager of this process.
pub(super) type ManagerId = u64;

/// One logical client of this process.
pub struct Manager {
    name: Option<String>,
    endpoint: Endpoint,
    transport: Transport,
    policy: Policy,
    store: Option<StoreSettings>,
    agreed: Agreed,
    clock_id: Option<ClockId>,
    clock: Arc<dyn Clock>,
    /// Rings when the task should look again.
    changed: Notify,
    state: Mutex<State>,
}

impl Manager {
    pub(super) fn new(settings: &Settings, clock: Arc<dyn Clock>) -> Self {
        let state = State::new(settings, &clock);
        Self {
            name: settings.name.clone(),
            endpoint: settings.endpoint.clone(),
            transport: settings.transport.clone(),
            policy: settings.policy.clone(),
            store: settings.store.clone(),
            agreed: settings.agreed.clone(),
            clock_id: settings.clock,
            clock,
            changed: Notify::new(),
            state: Mutex::new(state),
        }
    }

    pub(super) fn name(&self) -> Option<&str> {
        self.name.as_deref()
    }

    pub(super) fn endpoint(&self) -> &Endpoint {
        &self.endpoint
    }

    pub(super) fn transport(&self) -> &Transport {
        &self.transport
    }

    /// What is shared with other processes, and under which name.
    pub(super) fn store(&self) -> Option<(&StoreSettings, &str)> {
        self.store.as_ref().zip(self.name())
    }

    pub(super) fn agreed(&self) -> &Agreed {
        &self.agreed
    }

    pub(super) fn clock(&self) -> &Arc<dyn Clock> {
        &self.clock
    }

    /// Whether it is on this clock, which a test turns by hand.
    pub(super) fn is_on(&self, clock: ClockId) -> bool {
        self.clock_id == Some(clock)
    }

    pub(super) fn add_handle(
        &self,
        id: HandleId,
        sources: (Vec<EntrySpec>, Vec<Option<Reading>>),
        ends: (Arc<dyn Listener>, Box<dyn Word>),
    ) {
        self.with_state(|state, now| state.add_handle(id, sources, ends, now));
    }

    /// Lets a handle go; returns whether it was the last one.
    pub(super) fn remove_handle(&self, id: HandleId) -> bool {
        self.with_state(|state, now| state.remove_handle(id, now))
    }

    /// Every secret and token that is known here.
    pub(super) fn each_secret(&self, see: &mut dyn FnMut(&str)) {
        if let Some(password) = self.transport.proxy_password() {
            see(password.expose());
        }
        let of_store = self.store.iter().flat_map(|store| store.redis.passwords());
        of_store.for_each(|password| see(password.expose()));
        self.lock().each_secret(see);
    }

    /// The token that may be handed out, with its end in milliseconds since 1970.
    pub fn token(&self) -> Option<(String, i64)> {
        let now = self.clock.now();
        let state = self.lock();
        state.token(now).map(|token| {
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
        let waiter = next_number();
        self.with_state(|state, now| {
            let deadline = self.policy.wait_deadline(timeout, now);
            let wait = TokenWait { waiter, min_validity, deadline, for_readiness };
            state.wait(handle, wait, now);
        });
        waiter
    }

    /// A caller of this handle no longer waits.
    pub fn cancel(&self, handle: HandleId, waiter: WaiterId) {
        self.with_state(|state, now| state.cancel(handle, waiter, now));
    }

    /// A resource answered 401 to this token; returns whether it was dropped because of that.
    pub fn invalidate(&self, token: &str) -> bool {
        self.with_state(|state, now| state.invalidate(token, now))
    }

    /// Reads all sources again, and has what was rejected tried again.
    pub fn reload(&self) {
        self.with_state(State::reload);
    }

    /// Asks for something of the credential lifecycle; the answer comes as a message.
    pub fn ask(&self, handle: HandleId, ask: Ask, patience: Option<Duration>) -> CallerId {
        let caller = next_number();
        self.with_state(|state, now| state.ask(handle, caller, ask, patience, now));
        caller
    }

    /// A caller of this handle no longer waits for what it asked for.
    pub fn leave(&self, handle: HandleId, caller: CallerId) {
        self.with_state(|state, now| state.leave(handle, caller, now));
    }

    /// The latest rotation.
    pub fn rotation(&self) -> Option<RotationMessage> {
        let now = self.clock.now();
        self.lock().rotation(now)
    }

    /// A persist function of this handle has written, or has failed to.
    pub fn javascript_wrote(
        &self,
        handle: HandleId,
        write: u64,
        outcome: PersistOutcome,
        message: Option<String>,
    ) {
        let outcome = (outcome, message);
        self.with_state(|state, now| state.javascript_wrote(handle, write, outcome, now));
    }

    /// A handle's JavaScript sources were read.
    pub fn javascript_read(&self, handle: HandleId, readings: Vec<Option<Reading>>) {
        self.with_state(|state, now| state.javascript_read(handle, readings, now));
    }

    /// A signer follows the credentials from now on.
    pub(super) fn lend(&self, signer: Arc<Signer>, grace: i64) -> Result<(), ErrorMessage> {
        self.with_state(|state, now| state.lend(signer, grace, now))
    }

    /// A signer is closed.
    pub(super) fn take_back(&self, signer: HandleId) {
        self.with_state(|state, _| state.take_back(signer));
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
        if !self.lock().needs_ids() {
            self.with_state(State::observe);
        }
        self.look(|state, _, now| state.status(self.name.clone(), handle, now))
    }

    /// A snapshot for probes.
    pub fn health(&self) -> Health {
        self.look(State::health)
    }

    /// A snapshot for monitoring.
    pub fn metrics(&self) -> Metrics {
        let now = self.clock.now();
        self.lock().metrics(now)
    }

    /// What it is doing, for whoever turns its clock by hand.
    pub(super) fn activity(&self) -> Activity {
        self.lock().activity()
    }

    /// Makes the manager's task panic, to show what happens then.
    #[cfg(debug_assertions)]
    pub fn panic(&self) {
        self.with_state(|state, _| state.service().panic());
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Does something that the task has to see.
    fn with_state<R>(&self, act: impl FnOnce(&mut State, Timestamp) -> R) -> R {
        let now = self.clock.now();
        let mut state = self.lock();
        let result = act(&mut state, now);
        state.service().fall_behind();
        drop(state);
        self.wake();
        result
    }

    /// Does something in the task itself, which looks at what follows before it waits again.
    fn in_task<R>(&self, act: impl FnOnce(&mut State, Timestamp) -> R) -> R {
        let now = self.clock.now();
        act(&mut self.lock(), now)
    }

    /// Looks at the state and at whether the task is dead.
    fn look<R>(&self, at: impl FnOnce(&State, Option<Timestamp>, Timestamp) -> R) -> R {
        let now = self.clock.now();
        let mut state = self.lock();
        let is_due = state.service().is_due(now);
        let stalled_since = state.service().stalled_since(now);
        let result = at(&state, stalled_since, now);
        drop(state);
        if is_due {
            // Its sleep may be too long, as in a process that was restored elsewhere: it is not
            // dead for that.
            self.wake();
        }
        result
    }
}

impl std::fmt::Debug for Manager {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Manager").field("name", &self.name).finish_non_exhaustive()
    }
}
