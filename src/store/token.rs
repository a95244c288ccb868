//! The shared token: as it is stored, and as it is written.

use crate::clock::StoreTime;
use crate::credential::CredentialId;
use crate::rotation::Token;
use crate::secret::Secret;
use crate::token::TokenId;

/// The shared token.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TokenEntry {
    /// Which one it is.
    pub id: TokenId,
    /// The token.
    pub text: Secret,
    /// The credential that it was made with.
    pub credential: CredentialId,
    /// The generation of the record under which it was made.
    pub generation: u64,
    /// The number of the token. It grows by one with every token.
    pub serial: u64,
    /// When its lifetime began.
    pub issued_at: StoreTime,
    /// When it expires.
    pub expires_at: StoreTime,
}

impl From<&TokenEntry> for Token {
    fn from(entry: &TokenEntry) -> Self {
        Self {
            id: entry.id,
            credential: entry.credential,
            generation: entry.generation,
            serial: entry.serial,
            expires_at: entry.expires_at,
        }
    }
}

/// The token that comes with a write of the record. The record says the rest about it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Fresh {
    /// Which one it is.
    pub id: TokenId,
    /// The token.
    pub text: Secret,
    /// When its lifetime began.
    pub issued_at: StoreTime,
}

/// A token to store.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TokenWrite {
    /// Which one it is.
    pub id: TokenId,
    /// The token.
    pub text: Secret,
    /// The credential that it was made with.
    pub credential: CredentialId,
    /// The generation of the record that was read before it was fetched.
    pub generation: u64,
    /// When its lifetime began.
    pub issued_at: StoreTime,
    /// When it expires.
    pub expires_at: StoreTime,
    /// The [`StoreSnapshot::serial`](super::StoreSnapshot::serial) that was read before it was
    /// fetched.
    pub read: u64,
}
