//! Configured credentials and keys, and how they change.
//!
//! Pure: this module says what to read and is told what was read. The driver reads files, the
//! facade reads JavaScript's own sources (environment variables, callbacks).

mod configured;
mod entry;
mod flaw;
mod group;
mod pace;
mod reading;
mod round;
mod sources;
mod spec;
mod state;
mod throttle;
mod yields;

#[cfg(test)]
mod tests;

pub use configured::{Configured, Edge, EntryPlace, Owner, Yielded};
pub use pace::Extent;
pub use reading::{CredentialText, FileReading, Place, Reading};
pub use round::Requests;
pub use sources::Sources;
pub use spec::{EntrySpec, Field, SourceSpec};
pub use state::{SourceChange, SourceNotice, SourceProblem, SourceState, Throttled};
