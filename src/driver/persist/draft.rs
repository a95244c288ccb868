//! New files before they take their places, and those that killed writers have left behind.
//!
//! A draft is in a directory of its own beside the file, `.oauth-rotor-<number>.tmp`, which only
//! its owner may enter. It is made with the mode 0600 and gets the mode of the file that it
//! replaces last, right before the rename. A process that is killed before that has let nobody in:
//! a directory with the mode 0700 protects what it leaves behind. If the mode were set after the
//! rename, each write would lock out for a moment those who read the file by their group, and a
//! kill would do so for good.

use std::ffi::{OsStr, OsString};
use std::fs::File;
use std::io::{self, ErrorKind, Seek, Write};

use super::access::{Access, close};
use super::failure::{WriteFailure, WriteStep};
use crate::driver::files::{Directory, Found, Kind, LARGEST_ENV_FILE, before, read_text};
use crate::secret::Secret;

/// How a draft's directory is named, and after how many seconds it counts as left behind where
/// there is no lock.
pub(super) const PREFIX: &str = ".oauth-rotor-";
pub(super) const SUFFIX: &str = ".tmp";
pub(super) const STALE_SECONDS: i64 = 600;

/// How a draft is named.
pub(super) const NEW: &str = "new";

/// The new file before it takes its place. It is removed unless it does.
pub(super) struct Draft {
    /// Closed before it is removed.
    pub(super) file: File,
    place: DraftPlace,
    /// The directory of the file that it replaces.
    directory: Directory,
    access: Option<Access>,
}

impl Draft {
    pub(super) fn write(
        directory: &Directory,
        text: &Secret,
        access: Option<&Access>,
    ) -> Result<Self, WriteFailure> {
        let place = DraftPlace::make(directory).map_err(WriteFailure::preparing)?;
        let file = place.directory.create(NEW.as_ref()).map_err(WriteFailure::preparing)?;
        let (directory, access) = (directory.clone(), access.cloned());
        let mut draft = Self { file, place, directory, access };
        close(&draft.file)?;
        if let Some(access) = &draft.access {
            access.give(&draft.file)?;
        }
        match draft.fill(text) {
            Ok(true) => Ok(draft),
            Ok(false) => {
                Err(WriteFailure::Busy("is on a device that does not keep what is written"))
            }
            Err(error) => Err(WriteFailure::preparing(error)),
        }
    }

    /// Whether it holds the text now.
    fn fill(&mut self, text: &Secret) -> io::Result<bool> {
        before("write")?;
        self.file.write_all(text.expose().as_bytes())?;
        before("fsync")?;
        self.file.sync_all()?;
        before("lseek")?;
        self.file.rewind()?;
        Ok(read_text(&mut self.file, LARGEST_ENV_FILE)? == *text)
    }

    /// Whether it was written so much later than that file that nobody can still be writing that.
    pub(super) fn is_after(&self, other: &Found) -> bool {
        let mine = self.place.directory.look(NEW.as_ref());
        mine.is_ok_and(|mine| mine.modified_at() - other.modified_at() > STALE_SECONDS)
    }

    /// Lets those in who may read the file that it replaces.
    pub(super) fn open_up(&self) -> Result<(), WriteFailure> {
        self.access.as_ref().map_or(Ok(()), |access| access.open_up(&self.file))
    }

    pub(super) fn publish(self, name: &OsStr) -> Result<(), WriteFailure> {
        let failed = |error| WriteFailure::Io(WriteStep::Replace, error);
        self.open_up()?;
        self.place.directory.rename(NEW.as_ref(), &self.directory, name).map_err(failed)?;
        // This makes its mode durable, too.
        before("fsync").and_then(|()| self.file.sync_all()).map_err(failed)?;
        let Self { directory, place, .. } = self;
        drop(place);
        directory.sync().map_err(failed)
    }
}

/// The directory of a draft. It is removed with what is in it.
struct DraftPlace {
    /// Where it is.
    parent: Directory,
    name: OsString,
    directory: Directory,
}

impl DraftPlace {
    fn make(parent: &Directory) -> io::Result<Self> {
        loop {
            let name = OsString::from(format!("{PREFIX}{:016x}{SUFFIX}", fastrand::u64(..)));
            match parent.create_directory(&name) {
                Err(error) if error.kind() == ErrorKind::AlreadyExists => continue,
                made => made?,
            }
            match parent.enter(&name) {
                Ok(directory) => return Ok(Self { parent: parent.clone(), name, directory }),
                Err(error) => {
                    let _ = parent.remove_directory(&name);
                    return Err(error);
                }
            }
        }
    }
}

impl Drop for DraftPlace {
    fn drop(&mut self) {
        let _ = self.directory.remove(NEW.as_ref());
        let _ = self.parent.remove_directory(&self.name);
    }
}

/// Whether a killed writer, or one that is at work, has something of its own in there.
pub(super) fn holds_left_overs(directory: &Directory) -> bool {
    let is_one = |name: &OsString| name.as_encoded_bytes().starts_with(PREFIX.as_bytes());
    directory.names().is_ok_and(|names| names.iter().any(is_one))
}

/// Removes the drafts that killed writers have left behind, as `is_left_over` recognises them.
pub(super) fn clear(directory: &Directory, is_left_over: impl Fn(&Found) -> bool) {
    let Ok(names) = directory.names() else { return };
    for name in names.into_iter().filter(|name| is_ours(name)) {
        // What belongs to another user stays where it cannot be removed.
        let _ = remove(directory, &name, &is_left_over);
    }
}

fn remove(
    directory: &Directory,
    name: &OsStr,
    is_left_over: impl Fn(&Found) -> bool,
) -> io::Result<()> {
    let found = directory.look(name)?;
    if found.kind() != Kind::Directory {
        return if is_left_over(&found) { directory.remove(name) } else { Ok(()) };
    }
    let place = directory.enter(name)?;
    match place.look(NEW.as_ref()) {
        Ok(draft) if is_left_over(&draft) => place.remove(NEW.as_ref())?,
        Err(error) if error.kind() == ErrorKind::NotFound && is_left_over(&found) => (),
        _ => return Ok(()),
    }
    directory.remove_directory(name)
}

fn is_ours(name: &OsStr) -> bool {
    name.to_str().is_some_and(|name| {
        let number = name.strip_prefix(PREFIX).and_then(|name| name.strip_suffix(SUFFIX));
        number.is_some_and(|number| {
            number.len() == 16 && number.bytes().all(|digit| digit.is_ascii_hexdigit())
        })
    })
}
