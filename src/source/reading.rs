//! What was read from a source.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

use serde::Deserialize;

use crate::persist::dotenv::Variable;
use crate::secret::Secret;

/// A file, or a directory whose files belong together.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Place {
    /// A file that holds one value.
    File(PathBuf),
    /// A directory that holds client id and secret, read as one.
    Directory {
        /// The directory, such as a mounted Kubernetes secret.
        directory: PathBuf,
        /// The name of the file with the client id.
        client_id: String,
        /// The name of the file with the client secret.
        client_secret: String,
    },
    /// Variables of a dotenv file, read as one.
    EnvFile {
        /// The file.
        path: PathBuf,
        /// The variables' names.
        variables: BTreeSet<String>,
    },
}

impl Place {
    /// The file or directory.
    pub fn path(&self) -> &Path {
        match self {
            Self::File(path) | Self::EnvFile { path, .. } => path,
            Self::Directory { directory, .. } => directory,
        }
    }
}

/// What a [`Place`] held.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum FileReading {
    /// The text of the file.
    Text(Secret),
    /// The texts of a directory's two files, from one version of the directory.
    Pair(Secret, Secret),
    /// Those of the wanted variables that the dotenv file has.
    Variables(BTreeMap<String, Variable>),
    /// Why the place could not be read.
    Failed(String),
}

/// What a source in JavaScript yielded.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(tag = "kind", rename_all = "camelCase", deny_unknown_fields)]
pub enum Reading {
    /// One value.
    Text {
        /// The value.
        value: Secret,
    },
    /// Whole credentials.
    Credentials {
        /// The credentials, in order.
        list: Vec<CredentialText>,
    },
    /// The source yields nothing.
    Empty,
    /// The source failed.
    Error {
        /// Why, without the text of the error, which may hold a secret.
        message: String,
    },
}

/// A credential as a callback returns it.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct CredentialText {
    /// Its name for people.
    #[serde(default)]
    pub label: Option<String>,
    /// The OAuth client id.
    pub client_id: String,
    /// The OAuth client secret.
    pub client_secret: Secret,
    /// When it expires, in milliseconds since 1970.
    #[serde(default)]
    pub expires_at: Option<i64>,
}
