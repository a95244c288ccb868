//! A client credential, and the id that names it in public.

use std::borrow::Cow;
use std::collections::HashMap;
use std::fmt;
use std::num::NonZeroU32;
use std::str::FromStr;
use std::sync::{Arc, Mutex, MutexGuard, OnceLock, PoisonError, Weak};

use ring::{digest, pbkdf2};
use serde::{Deserialize, Deserializer, Serialize, Serializer, de};

use crate::secret::Secret;

/// A client id with its secret.
///
/// Two credentials are the same if their client ids and secrets are. The label is only a name for
/// people.
#[derive(Debug)]
pub struct Credential {
    /// A name for people, such as `2026-q4`.
    pub label: Option<String>,
    /// The OAuth client id (RFC 6749 §2.2).
    pub client_id: String,
    /// The OAuth client secret (RFC 6749 §2.3.1).
    pub client_secret: Secret,
    /// When it expires at the provider, in milliseconds since 1970, if that is known.
    pub expires_at: Option<i64>,
    id: OnceLock<Arc<Derivation>>,
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

    /// The same credential, with this time of expiry.
    #[must_use]
    pub fn expiring(self, expires_at: Option<i64>) -> Self {
        Self { expires_at, ..self }
    }

    /// The same credential, with this label and this time of expiry.
    #[must_use]
    pub fn described(&self, label: Option<&String>, expires_at: Option<i64>) -> Self {
        let (client_id, client_secret) = (self.client_id.clone(), self.client_secret.clone());
        let id = self.id.clone();
        Self { label: label.cloned(), client_id, client_secret, expires_at, id }
    }

    /// Whether both have the same client id and secret.
    pub fn is_same_as(&self, other: &Self) -> bool {
        self.client_id == other.client_id && self.client_secret == other.client_secret
    }

    /// The public id. Deriving it takes about 20 ms of CPU time, once for all who hold the same
    /// credential at a time.
    pub fn id(&self) -> CredentialId {
        self.id.get_or_init(|| Derivation::of(&self.client_id, &self.client_secret)).id(self)
    }

    /// Whether the id is derived already, so that [`Credential::id`] costs nothing.
    pub fn has_id(&self) -> bool {
        self.id.get().is_some_and(|derivation| derivation.id.get().is_some())
    }
}

#[cfg(test)]
impl Credential {
    /// The id, which is then kept for good: simulations need the same ids again and again.
    pub(crate) fn kept_id(&self) -> CredentialId {
        static KEPT: Mutex<Vec<Arc<Derivation>>> = Mutex::new(Vec::new());
        let id = self.id();
        let derivation = self.id.get().expect("it was derived");
        let mut kept = KEPT.lock().unwrap();
        if !kept.iter().any(|it| Arc::ptr_eq(it, derivation)) {
            kept.push(Arc::clone(derivation));
        }
        id
    }
}

/// The id of one credential, shared by all who hold it.
struct Derivation {
    digest: Digest,
    id: OnceLock<CredentialId>,
}

/// Tells credentials apart in memory.
type Digest = [u8; digest::SHA256_OUTPUT_LEN];

impl Derivation {
    fn of(client_id: &str, client_secret: &Secret) -> Arc<Self> {
        let mut context = digest::Context::new(&digest::SHA256);
        context.update(&client_id.len().to_be_bytes());
        context.update(client_id.as_bytes());
        context.update(client_secret.expose().as_bytes());
        let mut digest = [0; digest::SHA256_OUTPUT_LEN];
        digest.copy_from_slice(context.finish().as_ref());
        let mut known = Self::known();
        if let Some(derivation) = known.get(&digest).and_then(Weak::upgrade) {
            return derivation;
        }
        let derivation = Arc::new(Self { digest, id: OnceLock::new() });
        known.insert(digest, Arc::downgrade(&derivation));
        derivation
    }

    /// Derives the id outside of the common lock: nobody waits for the id of another credential.
    fn id(&self, credential: &Credential) -> CredentialId {
        let derive = || CredentialId::derive(&credential.client_id, &credential.client_secret);
        *self.id.get_or_init(derive)
    }

    fn known() -> MutexGuard<'static, HashMap<Digest, Weak<Self>>> {
        static KNOWN: OnceLock<Mutex<HashMap<Digest, Weak<Derivation>>>> = OnceLock::new();
        KNOWN.get_or_init(Mutex::default).lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl fmt::Debug for Derivation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // The digest is not shown: whoever has it can try secrets quickly.
        self.id.get().fmt(f)
    }
}

impl Drop for Derivation {
    fn drop(&mut self) {
        let mut known = Self::known();
        // Somebody else may hold the credential by now, and may have started a new derivation.
        if known.get(&self.digest).is_some_and(|it| it.strong_count() == 0) {
            known.remove(&self.digest);
        }
    }
}

/// Names a credential in events, errors and logs without revealing it.
///
/// The id is the same in every process, and differs even if only the secret does. It does not
/// protect a secret that can be guessed.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct CredentialId([u8; 8]);

impl CredentialId {
    const DOMAIN: &'static [u8] = b"oauth-rotor/credential-id/1\0";
    /// Makes each guess at a secret from its id cost about 20 ms.
    const ROUNDS: NonZeroU32 = NonZeroU32::new(100_000).expect("not zero");

    /// An id that was derived before, as a store returns it.
    pub const fn from_bytes(bytes: [u8; 8]) -> Self {
        Self(bytes)
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

/// Reads what [`Display`](fmt::Display) writes.
impl FromStr for CredentialId {
    type Err = UnknownForm;

    fn from_str(text: &str) -> Result<Self, UnknownForm> {
        let is_hex = text.len() == 16 && text.bytes().all(|it| it.is_ascii_hexdigit());
        let number = u64::from_str_radix(text, 16).ok().filter(|_| is_hex).ok_or(UnknownForm)?;
        Ok(Self(number.to_be_bytes()))
    }
}

impl Serialize for CredentialId {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for CredentialId {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        Cow::<str>::deserialize(deserializer)?.parse().map_err(de::Error::custom)
    }
}

impl fmt::Debug for CredentialId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

/// A text that is no id.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("not an id")]
pub struct UnknownForm;

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
        // python3: hashlib.pbkdf2_hmac('sha256', b'one', b'oauth-rotor/credential-id/1\0app',
        // 100000)[:8].hex()
        assert_eq!(credential("app", "one").id().to_string(), "458246ceebab89ea");
    }

    #[test]
    fn what_is_known_of_an_id_is_shared_and_forgotten_with_its_last_user() {
        let is_known = |credential: &Credential| {
            let digest = credential.id.get().expect("its id was asked for").digest;
            move || Derivation::known().contains_key(&digest)
        };
        let (one, other) = (credential("forgotten", "s"), credential("forgotten", "s"));
        one.id();
        assert!(one.has_id() && !other.has_id());
        other.id();
        assert!(Arc::ptr_eq(one.id.get().unwrap(), other.id.get().unwrap()));
        let is_known = is_known(&one);
        drop(one);
        assert!(is_known());
        let described = other.described(Some(&"label".into()), None);
        drop(other);
        assert!(is_known() && described.has_id());
        drop(described);
        assert!(!is_known());
    }

    #[test]
    fn debug_shows_neither_secret_nor_anything_derived_quickly_from_it() {
        let credential = credential("app", "hunter2");
        let id = credential.id();
        let shown = format!("{credential:?}");
        assert!(!shown.contains("hunter2"));
        assert!(shown.contains(&format!("id: OnceLock(Some({id}))")), "{shown}");
    }
}
