//! Threads for what blocks: reading and writing files, and computing the public ids of credentials.
//!
//! The runtime resolves host names on the same threads. Each kind of work therefore has its own
//! limit: a file system that hangs for ever stops neither name resolution nor events.

use std::sync::Arc;

use tokio::sync::Semaphore;
use tokio::task::spawn_blocking;

use super::files;
use super::sinks::{self, Report};
use crate::credential::Credential;
use crate::sink::Target;
use crate::source::{FileReading, Place};

/// So many of the runtime's threads may block at once, host names included.
pub(super) const MOST_THREADS: usize = 16;

/// So many of them read files; a file that hangs keeps one.
const READERS: usize = 8;

/// So many of them write files, which is rare.
const WRITERS: usize = 2;

/// So many of them compute ids, which is work for a processor.
const NAMERS: usize = 2;

/// Who may block at the moment.
#[derive(Debug)]
pub(super) struct Workers {
    readers: Arc<Semaphore>,
    writers: Arc<Semaphore>,
    namers: Arc<Semaphore>,
}

impl Default for Workers {
    fn default() -> Self {
        Self {
            readers: Arc::new(Semaphore::new(READERS)),
            writers: Arc::new(Semaphore::new(WRITERS)),
            namers: Arc::new(Semaphore::new(NAMERS)),
        }
    }
}

impl Workers {
    /// Reads a file or directory.
    pub(super) async fn read(&self, place: Place) -> FileReading {
        let reading = block(&self.readers, move || files::read(&place)).await;
        reading.unwrap_or_else(|| FileReading::Failed("could not be read".to_owned()))
    }

    /// Writes a credential to a file.
    pub(super) async fn write(&self, target: Target, credential: Arc<Credential>) -> Report {
        let report = block(&self.writers, move || sinks::write(&target, &credential)).await;
        report.unwrap_or_else(Report::panicked)
    }

    /// Sees whether a file could be written.
    pub(super) async fn try_sink(&self, target: Target) -> bool {
        block(&self.writers, move || sinks::is_writable(&target)).await.unwrap_or(false)
    }

    /// Derives a credential's id, which takes 20 ms of CPU time: not on the thread that refreshes.
    pub(super) async fn name(&self, credential: Arc<Credential>) {
        let derive = move || {
            credential.id();
        };
        block(&self.namers, derive).await;
    }
}

/// What the work gives, unless it panicked. It holds its turn for as long as it runs, whether or
/// not anyone still waits for it.
async fn block<T: Send + 'static>(
    turns: &Arc<Semaphore>,
    work: impl FnOnce() -> T + Send + 'static,
) -> Option<T> {
    let turn = Arc::clone(turns).acquire_owned().await.ok()?;
    let work = move || {
        let result = work();
        drop(turn);
        result
    };
    spawn_blocking(work).await.ok()
}
