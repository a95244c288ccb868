//! A store, a token endpoint, members and the time between them.

mod asks;
mod endpoint;
mod ground;
mod peer;
mod stage;

pub(super) use crate::rotation::tests::verdicts::{refused, rejected, throttled, unclear};
pub(super) use crate::verdict::Verify;
pub(super) use peer::Peer;
pub(super) use stage::{A, B, C, D, HOUR, MINUTE, SECOND, World};
