//! One entry of the list of credentials: where it comes from, what it yields, what it yielded.

use std::collections::HashMap;
use std::path::PathBuf;
use std::sync::Arc;

use serde::Deserialize;

use super::reading::{FileReading, Place, Reading};
use super::{Edge, SourceChange};
use crate::credential::Credential;
use crate::secret::Secret;
use crate::sink::Target;

/// An entry as it is configured.
#[derive(Debug, Clone, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct EntrySpec {
    /// The human's name for what it yields.
    #[serde(default)]
    pub label: Option<String>,
    /// It may yield nothing.
    pub optional: bool,
    /// When what it yields expires, in milliseconds since 1970; a function may say so itself.
    #[serde(default)]
    pub expires_at: Option<i64>,
    /// Environment variables are among what it is read from.
    #[serde(default)]
    pub has_variables: bool,
    /// Where a credential that replaces what it yields is written to.
    #[serde(default)]
    pub persist: Option<Target>,
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
    /// Two fields, each from a place of its own.
    Fields {
        /// The client id.
        client_id: Field,
        /// The client secret.
        client_secret: Field,
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
}

/// Where one field comes from.
#[derive(Debug, Clone, Deserialize)]
#[serde(tag = "kind", rename_all = "camelCase", deny_unknown_fields)]
pub enum Field {
    /// It stands in the options.
    Value {
        /// The value.
        value: Secret,
    },
    /// A file.
    File {
        /// Its path.
        path: PathBuf,
    },
    /// A JavaScript source.
    Js {
        /// Its index among the handle's JavaScript sources.
        index: usize,
    },
}

/// What an entry yields at one moment.
enum Yield {
    Credentials(Vec<Credential>),
    Nothing,
    Failed(String),
    NotYet,
}

/// One field at one moment.
enum Part {
    Text(Secret),
    Nothing,
    Failed(String),
    NotYet,
}

/// An entry and what it has yielded so far.
#[derive(Debug)]
pub(super) struct Entry {
    /// Its position in its owner's list.
    index: usize,
    spec: EntrySpec,
    current: Vec<Arc<Credential>>,
    /// Why it yields nothing at the moment.
    problem: Option<String>,
    was_read: bool,
}

impl Entry {
    pub(super) fn new(index: usize, spec: EntrySpec) -> Self {
        Self { index, spec, current: Vec::new(), problem: None, was_read: false }
    }

    pub(super) fn label(&self) -> Option<&str> {
        self.spec.label.as_deref()
    }

    pub(super) fn spec(&self) -> &EntrySpec {
        &self.spec
    }

    /// What it yields.
    pub(super) fn credentials(&self) -> &[Arc<Credential>] {
        &self.current
    }

    /// Why the configuration is not whole because of it, if it is not.
    pub(super) fn problem(&self) -> Option<&str> {
        if self.current.is_empty() && !self.spec.optional { self.problem.as_deref() } else { None }
    }

    pub(super) fn can_change(&self) -> bool {
        !self.places().is_empty() || self.asks_javascript()
    }

    pub(super) fn asks_javascript(&self) -> bool {
        match &self.spec.source {
            SourceSpec::Fields { client_id, client_secret } => {
                [client_id, client_secret].iter().any(|field| matches!(field, Field::Js { .. }))
            }
            SourceSpec::Directory { .. } => false,
            SourceSpec::Js { .. } => true,
        }
    }

    pub(super) fn places(&self) -> Vec<Place> {
        match &self.spec.source {
            SourceSpec::Fields { client_id, client_secret } => [client_id, client_secret]
                .iter()
                .filter_map(|field| match field {
                    Field::File { path } => Some(Place::File(path.clone())),
                    Field::Value { .. } | Field::Js { .. } => None,
                })
                .collect(),
            SourceSpec::Directory { .. } => self.directory().into_iter().collect(),
            SourceSpec::Js { .. } => Vec::new(),
        }
    }

    fn directory(&self) -> Option<Place> {
        match &self.spec.source {
            SourceSpec::Directory { directory, client_id, client_secret } => {
                Some(Place::Directory {
                    directory: directory.clone(),
                    client_id: client_id.clone(),
                    client_secret: client_secret.clone(),
                })
            }
            SourceSpec::Fields { .. } | SourceSpec::Js { .. } => None,
        }
    }

    /// Whether everything that it consists of was read, or failed to be.
    pub(super) fn has_answer(
        &self,
        files: &HashMap<Place, FileReading>,
        javascript: &[Option<Reading>],
    ) -> bool {
        !matches!(self.yielded(files, javascript), Yield::NotYet)
    }

    /// Takes over what was read; answers what is worth telling.
    pub(super) fn update(
        &mut self,
        files: &HashMap<Place, FileReading>,
        javascript: &[Option<Reading>],
        edges: &mut Vec<Edge>,
    ) -> Option<SourceChange> {
        let first_time = !std::mem::replace(&mut self.was_read, true);
        let (problem, change) = match self.yielded(files, javascript) {
            Yield::Credentials(credentials) => {
                let changed = self.take_over(credentials, first_time, edges);
                self.problem = None;
                return (changed && !first_time).then_some(SourceChange::Changed);
            }
            Yield::Nothing => {
                ("yields nothing (is it empty or not set?)".to_owned(), SourceChange::Emptied)
            }
            Yield::Failed(reason) => (reason.clone(), SourceChange::Unreadable(reason)),
            Yield::NotYet => {
                let reason = "has not answered yet".to_owned();
                (reason.clone(), SourceChange::Unreadable(reason))
            }
        };
        let problem = format!("The source of {} {problem}.", self.described());
        let is_news = self.problem.replace(problem.clone()).as_ref() != Some(&problem);
        let expected = self.spec.optional && first_time;
        (is_news && !expected).then_some(change)
    }

    fn described(&self) -> String {
        match self.label() {
            Some(label) => format!("credentials[{}] (\"{label}\")", self.index),
            None => format!("credentials[{}]", self.index),
        }
    }

    fn take_over(
        &mut self,
        credentials: Vec<Credential>,
        is_start: bool,
        edges: &mut Vec<Edge>,
    ) -> bool {
        let same = self.current.len() == credentials.len()
            && self.current.iter().zip(&credentials).all(|(old, new)| old.is_same_as(new));
        if same {
            return false;
        }
        let knows = |list: &[Arc<Credential>], one: &Credential| {
            list.iter().any(|known| known.is_same_as(one))
        };
        let before = std::mem::take(&mut self.current);
        self.current = credentials
            .into_iter()
            .map(|new| {
                let old = before.iter().find(|old| old.is_same_as(&new));
                old.map_or_else(|| Arc::new(new), Arc::clone)
            })
            .collect();
        for (index, to) in self.current.iter().enumerate() {
            let from = before.get(index).filter(|old| !knows(&self.current, old)).map(Arc::clone);
            // Whoever takes the first one out of a list means the one that is first then.
            if !knows(&before, to) || index == 0 && from.is_some() {
                edges.push(Edge { from, to: Arc::clone(to), is_start });
            }
        }
        true
    }

    fn yielded(
        &self,
        files: &HashMap<Place, FileReading>,
        javascript: &[Option<Reading>],
    ) -> Yield {
        let (label, expires_at) = (self.spec.label.as_ref(), self.spec.expires_at);
        let pair =
            |client_id, client_secret| Self::pair(label, expires_at, client_id, client_secret);
        match &self.spec.source {
            SourceSpec::Fields { client_id, client_secret } => pair(
                Self::part(client_id, files, javascript),
                Self::part(client_secret, files, javascript),
            ),
            SourceSpec::Directory { .. } => {
                match self.directory().and_then(|place| files.get(&place)) {
                    Some(FileReading::Pair(client_id, client_secret)) => {
                        pair(Part::of(client_id.clone()), Part::of(client_secret.clone()))
                    }
                    Some(FileReading::Failed(reason)) => Yield::Failed(reason.clone()),
                    Some(FileReading::Text(_)) | None => Yield::NotYet,
                }
            }
            SourceSpec::Js { index } => match javascript.get(*index).and_then(Option::as_ref) {
                Some(Reading::Credentials { list }) if list.is_empty() => Yield::Nothing,
                Some(Reading::Credentials { list }) => Yield::Credentials(
                    list.iter()
                        .map(|text| {
                            Credential::new(
                                text.label.as_ref().or(label).cloned(),
                                text.client_id.clone(),
                                text.client_secret.clone(),
                            )
                            .expiring(text.expires_at.or(expires_at))
                        })
                        .collect(),
                ),
                Some(Reading::Empty) => Yield::Nothing,
                Some(Reading::Error { message }) => Yield::Failed(message.clone()),
                Some(Reading::Text { .. }) => {
                    Yield::Failed("yields a text where a credential is needed".to_owned())
                }
                None => Yield::NotYet,
            },
        }
    }

    fn part(
        field: &Field,
        files: &HashMap<Place, FileReading>,
        javascript: &[Option<Reading>],
    ) -> Part {
        match field {
            Field::Value { value } => Part::of(value.clone()),
            Field::File { path } => match files.get(&Place::File(path.clone())) {
                Some(FileReading::Text(text)) => Part::of(text.clone()),
                Some(FileReading::Failed(reason)) => Part::Failed(reason.clone()),
                Some(FileReading::Pair(..)) | None => Part::NotYet,
            },
            Field::Js { index } => match javascript.get(*index).and_then(Option::as_ref) {
                Some(Reading::Text { value }) => Part::of(value.clone()),
                Some(Reading::Empty) => Part::Nothing,
                Some(Reading::Error { message }) => Part::Failed(message.clone()),
                Some(Reading::Credentials { .. }) => {
                    Part::Failed("yields a credential where a text is needed".to_owned())
                }
                None => Part::NotYet,
            },
        }
    }

    fn pair(
        label: Option<&String>,
        expires_at: Option<i64>,
        client_id: Part,
        client_secret: Part,
    ) -> Yield {
        match (client_id, client_secret) {
            (Part::Failed(reason), _) | (_, Part::Failed(reason)) => Yield::Failed(reason),
            (Part::NotYet, _) | (_, Part::NotYet) => Yield::NotYet,
            (Part::Nothing, _) | (_, Part::Nothing) => Yield::Nothing,
            (Part::Text(client_id), Part::Text(client_secret)) => {
                let client_id = client_id.expose().to_owned();
                let credential = Credential::new(label.cloned(), client_id, client_secret);
                Yield::Credentials(vec![credential.expiring(expires_at)])
            }
        }
    }
}

impl Part {
    fn of(text: Secret) -> Self {
        match text.expose() {
            "" => Self::Nothing,
            value if value.chars().any(char::is_control) => Self::Failed(
                "holds control characters, which no client id or secret has".to_owned(),
            ),
            _ => Self::Text(text),
        }
    }
}
