//! What an answer from the token endpoint means (RFC 6749 §5, and how servers deviate from it).

mod account;
mod answer;
mod body;
mod codes;
mod headers;
mod judge;
mod members;

#[cfg(test)]
mod properties;
#[cfg(test)]
mod tests;

pub use account::address;
pub use answer::TokenResponse;
pub use body::{Body, LARGEST_BODY};
pub use headers::Headers;
pub use judge::judge;
