//! Keeps what the members of a logical client share, and compares versions so that it stays
//! consistent.
//!
//! A store keeps the record of the credential lifecycle and the token. Beside them it keeps
//! volatile data: the lease, the member table, rejections and the cool-down. It decides nothing:
//! [`crate::rotation`] decides which write is due, and [`crate::refresh`] when a token is fetched.
//! A store guarantees atomicity, has its own time, and forgets what has expired.
//!
//! [`MemoryStore`] is shared within a process. `contract` is the test suite that every store
//! passes.

mod beat;
mod interface;
mod lease;
mod memory;
mod operation;
mod snapshot;
mod token;

#[cfg(test)]
pub(crate) mod contract;

pub use beat::{Beat, Pulse};
pub use interface::{Hint, Hints, Store};
pub use lease::{LEASE_TTL, Lease};
pub use memory::{MemoryHints, MemoryStore};
pub use operation::{Operation, Reply, Unavailable, Written};
pub use snapshot::{REJECTIONS_TTL, StoreSnapshot};
pub use token::{Fresh, TokenEntry, TokenWrite};
