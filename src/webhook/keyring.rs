//! Which keys are live at an instant.

use super::key::SigningKey;

/// When a key signs and verifies, in milliseconds since 1970. No limit by default.
///
/// Times at which something begins belong to it, times at which it ends do not. A key that does not
/// verify any more does not sign either: nobody could be sure to accept it.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct KeyWindow {
    /// It signs from this instant on. It verifies before that, too.
    pub signs_from: Option<i64>,
    /// It signs until this instant.
    pub signs_until: Option<i64>,
    /// It verifies until this instant.
    pub verifies_until: Option<i64>,
}

impl KeyWindow {
    /// Whether it signs then.
    pub fn signs(&self, now_ms: i64) -> bool {
        self.signs_from.is_none_or(|from| from <= now_ms)
            && self.signs_until.is_none_or(|until| now_ms < until)
            && self.verifies(now_ms)
    }

    /// Whether it verifies then.
    pub fn verifies(&self, now_ms: i64) -> bool {
        self.verifies_until.is_none_or(|until| now_ms < until)
    }
}

/// A key in use.
#[derive(Debug, Clone)]
pub struct LiveKey {
    /// What a verification returns.
    pub number: u32,
    /// What signs.
    pub key: SigningKey,
    /// When it signs and verifies.
    pub window: KeyWindow,
    /// It does not only verify.
    pub may_sign: bool,
}

/// The keys of a signer, newest first.
#[derive(Debug, Clone, Default)]
pub struct LiveKeys(Vec<LiveKey>);

impl LiveKeys {
    /// Takes the keys, newest first.
    pub fn new(keys: Vec<LiveKey>) -> Self {
        Self(keys)
    }

    /// The keys that sign then, newest first.
    pub fn signing(&self, now_ms: i64) -> impl Iterator<Item = &LiveKey> {
        self.0.iter().filter(move |key| key.may_sign && key.window.signs(now_ms))
    }

    /// The keys that verify then, newest first.
    pub fn verifying(&self, now_ms: i64) -> impl Iterator<Item = &LiveKey> {
        self.0.iter().filter(move |key| key.window.verifies(now_ms))
    }
}
