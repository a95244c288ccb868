//! One member of a fleet, or the only one: what it holds, knows and asks for.
//!
//! It puts the two lifecycles together. [`crate::refresh`] decides when a token is fetched and who
//! is told; [`crate::rotation`] decides with which credential, and what becomes of the record.
//! Every answer of the token endpoint is told to both: first it is noted of the credential, then of
//! the token.
//!
//! Pure: no clock, no randomness, no I/O. The driver performs the effects in their order and
//! reports.

// What it is told and what it wants.
mod chance;
mod change;
mod effect;
mod event;
mod named;
mod snapshot;
mod waiting;

// Its parts, each of which owns its rules.
mod calls;
mod credentials;
mod deletions;
mod item;
mod keyring;
mod laggards;
mod lease;
mod membership;
mod operations;
mod rotations;
mod shared;
mod standing;
mod store_clock;
mod targets;
mod tokens;
mod trials;
mod work;

// The member, and how it may be looked at.
mod parts;
mod report;
mod roster;

// Its step, and what it does in it.
mod answers;
mod asks;
mod descent;
mod files;
mod inquiries;
mod leasing;
mod naming;
mod notices;
mod offer;
mod outage;
mod outlook;
mod persist;
mod presence;
mod progress;
mod step;
mod storage;
mod unknown;

#[cfg(test)]
mod tests;

pub use crate::rotation::{About, Moved, Persisted, Request, Rotate, RotationId, Why};
pub use chance::Chance;
pub use change::{Change, What};
pub use effect::{Answer, Denial, MemberEffect, MemberNotice, Reason};
pub use event::{Ask, Candidate, MemberEvent, Until};
pub use keyring::Name;
pub use named::NamedMembers;
pub use parts::Member;
pub use snapshot::{Progress, RotationSnapshot};
pub use standing::{CredentialStanding, CredentialState};
pub use targets::{Custody, PersistFailure};
pub use waiting::{WaitCode, Waiting, WaitsOn};
