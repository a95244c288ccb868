//! The native core of `oauth-rotor`: an OAuth 2.0 client-credentials token that is always there.
//!
//! # Layout
//!
//! * The pure core has no clock, no randomness, no I/O and no async. [`refresh`] decides when a
//!   token is fetched and who is told, and [`rotation`] decides with which credential. [`member`]
//!   combines both, on top of what a [`store`] shares. [`source`] follows the configured
//!   credentials. [`persist`] computes the new text of a file that a credential is persisted to.
//!   [`client`] turns a request into bytes, and an answer into a [`verdict`].
//! * [`webhook`] signs and verifies webhooks; [`signing`] decides with which keys.
//! * [`wiping`] wipes memory before it is freed, so that no secret stays behind.
//! * [`api`] is what JavaScript sees: shapes, the functions that make them, sentences for people.
//! * `driver` (feature `io`) performs what the core decides, on a thread of its own.
//! * `binding` (feature `node`) converts between Node-API and the driver. It decides nothing.

#![cfg_attr(test, expect(clippy::float_cmp, reason = "tests compare exact figures"))]

pub mod api;
pub mod client;
pub mod clock;
pub mod credential;
pub mod error;
pub mod local_time;
pub mod member;
pub mod persist;
pub mod policy;
pub mod provider;
pub mod redaction;
pub mod refresh;
pub mod rotation;
pub mod secret;
pub mod signing;
pub mod source;
pub mod store;
pub mod time_zone;
pub mod token;
pub mod verdict;
pub mod webhook;
pub mod wiping;

#[cfg(feature = "io")]
pub mod driver;
#[cfg(feature = "io")]
pub mod redis;

#[cfg(feature = "node")]
mod binding;

/// The allocator of everything in the addon. Node's own memory has another one.
#[cfg(feature = "node")]
#[global_allocator]
static MEMORY: wiping::Wiping<std::alloc::System> = wiping::Wiping(std::alloc::System);
