//! New files before they take their places, and those that killed writers have left behind.

use std::fs::{self, File, OpenOptions};
use std::io::{self, ErrorKind, Write};
use std::path::{Path, PathBuf};
use std::time::Duration;

use super::access::Access;
use super::{Failure, LARGEST, Step};
use crate::driver::files::read_text;
use crate::secret::Secret;

/// How a file is named until it takes its place, and from when on a left-over is one where there is no lock.
pub(super) const PREFIX: &str = ".oauth-rotor-";
pub(super) const SUFFIX: &str = ".tmp";
pub(super) const STALE: Duration = Duration::from_secs(600);

/// The new file before it takes its place. It is removed unless it does.
pub(super) struct Draft {
    pub(super) path: PathBuf,
}

impl Draft {
    pub(super) fn write(
        directory: &Path,
        text: &Secret,
        access: Option<&Access>,
    ) -> Result<Self, Failure> {
        let (draft, mut file) = Self::create(directory).map_err(Failure::preparing)?;
        if let Some(access) = access {
            access.apply(&file)?;
        }
        file.write_all(text.expose().as_bytes())
            .and_then(|()| file.sync_all())
            .map_err(Failure::preparing)?;
        drop(file);
        let written = File::open(&draft.path).and_then(|mut file| read_text(&mut file, LARGEST));
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
    pub(super) fn is_after(&self, other: &Path) -> bool {
        let modified = |path: &Path| fs::symlink_metadata(path)?.modified();
        let (Ok(mine), Ok(other)) = (modified(&self.path), modified(other)) else { return false };
        mine.duration_since(other).is_ok_and(|age| age > STALE)
    }

    pub(super) fn publish(self, path: &Path) -> Result<(), Failure> {
        let failed = |error| Failure::Io(Step::Replace, error);
        fs::rename(&self.path, path).map_err(failed)?;
        // The file is there no longer: dropping this removes nothing.
        sync(self.path.parent().unwrap_or(Path::new("."))).map_err(failed)
    }
}

impl Drop for Draft {
    fn drop(&mut self) {
        let _ = fs::remove_file(&self.path);
    }
}

/// Makes a rename durable, where a directory can be asked for that.
pub(super) fn sync(directory: &Path) -> io::Result<()> {
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

/// Removes what killed writers have left behind.
pub(super) fn clear(directory: &Path, is_left_over: impl Fn(&Path) -> bool) {
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
