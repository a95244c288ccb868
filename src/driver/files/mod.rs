//! Reads files that hold client ids and secrets. It blocks: call it off the driver's thread.
//!
//! A source is read again and again, so it has to be a regular file. What is none (a pipe, a
//! socket, a device) is told by its kind and never read: reading a pipe would take from it what
//! somebody else waits for, and may wait for ever.

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
pub(super) use location::{Location, Trouble};
pub(super) use reader::{LARGEST_ENV_FILE, read, read_text};
