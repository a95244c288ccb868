//! Every manager, every signer and every handle of a process.

mod signers;

use std::collections::{BTreeSet, HashMap};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use tokio::sync::Notify;

use super::listener::{Listener, Word};
use super::manager::{Manager, ManagerId};
use super::served::Served;
use super::workers::Workers;
use crate::api::{Activity, ClockId, ErrorMessage, HandleId, Settings};
use crate::clock::{Clock, ManualClock};
use crate::redaction::Known;
use signers::SignerHome;

/// The managers of a process, and what those have in common.
pub(super) struct Registry {
    clock: Arc<dyn Clock>,
    /// They outlive the thread: what hangs does so for the next one, too.
    workers: Arc<Workers>,
    entries: Mutex<Entries>,
    /// Rings when managers came or went.
    changed: Notify,
}

#[derive(Default)]
struct Entries {
    managers: HashMap<ManagerId, Arc<Manager>>,
    /// The managers that have a name.
    names: HashMap<String, ManagerId>,
    handles: HashMap<HandleId, ManagerId>,
    signers: HashMap<HandleId, SignerHome>,
    clocks: HashMap<ClockId, Arc<ManualClock>>,
    /// Who has no task yet.
    unserved: BTreeSet<u64>,
    /// Who was closed, and whose tasks are to be stopped.
    gone: Vec<u64>,
    last_id: u64,
    is_running: bool,
    panic_wanted: bool,
}

impl Registry {
    pub(super) fn new(clock: Arc<dyn Clock>, workers: Workers) -> Self {
        let workers = Arc::new(workers);
        Self { clock, workers, entries: Mutex::default(), changed: Notify::new() }
    }

    pub(super) fn clock(&self) -> &Arc<dyn Clock> {
        &self.clock
    }

    pub(super) fn workers(&self) -> &Arc<Workers> {
        &self.workers
    }

    /// Opens a handle: of the manager of that name if there is one, else of a new one.
    ///
    /// `start` starts the thread, which is needed for the first manager.
    pub(super) fn open(
        &self,
        mut settings: Settings,
        listener: Arc<dyn Listener>,
        word: Box<dyn Word>,
        start: impl FnOnce() -> Result<(), ErrorMessage>,
    ) -> Result<HandleId, ErrorMessage> {
        let mut entries = self.lock();
        let clock = self.clock_of(settings.clock, &entries)?;
        let known = settings.name.as_ref().and_then(|name| entries.named(name));
        if let Some((_, manager)) = &known {
            settings.check_agreement(manager.agreed())?;
        }
        let sources =
            (std::mem::take(&mut settings.entries), std::mem::take(&mut settings.initial));
        let handle = entries.next_id();
        let (id, manager) = if let Some(known) = known {
            known
        } else {
            entries.run(start)?;
            let manager = Arc::new(Manager::new(&settings, clock));
            entries.add(handle, &manager);
            (handle, manager)
        };
        entries.handles.insert(handle, id);
        // Before anyone else can close the manager that this handle is about to join.
        manager.add_handle(handle, sources, (listener, word));
        drop(entries);
        self.changed.notify_one();
        Ok(handle)
    }

    /// Closes a handle; with the last one its manager ends. A handle that is not open is fine.
    pub(super) fn close(&self, handle: HandleId) {
        let mut entries = self.lock();
        if let Some(home) = entries.signers.remove(&handle) {
            entries.close_signer(handle, home);
            drop(entries);
            self.changed.notify_one();
            return;
        }
        let Some(id) = entries.handles.remove(&handle) else { return };
        let manager = entries.managers.get(&id).map(Arc::clone);
        if let Some(manager) = manager.filter(|manager| manager.remove_handle(handle)) {
            entries.remove(id, &manager);
        }
        drop(entries);
        self.changed.notify_one();
    }

    /// The manager of an open handle.
    pub(super) fn manager(&self, handle: HandleId) -> Option<Arc<Manager>> {
        let entries = self.lock();
        entries.handles.get(&handle).and_then(|id| entries.managers.get(id)).map(Arc::clone)
    }

    /// All managers. What is done with them is not done under the lock that every call takes.
    pub(super) fn managers(&self) -> Vec<Arc<Manager>> {
        self.lock().managers.values().map(Arc::clone).collect()
    }

    /// Adds a clock that shows so many milliseconds since 1970 until it is told otherwise.
    pub(super) fn make_clock(&self, utc_millis: i64) -> ClockId {
        let mut entries = self.lock();
        let id = entries.next_id();
        entries.clocks.insert(id, ManualClock::new(utc_millis));
        id
    }

    /// Forgets a clock; managers that are on it keep it.
    pub(super) fn drop_clock(&self, id: ClockId) {
        self.lock().clocks.remove(&id);
    }

    pub(super) fn manual_clock(&self, id: ClockId) -> Option<Arc<ManualClock>> {
        self.lock().clocks.get(&id).map(Arc::clone)
    }

    /// What goes on at a clock.
    pub(super) fn activity(&self, id: ClockId) -> Activity {
        let Some(clock) = self.manual_clock(id) else { return Activity::default() };
        let total = Activity { is_busy: clock.is_waking(), ..Activity::default() };
        let managers = self.managers();
        let on_it = managers.iter().filter(|manager| manager.is_on(id));
        let total = on_it.fold(total, |total, manager| total.and(manager.activity()));
        let keys = self.key_sets();
        let on_it = keys.iter().filter(|keys| keys.is_on(id));
        let total = on_it.fold(total, |total, keys| total.and(keys.activity()));
        Activity { next_wake: clock.next_wake(), ..total }
    }

    /// Makes the thread panic, to show what happens then.
    #[cfg(debug_assertions)]
    pub(super) fn panic(&self) {
        self.lock().panic_wanted = true;
        self.changed.notify_one();
    }

    // From the thread.

    /// Resolves when managers came or went.
    pub(super) async fn changed(&self) {
        self.changed.notified().await;
    }

    /// Who needs a task; none means that nobody is left and the thread must end.
    ///
    /// `stop` stops the task of somebody who is gone, and with it the requests that are under way.
    pub(super) fn take_unserved(&self, stop: impl FnMut(u64)) -> Option<Vec<(u64, Served)>> {
        let mut entries = self.lock();
        assert!(!std::mem::take(&mut entries.panic_wanted), "a test asked for this panic");
        std::mem::take(&mut entries.gone).into_iter().for_each(stop);
        if entries.managers.is_empty() && entries.key_sets().next().is_none() {
            entries.is_running = false;
            self.workers.dismiss();
            return None;
        }
        let unserved = std::mem::take(&mut entries.unserved);
        Some(unserved.into_iter().filter_map(|id| Some((id, entries.served(id)?))).collect())
    }

    /// Sleeps may have become too long: every task looks at the clock again.
    pub(super) fn rouse(&self) {
        let entries = self.lock();
        entries.managers.values().for_each(|manager| manager.wake());
        entries.key_sets().for_each(|(_, keys)| keys.wake());
    }

    /// A task panicked: a manager's words are cleared, and there is another task.
    pub(super) fn serve_again(&self, id: u64) {
        let mut entries = self.lock();
        match entries.served(id) {
            Some(Served::Manager(manager)) => manager.suspend(),
            Some(Served::Keys(keys)) => keys.suspend(),
            None => return,
        }
        entries.unserved.insert(id);
    }

    /// The whole thread's work panicked: every word is cleared, and everybody gets another task.
    pub(super) fn recover(&self) {
        let mut entries = self.lock();
        let keys = entries.key_sets().map(|(id, _)| id);
        entries.unserved = entries.managers.keys().copied().chain(keys).collect();
        entries.managers.values().for_each(|manager| manager.suspend());
        entries.key_sets().for_each(|(_, keys)| keys.suspend());
    }

    /// The clock with that number, or the machine's.
    fn clock_of(
        &self,
        clock: Option<ClockId>,
        entries: &Entries,
    ) -> Result<Arc<dyn Clock>, ErrorMessage> {
        let Some(id) = clock else { return Ok(Arc::clone(&self.clock)) };
        let known = entries.clocks.get(&id).map(|it| Arc::new(Arc::clone(it)) as _);
        known
            .ok_or_else(|| ErrorMessage::invalid_option("clock", "is not a clock of this process."))
    }

    fn lock(&self) -> MutexGuard<'_, Entries> {
        self.entries.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Entries {
    fn next_id(&mut self) -> u64 {
        self.last_id += 1;
        self.last_id
    }

    /// Starts the thread unless it runs.
    fn run(
        &mut self,
        start: impl FnOnce() -> Result<(), ErrorMessage>,
    ) -> Result<(), ErrorMessage> {
        if !self.is_running {
            start()?;
            self.is_running = true;
        }
        Ok(())
    }

    /// Who has that number, if it has a task.
    fn served(&self, id: u64) -> Option<Served> {
        let manager = self.managers.get(&id).map(|it| Served::Manager(Arc::clone(it)));
        manager.or_else(|| self.key_set(id).map(|keys| Served::Keys(Arc::clone(keys))))
    }

    fn named(&self, name: &str) -> Option<(ManagerId, Arc<Manager>)> {
        let id = self.names.get(name)?;
        Some((*id, Arc::clone(self.managers.get(id)?)))
    }

    fn add(&mut self, id: ManagerId, manager: &Arc<Manager>) {
        self.managers.insert(id, Arc::clone(manager));
        if let Some(name) = manager.name() {
            self.names.insert(name.to_owned(), id);
        }
        self.unserved.insert(id);
    }

    fn remove(&mut self, id: ManagerId, manager: &Manager) {
        self.managers.remove(&id);
        if let Some(name) = manager.name() {
            self.names.remove(name);
        }
        if !self.unserved.remove(&id) {
            self.gone.push(id);
        }
    }
}

impl Known for Registry {
    fn each(&self, see: &mut dyn FnMut(&str)) {
        for manager in self.managers() {
            manager.each_secret(see);
        }
    }
}
