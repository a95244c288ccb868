//! An answer as it came.

use super::body::{Body, BodyReading};
use super::headers::Headers;

/// An answer as it came.
#[derive(Debug, Clone, Default)]
pub struct TokenResponse {
    /// The HTTP status.
    pub status: u16,
    /// The headers that count.
    pub headers: Headers,
    /// The body, so far as it came.
    pub body: Body,
}

impl TokenResponse {
    /// Whether the body is a whole JSON object, so that nothing of it can be missing.
    pub fn is_whole(&self) -> bool {
        BodyReading::of(&self.body).members().is_some()
    }
}
