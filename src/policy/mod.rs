//! The rules about time: when a token is refreshed, how long somebody waits, when people are
//! warned.
//!
//! Pure: the present is a parameter.

pub mod expiring;
pub mod patience;
pub mod pulse;
mod schedule;
pub mod work;

#[cfg(test)]
pub(crate) use schedule::tests;
pub use schedule::{Policy, Schedule};
