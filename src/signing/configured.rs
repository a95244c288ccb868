//! The keys of the option `keys`.

use std::sync::Arc;

use serde::Deserialize;

use super::board::{KeyProblem, NamedKey};
use crate::credential::Credential;
use crate::source::{SourceState, Yielded};
use crate::webhook::{KeyFlaw, KeyWindow, Scheme, SigningKey};

/// The options of one key.
#[derive(Debug, Clone, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct KeySpec {
    /// Its label, or its place in the option.
    pub name: String,
    /// When it starts signing, in milliseconds since 1970.
    #[serde(default)]
    pub signs_from: Option<i64>,
    /// When it stops signing.
    #[serde(default)]
    pub signs_until: Option<i64>,
    /// When it stops verifying.
    #[serde(default)]
    pub verifies_until: Option<i64>,
}

/// The configured keys, and what was made from the values of their sources.
#[derive(Debug)]
pub struct ConfiguredKeys {
    specs: Vec<KeySpec>,
    made: Vec<Option<MadeKey>>,
    last_serial: u64,
}

/// A key made from the value that a source yields.
#[derive(Debug)]
struct MadeKey {
    /// The value. As long as it is unchanged, the key is the same.
    of: Arc<Credential>,
    serial: u64,
    key: Result<SigningKey, KeyFlaw>,
    since: i64,
    /// The previous key, if this value cannot be one.
    before: Option<(u64, SigningKey)>,
}

impl ConfiguredKeys {
    /// Creates the keys, whose values are not known yet.
    pub fn new(specs: Vec<KeySpec>) -> Self {
        let made = specs.iter().map(|_| None).collect();
        Self { specs, made, last_serial: 0 }
    }

    /// Takes over what the sources yield. `now` is in milliseconds since 1970.
    pub fn take(&mut self, scheme: &Scheme, entries: &[Yielded], now: i64) {
        for Yielded { place, credentials, .. } in entries {
            let (Some(value), Some(made)) = (credentials.first(), self.made.get_mut(place.index))
            else {
                continue;
            };
            if made.as_ref().is_some_and(|made| made.of.is_same_as(value)) {
                continue;
            }
            self.last_serial += 1;
            let before = made.take().and_then(|made| match made.key {
                Ok(key) => Some((made.serial, key)),
                Err(_) => made.before,
            });
            *made = Some(MadeKey {
                of: Arc::clone(value),
                serial: self.last_serial,
                key: scheme.key(&value.client_secret),
                since: now,
                before,
            });
        }
    }

    /// Returns the keys in the order of the option.
    pub fn named(&self) -> Vec<NamedKey> {
        let made = self.specs.iter().zip(&self.made);
        let named = made.filter_map(|(spec, made)| {
            let made = made.as_ref()?;
            let (serial, key) = match &made.key {
                Ok(key) => (made.serial, key.clone()),
                Err(_) => made.before.clone()?,
            };
            let KeySpec { name, signs_from, signs_until, verifies_until } = spec.clone();
            let window = KeyWindow { signs_from, signs_until, verifies_until };
            Some(NamedKey { serial, name, key, window, may_sign: true })
        });
        named.collect()
    }

    /// Returns the next instant after `after` at which a key stops verifying.
    pub fn next_end(&self, after: i64) -> Option<i64> {
        let ends = self.specs.iter().filter_map(|spec| spec.verifies_until);
        ends.filter(|end| *end > after).min()
    }

    /// Returns what is wrong: sources that yield nothing, and values that cannot be keys. `utc`
    /// returns the instant of a source's state.
    pub fn problems(
        &self,
        states: &[SourceState],
        utc: impl Fn(&SourceState) -> i64,
    ) -> Vec<KeyProblem> {
        let of_sources = states.iter().filter_map(|state| {
            let problem = state.problem.as_ref()?;
            let name = self.specs.get(state.place.index)?.name.clone();
            Some(KeyProblem { name, message: problem.message.clone(), since: utc(state) })
        });
        let made = self.specs.iter().enumerate().zip(&self.made);
        let flawed = made.filter_map(|((index, spec), made)| {
            let made = made.as_ref()?;
            let flaw = made.key.as_ref().err()?;
            let message = format!("The value of keys[{index}] {flaw}.");
            Some(KeyProblem { name: spec.name.clone(), message, since: made.since })
        });
        of_sources.chain(flawed).collect()
    }

    /// Returns the first value that cannot be a key: its position, and why.
    pub fn flaw(&self) -> Option<(usize, &KeyFlaw)> {
        let mut made = self.made.iter().enumerate();
        made.find_map(|(index, made)| Some((index, made.as_ref()?.key.as_ref().err()?)))
    }
}
