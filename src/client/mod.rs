//! One request to the token endpoint, and what its answer means.
//!
//! `request`, `response` and `retry_after` are pure; `http`, `transport` and `roots` (feature `io`)
//! move the bytes. Retries are not made here: the refresh machine decides about those.

pub mod request;
pub mod response;
pub mod retry_after;

#[cfg(feature = "io")]
mod http;
#[cfg(feature = "io")]
mod roots;
#[cfg(feature = "io")]
mod transport;

#[cfg(feature = "io")]
pub use http::{Attempt, HttpClient};
#[cfg(feature = "io")]
pub use transport::{InvalidTransport, Transport};
