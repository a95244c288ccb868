//! An answer as it was received.

use super::body::{Body, BodyReading};
use super::headers::Headers;

/// An answer as it was received.
#[derive(Debug, Clone, Default)]
pub struct TokenResponse {
    /// The HTTP status.
    pub status: u16,
    /// The headers that we use.
    pub headers: Headers,
    /// The part of the body that has arrived.
    pub body: Body,
}

impl TokenResponse {
    /// Whether the body is a complete JSON object, so that nothing of it can be missing.
    pub fn is_whole(&self) -> bool {
        BodyReading::of(&self.body).members().is_some()
    }
}
