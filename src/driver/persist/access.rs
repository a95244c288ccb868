//! Who may read and write a file, which a new one takes over.
//!
//! These are its owner, its group, the nine bits of its mode and, on Linux, its POSIX access
//! control list. A default list of the directory would let others in as soon as the mode is set, so
//! it is removed from a new file first. Set-uid, set-gid and sticky bits are not taken over: no
//! file with a secret is a program.

use std::fs::File;

use super::failure::WriteFailure;
#[cfg(unix)]
use crate::driver::files::before;

/// Who may do what with a file.
#[cfg(unix)]
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Access {
    pub(super) owner: u32,
    pub(super) group: u32,
    pub(super) mode: u32,
    /// The list as the file system keeps it; none if the mode says everything.
    pub(super) list: Option<Vec<u8>>,
}

#[cfg(unix)]
impl Access {
    pub(super) fn of(file: &File) -> Result<Self, WriteFailure> {
        use std::os::unix::fs::MetadataExt;

        before("fstat").map_err(WriteFailure::reading)?;
        let metadata = file.metadata().map_err(WriteFailure::reading)?;
        Ok(Self {
            owner: metadata.uid(),
            group: metadata.gid(),
            mode: metadata.mode() & 0o777,
            list: list::of(file).map_err(WriteFailure::reading)?,
        })
    }

    /// Who the file belongs to.
    pub(super) fn owner(&self) -> u32 {
        self.owner
    }

    /// Gives the file to the owner and the group. Only its owner may open it so far.
    pub(super) fn give(&self, file: &File) -> Result<(), WriteFailure> {
        use std::os::unix::fs::{MetadataExt, fchown};

        before("fstat").map_err(WriteFailure::preparing)?;
        let new = file.metadata().map_err(WriteFailure::preparing)?;
        if self.owner != new.uid()
            && before("fchown").and_then(|()| fchown(file, Some(self.owner), None)).is_err()
        {
            return Err(WriteFailure::Unfit(
                "belongs to another user, and this process may not make a file of that user's"
                    .into(),
            ));
        }
        let is_group_special = (self.mode >> 3) & 0o7 != self.mode & 0o7 || self.list.is_some();
        if self.group != new.gid()
            && before("fchown").and_then(|()| fchown(file, None, Some(self.group))).is_err()
            && is_group_special
        {
            return Err(WriteFailure::Unfit(
                "belongs to a group that this process is not in, so that the group would lose its access".into(),
            ));
        }
        Ok(())
    }

    /// Lets those in who may read or write it.
    pub(super) fn open_up(&self, file: &File) -> Result<(), WriteFailure> {
        use std::os::unix::fs::PermissionsExt;

        if let Some(list) = &self.list {
            list::set(file, list).map_err(|_| {
                WriteFailure::Unfit(
                    "has an access control list, which a new file does not take".into(),
                )
            })?;
        }
        before("fchmod").map_err(WriteFailure::preparing)?;
        let mode = std::fs::Permissions::from_mode(self.mode);
        file.set_permissions(mode).map_err(WriteFailure::preparing)
    }
}

/// Removes from a new file the rights that its directory gives to others.
pub(super) fn close(file: &File) -> Result<(), WriteFailure> {
    #[cfg(unix)]
    if list::of(file).map_err(WriteFailure::preparing)?.is_some() {
        list::remove(file).map_err(WriteFailure::preparing)?;
    }
    let _ = file;
    Ok(())
}

/// POSIX access control lists, as Linux keeps them.
#[cfg(any(target_os = "linux", target_os = "android"))]
mod list {
    use std::fs::File;
    use std::io;

    use rustix::fs::{XattrFlags, fgetxattr, fremovexattr, fsetxattr};
    use rustix::io::Errno;

    use super::before;

    const NAME: &str = "system.posix_acl_access";

    /// The largest value of an attribute.
    const LARGEST: usize = 64 * 1024;

    pub(super) fn of(file: &File) -> io::Result<Option<Vec<u8>>> {
        before("fgetxattr")?;
        let mut list = vec![0; LARGEST];
        match fgetxattr(file, NAME, &mut list) {
            Ok(length) => {
                list.truncate(length);
                Ok(Some(list))
            }
            // The file has no list, or the file system or the kernel knows none.
            Err(Errno::NODATA | Errno::NOTSUP | Errno::NOSYS) => Ok(None),
            Err(error) => Err(error.into()),
        }
    }

    pub(super) fn set(file: &File, list: &[u8]) -> io::Result<()> {
        before("fsetxattr")?;
        Ok(fsetxattr(file, NAME, list, XattrFlags::empty())?)
    }

    pub(super) fn remove(file: &File) -> io::Result<()> {
        before("fremovexattr")?;
        Ok(fremovexattr(file, NAME)?)
    }
}

/// The lists of other systems are not taken over.
#[cfg(all(unix, not(any(target_os = "linux", target_os = "android"))))]
mod list {
    use std::fs::File;
    use std::io;

    #[expect(clippy::unnecessary_wraps, reason = "it asks the file elsewhere")]
    pub(super) fn of(_: &File) -> io::Result<Option<Vec<u8>>> {
        Ok(None)
    }

    #[expect(clippy::unnecessary_wraps, reason = "it changes the file elsewhere")]
    pub(super) fn set(_: &File, _: &[u8]) -> io::Result<()> {
        Ok(())
    }

    #[expect(clippy::unnecessary_wraps, reason = "it changes the file elsewhere")]
    pub(super) fn remove(_: &File) -> io::Result<()> {
        Ok(())
    }
}

/// Who may do what with a file; a new one inherits it from its directory.
#[cfg(not(unix))]
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Access;

#[cfg(not(unix))]
#[expect(clippy::unused_self, clippy::unnecessary_wraps, reason = "it does something elsewhere")]
impl Access {
    pub(super) fn of(_: &File) -> Result<Self, WriteFailure> {
        Ok(Self)
    }

    pub(super) fn owner(&self) -> u32 {
        crate::driver::files::user()
    }

    pub(super) fn give(&self, _: &File) -> Result<(), WriteFailure> {
        Ok(())
    }

    pub(super) fn open_up(&self, _: &File) -> Result<(), WriteFailure> {
        Ok(())
    }
}
