//! The tokens of a member: the one that is handed out, and the latest of each credential.

use std::collections::{BTreeMap, VecDeque};
use std::sync::Arc;

use super::store_clock::StoreClock;
use crate::clock::Timestamp;
use crate::credential::CredentialId;
use crate::refresh::Refresh;
use crate::store::TokenEntry;
use crate::token::{FreshToken, HeldToken, TokenId};

/// The token lifecycle, and the tokens that it may be given.
#[derive(Debug, Default)]
pub(super) struct Tokens {
    pub(super) refresh: Refresh,
    /// The latest token of each credential, which its promotion shares.
    obtained: BTreeMap<CredentialId, Arc<FreshToken>>,
    /// The token that a resource did not accept last.
    invalidated: Option<Arc<FreshToken>>,
    /// The latest tokens that were stored, as far as is known here, and their serials in the store.
    stored: VecDeque<(TokenId, u64)>,
}

/// So many of the tokens that were stored are remembered.
const REMEMBERED: usize = 4;

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

    /// The store has or had this token under that serial.
    pub(super) fn is_stored(&mut self, token: TokenId, serial: u64) {
        self.stored.retain(|(known, _)| *known != token);
        self.stored.push_back((token, serial));
        self.stored.drain(..self.stored.len().saturating_sub(REMEMBERED));
    }

    /// The serial that a token has or had in the store; none of one that was never there.
    pub(super) fn stored_serial(&self, token: TokenId) -> Option<u64> {
        self.stored.iter().find(|(known, _)| *known == token).map(|(_, serial)| *serial)
    }

    /// A resource does not accept this token.
    pub(super) fn invalidate(&mut self, token: &Arc<FreshToken>) {
        self.invalidated = Some(Arc::clone(token));
    }

    /// Whether a resource did not accept this token.
    pub(super) fn is_invalidated(&self, token: &Arc<FreshToken>) -> bool {
        self.has_seen_refused(token.id)
    }

    /// Whether a resource did not accept the token of that id.
    pub(super) fn has_seen_refused(&self, token: TokenId) -> bool {
        self.invalidated.as_ref().is_some_and(|gone| gone.id == token)
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
        Some(self.numbered(token, serial))
    }

    /// A token with its serial, which is later than those before it here: a store that lost a token
    /// counts behind what was handed out.
    pub(super) fn numbered(&self, token: &Arc<FreshToken>, serial: u64) -> Arc<HeldToken> {
        let serial = serial.max(self.refresh.last_serial() + 1);
        Arc::new(HeldToken { serial, token: Arc::clone(token) })
    }

    /// Whether the store's token takes the place of the one that is handed out here.
    ///
    /// `clock` tells its times. The store has the order of what was ever there; of what was fetched
    /// while it was out of reach, or has lost, the one that lives longer counts.
    pub(super) fn takes_over(
        &self,
        token: &TokenEntry,
        clock: &StoreClock,
        now: Timestamp,
    ) -> bool {
        // It was read before it was deleted.
        if self.has_seen_refused(token.id) {
            return false;
        }
        let Some(held) = self.refresh.token(now) else { return true };
        let is_later = self.stored_serial(held.id).is_some_and(|serial| serial < token.serial);
        let lives_longer = clock.at(held.expires_at) <= token.expires_at;
        let is_of_another = held.made_with.id() != Some(token.credential);
        held.id != token.id && (is_of_another || is_later || lives_longer)
    }

    /// The credential of the token that is held, where its id is known, and the token's serial.
    pub(super) fn held_of(&self, now: Timestamp) -> Option<(CredentialId, u64)> {
        let held = self.refresh.token(now)?;
        Some((held.made_with.id()?, held.serial))
    }
}
