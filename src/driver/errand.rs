//! What a manager's task is sent to do.

use std::collections::BTreeSet;
use std::panic::resume_unwind;
use std::sync::Arc;

use tokio::task::JoinError;
use url::Url;

use crate::credential::Credential;
use crate::persist::PersistTarget;
use crate::source::{EntryPlace, Place};
use crate::store::Operation;

/// Something that takes time, for the manager's task to do.
#[derive(Debug)]
pub(super) enum Errand {
    /// Send a token request, and try its token there.
    Request { request: u64, credential: Arc<Credential>, verify: Option<Url> },
    /// Derive the credential's id.
    Identify(Arc<Credential>),
    /// Write a credential to a file.
    Persist { write: u64, target: PersistTarget, credential: Arc<Credential> },
    /// See whether a file could be written.
    TryPersist { place: EntryPlace, target: PersistTarget },
    /// Perform an operation on the store that is shared with other processes.
    Operate { id: u64, operation: Box<Operation> },
    /// Read files.
    ReadFiles(BTreeSet<Place>),
}

/// What the task of an errand returned; a panic in it is the manager's own.
pub(super) fn finished<T>(joined: Result<T, JoinError>) -> T {
    joined.unwrap_or_else(|error| match error.try_into_panic() {
        Ok(panic) => resume_unwind(panic),
        Err(error) => unreachable!("nobody cancels it: {error}"),
    })
}
