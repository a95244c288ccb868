//! Makes the signatures of a message that is sent.

use serde::Deserialize;
use thiserror::Error;

use super::digits::Digits;
use super::keyring::{LiveKey, LiveKeys};
use super::layout::TimestampPlace;
use super::scheme::Scheme;
use super::template::SignedParts;

/// Which key signs where there is one signature, while several keys sign.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum SignWith {
    /// The one before the newest: receivers may not have the newest one yet.
    Previous,
    /// The newest one.
    Current,
}

/// A message to sign.
#[derive(Debug, Clone, Copy)]
pub struct Outgoing<'a> {
    /// Its id. Where one is signed, [`Scheme::admits_id`] tells whether this one can be; an id that
    /// is missing is signed as an empty one, which no receiver takes.
    pub id: Option<&'a str>,
    /// When it is signed, in seconds since 1970. What is before 1970 counts as 1970.
    pub timestamp: i64,
    /// Its raw bytes.
    pub body: &'a [u8],
}

/// No key signs now.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
#[error("there is no key to sign with")]
pub struct NoKey;

impl Scheme {
    /// Appends the value of the signature header, in ASCII. If no key signs at `now_ms`, nothing is
    /// appended. A signature of each key that signs then, newest first, or one of the key that
    /// `with` names if the scheme has no lists.
    pub fn sign(
        &self,
        keys: &LiveKeys,
        with: SignWith,
        now_ms: i64,
        message: &Outgoing<'_>,
        out: &mut Vec<u8>,
    ) -> Result<(), NoKey> {
        let mut signing = keys.signing(now_ms);
        let newest = signing.next().ok_or(NoKey)?;
        let timestamp = self.signed.has_timestamp.then(|| Digits::of(message.timestamp));
        let timestamp = timestamp.as_ref().map_or(&b""[..], Digits::as_bytes);
        let parts = SignedParts {
            id: message.id.unwrap_or_default().as_bytes(),
            timestamp,
            body: message.body,
        };
        let append = |key: &LiveKey, out: &mut Vec<u8>| {
            out.extend_from_slice(self.layout.prefix.as_bytes());
            self.layout.encoding.write(&key.key.tag(self.signed.fill(&parts)), out);
        };
        let Some(separator) = self.layout.separator.as_deref().map(str::as_bytes) else {
            let key = match with {
                SignWith::Previous => signing.next().unwrap_or(newest),
                SignWith::Current => newest,
            };
            append(key, out);
            return Ok(());
        };
        if let TimestampPlace::Entry(label) = self.layout.timestamp {
            out.extend_from_slice(label.as_bytes());
            out.extend_from_slice(timestamp);
            out.extend_from_slice(separator);
        }
        append(newest, out);
        for key in signing {
            out.extend_from_slice(separator);
            append(key, out);
        }
        Ok(())
    }
}
