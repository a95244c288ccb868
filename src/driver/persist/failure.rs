//! What came of a write, and why a file was not written.

use std::borrow::Cow;
use std::io::{self, ErrorKind};
use std::path::Path;

use crate::driver::files::PathTrouble;
use crate::persist::PersistRefusal;
use crate::rotation::PersistOutcome;

/// What came of a write.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(in crate::driver) struct Report {
    /// What the member is told.
    pub(in crate::driver) outcome: PersistOutcome,
    /// Why it was not written, for people.
    pub(in crate::driver) message: Option<String>,
}

impl Report {
    /// The report of a write that panicked.
    pub(in crate::driver) fn panicked() -> Self {
        Self { outcome: PersistOutcome::Failed, message: Some("could not be written".to_owned()) }
    }
}

/// Why a file was not written.
#[derive(Debug)]
pub(super) enum WriteFailure {
    Io(WriteStep, io::Error),
    Refused(PersistRefusal),
    /// It cannot be replaced, for this reason.
    Unfit(Cow<'static, str>),
    /// Others are in the way for now.
    Busy(&'static str),
}

/// What was being done to a file.
#[derive(Debug, Clone, Copy)]
pub(super) enum WriteStep {
    Read,
    Prepare,
    Replace,
}

impl WriteFailure {
    pub(super) fn reading(error: io::Error) -> Self {
        Self::Io(WriteStep::Read, error)
    }

    pub(super) fn preparing(error: io::Error) -> Self {
        Self::Io(WriteStep::Prepare, error)
    }

    pub(super) fn report(&self, path: &Path) -> Report {
        let path = path.display();
        let (outcome, reason) = match self {
            Self::Refused(refusal) => (PersistOutcome::Impossible, format!("{path}: {refusal}")),
            Self::Unfit(reason) => (PersistOutcome::Impossible, format!("{path} {reason}")),
            Self::Busy(reason) => (PersistOutcome::Failed, format!("{path} {reason}")),
            Self::Io(step, error) => {
                let reason = match (step, error.kind()) {
                    (WriteStep::Replace, ErrorKind::ResourceBusy) => format!(
                        "{path} is mounted by itself and cannot be replaced; mount its directory instead"
                    ),
                    (WriteStep::Read, kind) => format!("{path} cannot be read: {kind}"),
                    (WriteStep::Prepare, ErrorKind::NotFound) => {
                        format!("the directory of {path} does not exist")
                    }
                    (WriteStep::Prepare, kind) => {
                        format!("no new file can be made in the directory of {path}: {kind}")
                    }
                    (WriteStep::Replace, kind) => format!("{path} cannot be replaced: {kind}"),
                };
                (outcome(error.kind()), reason)
            }
        };
        Report { outcome, message: Some(format!("could not be written: {reason}")) }
    }
}

/// What came of the write: it failed if a later attempt may succeed without anybody's help.
pub(super) fn outcome(kind: ErrorKind) -> PersistOutcome {
    match kind {
        ErrorKind::PermissionDenied
        | ErrorKind::ReadOnlyFilesystem
        | ErrorKind::ResourceBusy
        | ErrorKind::IsADirectory => PersistOutcome::Impossible,
        _ => PersistOutcome::Failed,
    }
}

impl From<PathTrouble> for WriteFailure {
    fn from(trouble: PathTrouble) -> Self {
        match trouble {
            PathTrouble::Io(error) => Self::reading(error),
            trouble => Self::Unfit(trouble.to_string().into()),
        }
    }
}
