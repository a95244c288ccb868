//! What a source yields, from everything that was read.

use std::collections::HashMap;
use std::path::Path;

use super::flaw::Flaw;
use super::reading::{FileReading, Place, Reading};
use super::spec::{EntrySpec, Field, SourceSpec};
use crate::credential::Credential;
use crate::persist::dotenv::Variable;
use crate::secret::Secret;

/// What was read so far.
#[derive(Clone, Copy)]
pub(super) struct Readings<'a> {
    pub(super) files: &'a HashMap<Place, FileReading>,
    pub(super) javascript: &'a [Option<Reading>],
}

/// What a source yields at one moment.
pub(super) enum Yield {
    Credentials(Vec<Credential>),
    /// Nothing, for this reason.
    Nothing(String),
    Failed(String),
    /// What is still awaited.
    NotYet(String),
}

/// One field at one moment.
enum Part {
    Text(Secret),
    Nothing(String),
    Failed(String),
    NotYet(String),
}

/// Describes a JavaScript source that yields nothing.
const EMPTY: &str = "yields nothing (is it empty or not set?)";

/// Describes a source that is still silent.
const SILENT: &str = "has not been read yet";

/// Describes a function that is still silent.
const UNRETURNED: &str = "has not been read yet: its function has not returned";

impl Readings<'_> {
    /// Returns what this source of the entry yields.
    pub(super) fn of(self, source: &SourceSpec, entry: &EntrySpec) -> Yield {
        let pair = |client_id, client_secret| pair(entry, client_id, client_secret);
        match source {
            SourceSpec::Fields { client_id, client_secret } => {
                let places = source.places();
                pair(
                    self.part(client_id, CLIENT_ID, &places),
                    self.part(client_secret, CLIENT_SECRET, &places),
                )
            }
            SourceSpec::Key { key } => {
                // A key has no client.
                let nobody = Part::Text(Secret::new(""));
                pair(nobody, self.part(key, KEY, &source.places()))
            }
            SourceSpec::Directory { directory, client_id, client_secret } => {
                let place = source.places().into_iter().find_map(|place| self.files.get(&place));
                let file = |name: &str| file(&directory.join(name));
                match place {
                    Some(FileReading::Pair(id, secret)) => pair(
                        Part::of(id, CLIENT_ID, Some(&file(client_id))),
                        Part::of(secret, CLIENT_SECRET, Some(&file(client_secret))),
                    ),
                    Some(FileReading::Failed(reason)) => Yield::Failed(reason.clone()),
                    _ => Yield::NotYet(silent(&format!("the directory {}", directory.display()))),
                }
            }
            SourceSpec::Js { index } => match self.javascript(*index) {
                Some(Reading::Credentials { list }) if !list.is_empty() => {
                    let described =
                        |label: Option<&String>| label.or(entry.label.as_ref()).cloned();
                    let credentials = list.iter().map(|text| {
                        let (id, secret) = (text.client_id.clone(), text.client_secret.clone());
                        Credential::new(described(text.label.as_ref()), id, secret)
                            .expiring(text.expires_at.or(entry.expires_at))
                    });
                    Yield::Credentials(credentials.collect())
                }
                Some(Reading::Credentials { .. } | Reading::Empty) => {
                    Yield::Nothing(EMPTY.to_owned())
                }
                Some(Reading::Error { message }) => Yield::Failed(message.clone()),
                Some(Reading::Text { .. }) => {
                    Yield::Failed("yields a text where a credential is needed".to_owned())
                }
                None => Yield::NotYet(UNRETURNED.to_owned()),
            },
            SourceSpec::Fronted { source, .. } => self.of(source, entry),
        }
    }

    fn part(self, field: &Field, what: &str, places: &[Place]) -> Part {
        match field {
            Field::Value { value } => Part::of(value, what, None),
            Field::File { path } => match self.files.get(&Place::File(path.clone())) {
                Some(FileReading::Text(text)) => Part::of(text, what, Some(&file(path))),
                Some(FileReading::Failed(reason)) => Part::Failed(reason.clone()),
                _ => Part::NotYet(silent(&file(path))),
            },
            Field::EnvFile { path, variable } => {
                let is_it =
                    |place: &&Place| matches!(place, Place::EnvFile { path: of, .. } if of == path);
                match places.iter().find(is_it).and_then(|place| self.files.get(place)) {
                    Some(FileReading::Variables(variables)) => {
                        let from = format!("the variable {variable} of {}", file(path));
                        match variables.get(variable) {
                            Some(Variable::Value(value)) => Part::of(value, what, Some(&from)),
                            Some(Variable::Ambiguous) => Part::Failed(format!(
                                "could not be read: dotenv and Node.js read {from} differently; \
                                 write it on a line of its own, as {variable}='…'"
                            )),
                            None => Part::Nothing(format!(
                                "yields nothing ({from} is empty or not set)"
                            )),
                        }
                    }
                    Some(FileReading::Failed(reason)) => Part::Failed(reason.clone()),
                    _ => Part::NotYet(silent(&file(path))),
                }
            }
            Field::Js { index } => match self.javascript(*index) {
                Some(Reading::Text { value }) => Part::of(value, what, None),
                Some(Reading::Empty) => Part::Nothing(EMPTY.to_owned()),
                Some(Reading::Error { message }) => Part::Failed(message.clone()),
                Some(Reading::Credentials { .. }) => {
                    Part::Failed("yields a credential where a text is needed".to_owned())
                }
                None => Part::NotYet(UNRETURNED.to_owned()),
            },
        }
    }

    fn javascript(&self, index: usize) -> Option<&Reading> {
        self.javascript.get(index).and_then(Option::as_ref)
    }
}

const CLIENT_ID: &str = "client id";
const CLIENT_SECRET: &str = "client secret";
const KEY: &str = "key";

fn file(path: &Path) -> String {
    format!("the file {}", path.display())
}

fn silent(what: &str) -> String {
    format!("{SILENT} ({what} is still being read)")
}

impl Part {
    /// Returns the text, unless it cannot be what it is for. The reason never repeats the text.
    fn of(text: &Secret, what: &str, from: Option<&str>) -> Self {
        if text.expose().is_empty() {
            return Self::Nothing(from.map_or_else(
                || EMPTY.to_owned(),
                |from| format!("yields nothing ({from} is empty)"),
            ));
        }
        let Some(flaw) = Flaw::of(text.expose()) else { return Self::Text(text.clone()) };
        let place = from.map(|from| format!(" (in {from})")).unwrap_or_default();
        let none = if what == KEY { "no key" } else { "no client id or secret" };
        Self::Failed(format!("yields a {what} with {flaw}, which {none} has{place}"))
    }
}

fn pair(entry: &EntrySpec, client_id: Part, client_secret: Part) -> Yield {
    match (client_id, client_secret) {
        (Part::Failed(reason), _) | (_, Part::Failed(reason)) => Yield::Failed(reason),
        (Part::NotYet(reason), _) | (_, Part::NotYet(reason)) => Yield::NotYet(reason),
        (Part::Nothing(reason), _) | (_, Part::Nothing(reason)) => Yield::Nothing(reason),
        (Part::Text(client_id), Part::Text(client_secret)) => {
            let client_id = client_id.expose().to_owned();
            let credential = Credential::new(entry.label.clone(), client_id, client_secret);
            Yield::Credentials(vec![credential.expiring(entry.expires_at)])
        }
    }
}
