//! The keys of a signer as calls see them.

use std::sync::Arc;

use crate::webhook::{KeyWindow, LiveKey, LiveKeys, SigningKey};

/// A key with the name that people know it by.
#[derive(Debug, Clone)]
pub struct NamedKey {
    /// Keys with the same number are the same key.
    pub serial: u64,
    /// Its label, its place in the option, or its role.
    pub name: String,
    /// The key itself.
    pub key: SigningKey,
    /// When it signs and verifies.
    pub window: KeyWindow,
    /// Whether it may sign, not only verify.
    pub may_sign: bool,
}

/// Why there is no key, or why it is not the latest one.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct KeyProblem {
    /// The name of the key.
    pub name: String,
    /// For people: which source, and why.
    pub message: String,
    /// Since when, in milliseconds since 1970.
    pub since: i64,
}

/// Something that people may want to know.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum KeyNotice {
    /// Signatures of one more key are accepted.
    Added(String),
    /// A key no longer signs or verifies.
    Retired(String),
    /// A key could not be read, or its value cannot be a key. An earlier value stays in use.
    Unreadable {
        /// The name of the key.
        name: String,
        /// A message for people.
        message: String,
    },
}

/// The keys that calls see, and how they differ from those shown before.
#[derive(Debug, Default)]
pub struct Board {
    keys: Vec<NamedKey>,
    problems: Vec<KeyProblem>,
    ring: Arc<LiveKeys>,
    /// Names keep their numbers. There are few: labels, places and roles.
    names: Vec<String>,
    /// The keys that verified when they were shown. `None` before the first time.
    verified: Option<Vec<(u64, String)>>,
}

impl Board {
    /// Shows other keys, newest first, or the same ones at a later time. Returns what people may
    /// want to know. `now` is in milliseconds since 1970.
    pub fn show(
        &mut self,
        keys: Vec<NamedKey>,
        problems: Vec<KeyProblem>,
        now: i64,
    ) -> Vec<KeyNotice> {
        let verifying = keys.iter().filter(|key| key.window.verifies(now));
        let verifying: Vec<_> = verifying.map(|key| (key.serial, key.name.clone())).collect();
        let lacks = |list: &[(u64, String)], serial: u64| list.iter().all(|(it, _)| *it != serial);
        let mut notices = Vec::new();
        // The first keys are not reported.
        if let Some(before) = &self.verified {
            let added = verifying.iter().filter(|(serial, _)| lacks(before, *serial));
            notices.extend(added.map(|(_, name)| KeyNotice::Added(name.clone())));
            let retired = before.iter().filter(|(serial, _)| lacks(&verifying, *serial));
            notices.extend(retired.map(|(_, name)| KeyNotice::Retired(name.clone())));
        }
        let is_new = |problem: &&KeyProblem| {
            !self
                .problems
                .iter()
                .any(|it| (&it.name, &it.message) == (&problem.name, &problem.message))
        };
        notices.extend(problems.iter().filter(is_new).map(|problem| KeyNotice::Unreadable {
            name: problem.name.clone(),
            message: problem.message.clone(),
        }));
        let live = keys.iter().map(|key| LiveKey {
            number: number_of(&mut self.names, &key.name),
            key: key.key.clone(),
            window: key.window,
            may_sign: key.may_sign,
        });
        self.ring = Arc::new(LiveKeys::new(live.collect()));
        (self.keys, self.problems, self.verified) = (keys, problems, Some(verifying));
        notices
    }

    /// The keys that sign and verify.
    pub fn ring(&self) -> &Arc<LiveKeys> {
        &self.ring
    }

    /// The keys, newest first.
    pub fn keys(&self) -> &[NamedKey] {
        &self.keys
    }

    /// What is wrong with keys.
    pub fn problems(&self) -> &[KeyProblem] {
        &self.problems
    }

    /// The name with that number.
    pub fn name(&self, number: u32) -> Option<&str> {
        self.names.get(usize::try_from(number).ok()?).map(String::as_str)
    }
}

fn number_of(names: &mut Vec<String>, name: &str) -> u32 {
    let known = names.iter().position(|known| known == name);
    let index = known.unwrap_or_else(|| {
        names.push(name.to_owned());
        names.len() - 1
    });
    u32::try_from(index).unwrap_or(u32::MAX)
}
