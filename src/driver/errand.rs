//! What a manager's task is sent to do.

use std::collections::BTreeSet;
use std::sync::Arc;

use url::Url;

use crate::credential::Credential;
use crate::sink::Target;
use crate::source::{EntryPlace, Place};

/// Something that takes time, for the manager's task to do.
#[derive(Debug)]
pub(super) enum Errand {
    /// Send a token request, and try its token there.
    Request { request: u64, credential: Arc<Credential>, verify: Option<Url> },
    /// Derive the credential's id.
    Identify(Arc<Credential>),
    /// Write a credential to a file.
    WriteSink { write: u64, target: Target, credential: Arc<Credential> },
    /// See whether a file could be written.
    TrySink { place: EntryPlace, target: Target },
    /// Read files.
    ReadFiles(BTreeSet<Place>),
}
