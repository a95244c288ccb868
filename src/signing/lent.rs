//! Keys that are the credentials of a logical client.

use std::sync::Arc;

use super::board::{KeyProblem, NamedKey};
use crate::credential::{Credential, CredentialId};
use crate::rotation::Role;
use crate::webhook::{KeyFlaw, KeyWindow, Scheme, SigningKey};

/// The credentials of a logical client as keys of a signer. The keys follow the credentials' roles.
#[derive(Debug)]
pub struct LentKeys {
    /// How long a retired credential still verifies, in milliseconds.
    grace: i64,
    lent: Vec<Lent>,
    /// Only the keys of these are kept, not the secrets.
    retired: Vec<RetiredKey>,
    last_serial: u64,
}

/// A credential in its role.
#[derive(Debug)]
struct Lent {
    role: Role,
    credential: Arc<Credential>,
    serial: u64,
    key: Result<SigningKey, KeyFlaw>,
    since: i64,
}

/// A credential that no longer has a role.
#[derive(Debug)]
struct RetiredKey {
    credential: CredentialId,
    serial: u64,
    key: SigningKey,
    until: i64,
}

impl LentKeys {
    /// Creates an empty list of keys. `grace` is in milliseconds.
    pub fn new(grace: i64) -> Self {
        Self { grace, lent: Vec::new(), retired: Vec::new(), last_serial: 0 }
    }

    /// Takes over the roles. Returns whether anything has changed. `now` is in milliseconds since
    /// 1970.
    pub fn take(
        &mut self,
        scheme: &Scheme,
        roles: Vec<(Role, Arc<Credential>)>,
        is_compromised: impl Fn(CredentialId) -> bool,
        now: i64,
    ) -> bool {
        let surplus = |it: &RetiredKey| it.until <= now || is_compromised(it.credential);
        let expired = self.retired.iter().any(surplus);
        self.retired.retain(|it| !surplus(it));
        let is_known = self.lent.len() == roles.len()
            && self.lent.iter().zip(&roles).all(|(lent, (role, credential))| {
                lent.role == *role && lent.credential.is_same_as(credential)
            });
        if is_known {
            return expired;
        }
        let mut before = std::mem::take(&mut self.lent);
        for (role, credential) in roles {
            let known = before.iter().position(|it| it.credential.is_same_as(&credential));
            let lent = known.map(|index| Lent { role, ..before.swap_remove(index) });
            self.lent.push(lent.unwrap_or_else(|| {
                self.last_serial += 1;
                let key = scheme.key(&credential.client_secret);
                Lent { role, credential, serial: self.last_serial, key, since: now }
            }));
        }
        let is_lent = |id: CredentialId| {
            self.lent.iter().any(|it| it.credential.has_id() && it.credential.id() == id)
        };
        self.retired.retain(|it| !is_lent(it.credential));
        for Lent { role, credential, serial, key, .. } in before {
            let Ok(key) = key else { continue };
            let was_ours = matches!(role, Role::Active | Role::Previous) && credential.has_id();
            if was_ours && self.grace > 0 && !is_compromised(credential.id()) {
                let until = now.saturating_add(self.grace);
                self.retired
                    .insert(0, RetiredKey { credential: credential.id(), serial, key, until });
            }
        }
        true
    }

    /// The keys, newest first.
    pub fn named(&self) -> Vec<NamedKey> {
        let lent = self.lent.iter().filter_map(|lent| {
            let (name, may_sign) = match lent.role {
                Role::Active => ("active", true),
                Role::Previous => ("previous", true),
                _ => ("next", false),
            };
            let key = lent.key.as_ref().ok()?.clone();
            let window = KeyWindow::default();
            Some(NamedKey { serial: lent.serial, name: name.to_owned(), key, window, may_sign })
        });
        let retired = self.retired.iter().map(|it| NamedKey {
            serial: it.serial,
            name: "retired".to_owned(),
            key: it.key.clone(),
            window: KeyWindow { verifies_until: Some(it.until), ..KeyWindow::default() },
            may_sign: false,
        });
        lent.chain(retired).collect()
    }

    /// Returns the problems: secrets that cannot be keys.
    pub fn problems(&self) -> Vec<KeyProblem> {
        let flawed = self.lent.iter().filter_map(|lent| {
            let flaw = lent.key.as_ref().err()?;
            let name = if lent.role == Role::Active { "active" } else { "next" };
            let message = format!("The client secret of the TokenManager {flaw}.");
            Some(KeyProblem { name: name.to_owned(), message, since: lent.since })
        });
        flawed.collect()
    }

    /// When the next retired key stops verifying, in milliseconds since 1970.
    pub fn next_end(&self) -> Option<i64> {
        self.retired.iter().map(|it| it.until).min()
    }
}
