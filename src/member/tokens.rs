//! The tokens of a member: the one that is handed out, and the latest of each credential.

use std::collections::BTreeMap;
use std::sync::Arc;

use crate::clock::Timestamp;
use crate::credential::CredentialId;
use crate::refresh::Refresh;
use crate::store::TokenEntry;
use crate::token::{FreshToken, HeldToken};

/// The token lifecycle, and the tokens that it may be given.
#[derive(Debug, Default)]
pub(super) struct Tokens {
    pub(super) refresh: Refresh,
    /// The latest token of each credential, which its promotion shares.
    obtained: BTreeMap<CredentialId, Arc<FreshToken>>,
    /// The token that a resource did not accept last.
    invalidated: Option<Arc<FreshToken>>,
}

impl Tokens {
    /// A token proves its credential.
    pub(super) fn obtain(&mut self, id: CredentialId, token: &Arc<FreshToken>) {
        self.obtained.insert(id, Arc::clone(token));
    }

    /// The latest token of a credential.
    pub(super) fn of(&self, id: CredentialId) -> Option<&Arc<FreshToken>> {
        self.obtained.get(&id)
    }

    pub(super) fn forget(&mut self, id: CredentialId) {
        self.obtained.remove(&id);
    }

    pub(super) fn retain(&mut self, is_held: impl Fn(CredentialId) -> bool) {
        self.obtained.retain(|id, _| is_held(*id));
    }

    /// A resource does not accept this token.
    pub(super) fn invalidate(&mut self, token: &Arc<FreshToken>) {
        self.invalidated = Some(Arc::clone(token));
    }

    /// Whether a resource did not accept this token.
    pub(super) fn is_invalidated(&self, token: &Arc<FreshToken>) -> bool {
        self.invalidated.as_ref().is_some_and(|gone| gone.id == token.id)
    }

    /// The token to hand out, unless it is handed out already, or a later one of the same
    /// credential is.
    pub(super) fn to_hand_out(
        &self,
        token: &Arc<FreshToken>,
        serial: u64,
        now: Timestamp,
    ) -> Option<Arc<HeldToken>> {
        let is_held = self.refresh.token(now).is_some_and(|held| {
            Arc::ptr_eq(&held.token, token)
                || held.made_with.is_same_as(&token.made_with) && held.issued_at > token.issued_at
        });
        if is_held || self.is_invalidated(token) || token.usable_until <= now {
            return None;
        }
        // A store that lost a token counts behind what was handed out here.
        let serial = serial.max(self.refresh.last_serial() + 1);
        Some(Arc::new(HeldToken { serial, token: Arc::clone(token) }))
    }

    /// Whether the store's token was not there when the store was last read, and is worth handing
    /// out.
    pub(super) fn is_new(&self, token: &TokenEntry, known_serial: u64, now: Timestamp) -> bool {
        let held = self.refresh.token(now);
        let is_known = held.is_some_and(|held| token.serial <= known_serial || held.id == token.id);
        // It was read before it was deleted.
        let is_invalidated = self.invalidated.as_ref().is_some_and(|one| one.id == token.id);
        !is_known && !is_invalidated
    }

    /// The credential of the token that is held, where its id is known, and the token's serial.
    pub(super) fn held_of(&self, now: Timestamp) -> Option<(CredentialId, u64)> {
        let held = self.refresh.token(now)?;
        Some((held.made_with.id()?, held.serial))
    }
}
