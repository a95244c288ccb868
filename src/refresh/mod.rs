//! The token lifecycle of one logical client, as a machine without clock, randomness or I/O.
//!
//! It decides when a token is fetched, what is handed out, and who is told. With which credential
//! is decided by [`crate::rotation`]: [`RefreshEvent::Offered`] brings it. It does not send
//! requests, wake itself or hold locks: the driver does.

mod admission;
mod attempts;
mod backoff;
mod effect;
mod event;
mod invalidation;
mod lifecycle;
mod round;
mod tally;
mod waiters;

pub use effect::{RefreshEffect, RefreshNotice, Retirement};
pub use event::{Offer, RefreshEvent};
pub use lifecycle::Refresh;
pub use tally::Tally;
pub use waiters::{TokenRefusal, TokenWait, WaiterId};
