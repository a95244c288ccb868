//! An answer as it came.

use super::body::{Body, Reading};
use super::headers::Headers;

/// An answer as it came.
#[derive(Debug, Clone, Default)]
pub struct Answer {
    /// The HTTP status.
    pub status: u16,
    /// The headers that count.
    pub headers: Headers,
    /// The body, so far as it came.
    pub body: Body,
}

impl Answer {
    /// Whether the body is a whole JSON object, so that nothing of it can be missing.
    pub fn is_whole(&self) -> bool {
        Reading::of(&self.body).members().is_some()
    }
}
