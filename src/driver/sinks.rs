//! Writes credentials back to files. It blocks: call it off the driver's thread.
//!
//! A file is never changed in place. Its new text is written to a draft beside it, made durable, read again and
//! compared, and then takes the place of the old one in one rename: whoever opens the file finds the old text or
//! the new one, also after a crash, a signal or a loss of power. Links stay; what they point to is replaced. All is
//! done in one directory that is held open: where links on the way to it lead meanwhile does not matter.
//!
//! The new file has the owner, the group, the mode (without set-uid, set-gid and sticky bits) and, on Linux, the POSIX
//! access control list of the old one (`access`). Where this process may not give the file away, nothing is written;
//! only a group that may do no more than everybody else may is let go. Until it takes its place nobody
//! else may read it (`draft`). A new file is for its owner alone, whatever default list its directory has. Lists of other
//! systems (macOS, NFS version 4), extended attributes and further hard links are not carried over.
//!
//! What is no regular file is not replaced, and never opened. In a directory that anybody may write to, such as
//! `/tmp`, neither a link nor a file of another user is: that user could be anybody.
//!
//! Writers of one user's files in a directory take turns by a lock (`turn`): so none undoes what another one
//! has just written, and what a killed one has left behind is known for what it is. Other
//! programs do not know the lock: the file is read once more right before it is replaced, and a
//! change made meanwhile is kept. Some network file systems have no such lock; two writers there may lose the change
//! of one of them, but never mix them.

mod access;
mod draft;
mod turn;

#[cfg(all(test, unix))]
mod tests;

use std::borrow::Cow;
use std::io::{self, ErrorKind};
use std::path::Path;

use super::files::{Directory, Location, Trouble, read_text, user};
use crate::credential::Credential;
use crate::rotation::SinkOutcome;
use crate::secret::Secret;
use crate::sink::{self, Refusal, Target, dotenv};
use access::Access;
use draft::{Draft, clear, holds_left_overs};
use turn::Turn;

/// A larger one is not meant to be read by hand or by dotenv.
pub(super) const LARGEST: u64 = 1024 * 1024;

/// How often a file is read again because somebody else changed it meanwhile.
const ATTEMPTS: usize = 8;

/// What came of a write.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Report {
    /// For the machine.
    pub(super) outcome: SinkOutcome,
    /// For people: why it was not written.
    pub(super) message: Option<String>,
}

impl Report {
    /// Of a write that did not come to its end.
    pub(super) fn panicked() -> Self {
        Self { outcome: SinkOutcome::Failed, message: Some("could not be written".to_owned()) }
    }
}

/// Writes the credential. A file that holds it already is left alone.
pub(super) fn write(target: &Target, credential: &Credential) -> Report {
    let (id, secret) = (Secret::new(credential.client_id.as_str()), &credential.client_secret);
    let admitted = target.admit(credential).map_err(Failure::Refused);
    let (path, result) = match target {
        Target::EnvFile { path, client_id, client_secret, .. } => {
            let id = client_id.as_deref().map(|name| (name, &id));
            let values: Vec<_> = id.into_iter().chain([(client_secret.as_str(), secret)]).collect();
            (path, admitted.and_then(|()| replace(path, |text| dotenv::edit(text, &values))))
        }
        Target::SecretFile { path, .. } => {
            let edit = |text: &str| sink::secret_file(text, secret);
            (path, admitted.and_then(|()| replace(path, edit)))
        }
        Target::Js { .. } => {
            let message = Some("is a function: the facade calls it".to_owned());
            return Report { outcome: SinkOutcome::Impossible, message };
        }
    };
    match result {
        Ok(()) => Report { outcome: SinkOutcome::Done, message: None },
        Err(failure) => failure.report(path),
    }
}

/// Whether a file could be written, as far as that shows without changing it: a new file is made beside it and
/// removed. That it is mounted by itself shows only when it is replaced.
pub(super) fn is_writable(target: &Target) -> bool {
    let sample = Secret::new("sample");
    let original = match target {
        Target::EnvFile { path, client_id, client_secret, .. } => {
            let names = client_id.iter().chain([client_secret]);
            let values: Vec<_> =
                names.zip([&sample, &sample]).map(|(name, it)| (&**name, it)).collect();
            let edit = |text: &str| dotenv::edit(text, &values).map(drop);
            Original::read(path).and_then(|original| original.allows(edit))
        }
        Target::SecretFile { path, .. } => Original::read(path),
        Target::Js { .. } => return false,
    };
    let draft = original.and_then(|original| {
        let directory = &original.location.directory;
        // Else another writer might take the draft for a left-over. Who cannot have a turn now may have one later.
        let _turn = take_turn(directory, original.owner());
        let draft = Draft::write(directory, &sample, original.access())?;
        draft.open_up()
    });
    draft.is_ok()
}

/// Why a file was not written.
#[derive(Debug)]
enum Failure {
    Io(Step, io::Error),
    Refused(Refusal),
    /// It is no file that can be replaced.
    Unfit(Cow<'static, str>),
    /// Others are in the way for now.
    Busy(&'static str),
}

/// What was being done to a file.
#[derive(Debug, Clone, Copy)]
enum Step {
    Read,
    Prepare,
    Replace,
}

impl Failure {
    fn reading(error: io::Error) -> Self {
        Self::Io(Step::Read, error)
    }

    fn preparing(error: io::Error) -> Self {
        Self::Io(Step::Prepare, error)
    }

    fn report(&self, path: &Path) -> Report {
        let path = path.display();
        let (outcome, reason) = match self {
            Self::Refused(refusal) => (SinkOutcome::Impossible, format!("{path}: {refusal}")),
            Self::Unfit(reason) => (SinkOutcome::Impossible, format!("{path} {reason}")),
            Self::Busy(reason) => (SinkOutcome::Failed, format!("{path} {reason}")),
            Self::Io(step, error) => {
                let reason = match (step, error.kind()) {
                    (Step::Replace, ErrorKind::ResourceBusy) => format!(
                        "{path} is mounted by itself and cannot be replaced; mount its directory instead"
                    ),
                    (Step::Read, kind) => format!("{path} cannot be read: {kind}"),
                    (Step::Prepare, ErrorKind::NotFound) => {
                        format!("the directory of {path} does not exist")
                    }
                    (Step::Prepare, kind) => {
                        format!("no new file can be made in the directory of {path}: {kind}")
                    }
                    (Step::Replace, kind) => format!("{path} cannot be replaced: {kind}"),
                };
                (outcome(error.kind()), reason)
            }
        };
        Report { outcome, message: Some(format!("could not be written: {reason}")) }
    }
}

/// Whether a later attempt may succeed without anybody's doing.
fn outcome(kind: ErrorKind) -> SinkOutcome {
    match kind {
        ErrorKind::PermissionDenied
        | ErrorKind::ReadOnlyFilesystem
        | ErrorKind::ResourceBusy
        | ErrorKind::IsADirectory => SinkOutcome::Impossible,
        _ => SinkOutcome::Failed,
    }
}

/// A file as it was found.
struct Original {
    location: Location,
    /// None: there is no such file.
    found: Option<(Secret, Access)>,
}

/// Replaces the file by what `edit` makes of its text.
fn replace(
    path: &Path,
    edit: impl Fn(&str) -> Result<Option<Secret>, Refusal>,
) -> Result<(), Failure> {
    let mut original = Original::read(path)?;
    for _ in 0..ATTEMPTS {
        let directory = original.location.directory.clone();
        let owner = original.owner();
        if let Some((text, _)) = &original.found
            && edit(text.expose()).map_err(Failure::Refused)?.is_none()
        {
            // A writer that was killed may have come to the rename and no further.
            let _ = directory.sync();
            if holds_left_overs(&directory) {
                let _ = take_turn(&directory, owner);
            }
            return Ok(());
        }
        let _turn = take_turn(&directory, owner)?;
        // What it was before our turn no longer counts.
        let before_turn = original;
        original = Original::read(path)?;
        if !original.is_at(&before_turn)? || original.owner() != owner {
            continue;
        }
        let text = original.found.as_ref().map_or("", |(text, _)| text.expose());
        let Some(new) = edit(text).map_err(Failure::Refused)? else { continue };
        if new.expose().len() as u64 > LARGEST {
            return Err(Failure::Unfit("would become larger than 1 MiB".into()));
        }
        let draft = Draft::write(&directory, &new, original.access())?;
        // Where others may be writing, only age tells that a draft is none of theirs.
        clear(&directory, |other| draft.is_after(other));
        let now = Original::read(path)?;
        if !now.is_at(&original)? || now.found != original.found {
            original = now;
            continue;
        }
        return draft.publish(&original.location.name);
    }
    Err(Failure::Busy("changes too often"))
}

/// Waits until nobody else writes this user's files there, and removes what those have left behind who did.
fn take_turn(directory: &Directory, owner: u32) -> Result<Turn, Failure> {
    let turn = Turn::take(directory, owner)?;
    if turn.is_exclusive() {
        clear(directory, |draft| draft.owner() == owner);
    }
    Ok(turn)
}

impl Original {
    fn read(path: &Path) -> Result<Self, Failure> {
        let location = Location::of(path).map_err(|trouble| match trouble {
            Trouble::Io(error) if error.kind() == ErrorKind::NotFound => Failure::preparing(error),
            trouble => Failure::from(trouble),
        })?;
        let Some(mut file) = location.open()? else { return Ok(Self { location, found: None }) };
        let access = Access::of(&file)?;
        let directory = &location.directory;
        let is_shared = directory.is_shared().map_err(Failure::reading)?;
        if is_shared && !directory.trusts(access.owner()).map_err(Failure::reading)? {
            return Err(Failure::Unfit(
                "belongs to another user, in a directory that anybody may write to".into(),
            ));
        }
        let text = read_text(&mut file, LARGEST).map_err(|error| match error.kind() {
            ErrorKind::InvalidData => Failure::Unfit("is not UTF-8 text".into()),
            ErrorKind::FileTooLarge => Failure::Unfit("is larger than 1 MiB".into()),
            _ => Failure::reading(error),
        })?;
        Ok(Self { location, found: Some((text, access)) })
    }

    /// The same one, if its text can be edited.
    fn allows(self, edit: impl Fn(&str) -> Result<(), Refusal>) -> Result<Self, Failure> {
        let text = self.found.as_ref().map_or("", |(text, _)| text.expose());
        edit(text).map_err(Failure::Refused)?;
        Ok(self)
    }

    fn access(&self) -> Option<&Access> {
        self.found.as_ref().map(|(_, access)| access)
    }

    /// Whom it belongs to, or will belong to.
    fn owner(&self) -> u32 {
        self.access().map_or_else(user, Access::owner)
    }

    fn is_at(&self, other: &Self) -> Result<bool, Failure> {
        self.location.is_at(&other.location).map_err(Failure::reading)
    }
}

impl From<Trouble> for Failure {
    fn from(trouble: Trouble) -> Self {
        match trouble {
            Trouble::Io(error) => Self::reading(error),
            trouble => Self::Unfit(trouble.to_string().into()),
        }
    }
}
