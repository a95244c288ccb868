//! Entries as they are configured.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

use serde::Deserialize;

use super::reading::Place;
use crate::persist::PersistTarget;
use crate::secret::Secret;

/// An entry as it is configured.
#[derive(Debug, Clone, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct EntrySpec {
    /// The name for people of what it yields.
    #[serde(default)]
    pub label: Option<String>,
    /// It may yield nothing.
    pub optional: bool,
    /// When its credential expires, in milliseconds since 1970. A function may say so itself.
    #[serde(default)]
    pub expires_at: Option<i64>,
    /// Whether environment variables are among its sources.
    #[serde(default)]
    pub has_variables: bool,
    /// Where to write a credential that replaces what it yields.
    #[serde(default)]
    pub persist: Option<PersistTarget>,
    /// Where it comes from.
    pub source: SourceSpec,
}

/// Where a credential comes from.
#[derive(Debug, Clone, Deserialize)]
#[serde(
    tag = "kind",
    rename_all = "camelCase",
    rename_all_fields = "camelCase",
    deny_unknown_fields
)]
pub enum SourceSpec {
    /// Client id and secret, each from its own place.
    Fields {
        /// The client id.
        client_id: Field,
        /// The client secret.
        client_secret: Field,
    },
    /// A key that webhooks are signed with.
    Key {
        /// The key.
        key: Field,
    },
    /// Two files of one directory, read as one.
    Directory {
        /// The directory.
        directory: PathBuf,
        /// The name of the file with the client id.
        client_id: String,
        /// The name of the file with the client secret.
        client_secret: String,
    },
    /// A JavaScript source that yields whole credentials.
    Js {
        /// Its index among the handle's JavaScript sources.
        index: usize,
    },
    /// A source, and another one that takes precedence if it can be read: the file that `persist`
    /// writes may be newer than environment variables. It is never nested.
    Fronted {
        /// Read once, at the start.
        front: Box<SourceSpec>,
        /// Read at the start, and again and again.
        source: Box<SourceSpec>,
    },
}

/// Where one field comes from.
#[derive(Debug, Clone, Deserialize)]
#[serde(tag = "kind", rename_all = "camelCase", deny_unknown_fields)]
pub enum Field {
    /// A value in the options.
    Value {
        /// The value.
        value: Secret,
    },
    /// A file.
    File {
        /// Its path.
        path: PathBuf,
    },
    /// A variable of a dotenv file.
    EnvFile {
        /// The file's path.
        path: PathBuf,
        /// The variable's name.
        variable: String,
    },
    /// A JavaScript source.
    Js {
        /// Its index among the handle's JavaScript sources.
        index: usize,
    },
}

impl SourceSpec {
    /// Splits off the source in front, if there is one.
    pub(super) fn split(self) -> (Option<Self>, Self) {
        match self {
            Self::Fronted { front, source } => (Some(*front), *source),
            other => (None, other),
        }
    }

    /// Returns the files to read. Each is read once, so that two fields from one file fit together.
    pub(super) fn places(&self) -> Vec<Place> {
        match self {
            Self::Fields { client_id, client_secret } => places_of(&[client_id, client_secret]),
            Self::Key { key } => places_of(&[key]),
            Self::Directory { directory, client_id, client_secret } => vec![Place::Directory {
                directory: directory.clone(),
                client_id: client_id.clone(),
                client_secret: client_secret.clone(),
            }],
            Self::Js { .. } => Vec::new(),
            Self::Fronted { front, source } => [front.places(), source.places()].concat(),
        }
    }

    pub(super) fn asks_javascript(&self) -> bool {
        match self {
            Self::Fields { client_id, client_secret } => {
                [client_id, client_secret].iter().any(|field| matches!(field, Field::Js { .. }))
            }
            Self::Key { key } => matches!(key, Field::Js { .. }),
            Self::Directory { .. } => false,
            Self::Js { .. } => true,
            Self::Fronted { front, source } => front.asks_javascript() || source.asks_javascript(),
        }
    }
}

/// The files of these fields, each once.
fn places_of(fields: &[&Field]) -> Vec<Place> {
    let files = fields.iter().filter_map(|field| match field {
        Field::File { path } => Some(Place::File(path.clone())),
        Field::Value { .. } | Field::EnvFile { .. } | Field::Js { .. } => None,
    });
    let mut env_files: BTreeMap<&Path, BTreeSet<String>> = BTreeMap::new();
    for field in fields {
        if let Field::EnvFile { path, variable } = field {
            env_files.entry(path).or_default().insert(variable.clone());
        }
    }
    let env_files = env_files
        .into_iter()
        .map(|(path, variables)| Place::EnvFile { path: path.to_owned(), variables });
    files.chain(env_files).collect()
}
