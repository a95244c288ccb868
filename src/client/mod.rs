//! Sends one request to the token endpoint and says what the answer means.
//!
//! `request`, `response`, `retry_after` and `no_proxy` are pure. The others (feature `io`) move the
//! bytes. Nothing here retries: the refresh machine decides when to.

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
mod story;
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
