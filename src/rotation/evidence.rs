//! What an accepted answer says of its credential.

use std::sync::Arc;

use crate::clock::StoreTime;
use crate::verdict::Verify;

/// What an accepted answer says of its credential. The token itself is not looked at.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Evidence {
    /// When the token expires.
    pub expires_at: StoreTime,
    /// When its soft window begins.
    pub soft_at: StoreTime,
    /// The granted scope, where the endpoint named it.
    pub scope: Option<Arc<str>>,
    /// What the request with this token brought, where a caller wants one.
    pub verify: Option<Verify>,
}
