//! The native core of `oauth-rotor`: an OAuth 2.0 client-credentials token that is always there.
//!
//! # Layout
//!
//! * The pure core has no clock, no randomness, no I/O and no async: [`refresh`] decides when a
//!   token is fetched and who is told, [`rotation`] with which credential; [`member`] puts both
//!   together, over what a [`store`] shares; [`source`] follows configured credentials, [`sink`] says
//!   what a file becomes that one is written back to; [`client`] turns a request into bytes and an
//!   answer into a [`verdict`].
//! * [`wiping`] leaves no secret behind in memory that is given back.
//! * `driver` (feature `io`) performs what the core decided, on a thread of its own.
//! * `binding` (feature `node`) converts between Node-API and the driver, and decides nothing.

#![cfg_attr(test, expect(clippy::float_cmp, reason = "tests compare exact figures"))]

pub mod api;
pub mod client;
pub mod clock;
pub mod credential;
pub mod error;
pub mod local_time;
pub mod member;
pub mod policy;
pub mod provider;
pub mod redaction;
pub mod refresh;
pub mod rotation;
pub mod secret;
pub mod sink;
pub mod source;
pub mod store;
pub mod time_zone;
pub mod token;
pub mod verdict;
pub mod wiping;

#[cfg(feature = "io")]
pub mod driver;

#[cfg(feature = "node")]
mod binding;

/// Of everything in the addon; Node's own memory is another allocator's.
#[cfg(feature = "node")]
#[global_allocator]
static MEMORY: wiping::Wiping<std::alloc::System> = wiping::Wiping(std::alloc::System);
