//! Writers of one directory, one after the other.

use std::fs::{File, TryLockError};
use std::io::ErrorKind;
use std::path::Path;
use std::time::Duration;

use super::Failure;

/// How long another writer is waited for: it needs milliseconds.
const TURN: Duration = Duration::from_millis(20);
const TURNS: usize = 100;

/// The only writer of a directory, as far as writers know of each other.
pub(super) struct Turn {
    /// Holds the lock; none: there is no such lock here.
    lock: Option<File>,
}

impl Turn {
    pub(super) fn take(directory: &Path) -> Result<Self, Failure> {
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

    pub(super) fn is_exclusive(&self) -> bool {
        self.lock.is_some()
    }
}

#[expect(
    clippy::disallowed_methods,
    reason = "a worker waits for another process, on no clock of ours"
)]
fn pause() {
    std::thread::sleep(TURN);
}
