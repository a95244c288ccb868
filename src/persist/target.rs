//! Where a credential is persisted to.

use std::path::{Path, PathBuf};

use serde::Deserialize;

use super::refusal::PersistRefusal;
use crate::credential::Credential;

/// Where the credential of an entry is persisted to, as configured.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(
    tag = "kind",
    rename_all = "camelCase",
    rename_all_fields = "camelCase",
    deny_unknown_fields
)]
pub enum PersistTarget {
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

impl PersistTarget {
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
    pub fn admit(&self, credential: &Credential) -> Result<(), PersistRefusal> {
        let (Self::EnvFile { client_id: None, of_client, .. } | Self::SecretFile { of_client, .. }) =
            self
        else {
            return Ok(());
        };
        match of_client {
            Some(of_client) if *of_client != credential.client_id => {
                Err(PersistRefusal::OtherClient {
                    expected: of_client.clone(),
                    new: credential.client_id.clone(),
                })
            }
            _ => Ok(()),
        }
    }
}
