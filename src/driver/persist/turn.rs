//! Writers of one user's files in a directory, one after the other.
//!
//! A writer holds `flock` on a file `.oauth-rotor-<user>.lock` with the mode 0600: who may only
//! read the directory, or writes to it as another user, cannot hold it. It is named for the owner
//! of the file that is written, and given to that user if root makes it, so that the two take
//! turns. The lock ends with the process that holds it. The holder removes the file of the lock;
//! one that a killed process has left serves the next writer.
//!
//! Something else under that name, or a file of another user, keeps nobody from writing: then there
//! is no lock, as on a file system without locks.

#[cfg(unix)]
pub(super) use lock::Turn;

/// There is no such lock here.
#[cfg(not(unix))]
pub(super) struct Turn;

#[cfg(not(unix))]
#[expect(clippy::unused_self, clippy::unnecessary_wraps, reason = "it waits elsewhere")]
impl Turn {
    pub(super) fn take(
        _: &crate::driver::files::Directory,
        _: u32,
    ) -> Result<Self, super::failure::WriteFailure> {
        Ok(Self)
    }

    pub(super) fn is_exclusive(&self) -> bool {
        false
    }
}

#[cfg(unix)]
mod lock {
    use std::ffi::{OsStr, OsString};
    use std::fs::{File, Permissions, TryLockError};
    use std::io::{self, ErrorKind};
    use std::os::unix::fs::{MetadataExt, PermissionsExt, fchown};
    use std::time::Duration;

    use crate::driver::files::{Directory, before, user};
    use crate::driver::persist::draft::PREFIX;
    use crate::driver::persist::failure::WriteFailure;

    /// How long another writer is waited for: it needs milliseconds.
    const TURN: Duration = Duration::from_millis(20);
    const TURNS: usize = 100;

    /// The only writer of a user's files in a directory, as far as writers know of each other.
    pub(in crate::driver::persist) struct Turn {
        /// None: there is no such lock here.
        lock: Option<Lock>,
    }

    /// A lock that is held.
    struct Lock {
        directory: Directory,
        name: OsString,
        file: File,
    }

    impl Turn {
        pub(in crate::driver::persist) fn take(
            directory: &Directory,
            owner: u32,
        ) -> Result<Self, WriteFailure> {
            let name = OsString::from(format!("{PREFIX}{owner}.lock"));
            for _ in 0..TURNS {
                let Some(file) = open(directory, &name, owner).map_err(WriteFailure::preparing)?
                else {
                    return Ok(Self { lock: None });
                };
                let locked = before("flock").map_err(TryLockError::Error);
                match locked.and_then(|()| file.try_lock()) {
                    Ok(()) => {
                        let lock = Lock { directory: directory.clone(), name: name.clone(), file };
                        if lock.is_in_place() {
                            return Ok(Self { lock: Some(lock) });
                        }
                        // Its last holder has removed it meanwhile: the next one has another.
                    }
                    Err(TryLockError::WouldBlock) => pause(),
                    Err(TryLockError::Error(error)) => {
                        // Otherwise somebody may hold it.
                        if error.kind() == ErrorKind::Unsupported {
                            let _ = directory.remove(&name);
                        }
                        return Ok(Self { lock: None });
                    }
                }
            }
            Err(WriteFailure::Busy("is in a directory that another process has locked"))
        }

        pub(in crate::driver::persist) fn is_exclusive(&self) -> bool {
            self.lock.is_some()
        }
    }

    impl Lock {
        fn is_in_place(&self) -> bool {
            self.directory.leads_to(&self.name, &self.file).unwrap_or(false)
        }
    }

    impl Drop for Lock {
        fn drop(&mut self) {
            // It is still held: whoever waits for it finds that it is no longer in its place.
            if self.is_in_place() {
                let _ = self.directory.remove(&self.name);
            }
        }
    }

    /// The file of the lock; none: there can be none.
    fn open(directory: &Directory, name: &OsStr, owner: u32) -> io::Result<Option<File>> {
        // Whoever holds it may remove it in between.
        for _ in 0..TURNS {
            let (file, is_new) = match directory.open_writable(name) {
                Ok(file) => (file, false),
                Err(error) if error.kind() == ErrorKind::NotFound => match directory.create(name) {
                    Err(error) if error.kind() == ErrorKind::AlreadyExists => continue,
                    created => (created?, true),
                },
                // Another user's, or no file at all.
                Err(_) => return Ok(None),
            };
            if is_new && owner != user() {
                // If this fails, the file that is written cannot be given away either.
                let _ = before("fchown").and_then(|()| fchown(&file, Some(owner), None));
            }
            before("fstat")?;
            let found = file.metadata()?;
            if !found.is_file() || ![owner, user()].contains(&found.uid()) {
                // On some file systems everything belongs to one user: nobody can hold the lock
                // there.
                if is_new {
                    let _ = directory.remove(name);
                }
                return Ok(None);
            }
            if found.mode() & 0o077 != 0 {
                let _ = before("fchmod")
                    .and_then(|()| file.set_permissions(Permissions::from_mode(0o600)));
            }
            return Ok(Some(file));
        }
        Ok(None)
    }

    #[expect(
        clippy::disallowed_methods,
        reason = "a worker waits for another process, on no clock of ours"
    )]
    fn pause() {
        std::thread::sleep(TURN);
    }
}
