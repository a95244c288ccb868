//! The driver's thread: one task for each manager, and what happens when one of them panics.

use std::collections::HashMap;
use std::io;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use std::thread::Builder;
use std::time::Duration;

use tokio::runtime;
use tokio::task::{AbortHandle, JoinError, JoinSet};

use super::clients::Clients;
use super::{Driver, ManagerId, task};

/// What every thread of this process is named.
pub(super) const NAME: &str = "oauth-rotor";

/// So many host names may be resolved at once. A resolver gives a slow name server up after half a minute, which is
/// nobody's fault but that host's: there is room for many of them.
const MOST_LOOKUPS: usize = 64;

/// So long the thread rests before it starts over.
const PAUSE: Duration = Duration::from_millis(500);

/// Starts the thread. It ends by itself when no manager is left.
pub(super) fn start(driver: &Arc<Driver>) -> io::Result<()> {
    let driver = Arc::clone(driver);
    // Building the runtime may fail for want of descriptors: better told to the caller than lost.
    let mut next = Some(build_runtime()?);
    let serve = move || {
        loop {
            let runtime = next.take().map_or_else(build_runtime, Ok).ok();
            let ended = runtime.as_ref().map(|runtime| {
                catch_unwind(AssertUnwindSafe(|| runtime.block_on(supervise(&driver))))
            });
            let is_done = matches!(ended, Some(Ok(())));
            if !is_done {
                driver.recover();
            }
            // Dropping it instead would wait for host names that are being resolved, which may take long.
            let _ = catch_unwind(|| runtime.map(runtime::Runtime::shutdown_background));
            if is_done {
                return;
            }
            // Whatever it was may happen again at once; the calls of this process need not wait.
            std::thread::park_timeout(PAUSE);
        }
    };
    Builder::new().name(NAME.to_owned()).spawn(serve).map(drop)
}

fn build_runtime() -> io::Result<runtime::Runtime> {
    runtime::Builder::new_current_thread()
        .enable_all()
        .thread_name(NAME)
        .max_blocking_threads(MOST_LOOKUPS)
        .thread_keep_alive(Duration::from_secs(1))
        .build()
}

/// Serves the managers until none is left.
async fn supervise(driver: &Arc<Driver>) {
    let clients = Arc::new(Clients::default());
    let mut tasks = JoinSet::new();
    let mut serving: HashMap<ManagerId, AbortHandle> = HashMap::new();
    let leap = || Arc::clone(&driver.clock).leap();
    let mut leapt = leap();
    loop {
        let Some(unserved) = driver.take_unserved(&mut serving) else { return };
        for (id, manager) in unserved {
            let workers = Arc::clone(&driver.workers);
            let task = task::run(id, manager, Arc::clone(driver), Arc::clone(&clients), workers);
            serving.insert(id, tasks.spawn(task));
        }
        tokio::select! {
            () = driver.changed.notified() => {}
            () = &mut leapt => {
                driver.rouse();
                leapt = leap();
            }
            Some(ended) = tasks.join_next() => {
                if let Some(id) = panicked(&ended, &serving) {
                    serving.remove(&id);
                    driver.serve_again(id);
                }
            }
        }
    }
}

/// Whose task it was, if it panicked.
fn panicked(
    ended: &Result<(), JoinError>,
    serving: &HashMap<ManagerId, AbortHandle>,
) -> Option<ManagerId> {
    let error = ended.as_ref().err().filter(|error| error.is_panic())?;
    serving.iter().find(|(_, task)| task.id() == error.id()).map(|(id, _)| *id)
}

impl Driver {
    /// Managers that need a task; none means that nothing is left and the thread must end.
    ///
    /// Tasks of managers that are gone are stopped, and with them their requests under way.
    fn take_unserved(
        &self,
        serving: &mut HashMap<ManagerId, AbortHandle>,
    ) -> Option<Vec<(ManagerId, Arc<super::Manager>)>> {
        let mut registry = self.lock();
        assert!(!std::mem::take(&mut registry.panic_wanted), "a test asked for this panic");
        for id in std::mem::take(&mut registry.gone) {
            if let Some(task) = serving.remove(&id) {
                task.abort();
            }
        }
        if registry.managers.is_empty() {
            registry.is_running = false;
            return None;
        }
        let unserved = std::mem::take(&mut registry.unserved);
        let manager = |id| registry.managers.get(&id).map(|manager| (id, Arc::clone(manager)));
        Some(unserved.into_iter().filter_map(manager).collect())
    }

    /// Sleeps may have become too long: every task looks at the clock again.
    fn rouse(&self) {
        self.lock().managers.values().for_each(|manager| manager.changed.notify_one());
    }

    /// A manager's task panicked: its words are cleared, and it gets another task.
    fn serve_again(&self, id: ManagerId) {
        let mut registry = self.lock();
        if let Some(manager) = registry.managers.get(&id) {
            manager.suspend();
            registry.unserved.insert(id);
        }
    }

    /// The whole thread's work panicked: every word is cleared, and every manager gets another task.
    fn recover(&self) {
        let mut registry = self.lock();
        registry.unserved = registry.managers.keys().copied().collect();
        registry.managers.values().for_each(|manager| manager.suspend());
    }
}
