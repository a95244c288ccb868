//! What a credential is to a record.

use serde::{Deserialize, Serialize};

use crate::credential::CredentialId;

/// The role that a staged credential had.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum Former {
    /// The record did not know it.
    Unknown,
    /// See [`Record::standby`](super::Record::standby).
    Standby,
    /// See [`Record::quarantined`](super::Record::quarantined).
    Quarantined(Quarantined),
    /// See [`Record::retired`](super::Record::retired).
    Retired(Retired),
}

/// A credential that was rejected while another one was accepted.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Quarantined {
    /// The credential.
    pub credential: CredentialId,
    /// Whether it was active once; then it comes back as a standby only.
    pub was_active: bool,
}

/// A credential that is not presented again.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Retired {
    /// The credential.
    pub credential: CredentialId,
    /// It has leaked: only an explicit rotation brings it back.
    pub compromised: bool,
}

/// What a credential is to a record.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Role {
    /// Tokens are fetched with it.
    Active,
    /// It is being proved.
    Next,
    /// It was active, and the overlap is open.
    Previous,
    /// A fallback.
    Standby,
    /// Rejected while another one was accepted.
    Quarantined,
    /// The candidate after this rotation.
    Waiting,
    /// It was active, and is not presented again.
    Retired,
    /// The record has never seen it.
    Unknown,
}
