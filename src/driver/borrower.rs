//! A signer that signs with the credentials of a manager.

use std::sync::Arc;

use super::signer::Signer;
use crate::signing::LentKeys;

/// A signer, and what it was lent.
pub(super) struct Borrower {
    pub(super) signer: Arc<Signer>,
    pub(super) keys: LentKeys,
}
