//! What an error says of the connection that it came on.

use redis::{ErrorKind, RedisError, ServerErrorKind};

use super::address::Address;
use crate::store::Unavailable;

/// Why a command has no reply.
#[derive(Debug)]
pub(super) enum CommandFailure {
    /// Another node of the cluster has the keys.
    Elsewhere(Address),
    /// Whether it took place is unknown.
    Unavailable(Unavailable),
}

impl From<Unavailable> for CommandFailure {
    fn from(unavailable: Unavailable) -> Self {
        Self::Unavailable(unavailable)
    }
}

impl CommandFailure {
    /// What an error of the server at that address means.
    ///
    /// While keys are being moved one by one (`ASK`), neither node performs a script that uses
    /// several: it is tried again later, like all that fails.
    pub(super) fn of(error: &RedisError, server: &Address) -> Self {
        let has_moved = error.kind() == ErrorKind::Server(ServerErrorKind::Moved);
        let told = error.redirect_node().filter(|_| has_moved);
        let told = told.and_then(|(node, _)| node.rsplit_once(':'));
        let told = told.and_then(|(host, port)| Some((host, port.parse().ok()?)));
        match (told, server) {
            // A node that does not know its own name leaves it out.
            (Some(("" | "?", port)), Address::Tcp { host, .. }) => {
                Self::Elsewhere(Address::Tcp { host: host.clone(), port })
            }
            (Some((host, port)), _) => {
                Self::Elsewhere(Address::Tcp { host: host.to_owned(), port })
            }
            (None, _) => Self::Unavailable(unavailable(error)),
        }
    }
}

/// Whether a connection is of no use any more, so that another one is opened.
///
/// A server that was demoted stays connected and refuses every write; one whose password was changed
/// may refuse everything; a node of a cluster may have been forgotten by the others.
pub(super) fn ends_connection(error: &RedisError) -> bool {
    match error.kind() {
        ErrorKind::Io
        | ErrorKind::Parse
        | ErrorKind::AuthenticationFailed
        | ErrorKind::Server(
            ServerErrorKind::ReadOnly | ServerErrorKind::MasterDown | ServerErrorKind::ClusterDown,
        ) => true,
        // Redis before 7.0 packs the error of a command in that of the script.
        ErrorKind::Server(ServerErrorKind::ResponseError) => {
            let story = error.to_string();
            ["-READONLY ", "-MASTERDOWN "].iter().any(|code| story.contains(code))
        }
        _ => error.is_connection_dropped() || matches!(error.code(), Some("NOAUTH" | "WRONGPASS")),
    }
}

/// What a server said, or why it could not be reached.
pub(super) fn unavailable(error: &RedisError) -> Unavailable {
    Unavailable { reason: error.to_string() }
}
