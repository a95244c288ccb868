//! Says where a promoted credential is written back to, computes the new text of a file, and reads
//! dotenv files.
//!
//! Nothing here opens a file. `driver::sinks` does that.

mod dialect;
pub mod dotenv;
mod shell;
#[cfg(test)]
mod tests;

use std::path::{Path, PathBuf};

use serde::Deserialize;

use crate::credential::Credential;
use crate::secret::Secret;

/// Where the credential of an entry is written back to, as configured.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(
    tag = "kind",
    rename_all = "camelCase",
    rename_all_fields = "camelCase",
    deny_unknown_fields
)]
pub enum Target {
    /// One or two variables of a dotenv file.
    EnvFile {
        /// The file.
        path: PathBuf,
        /// The variable of the client id; `None` if the file holds only the secret.
        #[serde(default)]
        client_id: Option<String>,
        /// The variable of the client secret.
        client_secret: String,
        /// The client whose secret the file can hold, if the file does not name the client itself.
        #[serde(skip)]
        of_client: Option<String>,
    },
    /// A file whose whole text is the secret.
    SecretFile {
        /// The file.
        path: PathBuf,
        /// The client whose secret the file can hold.
        #[serde(skip)]
        of_client: Option<String>,
    },
    /// A function in JavaScript.
    Js {
        /// The index among the handle's functions.
        index: usize,
    },
}

impl Target {
    /// The file, if the target is one.
    pub fn path(&self) -> Option<&Path> {
        match self {
            Self::EnvFile { path, .. } | Self::SecretFile { path, .. } => Some(path),
            Self::Js { .. } => None,
        }
    }

    /// The same target, in an entry with this client id.
    #[must_use]
    pub fn of_client(mut self, client_id: Option<&str>) -> Self {
        match &mut self {
            Self::EnvFile { client_id: None, of_client, .. }
            | Self::SecretFile { of_client, .. } => *of_client = client_id.map(str::to_owned),
            Self::EnvFile { .. } | Self::Js { .. } => {}
        }
        self
    }

    /// Checks that the target can hold the credential.
    ///
    /// # Errors
    /// If whoever reads the secret there would take it for another client's.
    pub fn admit(&self, credential: &Credential) -> Result<(), Refusal> {
        let (Self::EnvFile { client_id: None, of_client, .. } | Self::SecretFile { of_client, .. }) =
            self
        else {
            return Ok(());
        };
        match of_client {
            Some(of_client) if *of_client != credential.client_id => Err(Refusal::OtherClient {
                expected: of_client.clone(),
                new: credential.client_id.clone(),
            }),
            _ => Ok(()),
        }
    }
}

/// Why a text cannot be written. The reason stays until somebody changes the file, the
/// configuration or the credential.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Refusal {
    /// dotenv would not read the name as a variable.
    #[error("\"{0}\" is not a variable that dotenv reads")]
    Name(String),
    /// One variable cannot hold both client id and client secret.
    #[error("client id and client secret would go to the same variable \"{0}\"")]
    SameName(String),
    /// Whoever reads the secret there would take it for another client's.
    #[error(
        "only the secret is written there, and the new one is of the client \"{new}\" instead of \"{expected}\": \
         the file could not say so. Write client id and secret, by envFile(path, {{ clientId, clientSecret }}) or a function"
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
        "because of a quote further up a shell would not take those around the new value of {0} for quotes, and might \
         run a part of it. Put quotes around the values above that have a quote in them, or keep the secret in a \
         file of its own, by secretFile(path)"
    )]
    Exposed(String),
    /// For some reader, the change would change other variables, too: because of an unbalanced
    /// quote, for example.
    #[error(
        "the file is written so that dotenv and Node.js read it differently, and {0} cannot be changed safely"
    )]
    Ambiguous(String),
}

/// The new text of a file that holds only a secret; `None` if it holds this secret already.
///
/// A line break at the end is not part of the secret, and stays.
///
/// # Errors
/// If the secret contains control characters.
pub fn secret_file(text: &str, secret: &Secret) -> Result<Option<Secret>, Refusal> {
    check("the secret", secret)?;
    let line_break = ["\r\n", "\n"].into_iter().find(|line_break| text.ends_with(line_break));
    let new = Secret::new([secret.expose(), line_break.unwrap_or("")].concat());
    Ok((new.expose() != text).then_some(new))
}

/// Refuses control characters. They include Unicode's line separators, at which JavaScript's
/// regular expressions stop.
fn check(name: &str, value: &Secret) -> Result<(), Refusal> {
    let is_control = |c: char| c.is_control() || dialect::is_separator(c);
    if value.expose().contains(is_control) {
        return Err(Refusal::ControlCharacter(name.to_owned()));
    }
    Ok(())
}
