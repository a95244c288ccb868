//! One request to the token endpoint, and what its answer means.
//!
//! `request`, `response`, `retry_after` and `no_proxy` are pure; the others (feature `io`) move the
//! bytes. Retries are not made here: the refresh machine decides about those.

pub mod headers;
pub mod no_proxy;
pub mod request;
pub mod response;
pub mod retry_after;

#[cfg(feature = "io")]
mod http;
#[cfg(feature = "io")]
mod resolver;
#[cfg(feature = "io")]
mod roots;
#[cfg(feature = "io")]
mod tls;
#[cfg(feature = "io")]
mod transport;
#[cfg(feature = "io")]
mod trouble;
#[cfg(feature = "io")]
mod trust;

#[cfg(feature = "io")]
pub use http::{Attempt, HttpClient};
#[cfg(feature = "io")]
pub use transport::{InvalidTransport, Transport};
