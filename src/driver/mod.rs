//! Performs what the core decides, on a thread of its own; it holds no policy.
//!
//! * [`Driver`] is process-global: it knows every manager and every handle, and owns the thread.
//! * [`Manager`] is one logical client: machine, sources and handles behind one lock.
//! * `task` is a manager's part of the thread: requests, files, timers, events.
//!
//! The thread never touches JavaScript, so a blocked event loop does not delay it. It exists while
//! a handle is open and ends with the last one.

mod activity;
mod audience;
mod clients;
mod expiring;
mod files;
mod health;
mod listener;
mod manager;
mod message;
mod occurrence;
mod pool;
mod pulse;
mod queue;
mod report;
mod settings;
mod sinks;
mod state;
mod status;
mod task;
mod thread;
mod wording;
mod words;
mod workers;

#[cfg(all(test, unix))]
mod tests;

use std::collections::{BTreeSet, HashMap};
use std::sync::{Arc, Mutex, MutexGuard, OnceLock, PoisonError};

use tokio::sync::Notify;

use crate::clock::{Clock, ManualClock, SystemClock};
use crate::error::Code;
use crate::redaction::Known;
pub use activity::Activity;
pub use health::Health;
pub use listener::{Listener, NO_TOKEN, Word};
pub use manager::Manager;
pub use message::{ErrorMessage, Event, EventMessage, HandleId, Message};
pub use settings::Settings;
pub use status::{Metrics, Status};
pub use words::Block;
use workers::Workers;

/// Every manager of a process, and the thread that serves them.
pub struct Driver {
    clock: Arc<dyn Clock>,
    /// They outlive the thread: what hangs does so for the next one, too.
    workers: Arc<Workers>,
    registry: Mutex<Registry>,
    /// Rings when managers came or went.
    changed: Notify,
}

#[derive(Default)]
struct Registry {
    managers: HashMap<ManagerId, Arc<Manager>>,
    /// Those that have one.
    names: HashMap<String, ManagerId>,
    handles: HashMap<HandleId, ManagerId>,
    clocks: HashMap<ClockId, Arc<ManualClock>>,
    /// Managers that have no task yet.
    unserved: BTreeSet<ManagerId>,
    /// Managers that were closed, and whose tasks are to be stopped.
    gone: Vec<ManagerId>,
    last_id: u64,
    is_running: bool,
    panic_wanted: bool,
}

type ManagerId = u64;

/// Names a clock that is turned by hand.
pub type ClockId = u64;

impl Driver {
    /// The one of this process, on the machine's clocks.
    pub fn global() -> &'static Arc<Self> {
        static DRIVER: OnceLock<Arc<Driver>> = OnceLock::new();
        DRIVER.get_or_init(|| Arc::new(Self::new(Arc::new(SystemClock::new()))))
    }

    /// One without managers, on the given clock. Its thread starts with the first manager.
    pub fn new(clock: Arc<dyn Clock>) -> Self {
        let workers = Workers::new(Arc::clone(&clock));
        Self::with_workers(clock, workers)
    }

    fn with_workers(clock: Arc<dyn Clock>, workers: Workers) -> Self {
        let workers = Arc::new(workers);
        Self { clock, workers, registry: Mutex::default(), changed: Notify::new() }
    }

    /// Opens a handle: of the manager of that name, if there is one, else of a new one, which
    /// starts to fetch its first token at once.
    pub fn open(
        self: &Arc<Self>,
        mut settings: Settings,
        listener: Arc<dyn Listener>,
        word: Box<dyn Word>,
    ) -> Result<HandleId, ErrorMessage> {
        let clock = self.clock(settings.clock).ok_or_else(|| {
            ErrorMessage::invalid_option("clock", "is not a clock of this process.")
        })?;
        let mut registry = self.lock();
        let known = settings
            .name
            .as_ref()
            .and_then(|name| registry.names.get(name))
            .and_then(|id| Some((*id, Arc::clone(registry.managers.get(id)?))));
        if let Some((_, manager)) = &known {
            settings.check_agreement(&manager.agreed)?;
        }
        let (entries, initial) =
            (std::mem::take(&mut settings.entries), std::mem::take(&mut settings.initial));
        registry.last_id += 1;
        let handle = registry.last_id;
        let (manager_id, manager) = if let Some(known) = known {
            known
        } else {
            if !registry.is_running {
                thread::start(self).map_err(|error| {
                    let story = format!("The background thread could not be started: {error}.");
                    ErrorMessage::new(Code::NativeUnavailable, story)
                })?;
                registry.is_running = true;
            }
            let manager = Arc::new(Manager::new(&settings, clock));
            registry.managers.insert(handle, Arc::clone(&manager));
            if let Some(name) = &manager.name {
                registry.names.insert(name.clone(), handle);
            }
            registry.unserved.insert(handle);
            (handle, manager)
        };
        registry.handles.insert(handle, manager_id);
        // Before anyone else can close the manager that this handle is about to join.
        manager.add_handle(handle, entries, initial, listener, word);
        drop(registry);
        self.changed.notify_one();
        Ok(handle)
    }

    /// The manager of an open handle.
    pub fn manager(&self, handle: HandleId) -> Option<Arc<Manager>> {
        let registry = self.lock();
        registry.handles.get(&handle).and_then(|id| registry.managers.get(id)).map(Arc::clone)
    }

    /// Closes a handle; with the last one its manager ends. A handle that is not open is fine.
    pub fn close(&self, handle: HandleId) {
        let mut registry = self.lock();
        let Some(id) = registry.handles.remove(&handle) else { return };
        let manager = registry.managers.get(&id).map(Arc::clone);
        if let Some(manager) = manager.filter(|manager| manager.remove_handle(handle)) {
            registry.managers.remove(&id);
            if let Some(name) = &manager.name {
                registry.names.remove(name);
            }
            if !registry.unserved.remove(&id) {
                registry.gone.push(id);
            }
        }
        drop(registry);
        self.changed.notify_one();
    }

    /// How many managers are open.
    pub fn managers(&self) -> usize {
        self.lock().managers.len()
    }

    /// Makes the thread panic, to show what happens then.
    #[cfg(debug_assertions)]
    pub fn panic(&self) {
        self.lock().panic_wanted = true;
        self.changed.notify_one();
    }

    fn lock(&self) -> MutexGuard<'_, Registry> {
        self.registry.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Known for Driver {
    fn each(&self, see: &mut dyn FnMut(&str)) {
        // Not under the lock that every call takes.
        let managers: Vec<_> = self.lock().managers.values().map(Arc::clone).collect();
        for manager in managers {
            manager.each_secret(see);
        }
    }
}

impl std::fmt::Debug for Driver {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Driver").field("managers", &self.managers()).finish_non_exhaustive()
    }
}
