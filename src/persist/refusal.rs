//! Why a text is not persisted.

use super::dialect::is_separator;
use crate::secret::Secret;

/// Why a text cannot be written. The reason stays until somebody changes the file, the
/// configuration or the credential.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum PersistRefusal {
    /// dotenv would not read the name as a variable.
    #[error("\"{0}\" is not a variable that dotenv reads")]
    Name(String),
    /// One variable cannot hold both client id and client secret.
    #[error("client id and client secret would go to the same variable \"{0}\"")]
    SameName(String),
    /// Whoever reads the secret there would take it for another client's.
    #[error(
        "the file holds only a secret, and the new secret belongs to the client \"{new}\" instead of \"{expected}\", \
         which the file cannot say. Write client id and secret, with envFile(path, {{ clientId, clientSecret }}) or \
         a function"
    )]
    OtherClient {
        /// The client whose secrets the target holds.
        expected: String,
        /// The client whose secret was to be written.
        new: String,
    },
    /// The value would break the line, or the terminal of somebody who looks at the file.
    #[error("the new value of {0} contains a control character")]
    ControlCharacter(String),
    /// A shell that sources the file would change the value, or run a part of it.
    #[error(
        "no quotes carry the new value of {0} through dotenv, Node.js and a shell, which might run a part of it. Keep \
         the secret in a file of its own, by secretFile(path), or by a function; or have another one made"
    )]
    Unquotable(String),
    /// The value would stand where a shell is already inside other quotes.
    #[error(
        "a quote further up changes what a shell takes for the quotes around the new value of {0}, so the shell \
         might run a part of it. Put quotes around each value above that contains a quote, or keep the secret in a \
         file of its own, with secretFile(path)"
    )]
    Exposed(String),
    /// For some reader, the change would change other variables, too: because of an unbalanced
    /// quote, for example.
    #[error("dotenv and Node.js read the file differently, so {0} cannot be changed safely")]
    Ambiguous(String),
}

/// Refuses control characters. They include Unicode's line separators, at which JavaScript's
/// regular expressions stop.
pub(super) fn check_characters(name: &str, value: &Secret) -> Result<(), PersistRefusal> {
    let is_control = |c: char| c.is_control() || is_separator(c);
    if value.expose().contains(is_control) {
        return Err(PersistRefusal::ControlCharacter(name.to_owned()));
    }
    Ok(())
}
