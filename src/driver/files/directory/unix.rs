//! On Unix: everything is relative to an open handle.

use std::ffi::{OsStr, OsString};
use std::fs::File;
use std::io::{self, ErrorKind};
use std::os::fd::{AsFd, OwnedFd};
use std::os::unix::ffi::{OsStrExt, OsStringExt};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use rustix::fs::{
    AtFlags, CWD, Dir, FileType, Mode, OFlags, Stat, fstat, fsync, mkdirat, openat, readlinkat,
    renameat, statat, unlinkat,
};
use rustix::io::Errno;
use rustix::process::geteuid;

use super::Kind;
use crate::driver::files::fault::before;

/// For a file or a directory alike.
const OPEN: OFlags =
    OFlags::CLOEXEC.union(OFlags::NOFOLLOW).union(OFlags::NONBLOCK).union(OFlags::NOCTTY);

/// A directory to go through. It may be one that this process may search and not list.
#[cfg(any(target_os = "linux", target_os = "android"))]
const SEARCH: OFlags = OFlags::PATH.union(OFlags::DIRECTORY).union(OFlags::CLOEXEC);
/// A directory to go through. Here this process has to be allowed to list it.
#[cfg(not(any(target_os = "linux", target_os = "android")))]
const SEARCH: OFlags = OFlags::DIRECTORY.union(OFlags::CLOEXEC);

/// Nobody but the owner may read or write it.
const OWN_FILE: Mode = Mode::RUSR.union(Mode::WUSR);

/// A directory that stays the same, whatever is renamed or linked on the way to it.
#[derive(Debug, Clone)]
pub(in crate::driver) struct Directory(Arc<OwnedFd>);

impl Directory {
    fn open_at(at: impl AsFd, path: impl rustix::path::Arg, flags: OFlags) -> io::Result<Self> {
        before("openat")?;
        Ok(Self(Arc::new(openat(at, path, flags, Mode::empty())?)))
    }

    /// The root, or `.`.
    pub(in crate::driver) fn start(root: &Path) -> io::Result<Self> {
        Self::open_at(CWD, root, SEARCH)
    }

    /// A directory in it, which is no link.
    pub(in crate::driver) fn enter(&self, name: &OsStr) -> io::Result<Self> {
        Self::open_at(&self.0, name, SEARCH | OFlags::NOFOLLOW)
    }

    /// The same; none: it is no directory, and may be a link.
    pub(in crate::driver) fn enter_unless_link(&self, name: &OsStr) -> io::Result<Option<Self>> {
        match self.enter(name) {
            Err(error) if is_no_directory(&error) => Ok(None),
            entered => entered.map(Some),
        }
    }

    /// A directory in it that a link of the kernel's leads to.
    pub(in crate::driver) fn follow(&self, name: &OsStr) -> io::Result<Self> {
        Self::open_at(&self.0, name, SEARCH)
    }

    /// What is in it under that name, links not followed.
    pub(in crate::driver) fn look(&self, name: &OsStr) -> io::Result<Found> {
        before("fstatat")?;
        Ok(Found(statat(&self.0, name, AtFlags::SYMLINK_NOFOLLOW)?))
    }

    /// What a link in it leads to.
    pub(in crate::driver) fn look_behind(&self, name: &OsStr) -> io::Result<Found> {
        before("fstatat")?;
        Ok(Found(statat(&self.0, name, AtFlags::empty())?))
    }

    pub(in crate::driver) fn read_link(&self, name: &OsStr) -> io::Result<PathBuf> {
        before("readlinkat")?;
        let target = readlinkat(&self.0, name, Vec::new())?;
        Ok(OsString::from_vec(target.into_bytes()).into())
    }

    fn own(&self) -> io::Result<Stat> {
        before("fstat")?;
        Ok(fstat(&self.0)?)
    }

    /// Whether anybody may write to it, and only who owns a file may remove it: the sticky bit.
    pub(in crate::driver) fn is_shared(&self) -> io::Result<bool> {
        let mode = Mode::from_raw_mode(self.own()?.st_mode);
        Ok(mode.contains(Mode::SVTX | Mode::WOTH))
    }

    /// Whether that is this process's user, or whom the directory belongs to.
    pub(in crate::driver) fn trusts(&self, owner: u32) -> io::Result<bool> {
        Ok(owner == user() || owner == self.own()?.st_uid)
    }

    /// Whether the kernel made what is in it.
    pub(in crate::driver) fn is_kernels(&self) -> bool {
        #[cfg(any(target_os = "linux", target_os = "android"))]
        return rustix::fs::fstatfs(&self.0)
            .is_ok_and(|system| system.f_type == rustix::fs::PROC_SUPER_MAGIC);
        #[cfg(not(any(target_os = "linux", target_os = "android")))]
        false
    }

    pub(in crate::driver) fn is_same(&self, other: &Self) -> io::Result<bool> {
        let (one, other) = (self.own()?, other.own()?);
        Ok((one.st_dev, one.st_ino) == (other.st_dev, other.st_ino))
    }

    /// Whether the name still leads to the open file.
    pub(in crate::driver) fn leads_to(&self, name: &OsStr, file: &File) -> io::Result<bool> {
        let found = self.look(name)?.0;
        before("fstat")?;
        let file = fstat(file)?;
        Ok((found.st_dev, found.st_ino) == (file.st_dev, file.st_ino))
    }

    /// Opens a file for reading.
    pub(in crate::driver) fn open(&self, name: &OsStr) -> io::Result<File> {
        before("openat")?;
        Ok(openat(&self.0, name, OPEN | OFlags::RDONLY, Mode::empty())?.into())
    }

    /// Opens a file for reading and writing.
    pub(in crate::driver) fn open_writable(&self, name: &OsStr) -> io::Result<File> {
        before("openat")?;
        Ok(openat(&self.0, name, OPEN | OFlags::RDWR, Mode::empty())?.into())
    }

    /// Makes a file for its owner alone.
    pub(in crate::driver) fn create(&self, name: &OsStr) -> io::Result<File> {
        before("openat")?;
        let flags = OPEN | OFlags::RDWR | OFlags::CREATE | OFlags::EXCL;
        Ok(openat(&self.0, name, flags, OWN_FILE)?.into())
    }

    /// Makes a directory for its owner alone.
    pub(in crate::driver) fn create_directory(&self, name: &OsStr) -> io::Result<()> {
        before("mkdirat")?;
        Ok(mkdirat(&self.0, name, Mode::RWXU)?)
    }

    /// Puts a file of this directory in the place of one in another.
    pub(in crate::driver) fn rename(&self, name: &OsStr, to: &Self, new: &OsStr) -> io::Result<()> {
        before("renameat")?;
        Ok(renameat(&self.0, name, &to.0, new)?)
    }

    pub(in crate::driver) fn remove(&self, name: &OsStr) -> io::Result<()> {
        before("unlinkat")?;
        Ok(unlinkat(&self.0, name, AtFlags::empty())?)
    }

    /// Removes a directory that is empty.
    pub(in crate::driver) fn remove_directory(&self, name: &OsStr) -> io::Result<()> {
        before("unlinkat")?;
        Ok(unlinkat(&self.0, name, AtFlags::REMOVEDIR)?)
    }

    /// The names in it.
    pub(in crate::driver) fn names(&self) -> io::Result<Vec<OsString>> {
        before("openat")?;
        let flags = OFlags::DIRECTORY | OFlags::CLOEXEC;
        let listed = openat(&self.0, ".", flags, Mode::empty())?;
        before("getdents")?;
        let mut names = Vec::new();
        for entry in Dir::new(listed)? {
            names.push(OsStr::from_bytes(entry?.file_name().to_bytes()).to_owned());
        }
        Ok(names)
    }

    /// Makes a rename in it durable, where a directory can be asked for that.
    pub(in crate::driver) fn sync(&self) -> io::Result<()> {
        let synced = Self::open_at(&self.0, ".", OFlags::DIRECTORY | OFlags::CLOEXEC).and_then(
            |directory| {
                before("fsync")?;
                Ok(fsync(&directory.0)?)
            },
        );
        match synced {
            // It may be written and not listed, or be on a file system that knows nothing of the
            // kind.
            Err(error)
                if matches!(
                    error.kind(),
                    ErrorKind::InvalidInput | ErrorKind::Unsupported | ErrorKind::PermissionDenied
                ) =>
            {
                Ok(())
            }
            synced => synced,
        }
    }
}

/// What a name in a directory stands for.
#[derive(Debug, Clone, Copy)]
pub(in crate::driver) struct Found(Stat);

impl Found {
    pub(in crate::driver) fn kind(&self) -> Kind {
        match FileType::from_raw_mode(self.0.st_mode) {
            FileType::RegularFile => Kind::File,
            FileType::Directory => Kind::Directory,
            FileType::Symlink => Kind::Link,
            FileType::Fifo => Kind::Special("a pipe"),
            FileType::Socket => Kind::Special("a socket"),
            FileType::CharacterDevice | FileType::BlockDevice => Kind::Special("a device"),
            FileType::Unknown => Kind::Special("something else"),
        }
    }

    pub(in crate::driver) fn owner(&self) -> u32 {
        self.0.st_uid
    }

    /// When it was written last, in seconds.
    pub(in crate::driver) fn modified_at(&self) -> i64 {
        self.0.st_mtime
    }
}

impl Kind {
    pub(in crate::driver) fn of(file: &File) -> io::Result<Self> {
        before("fstat")?;
        Ok(Found(fstat(file)?).kind())
    }
}

/// The user that this process acts as.
pub(in crate::driver) fn user() -> u32 {
    geteuid().as_raw()
}

/// What is there is no directory: `O_NOFOLLOW` says either of a link.
fn is_no_directory(error: &io::Error) -> bool {
    let number = error.raw_os_error();
    [Errno::NOTDIR, Errno::LOOP, Errno::MLINK].iter().any(|it| number == Some(it.raw_os_error()))
}
