//! The driver's thread: one task for each manager and each set of keys, and what happens when one
//! of them panics.

use std::collections::HashMap;
use std::io;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use std::thread::Builder;
use std::time::Duration;

use tokio::runtime;
use tokio::task::{AbortHandle, JoinError, JoinSet};

use super::clients::Clients;
use super::key_task;
use super::registry::Registry;
use super::served::Served;
use super::stores::Stores;
use super::task;
use super::thread_name::NAME;
use crate::policy::patience::THREAD_RESTART;
use crate::policy::work::MOST_LOOKUPS;

/// Starts the thread. It ends by itself when nobody is left to serve.
pub(super) fn start(registry: &Arc<Registry>) -> io::Result<()> {
    let registry = Arc::clone(registry);
    // Without free descriptors no runtime can be built. The caller has to learn of that.
    let mut next = Some(build_runtime()?);
    let serve = move || {
        loop {
            let runtime = next.take().map_or_else(build_runtime, Ok).ok();
            let ended = runtime.as_ref().map(|runtime| {
                catch_unwind(AssertUnwindSafe(|| runtime.block_on(supervise(&registry))))
            });
            let is_done = matches!(ended, Some(Ok(())));
            if !is_done {
                registry.recover();
            }
            // Dropping the runtime would wait for host names that are being resolved, which may
            // take long.
            let _ = catch_unwind(|| runtime.map(runtime::Runtime::shutdown_background));
            if is_done {
                return;
            }
            // The cause may come up again at once. Calls of this process do not wait meanwhile.
            std::thread::park_timeout(THREAD_RESTART);
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

/// Serves managers and key sets until none is left.
async fn supervise(registry: &Arc<Registry>) {
    let (clients, stores) = (Arc::new(Clients::default()), Arc::new(Stores::default()));
    let mut tasks = JoinSet::new();
    let mut serving: HashMap<u64, Tenancy> = HashMap::new();
    let leap = || Arc::clone(registry.clock()).leap();
    let mut leapt = leap();
    loop {
        let stop = |id| {
            if let Some(tenancy) = serving.remove(&id)
                && !tenancy.takes_leave
            {
                tenancy.task.abort();
            }
        };
        let Some(unserved) = registry.take_unserved(stop) else {
            while tasks.join_next().await.is_some() {}
            return;
        };
        for (id, served) in unserved {
            let registry = Arc::clone(registry);
            let mut takes_leave = false;
            let task = match served {
                Served::Manager(manager) => {
                    takes_leave = manager.store().is_some();
                    let shared = (Arc::clone(&clients), Arc::clone(&stores));
                    tasks.spawn(task::run(id, manager, registry, shared))
                }
                Served::Keys(keys) => tasks.spawn(key_task::run(id, keys, registry)),
            };
            serving.insert(id, Tenancy { task, takes_leave });
        }
        tokio::select! {
            () = registry.changed() => {}
            () = &mut leapt => {
                registry.rouse();
                leapt = leap();
            }
            Some(ended) = tasks.join_next() => {
                if let Some(id) = panicked(&ended, &serving) {
                    serving.remove(&id);
                    registry.serve_again(id);
                }
            }
        }
    }
}

/// Somebody's task.
struct Tenancy {
    task: AbortHandle,
    /// Others are told that its manager leaves; then it ends by itself.
    takes_leave: bool,
}

/// Whose task this was, if it panicked.
fn panicked(ended: &Result<(), JoinError>, serving: &HashMap<u64, Tenancy>) -> Option<u64> {
    let error = ended.as_ref().err().filter(|error| error.is_panic())?;
    serving.iter().find(|(_, tenancy)| tenancy.task.id() == error.id()).map(|(id, _)| *id)
}
