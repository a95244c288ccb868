//! What a manager's task calls, and what supervises the task.

use std::collections::{HashMap, VecDeque};
use std::sync::Arc;

use super::Manager;
use crate::clock::Timestamp;
use crate::credential::Credential;
use crate::driver::errand::Errand;
use crate::driver::service::Service;
use crate::driver::state::State;
use crate::member::MemberEvent;
use crate::source::{FileReading, Place};

impl Manager {
    pub(in crate::driver) fn take_errands(&self) -> VecDeque<Errand> {
        self.lock().take_errands()
    }

    /// An errand has come to its end.
    pub(in crate::driver) fn report(&self, event: MemberEvent) {
        self.in_task(|state, now| state.report(event, now));
    }

    pub(in crate::driver) fn files_read(&self, readings: HashMap<Place, FileReading>) {
        self.in_task(|state, now| state.files_read(readings, now));
    }

    /// Does whatever time has made due.
    pub(in crate::driver) fn tick(&self) {
        self.in_task(State::tick);
    }

    /// When [`Manager::tick`] is due; the task sleeps until then.
    pub(in crate::driver) fn sleep(&self) -> Option<Timestamp> {
        self.in_task(State::sleep)
    }

    /// Tells the environments what happened; returns the credential whose id must be derived for
    /// more.
    pub(in crate::driver) fn tell_news(&self) -> Option<Arc<Credential>> {
        self.lock().tell_news()
    }

    /// Whether the last handle is closed. A task that is not stopped then does what is left.
    pub(in crate::driver) fn is_closed(&self) -> bool {
        self.lock().is_closed()
    }

    /// Resolves when the task should look again.
    pub(in crate::driver) async fn changed(&self) {
        self.changed.notified().await;
    }

    /// Has the task look again.
    pub(in crate::driver) fn wake(&self) {
        self.changed.notify_one();
    }

    /// What the task says of itself.
    pub(in crate::driver) fn serve(&self, say: impl FnOnce(&mut Service)) {
        say(self.lock().service());
    }

    /// The task died: until another one watches over expiry, every call asks for itself.
    pub(in crate::driver) fn suspend(&self) {
        self.in_task(State::suspend);
    }

    /// When a new task may begin.
    pub(in crate::driver) fn restart_at(&self) -> Option<Timestamp> {
        self.lock().service().restart_at()
    }

    /// A new task begins: the token that is still valid first, then everything else.
    pub(in crate::driver) fn restart(&self) {
        self.with_state(State::restart);
    }
}
