//! A directory that is held open, and the calls that are made in it.
//!
//! Nothing here waits. Files are opened with `O_NONBLOCK`, so that neither a pipe without another
//! end nor a lease holds a thread, and with `O_CLOEXEC` and `O_NOFOLLOW`.

#[cfg(not(unix))]
#[path = "directory/plain.rs"]
mod system;
#[cfg(unix)]
#[path = "directory/unix.rs"]
mod system;

pub(in crate::driver) use system::{Directory, Found, user};

/// What there is under a name.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::driver) enum Kind {
    File,
    Directory,
    Link,
    /// With a name for people.
    Special(&'static str),
}
