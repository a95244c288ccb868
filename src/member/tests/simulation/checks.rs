//! What must hold of every request, write, token and answer.

use std::sync::Arc;
use std::time::Duration;

use super::SECOND;
use super::outside::Outside;
use super::provider::Key;
use crate::credential::Credential;
use crate::member::tests::peripherals::Process;
use crate::member::*;
use crate::refresh::TokenRefusal;
use crate::rotation::{self, PhaseName, Record, Role, TokenChange, Write};
use crate::store::Fresh;
use crate::token::HeldToken;

impl Outside {
    pub(super) fn check_write(&self, process: &Process, write: &Write, fresh: Option<&Fresh>) {
        let Some(stored) = process.store.load().record else {
            assert!(fresh.is_some(), "Started without a token");
            return;
        };
        if Some(stored.version) != write.expect {
            return;
        }
        // What was lost is written back: it was looked at when it was written first.
        if process.member.record().is_some_and(|known| known.version == write.record.version) {
            return;
        }
        let previous = stored.open_overlap().map(|overlap| overlap.previous);
        let role = previous.map(|previous| write.record.role(previous));
        if role == Some(Role::Retired) {
            self.check_retired(process, &stored);
        }
        let credential = match write.token {
            TokenChange::Keep => None,
            TokenChange::Replace { credential, .. } => Some(credential),
        };
        let text = fresh.map(|fresh| fresh.text.expose());
        let issued = text.and_then(|text| self.provider.issued.get(text));
        let made_with = issued.map(|issued| issued.key.id());
        assert_eq!(credential, made_with, "a token is shared as another's: {text:?} {write:?}");
        if stored.active != write.record.active {
            assert_eq!(credential, Some(write.record.active), "I7: active without its token");
            let is_dead = issued.is_none_or(|issued| issued.expires_at <= self.now || issued.unfit);
            assert!(!is_dead, "I7: active without a token that can be used");
        }
    }

    /// A token request: whether it may be sent at all, and with this credential.
    pub(super) fn check_request(&mut self, process: &Process, credential: &Arc<Credential>) {
        let id = Key::of(credential).id();
        let is_retired = self.history.retired.contains(&id);
        let role = process.member.record().map(|record| record.role(id));
        assert!(!is_retired, "I2: {:?} is retired, presented as {role:?}", Key::of(credential));
        self.history.sends.push_back((self.now, id));
        self.history.memory.presents(Key::of(credential), self.now);
        let Some(record) = process.member.record() else { return };
        let role = record.role(id);
        // The process may not have noticed yet that the store is in reach again.
        let is_out = self.is_store_down || process.member.shared.is_out();
        assert!(role != Role::Unknown || is_out, "an unknown credential is presented");
        let phase = PhaseName::of(Some(record));
        // A preparation ends by itself where that cannot be stored.
        let is_prepared = phase == PhaseName::Prepared && role == Role::Active && !is_out;
        assert!(!is_prepared, "the active credential is presented while it may be replaced");
        // Whether it still works is asked while a proved candidate waits, and to judge a refused
        // one.
        let next = record.staged().map(|staged| staged.next);
        let is_asked = next.is_some_and(|next| {
            self.history.accepted.contains_key(&next) || self.history.denied.contains_key(&next)
        });
        // I20: with a fresh token nothing but a probe is sent.
        let held = process.member.token(self.now).filter(|held| self.now < held.refresh_at);
        let is_quiet = matches!(phase, PhaseName::Stable | PhaseName::Staged)
            && !is_asked
            && self.waiters.is_empty()
            && !self.history.denied.contains_key(&id)
            // A store that gave no answer may have cost the token that is not handed out yet.
            && (self.regime.store_faults == 0 || self.troubled_at + 5 * SECOND < self.now)
            // The preparation of somebody who has left may be under way.
            && self.history.unprepared_at + SECOND < self.now
            && self.callers.values().all(|(_, ask, _)| !matches!(ask, Ask::Request(Request::Prepare { .. })));
        assert!(
            !(role == Role::Active && is_quiet && held.is_some()),
            "I20: a request with the active credential although a fresh token is held"
        );
    }

    pub(super) fn check_published(&mut self, process: &Process, token: &Arc<HeldToken>) {
        assert!(self.now < token.usable_until, "I8: a token past its time is handed out");
        let is_same =
            process.handed_out.as_ref().is_some_and(|held| Arc::ptr_eq(&held.token, &token.token));
        assert!(
            token.serial > self.history.last_serial
                || is_same && token.serial == self.history.last_serial,
            "I8: the serial went from {} to {}",
            self.history.last_serial,
            token.serial
        );
        self.history.last_serial = token.serial;
        let issued = self.provider.issued.get(token.text.expose()).copied();
        let issued = issued.expect("a token that the provider has issued");
        let made_with = token.made_with.here().map(|credential| Key::of(credential));
        assert!(
            made_with.is_none_or(|key| key == issued.key),
            "it was made with another credential"
        );
        let is_invalid = self.history.invalidated.as_deref() == Some(token.text.expose());
        assert!(!is_invalid, "I8: a token that was invalidated comes back");
        assert!(!issued.unfit, "a token that failed its checks is handed out");
        assert!(token.usable_until <= issued.expires_at, "it is handed out for too long");
        let id = issued.key.id();
        let leaked = |record: &Record| !record.may_use_token_of(id);
        assert!(
            !process.member.record().is_some_and(leaked),
            "a token of a credential that has leaked is handed out"
        );
    }

    /// A caller of `getToken` is refused: rightly?
    pub(super) fn check_settled(
        &self,
        process: &Process,
        min_validity: Duration,
        refusal: Option<&TokenRefusal>,
    ) {
        if matches!(refusal, Some(TokenRefusal::Unavailable { .. }))
            && min_validity == Duration::ZERO
        {
            assert!(
                process.member.token(self.now).is_none(),
                "I1: refused although a token is valid"
            );
        }
    }

    pub(super) fn check_answer(
        &self,
        process: &Process,
        ask: &Ask,
        key: Option<Key>,
        outcome: &Result<Answer, Denial>,
    ) {
        let (Some(key), Ask::Request(Request::Rotate(_))) = (key, ask) else { return };
        match outcome {
            Ok(Answer::Rotation(_)) => {
                let active = process.member.record().map(|record| record.active);
                assert_eq!(active, Some(key.id()), "a rotation succeeded, and another is active");
            }
            Err(Denial { reason: Reason::Refused(refusal, _), .. }) => {
                if matches!(**refusal, rotation::Refusal::CandidateRejected(_)) {
                    let is_denied = !self.history.denials(key.id(), self.now).is_empty();
                    assert!(is_denied, "a candidate is called rejected that was not");
                }
            }
            _ => {}
        }
    }
}
