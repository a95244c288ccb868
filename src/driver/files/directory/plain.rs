//! Elsewhere: a directory is its path.

use std::ffi::{OsStr, OsString};
use std::fs::{self, File, Metadata, OpenOptions};
use std::io;
use std::path::{Path, PathBuf};
use std::time::UNIX_EPOCH;

use super::Kind;
use crate::driver::files::fault::before;

/// A directory, as long as nobody renames it.
#[derive(Debug, Clone)]
pub(in crate::driver) struct Directory(PathBuf);

impl Directory {
    /// The root, or a volume's, or `.`.
    #[expect(clippy::unnecessary_wraps, reason = "it opens something elsewhere")]
    pub(in crate::driver) fn start(root: &Path) -> io::Result<Self> {
        Ok(Self(root.to_owned()))
    }

    #[expect(clippy::unnecessary_wraps, reason = "it opens something elsewhere")]
    pub(in crate::driver) fn enter(&self, name: &OsStr) -> io::Result<Self> {
        Ok(Self(self.0.join(name)))
    }

    /// Links to directories are the system's to follow.
    pub(in crate::driver) fn enter_unless_link(&self, name: &OsStr) -> io::Result<Option<Self>> {
        let path = self.0.join(name);
        before("stat")?;
        Ok(fs::metadata(&path)?.is_dir().then_some(Self(path)))
    }

    pub(in crate::driver) fn follow(&self, name: &OsStr) -> io::Result<Self> {
        self.enter(name)
    }

    /// What is in it under that name, links not followed.
    pub(in crate::driver) fn look(&self, name: &OsStr) -> io::Result<Found> {
        before("lstat")?;
        Ok(Found(fs::symlink_metadata(self.0.join(name))?))
    }

    /// What a link in it leads to.
    pub(in crate::driver) fn look_behind(&self, name: &OsStr) -> io::Result<Found> {
        before("stat")?;
        Ok(Found(fs::metadata(self.0.join(name))?))
    }

    pub(in crate::driver) fn read_link(&self, name: &OsStr) -> io::Result<PathBuf> {
        before("readlink")?;
        fs::read_link(self.0.join(name))
    }

    /// There is no sticky bit.
    #[expect(clippy::unused_self, clippy::unnecessary_wraps, reason = "it asks elsewhere")]
    pub(in crate::driver) fn is_shared(&self) -> io::Result<bool> {
        Ok(false)
    }

    #[expect(clippy::unused_self, clippy::unnecessary_wraps, reason = "it asks elsewhere")]
    pub(in crate::driver) fn trusts(&self, _: u32) -> io::Result<bool> {
        Ok(true)
    }

    #[expect(clippy::unused_self, reason = "it asks elsewhere")]
    pub(in crate::driver) fn is_kernels(&self) -> bool {
        false
    }

    #[expect(clippy::unnecessary_wraps, reason = "it asks elsewhere")]
    pub(in crate::driver) fn is_same(&self, other: &Self) -> io::Result<bool> {
        Ok(self.0 == other.0)
    }

    pub(in crate::driver) fn open(&self, name: &OsStr) -> io::Result<File> {
        before("open")?;
        File::open(self.0.join(name))
    }

    pub(in crate::driver) fn create(&self, name: &OsStr) -> io::Result<File> {
        before("open")?;
        OpenOptions::new().read(true).write(true).create_new(true).open(self.0.join(name))
    }

    pub(in crate::driver) fn create_directory(&self, name: &OsStr) -> io::Result<()> {
        before("mkdir")?;
        fs::create_dir(self.0.join(name))
    }

    pub(in crate::driver) fn rename(&self, name: &OsStr, to: &Self, new: &OsStr) -> io::Result<()> {
        before("rename")?;
        fs::rename(self.0.join(name), to.0.join(new))
    }

    pub(in crate::driver) fn remove(&self, name: &OsStr) -> io::Result<()> {
        before("unlink")?;
        fs::remove_file(self.0.join(name))
    }

    pub(in crate::driver) fn remove_directory(&self, name: &OsStr) -> io::Result<()> {
        before("rmdir")?;
        fs::remove_dir(self.0.join(name))
    }

    pub(in crate::driver) fn names(&self) -> io::Result<Vec<OsString>> {
        before("readdir")?;
        fs::read_dir(&self.0)?.map(|entry| Ok(entry?.file_name())).collect()
    }

    /// Directories are not synced.
    #[expect(clippy::unused_self, clippy::unnecessary_wraps, reason = "it calls elsewhere")]
    pub(in crate::driver) fn sync(&self) -> io::Result<()> {
        Ok(())
    }
}

/// What a name in a directory stands for.
#[derive(Debug, Clone)]
pub(in crate::driver) struct Found(Metadata);

impl Found {
    pub(in crate::driver) fn kind(&self) -> Kind {
        kind(&self.0)
    }

    /// Owners are none of numbers.
    #[expect(clippy::unused_self, reason = "it has one elsewhere")]
    pub(in crate::driver) fn owner(&self) -> u32 {
        user()
    }

    /// When it was written last, in seconds.
    pub(in crate::driver) fn modified_at(&self) -> i64 {
        let since = self.0.modified().ok().and_then(|at| at.duration_since(UNIX_EPOCH).ok());
        since.and_then(|since| i64::try_from(since.as_secs()).ok()).unwrap_or(0)
    }
}

impl Kind {
    pub(in crate::driver) fn of(file: &File) -> io::Result<Self> {
        before("fstat")?;
        Ok(kind(&file.metadata()?))
    }
}

fn kind(metadata: &Metadata) -> Kind {
    let kind = metadata.file_type();
    if kind.is_symlink() {
        Kind::Link
    } else if kind.is_dir() {
        Kind::Directory
    } else if kind.is_file() {
        Kind::File
    } else {
        Kind::Special("something else")
    }
}

/// Users are none of numbers.
pub(in crate::driver) fn user() -> u32 {
    0
}
