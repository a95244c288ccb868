//! Describes where tokens come from: the endpoint, how a client authenticates, and what it asks
//! for.

mod endpoint;
pub mod genesys;

pub use endpoint::{ClientAuth, Endpoint};
