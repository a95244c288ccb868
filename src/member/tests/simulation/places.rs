//! Where credentials are configured, and what is persisted there.

use std::time::Duration;

use super::provider::Key;
use crate::persist::PersistTarget;
use crate::secret::Secret;
use crate::source::{CredentialText, EntrySpec, Field, Reading, SourceSpec, Sources};

use crate::member::tests::peripherals::Process;

/// One entry of the configuration.
#[derive(Debug, Clone)]
pub(super) struct Place {
    /// It is read from two environment variables: what a process writes there ends with it.
    pub(super) is_environment: bool,
    pub(super) has_sink: bool,
    /// What it holds; it outlives the process.
    pub(super) content: Vec<Key>,
    /// What the variables of the running process hold.
    pub(super) variables: Option<Key>,
    pub(super) is_unreadable: bool,
    pub(super) mood: Mood,
}

/// What becomes of an attempt to write a place.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Mood {
    Well,
    Failing,
    /// It has no end before the mood changes.
    Hanging,
    ReadOnly,
}

impl Place {
    pub(super) fn list(has_sink: bool) -> Self {
        Self {
            is_environment: false,
            has_sink,
            content: Vec::new(),
            variables: None,
            is_unreadable: false,
            mood: Mood::Well,
        }
    }

    pub(super) fn environment(has_sink: bool) -> Self {
        Self { is_environment: true, ..Self::list(has_sink) }
    }

    fn spec(&self, index: &mut usize) -> EntrySpec {
        let mut next = || {
            *index += 1;
            *index - 1
        };
        let source = if self.is_environment {
            let (client_id, client_secret) =
                (Field::Js { index: next() }, Field::Js { index: next() });
            SourceSpec::Fields { client_id, client_secret }
        } else {
            SourceSpec::Js { index: next() }
        };
        let persist = self.has_sink.then_some(PersistTarget::Js { index: 0 });
        EntrySpec {
            label: None,
            optional: true,
            expires_at: None,
            has_variables: self.is_environment,
            persist,
            source,
        }
    }

    /// What a process reads there.
    pub(super) fn yields(&self) -> Vec<Key> {
        match self.variables {
            Some(key) if self.is_environment => vec![key],
            _ => self.content.clone(),
        }
    }

    /// The same as its functions and variables tell it.
    pub(super) fn read(&self) -> Vec<Option<Reading>> {
        let keys = self.yields();
        let fields = if self.is_environment { 2 } else { 1 };
        if self.is_unreadable {
            let message = "it cannot be read".to_owned();
            return vec![Some(Reading::Error { message }); fields];
        }
        let Some(first) = keys.first() else { return vec![Some(Reading::Empty); fields] };
        if self.is_environment {
            let text = |text: String| Some(Reading::Text { value: Secret::new(text) });
            return vec![text(first.client_id().to_owned()), text(first.secret())];
        }
        let text = |key: &Key| CredentialText {
            label: None,
            client_id: key.client_id().to_owned(),
            client_secret: Secret::new(key.secret()),
            expires_at: None,
        };
        vec![Some(Reading::Credentials { list: keys.iter().map(text).collect() })]
    }
}

/// The sources of a process that starts.
pub(super) fn sources(places: &[Place]) -> Sources {
    let mut index = 0;
    let specs = places.iter().map(|place| place.spec(&mut index)).collect();
    let mut sources = Sources::new(Duration::from_secs(1), Duration::from_secs(10));
    sources.add(Process::OWNER, specs, vec![None; index]);
    sources
}
