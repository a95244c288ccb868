//! What the driver needs of a handle's environment.

use crate::api::Message;

/// One JavaScript environment: the main thread, a worker, or a realm in either.
pub trait Listener: Send + Sync + 'static {
    /// Tells environments apart.
    fn id(&self) -> u64;

    /// Passes a message on. It must not block, and may lose the message when the environment ends.
    fn tell(&self, message: &Message);
}

/// The shared word of one handle: the stamp of the token that is handed out.
pub trait Word: Send + Sync + 'static {
    /// Stores a stamp; [`NO_TOKEN`] says that none is handed out.
    fn store(&self, stamp: i32);
}

/// The stamp that stands for no token; no token ever has it.
pub const NO_TOKEN: i32 = 0;
