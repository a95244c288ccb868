//! Webhook signers: how one is opened, and its snapshots.

use std::time::Duration;

use serde::{Deserialize, Serialize};

use super::error::ErrorMessage;
use super::handle::{ClockId, HandleId};
use super::instant::UtcMillis;
use crate::signing::{Board, KeySpec, NamedKey};
use crate::source::{EntrySpec, Reading};
use crate::webhook::{Scheme, SchemeSpec, SignWith};

/// Everything that a signer is opened with.
#[derive(Debug)]
pub struct SignerSettings {
    /// How signatures look.
    pub scheme: Scheme,
    /// Which key signs where the scheme has one signature.
    pub sign_with: SignWith,
    /// How far a timestamp may be from the present, in milliseconds.
    pub tolerance: i64,
    /// The clock that a test turns by hand; the machine's without one.
    pub clock: Option<ClockId>,
    /// Where the keys come from.
    pub keys: KeysForm,
}

/// Where the keys of a signer come from.
#[derive(Debug, Deserialize)]
#[serde(
    tag = "kind",
    rename_all = "camelCase",
    rename_all_fields = "camelCase",
    deny_unknown_fields
)]
pub enum KeysForm {
    /// They are configured.
    Configured {
        /// What is said of each.
        specs: Vec<KeySpec>,
        /// The source of each.
        entries: Vec<EntrySpec>,
        /// What the facade has read of its JavaScript sources already, by index.
        initial: Vec<Option<Reading>>,
        /// How often sources are read again, in milliseconds.
        source_poll_ms: u64,
    },
    /// They are the credentials of a manager.
    Lent {
        /// A handle of the manager.
        handle: HandleId,
        /// How long a retired credential still verifies, in milliseconds.
        grace_ms: i64,
    },
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct SignerForm {
    scheme: SchemeSpec,
    sign_with: SignWith,
    tolerance_ms: i64,
    #[serde(default)]
    clock: Option<ClockId>,
    keys: KeysForm,
}

/// How long a reading goes on without the sources that are silent.
pub const KEY_PATIENCE: Duration = Duration::from_secs(5);

impl SignerSettings {
    /// Reads the facade's form of the options. The texts of errors name no value.
    pub fn parse(json: &str) -> Result<Self, ErrorMessage> {
        let form: SignerForm = serde_json::from_str(json).map_err(|error| {
            let (line, column) = (error.line(), error.column());
            let problem = format!("do not have the agreed form ({line}:{column}).");
            ErrorMessage::invalid_option("options", problem)
        })?;
        let scheme = Scheme::new(form.scheme).map_err(|flaw| {
            ErrorMessage::invalid_option(&format!("scheme.{}", flaw.option), flaw.problem)
        })?;
        let SignerForm { sign_with, tolerance_ms: tolerance, clock, keys, .. } = form;
        Ok(Self { scheme, sign_with, tolerance, clock, keys })
    }
}

/// What is known of a signer now.
#[derive(Debug, Serialize)]
pub struct SignerStatus {
    keys: Vec<KeyStatus>,
    problems: Vec<KeyProblemMessage>,
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
struct KeyStatus {
    key: String,
    signs: bool,
    verifies: bool,
    signs_from: Option<UtcMillis>,
    signs_until: Option<UtcMillis>,
    verifies_until: Option<UtcMillis>,
}

#[derive(Debug, Serialize)]
struct KeyProblemMessage {
    key: String,
    message: String,
    since: UtcMillis,
}

impl SignerStatus {
    /// Of the keys that are shown; `now` is in milliseconds since 1970.
    pub fn of(board: &Board, now: i64) -> Self {
        let problems = board.problems().iter().map(|problem| KeyProblemMessage {
            key: problem.name.clone(),
            message: problem.message.clone(),
            since: UtcMillis(problem.since),
        });
        Self {
            keys: board.keys().iter().map(|key| KeyStatus::of(key, now)).collect(),
            problems: problems.collect(),
        }
    }
}

impl KeyStatus {
    fn of(key: &NamedKey, now: i64) -> Self {
        let window = key.window;
        Self {
            key: key.name.clone(),
            signs: key.may_sign && window.signs(now),
            verifies: window.verifies(now),
            signs_from: window.signs_from.map(UtcMillis),
            signs_until: window.signs_until.map(UtcMillis),
            verifies_until: window.verifies_until.map(UtcMillis),
        }
    }
}
