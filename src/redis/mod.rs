//! A store in Redis, or in Valkey, which the members of a fleet share.
//!
//! Every operation is one run of `script.lua`, so it is atomic, costs one round trip, and decides
//! by the server's own time. What the script compares, it compares as
//! [`Write::admit`](crate::rotation::Write::admit) and
//! [`admit_token`](crate::rotation::admit_token) do; one test suite holds all stores together.

mod address;
mod arguments;
mod connection;
mod connections;
mod fault;
mod hints;
mod keys;
mod patience;
mod replies;
mod script;
mod server;
mod store;
mod subscription;

// Its servers listen on sockets, and are frozen by signals.
#[cfg(all(test, unix))]
pub(crate) mod tests;

pub use address::Address;
pub use connections::{Connections, WeakConnections};
pub use hints::RedisHints;
pub use keys::Keys;
pub use server::{Server, Topology};
pub use store::RedisStore;
