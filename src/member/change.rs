//! What is told of a change of the credential lifecycle.

use super::keyring::Name;
use super::named::NamedMembers;
use super::targets::PersistFailure;
use crate::clock::Timestamp;
use crate::error::Failure;
use crate::rotation::{Missing, PhaseName, RotationId, Transition, Why};

/// A change of the credential lifecycle, or something that people should know of it.
#[derive(Debug, Clone)]
pub struct Change {
    /// What happened.
    pub what: What,
    /// The phase before.
    pub from: PhaseName,
    /// The phase after.
    pub to: PhaseName,
    /// The generation after.
    pub generation: u64,
    /// The rotation that it is about.
    pub rotation: Option<RotationId>,
    /// The active credential.
    pub active: Option<Name>,
    /// The credential that is, or was until now, the fallback of an overlap.
    pub previous: Option<Name>,
    /// The credential that is being proved, or was until now.
    pub next: Option<Name>,
    /// The end of the overlap.
    pub retire_not_before: Option<Timestamp>,
    /// The last expiry of any token that was made with the previous one.
    pub safe_to_revoke_at: Option<Timestamp>,
    /// Why there is no clear answer, or why the candidate was given up.
    pub failure: Option<Failure>,
    /// Why the credential was not persisted.
    pub persist_failures: Vec<PersistFailure>,
}

/// What happened to the credential lifecycle.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum What {
    /// A row of the table was taken.
    Moved(Transition, Option<Why>),
    /// A proved candidate waits for somebody else who holds it.
    AwaitsCustody,
    /// The active credential is kept nowhere but in this process.
    NotPersisted,
    /// The overlap is over, and this stands in the way.
    Overdue(Missing, NamedMembers),
    /// A source brought back a credential that has leaked; it is ignored.
    CompromisedIgnored,
}
