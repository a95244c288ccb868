//! The headers of an answer that we use.

use std::fmt;

/// The names of the headers that [`Headers`] keeps, in lower case.
pub(super) const NAMES: [&str; 12] = [
    "content-encoding",
    "date",
    "retry-after",
    "x-retry-after",
    "retry-after-ms",
    "x-ms-retry-after-ms",
    "x-ratelimit-reset-after",
    "ratelimit-reset",
    "x-ratelimit-reset",
    "x-rate-limit-reset",
    "ratelimit",
    "www-authenticate",
];

/// Headers by name. Their values may repeat a secret, so `Debug` shows only the names.
#[derive(Clone, Default, PartialEq, Eq)]
pub struct Headers(Vec<(&'static str, String)>);

impl fmt::Debug for Headers {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_set().entries(self.0.iter().map(|(name, _)| name)).finish()
    }
}

impl Headers {
    /// Keeps the headers that we use. `value` returns the bytes of a header by its name.
    pub fn pick<'a>(value: impl Fn(&str) -> Option<&'a [u8]>) -> Self {
        let text = |bytes| String::from_utf8_lossy(bytes).trim().to_owned();
        Self(NAMES.iter().filter_map(|name| Some((*name, text(value(name)?)))).collect())
    }

    /// Returns a header's value by its lower-case name.
    pub fn get(&self, name: &str) -> Option<&str> {
        self.0.iter().find(|(known, _)| *known == name).map(|(_, value)| value.as_str())
    }
}
