//! Who may read and write a file, which a new one takes over.

use std::fs::{self, File};

use super::Failure;

/// Who may do what with a file.
#[cfg(unix)]
#[derive(PartialEq, Eq)]
pub(super) struct Access {
    pub(super) owner: u32,
    pub(super) group: u32,
    pub(super) mode: u32,
}

#[cfg(unix)]
impl Access {
    pub(super) fn of(metadata: &fs::Metadata) -> Self {
        use std::os::unix::fs::MetadataExt;

        Self { owner: metadata.uid(), group: metadata.gid(), mode: metadata.mode() & 0o7777 }
    }

    /// Makes it so, and lets nobody in before.
    pub(super) fn apply(&self, file: &File) -> Result<(), Failure> {
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
pub(super) struct Access;

#[cfg(not(unix))]
impl Access {
    pub(super) fn of(_: &fs::Metadata) -> Self {
        Self
    }

    pub(super) fn apply(&self, _: &File) -> Result<(), Failure> {
        Ok(())
    }
}
