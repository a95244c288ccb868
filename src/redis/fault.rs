//! What an error says of the connection that it came on.

use redis::{ErrorKind, RedisError, ServerErrorKind};

use crate::store::Unavailable;

/// Whether a connection is of no use any more, so that another one is opened.
///
/// A server that was demoted stays connected and refuses every write; one whose password was changed
/// may refuse everything.
pub(super) fn ends_connection(error: &RedisError) -> bool {
    match error.kind() {
        ErrorKind::Io
        | ErrorKind::Parse
        | ErrorKind::AuthenticationFailed
        | ErrorKind::Server(ServerErrorKind::ReadOnly | ServerErrorKind::MasterDown) => true,
        _ => error.is_connection_dropped() || matches!(error.code(), Some("NOAUTH" | "WRONGPASS")),
    }
}

/// What a server said, or why it could not be reached.
pub(super) fn unavailable(error: &RedisError) -> Unavailable {
    Unavailable { reason: error.to_string() }
}
