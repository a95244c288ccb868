//! Reads files that hold client ids and secrets. It blocks: call it off the driver's thread.
//!
//! A source is read again and again, so it has to be a regular file. Anything else (a pipe, a
//! socket, a device) is named by its kind and never read: reading a pipe would take away what
//! somebody else waits for, and might never return.

mod directory;
mod fault;
mod location;
mod reader;

#[cfg(all(test, unix))]
pub(super) mod tests;

pub(super) use directory::{Directory, Found, Kind, user};
#[cfg(all(test, unix))]
pub(super) use fault::Plan;
pub(super) use fault::before;
pub(super) use location::{Location, PathTrouble};
pub(super) use reader::{LARGEST_ENV_FILE, read, read_text};
