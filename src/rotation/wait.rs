//! What an open rotation waits for.

use super::missing::Missing;
use crate::clock::StoreTime;
use crate::credential::CredentialId;

/// Something that an open rotation waits for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Wait {
    /// The endpoint has to accept this credential.
    Proof(CredentialId),
    /// Something beyond this process has to keep the candidate.
    Custody,
    /// The previous credential cannot be retired yet.
    Retirement(Missing),
    /// The overlap goes on until then.
    Time(StoreTime),
}
