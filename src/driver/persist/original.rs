//! A file before it is replaced.

use std::io::ErrorKind;
use std::path::Path;

use super::access::Access;
use super::failure::WriteFailure;
use crate::driver::files::{LARGEST_ENV_FILE, Location, PathTrouble, read_text, user};
use crate::persist::PersistRefusal;
use crate::secret::Secret;

/// A file as it was found.
pub(super) struct Original {
    pub(super) location: Location,
    /// Its text and its access; none if there is no such file.
    pub(super) found: Option<(Secret, Access)>,
}

impl Original {
    pub(super) fn read(path: &Path) -> Result<Self, WriteFailure> {
        let location = Location::of(path).map_err(|trouble| match trouble {
            PathTrouble::Io(error) if error.kind() == ErrorKind::NotFound => {
                WriteFailure::preparing(error)
            }
            trouble => WriteFailure::from(trouble),
        })?;
        let Some(mut file) = location.open()? else { return Ok(Self { location, found: None }) };
        let access = Access::of(&file)?;
        let directory = &location.directory;
        let is_shared = directory.is_shared().map_err(WriteFailure::reading)?;
        if is_shared && !directory.trusts(access.owner()).map_err(WriteFailure::reading)? {
            return Err(WriteFailure::Unfit(
                "belongs to another user, in a directory that anybody may write to".into(),
            ));
        }
        let text = read_text(&mut file, LARGEST_ENV_FILE).map_err(|error| match error.kind() {
            ErrorKind::InvalidData => WriteFailure::Unfit("is not UTF-8 text".into()),
            ErrorKind::FileTooLarge => WriteFailure::Unfit("is larger than 1 MiB".into()),
            _ => WriteFailure::reading(error),
        })?;
        Ok(Self { location, found: Some((text, access)) })
    }

    /// Returns the file if its text can be edited.
    pub(super) fn allows(
        self,
        edit: impl Fn(&str) -> Result<(), PersistRefusal>,
    ) -> Result<Self, WriteFailure> {
        let text = self.found.as_ref().map_or("", |(text, _)| text.expose());
        edit(text).map_err(WriteFailure::Refused)?;
        Ok(self)
    }

    pub(super) fn access(&self) -> Option<&Access> {
        self.found.as_ref().map(|(_, access)| access)
    }

    /// The user that it belongs to, or will belong to.
    pub(super) fn owner(&self) -> u32 {
        self.access().map_or_else(user, Access::owner)
    }

    pub(super) fn is_at(&self, other: &Self) -> Result<bool, WriteFailure> {
        self.location.is_at(&other.location).map_err(WriteFailure::reading)
    }
}
