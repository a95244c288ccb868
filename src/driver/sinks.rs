//! Writes credentials back to files. It blocks: call it off the driver's thread.
//!
//! A file is never changed in place. Its new text is written to a file beside it, made durable, read again and
//! compared, and then takes the place of the old one in one rename: whoever opens the file finds the old text or
//! the new one, also after a crash, a signal or a loss of power. Links stay; what they point to is replaced.
//!
//! The new file has the mode, the owner and the group of the old one. Where this process may not give the file away,
//! nothing is written; only a group that may do no more than everybody else may is let go. Access control
//! lists, extended attributes and further hard links are not carried over.
//!
//! Writers of one directory take turns by a lock on it, which ends with its holder: so none undoes what another one
//! has just written, and what a killed one has left behind is known for what it is. Other
//! programs do not know the lock: the file is read once more right before it is replaced, and a
//! change made meanwhile is kept. Some network file systems have no such lock; two writers there may lose the change
//! of one of them, but never mix them.

#[cfg(all(test, unix))]
mod tests;

use std::fs::{self, File, OpenOptions, TryLockError};
use std::io::{self, ErrorKind, Read, Write};
use std::path::{Path, PathBuf};
use std::time::Duration;

use zeroize::Zeroizing;

use crate::credential::Credential;
use crate::rotation::SinkOutcome;
use crate::secret::Secret;
use crate::sink::{self, Refusal, Target, dotenv};

/// A larger one is not meant to be read by hand or by dotenv.
const LARGEST: u64 = 1024 * 1024;

/// How often a file is read again because somebody else changed it meanwhile.
const ATTEMPTS: usize = 8;

/// How many links a path may lead through, as on Linux.
const LINKS: usize = 40;

/// How long another writer is waited for: it needs milliseconds.
const TURN: Duration = Duration::from_millis(20);
const TURNS: usize = 100;

/// How a file is named until it takes its place, and from when on a left-over is one where there is no lock.
const PREFIX: &str = ".oauth-rotor-";
const SUFFIX: &str = ".tmp";
const STALE: Duration = Duration::from_secs(600);

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
    let (client_id, client_secret) =
        (Secret::new(credential.client_id.as_str()), &credential.client_secret);
    let (path, result) = match target {
        Target::EnvFile { path, client_id: id_name, client_secret: secret_name } => {
            let edit = |text: &str| {
                dotenv::edit(text, (id_name, &client_id), (secret_name, client_secret))
            };
            (path, replace(path, edit))
        }
        Target::SecretFile { path } => {
            (path, replace(path, |text| sink::secret_file(text, client_secret)))
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

/// Why a file was not written.
#[derive(Debug)]
enum Failure {
    Io(Step, io::Error),
    Refused(Refusal),
    /// It is no file that can be replaced.
    Unfit(&'static str),
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
#[derive(PartialEq, Eq)]
struct Original {
    /// Behind all links.
    path: PathBuf,
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
        let directory = original.directory().to_owned();
        if let Some((text, _)) = &original.found
            && edit(text.expose()).map_err(Failure::Refused)?.is_none()
        {
            // A writer that was killed may have come to the rename and no further.
            let _ = sync(&directory);
            return Ok(());
        }
        let turn = Turn::take(&directory)?;
        if turn.is_exclusive() {
            clear(&directory, |_| true);
        }
        // What it was before our turn no longer counts.
        original = Original::read(path)?;
        if original.directory() != directory {
            continue;
        }
        let text = original.found.as_ref().map_or("", |(text, _)| text.expose());
        let Some(new) = edit(text).map_err(Failure::Refused)? else { continue };
        let draft =
            Draft::write(&directory, &new, original.found.as_ref().map(|(_, access)| access))?;
        if !turn.is_exclusive() {
            // Others may be writing; their drafts are not old.
            clear(&directory, |path| draft.is_after(path));
        }
        let now = Original::read(path)?;
        if now != original {
            original = now;
            continue;
        }
        return draft.publish(&original.path);
    }
    Err(Failure::Busy("changes too often"))
}

impl Original {
    fn read(path: &Path) -> Result<Self, Failure> {
        let path = resolve(path)?;
        // Asked before it is opened, since opening a pipe would wait for its other end.
        let metadata = match fs::metadata(&path) {
            Ok(metadata) => metadata,
            Err(error) if error.kind() == ErrorKind::NotFound => {
                return Ok(Self { path, found: None });
            }
            Err(error) => return Err(Failure::reading(error)),
        };
        if metadata.is_dir() {
            return Err(Failure::Unfit("is a directory"));
        }
        if !metadata.is_file() {
            return Err(Failure::Unfit("is not a regular file"));
        }
        let mut file = match File::open(&path) {
            Ok(file) => file,
            Err(error) if error.kind() == ErrorKind::NotFound => {
                return Ok(Self { path, found: None });
            }
            Err(error) => return Err(Failure::reading(error)),
        };
        let metadata = file.metadata().map_err(Failure::reading)?;
        let text = read_text(&mut file).map_err(|error| match error.kind() {
            ErrorKind::InvalidData => Failure::Unfit("is not UTF-8 text"),
            ErrorKind::FileTooLarge => Failure::Unfit("is larger than 1 MiB"),
            _ => Failure::reading(error),
        })?;
        Ok(Self { path, found: Some((text, Access::of(&metadata))) })
    }

    fn directory(&self) -> &Path {
        let parent = self.path.parent().filter(|parent| !parent.as_os_str().is_empty());
        parent.unwrap_or(Path::new("."))
    }
}

/// Where links lead, whether or not there is a file.
fn resolve(path: &Path) -> Result<PathBuf, Failure> {
    let mut path = path.to_owned();
    for _ in 0..LINKS {
        let Ok(target) = fs::read_link(&path) else { return Ok(path) };
        path = path.parent().map_or_else(|| target.clone(), |parent| parent.join(&target));
    }
    Err(Failure::Unfit("leads through too many links"))
}

fn read_text(file: &mut File) -> io::Result<Secret> {
    // Room for all of it, so that no copy is left behind where it grew.
    let size = file.metadata()?.len().min(LARGEST) + 1;
    let mut bytes = Zeroizing::new(Vec::with_capacity(usize::try_from(size).unwrap_or(0)));
    file.take(LARGEST + 1).read_to_end(&mut bytes)?;
    if bytes.len() as u64 > LARGEST {
        return Err(ErrorKind::FileTooLarge.into());
    }
    let text = std::str::from_utf8(&bytes).map_err(|_| ErrorKind::InvalidData)?;
    Ok(Secret::new(text))
}

/// The only writer of a directory, as far as writers know of each other.
struct Turn {
    /// Holds the lock; none: there is no such lock here.
    lock: Option<File>,
}

impl Turn {
    fn take(directory: &Path) -> Result<Self, Failure> {
        // Windows does not open directories.
        if cfg!(not(unix)) {
            return Ok(Self { lock: None });
        }
        let lock = match File::open(directory) {
            Ok(lock) => lock,
            // It may be written and not listed.
            Err(error) if error.kind() == ErrorKind::PermissionDenied => {
                return Ok(Self { lock: None });
            }
            Err(error) => return Err(Failure::preparing(error)),
        };
        for _ in 0..TURNS {
            match lock.try_lock() {
                Ok(()) => return Ok(Self { lock: Some(lock) }),
                Err(TryLockError::WouldBlock) => pause(),
                Err(TryLockError::Error(_)) => return Ok(Self { lock: None }),
            }
        }
        Err(Failure::Busy("is in a directory that another process has locked"))
    }

    fn is_exclusive(&self) -> bool {
        self.lock.is_some()
    }
}

/// Removes what killed writers have left behind.
fn clear(directory: &Path, is_left_over: impl Fn(&Path) -> bool) {
    let Ok(entries) = fs::read_dir(directory) else { return };
    for entry in entries.flatten() {
        let name = entry.file_name();
        let is_ours = name.to_str().is_some_and(|name| {
            let number = name.strip_prefix(PREFIX).and_then(|name| name.strip_suffix(SUFFIX));
            number.is_some_and(|number| {
                number.len() == 16 && number.bytes().all(|digit| digit.is_ascii_hexdigit())
            })
        });
        let path = entry.path();
        if is_ours && is_left_over(&path) {
            // Its owner may be another user; then it stays.
            let _ = fs::remove_file(path);
        }
    }
}

#[expect(
    clippy::disallowed_methods,
    reason = "a worker waits for another process, on no clock of ours"
)]
fn pause() {
    std::thread::sleep(TURN);
}

/// The new file before it takes its place. It is removed unless it does.
struct Draft {
    path: PathBuf,
}

impl Draft {
    fn write(directory: &Path, text: &Secret, access: Option<&Access>) -> Result<Self, Failure> {
        let (draft, mut file) = Self::create(directory).map_err(Failure::preparing)?;
        if let Some(access) = access {
            access.apply(&file)?;
        }
        file.write_all(text.expose().as_bytes())
            .and_then(|()| file.sync_all())
            .map_err(Failure::preparing)?;
        drop(file);
        let written = File::open(&draft.path).and_then(|mut file| read_text(&mut file));
        match written {
            Ok(written) if written == *text => Ok(draft),
            Ok(_) => Err(Failure::Busy("is on a device that does not keep what is written")),
            Err(error) => Err(Failure::preparing(error)),
        }
    }

    fn create(directory: &Path) -> io::Result<(Self, File)> {
        let mut options = OpenOptions::new();
        options.write(true).create_new(true);
        #[cfg(unix)]
        std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
        loop {
            let name = format!("{PREFIX}{:016x}{SUFFIX}", fastrand::u64(..));
            let path = directory.join(name);
            match options.open(&path) {
                Ok(file) => return Ok((Self { path }, file)),
                Err(error) if error.kind() == ErrorKind::AlreadyExists => (),
                Err(error) => return Err(error),
            }
        }
    }

    /// Whether it was written so long after that file that nobody is still writing it.
    fn is_after(&self, other: &Path) -> bool {
        let modified = |path: &Path| fs::symlink_metadata(path)?.modified();
        let (Ok(mine), Ok(other)) = (modified(&self.path), modified(other)) else { return false };
        mine.duration_since(other).is_ok_and(|age| age > STALE)
    }

    fn publish(self, path: &Path) -> Result<(), Failure> {
        let failed = |error| Failure::Io(Step::Replace, error);
        fs::rename(&self.path, path).map_err(failed)?;
        let directory = self.path.parent().unwrap_or(Path::new(".")).to_owned();
        // There is nothing left to remove.
        std::mem::forget(self);
        sync(&directory).map_err(failed)
    }
}

impl Drop for Draft {
    fn drop(&mut self) {
        let _ = fs::remove_file(&self.path);
    }
}

/// Makes a rename durable, where a directory can be asked for that.
fn sync(directory: &Path) -> io::Result<()> {
    if cfg!(not(unix)) {
        return Ok(());
    }
    match File::open(directory).and_then(|directory| directory.sync_all()) {
        Err(error)
            if !matches!(
                error.kind(),
                ErrorKind::InvalidInput | ErrorKind::Unsupported | ErrorKind::PermissionDenied
            ) =>
        {
            Err(error)
        }
        _ => Ok(()),
    }
}

/// Who may do what with a file.
#[cfg(unix)]
#[derive(PartialEq, Eq)]
struct Access {
    owner: u32,
    group: u32,
    mode: u32,
}

#[cfg(unix)]
impl Access {
    fn of(metadata: &fs::Metadata) -> Self {
        use std::os::unix::fs::MetadataExt;

        Self { owner: metadata.uid(), group: metadata.gid(), mode: metadata.mode() & 0o7777 }
    }

    /// Makes it so, and lets nobody in before.
    fn apply(&self, file: &File) -> Result<(), Failure> {
        use std::os::unix::fs::{PermissionsExt, fchown};

        let new = Self::of(&file.metadata().map_err(Failure::preparing)?);
        if self.owner != new.owner && fchown(file, Some(self.owner), None).is_err() {
            return Err(Failure::Unfit(
                "belongs to another user, and this process may not make a file of that user's",
            ));
        }
        let is_group_special = (self.mode >> 3) & 0o7 != self.mode & 0o7;
        if self.group != new.group
            && fchown(file, None, Some(self.group)).is_err()
            && is_group_special
        {
            return Err(Failure::Unfit(
                "belongs to a group that this process is not in, so that the group would lose its access",
            ));
        }
        file.set_permissions(fs::Permissions::from_mode(self.mode)).map_err(Failure::preparing)
    }
}

/// Who may do what with a file; a new one inherits it from its directory.
#[cfg(not(unix))]
#[derive(PartialEq, Eq)]
struct Access;

#[cfg(not(unix))]
impl Access {
    fn of(_: &fs::Metadata) -> Self {
        Self
    }

    fn apply(&self, _: &File) -> Result<(), Failure> {
        Ok(())
    }
}
