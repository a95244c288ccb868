//! What blocks, off the driver's thread: reading and writing files, and computing the public ids of
//! credentials.
//!
//! Each kind of work has threads of its own, so that none waits for another, and a file system that
//! hangs stops neither events nor the resolution of host names, which has the runtime's threads.

use std::path::Path;
use std::sync::Arc;

use super::files;
use super::manager::ManagerId;
use super::persist::{self, Report};
use super::pool::{Order, Pool, Unfinished};
use super::queue::Urgency;
use crate::clock::Clock;
use crate::credential::Credential;
use crate::persist::PersistTarget;
use crate::policy::work::{MOST_LOOKS, THREAD_PAUSE, WorkLimits};
use crate::source::{FileReading, Place};

type Read = dyn Fn(&Place) -> FileReading + Send + Sync;
type WriteJob = dyn Fn(&PersistTarget, &Credential) -> Report + Send + Sync;

/// Does what blocks, for every manager of the process.
pub(super) struct Workers {
    /// The machine's clock: whether a file system hangs does not depend on a test's clock.
    clock: Arc<dyn Clock>,
    readers: Arc<Pool>,
    writers: Arc<Pool>,
    namers: Arc<Pool>,
    read: Arc<Read>,
    write: Arc<WriteJob>,
}

impl Workers {
    pub(super) fn new(clock: Arc<dyn Clock>) -> Self {
        Self::with(clock, files::read, persist::write)
    }

    /// Workers that read and write with these functions.
    pub(super) fn with(
        clock: Arc<dyn Clock>,
        read: impl Fn(&Place) -> FileReading + Send + Sync + 'static,
        write: impl Fn(&PersistTarget, &Credential) -> Report + Send + Sync + 'static,
    ) -> Self {
        let [readers, writers, namers] =
            [WorkLimits::READING, WorkLimits::WRITING, WorkLimits::NAMING].map(Pool::new);
        Self { clock, readers, writers, namers, read: Arc::new(read), write: Arc::new(write) }
    }

    /// Has threads without work end: nobody is left who would have any.
    pub(super) fn dismiss(&self) {
        for pool in [&self.readers, &self.writers, &self.namers] {
            pool.dismiss();
        }
    }

    /// How many readings have begun and not returned.
    #[cfg(test)]
    pub(super) fn begun_readings(&self) -> usize {
        self.readers.begun()
    }

    /// Reads a file or directory, unless an earlier reading of it has not returned.
    pub(super) async fn read(&self, owner: ManagerId, place: Place) -> FileReading {
        let path = place.path().to_owned();
        if let Some(why) = self.readers.hangs_at(&path) {
            return failed(&path, why);
        }
        let order = order(owner, Urgency::Unawaited, Some(&path));
        let read = Arc::clone(&self.read);
        let looks = (&*self.clock, Some(MOST_LOOKS));
        let reading = self.readers.run_with_looks(order, looks, move || read(&place)).await;
        reading.unwrap_or_else(|why| failed(&path, why))
    }

    /// Writes a credential to a file, however long that takes: a write that has begun may still
    /// succeed.
    pub(super) async fn write(
        &self,
        owner: ManagerId,
        target: PersistTarget,
        credential: Arc<Credential>,
    ) -> Report {
        let order = order(owner, Urgency::Awaited, target.path());
        let write = Arc::clone(&self.write);
        let work = move || write(&target, &credential);
        let report = self.writers.run_with_looks(order, (&*self.clock, None), work).await;
        report.unwrap_or_else(|_| Report::panicked())
    }

    /// Returns whether a file could be written. One that hangs could not.
    pub(super) async fn try_persist(&self, owner: ManagerId, target: PersistTarget) -> bool {
        let path = target.path().map(Path::to_owned);
        if path.as_ref().is_some_and(|path| self.writers.hangs_at(path).is_some()) {
            return false;
        }
        let order = order(owner, Urgency::Unawaited, path.as_deref());
        let looks = (&*self.clock, Some(MOST_LOOKS));
        let work = move || persist::is_writable(&target);
        self.writers.run_with_looks(order, looks, work).await.unwrap_or(false)
    }

    /// Derives a credential's id. That takes 20 ms of CPU time, so it is not done on the thread
    /// that refreshes.
    pub(super) async fn name(
        &self,
        owner: ManagerId,
        urgency: Urgency,
        credential: Arc<Credential>,
    ) {
        let derive = move || {
            credential.id();
        };
        while self.namers.run(order(owner, urgency, None), derive.clone()).await.is_err() {
            // No thread could be started.
            self.clock.sleep_until(self.clock.now() + THREAD_PAUSE).await;
        }
    }
}

fn order(owner: ManagerId, urgency: Urgency, place: Option<&Path>) -> Order {
    Order { owner, urgency, place: place.map(Path::to_owned) }
}

fn failed(path: &Path, why: Unfinished) -> FileReading {
    let path = path.display();
    FileReading::Failed(match why {
        Unfinished::Hangs => format!(
            "could not be read: reading {path} has not returned for {MOST_LOOKS} s, so its file system hangs; it is \
             read again once that has returned"
        ),
        Unfinished::Abandoned => format!(
            "could not be read: earlier readings of {path}, of managers that were closed, have not returned, so its \
             file system hangs; it is read again once one has returned"
        ),
        Unfinished::Crowded => format!(
            "could not be read: {path} has waited {MOST_LOOKS} s for its turn, since reading other files does not \
             return; see which file systems hang"
        ),
        Unfinished::Lost => format!("could not be read: {path}: there is no thread for it"),
    })
}

impl std::fmt::Debug for Workers {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Workers").finish_non_exhaustive()
    }
}
