//! The provider: which secrets it accepts, since when and until when.

use std::collections::{BTreeMap, HashMap};
use std::sync::OnceLock;

use crate::clock::Timestamp;
use crate::credential::{Credential, CredentialId};
use crate::secret::Secret;
use crate::verdict::Verify;

/// A client id and a secret, by its place in the pool: their ids are derived once per process.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) struct Key(pub(crate) usize);

/// Two clients, as a blue/green rotation has them.
const CLIENTS: [&str; 2] = ["blue", "green"];

impl Key {
    pub(crate) fn client_id(self) -> &'static str {
        CLIENTS[usize::from(self.0 % 4 == 3)]
    }

    pub(crate) fn secret(self) -> String {
        format!("secret-{}", self.0)
    }

    pub(crate) fn of(credential: &Credential) -> Self {
        let number = credential.client_secret.expose().strip_prefix("secret-");
        Self(number.and_then(|number| number.parse().ok()).expect("a secret of the pool"))
    }

    pub(crate) fn id(self) -> CredentialId {
        static IDS: OnceLock<std::sync::Mutex<HashMap<Key, CredentialId>>> = OnceLock::new();
        let mut ids = IDS.get_or_init(std::sync::Mutex::default).lock().unwrap();
        *ids.entry(self).or_insert_with(|| {
            let (client, secret) = (self.client_id().to_owned(), Secret::new(self.secret()));
            Credential::new(None, client, secret).kept_id()
        })
    }
}

#[derive(Debug, Clone, Copy)]
struct Window {
    from: Timestamp,
    until: Option<Timestamp>,
}

/// What is peculiar to a secret.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Kind {
    Usual,
    /// Its tokens have a narrower scope than the others.
    Narrow,
    /// A request with its token is answered so.
    Unfit(Verify),
}

#[derive(Debug, Clone, Copy)]
pub(crate) struct Issued {
    pub(crate) key: Key,
    pub(crate) expires_at: Timestamp,
    /// It failed a check that was asked for: it must not be handed out.
    pub(crate) unfit: bool,
}

#[derive(Debug, Default)]
pub(crate) struct Provider {
    windows: BTreeMap<Key, Window>,
    kinds: BTreeMap<Key, Kind>,
    pub(crate) issued: HashMap<String, Issued>,
    tokens: u64,
}

impl Provider {
    /// A person adds a secret; the provider accepts two of one client at a time.
    pub(crate) fn announce(&mut self, key: Key, kind: Kind, now: Timestamp, from: Timestamp) {
        let live = self.live(now).into_iter().filter(|it| it.client_id() == key.client_id());
        let live: Vec<Key> = live.filter(|it| *it != key).collect();
        if live.len() > 1 {
            self.kill(live[0], now);
        }
        self.windows.insert(key, Window { from, until: None });
        self.kinds.insert(key, kind);
    }

    pub(crate) fn kill(&mut self, key: Key, now: Timestamp) {
        if let Some(window) = self.windows.get_mut(&key) {
            window.until = Some(window.until.map_or(now, |until| until.min(now)));
        }
    }

    pub(crate) fn accepts(&self, key: Key, at: Timestamp) -> bool {
        let is_open = |it: &Window| it.from <= at && it.until.is_none_or(|until| at < until);
        self.windows.get(&key).is_some_and(is_open)
    }

    /// What is, or will be, accepted; the oldest first.
    pub(crate) fn live(&self, now: Timestamp) -> Vec<Key> {
        let open = self.windows.iter().filter(|(_, it)| it.until.is_none_or(|until| now < until));
        let mut live: Vec<(Timestamp, Key)> = open.map(|(key, it)| (it.from, *key)).collect();
        live.sort_unstable();
        live.into_iter().map(|(_, key)| key).collect()
    }

    pub(crate) fn kind(&self, key: Key) -> Kind {
        self.kinds.get(&key).copied().unwrap_or(Kind::Usual)
    }

    pub(crate) fn issue(&mut self, key: Key, expires_at: Timestamp, now: Timestamp) -> String {
        if self.issued.len() > 500 {
            self.issued.retain(|_, token| token.expires_at > now);
        }
        self.tokens += 1;
        let text = format!("token-{}", self.tokens);
        self.issued.insert(text.clone(), Issued { key, expires_at, unfit: false });
        text
    }
}
