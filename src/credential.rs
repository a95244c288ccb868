//! A client credential and the id by which it may be named in public.

use std::collections::HashMap;
use std::fmt;
use std::num::NonZeroU32;
use std::sync::{Arc, Mutex, OnceLock, PoisonError};

use ring::{digest, pbkdf2};

use crate::secret::Secret;

/// A client id with its secret.
///
/// Two credentials are the same when client id and secret are; the label is only a name for people.
#[derive(Debug)]
pub struct Credential {
    /// The human's name for it, such as `2026-q4`.
    pub label: Option<String>,
    /// The OAuth client id (RFC 6749 §2.2).
    pub client_id: String,
    /// The OAuth client secret (RFC 6749 §2.3.1).
    pub client_secret: Secret,
    /// When it expires at the provider, in milliseconds since 1970, where that is known.
    pub expires_at: Option<i64>,
    id: OnceLock<CredentialId>,
}

impl PartialEq for Credential {
    fn eq(&self, other: &Self) -> bool {
        self.is_same_as(other)
    }
}

impl Credential {
    /// A credential whose id is not computed yet.
    pub fn new(label: Option<String>, client_id: String, client_secret: Secret) -> Self {
        Self { label, client_id, client_secret, expires_at: None, id: OnceLock::new() }
    }

    /// The same one, which expires at that time.
    #[must_use]
    pub fn expiring(self, expires_at: Option<i64>) -> Self {
        Self { expires_at, ..self }
    }

    /// The same one under this name, which expires at that time.
    #[must_use]
    pub fn described(&self, label: Option<&String>, expires_at: Option<i64>) -> Self {
        let (client_id, client_secret) = (self.client_id.clone(), self.client_secret.clone());
        let id = self.id.clone();
        Self { label: label.cloned(), client_id, client_secret, expires_at, id }
    }

    /// Whether both stand for the same client id and secret.
    pub fn is_same_as(&self, other: &Self) -> bool {
        self.client_id == other.client_id && self.client_secret == other.client_secret
    }

    /// The public id. The first call of a process takes about 20 ms of CPU time; later ones are free.
    pub fn id(&self) -> CredentialId {
        *self.id.get_or_init(|| CredentialId::of(&self.client_id, &self.client_secret))
    }

    /// Whether [`Credential::id`] is free.
    pub fn has_id(&self) -> bool {
        self.id.get().is_some()
    }
}

/// Names a credential in events, errors and logs without giving it away.
///
/// It is the same in every process, and tells credentials apart even when only the secret differs.
/// It does not protect a secret that can be guessed.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct CredentialId([u8; 8]);

impl CredentialId {
    const DOMAIN: &'static [u8] = b"oauth-rotor/credential-id/1\0";
    /// Costs whoever tries to guess a secret from its id about 20 ms a try.
    const ROUNDS: NonZeroU32 = NonZeroU32::new(100_000).expect("not zero");

    /// An id that was derived before, as a store gives it back.
    pub const fn from_bytes(bytes: [u8; 8]) -> Self {
        Self(bytes)
    }

    /// Derives each id once per process, however many managers share the credential.
    fn of(client_id: &str, client_secret: &Secret) -> Self {
        type Known = HashMap<Vec<u8>, Arc<OnceLock<CredentialId>>>;
        static KNOWN: OnceLock<Mutex<Known>> = OnceLock::new();
        let mut digest = digest::Context::new(&digest::SHA256);
        digest.update(&client_id.len().to_be_bytes());
        digest.update(client_id.as_bytes());
        digest.update(client_secret.expose().as_bytes());
        let id = {
            let known = KNOWN.get_or_init(Mutex::default);
            let mut known = known.lock().unwrap_or_else(PoisonError::into_inner);
            Arc::clone(known.entry(digest.finish().as_ref().to_vec()).or_default())
        };
        // Not under the lock: who asks for one id does not wait for the others.
        *id.get_or_init(|| Self::derive(client_id, client_secret))
    }

    fn derive(client_id: &str, client_secret: &Secret) -> Self {
        let salt = [Self::DOMAIN, client_id.as_bytes()].concat();
        let mut id = [0; 8];
        pbkdf2::derive(
            pbkdf2::PBKDF2_HMAC_SHA256,
            Self::ROUNDS,
            &salt,
            client_secret.expose().as_bytes(),
            &mut id,
        );
        Self(id)
    }
}

impl fmt::Display for CredentialId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.iter().try_for_each(|byte| write!(f, "{byte:02x}"))
    }
}

impl fmt::Debug for CredentialId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn credential(client_id: &str, secret: &str) -> Credential {
        Credential::new(None, client_id.into(), Secret::new(secret))
    }

    #[test]
    fn the_id_depends_on_client_id_and_secret_and_on_nothing_else() {
        let labelled = Credential::new(Some("q4".into()), "app".into(), Secret::new("one"));
        assert_eq!(labelled.id(), credential("app", "one").id());
        assert_ne!(labelled.id(), credential("app", "two").id());
        assert_ne!(labelled.id(), credential("other", "one").id());
    }

    #[test]
    fn the_id_is_the_published_derivation() {
        // python3: hashlib.pbkdf2_hmac('sha256', b'one', b'oauth-rotor/credential-id/1\0app', 100000)[:8].hex()
        assert_eq!(credential("app", "one").id().to_string(), "458246ceebab89ea");
    }

    #[test]
    fn debug_shows_neither_secret_nor_anything_derived_quickly_from_it() {
        assert!(!format!("{:?}", credential("app", "hunter2")).contains("hunter2"));
    }
}
