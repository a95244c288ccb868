//! What a manager's task is sent to do.

use std::collections::BTreeSet;
use std::sync::Arc;

use url::Url;

use crate::credential::Credential;
use crate::persist::PersistTarget;
use crate::source::{EntryPlace, Place};

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
    /// Read files.
    ReadFiles(BTreeSet<Place>),
}
