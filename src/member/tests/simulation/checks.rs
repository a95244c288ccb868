//! What must hold after every step, and over the history.

use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::sync::Arc;
use std::time::Duration;

use super::memory::Memory;
use super::process::{MINUTE, SECOND, Sim};
use super::provider::Key;
use crate::clock::Timestamp;
use crate::credential::{Credential, CredentialId};
use crate::member::*;
use crate::refresh::Refusal;
use crate::rotation;
use crate::rotation::{PhaseName, Record, Role, TokenChange, Version, Write};
use crate::store::Fresh;
use crate::token::HeldToken;
use crate::verdict::Verdict;

/// What one process has seen.
#[derive(Debug, Default)]
pub(super) struct Checks {
    /// When a credential was last accepted, and when the token of that ends.
    pub(super) accepted: BTreeMap<CredentialId, (Timestamp, Timestamp)>,
    /// When it was not, since it was last accepted.
    pub(super) denied: BTreeMap<CredentialId, Vec<Timestamp>>,
    /// The same up to when it was accepted: what was decided before may be written after that.
    pub(super) pardoned: BTreeMap<CredentialId, (Timestamp, Vec<Timestamp>)>,
    pub(super) refused: BTreeSet<CredentialId>,
    pub(super) scopes: BTreeMap<CredentialId, bool>,
    /// Read as retired, and not named since.
    pub(super) retired: BTreeSet<CredentialId>,
    pub(super) named: BTreeMap<CredentialId, Timestamp>,
    pub(super) last_serial: u64,
    pub(super) last_version: Option<Version>,
    pub(super) sends: VecDeque<(Timestamp, CredentialId)>,
    pub(super) rejections: VecDeque<(Timestamp, CredentialId)>,
    /// What gives a reason for more requests.
    pub(super) stimuli: VecDeque<Timestamp>,
    pub(super) retire_asked_at: Option<Timestamp>,
    pub(super) edited_at: Timestamp,
    pub(super) invalidated: Option<String>,
    pub(super) memory: Memory,
    /// When a place was last written, or could be again.
    pub(super) written_at: Timestamp,
}

impl Checks {
    pub(super) fn end_of_process(&mut self, now: Timestamp) {
        let edited_at = self.edited_at;
        let stimuli = std::mem::take(&mut self.stimuli);
        let sends = std::mem::take(&mut self.sends);
        let rejections = std::mem::take(&mut self.rejections);
        *self = Self { sends, rejections, stimuli, edited_at, ..Self::default() };
        self.memory.loses_token(now);
    }

    pub(super) fn stimulus(&mut self, now: Timestamp) {
        self.stimuli.push_back(now);
    }

    pub(super) fn edited(&mut self, now: Timestamp) {
        self.edited_at = now;
    }

    pub(super) fn retire_asked(&mut self, now: Timestamp) {
        self.retire_asked_at = Some(now);
    }

    pub(super) fn invalidates(&mut self, text: &str) {
        self.invalidated = Some(text.to_owned());
    }

    /// An edge or a rotation names a credential, which clears its retirement.
    pub(super) fn named(
        &mut self,
        key: Key,
        is_start: bool,
        record: Option<&Record>,
        now: Timestamp,
    ) {
        let is_known = record.is_some_and(|record| record.role(key.id()) == Role::Retired);
        if !is_start || !is_known {
            self.retired.remove(&key.id());
            self.named.insert(key.id(), now);
        }
    }

    /// Whether the record's rules find this narrower than what the active credential had.
    pub(super) fn would_narrow(&self, key: Key, record: Option<&Record>) -> bool {
        let Some(record) = record else { return false };
        let is_active_well = !self.denied.contains_key(&record.active);
        let is_candidate = match record.role(key.id()) {
            Role::Next => true,
            // Withdrawn before its answer.
            Role::Unknown => is_active_well,
            Role::Quarantined => {
                let known = record.quarantined.iter().find(|known| known.credential == key.id());
                is_active_well && known.is_some_and(|known| !known.was_active)
            }
            _ => false,
        };
        is_candidate && self.scopes.get(&record.active) == Some(&true)
    }

    pub(super) fn answered(
        &mut self,
        key: Key,
        verdict: &Verdict,
        (is_unfit, has_failed): (bool, bool),
        now: Timestamp,
    ) {
        let id = key.id();
        match verdict {
            // One that is unusable on arrival proves nothing.
            Verdict::Accepted(grant) if !is_unfit && grant.lifetime < 4 * SECOND => {}
            Verdict::Accepted(grant) if !is_unfit => {
                self.accepted.insert(id, (now, now + grant.lifetime));
                if let Some(denied) = self.denied.remove(&id) {
                    self.pardoned.insert(id, (now, denied));
                }
                // The endpoint answers: the bare 401s of the others were meant.
                for other in std::mem::take(&mut self.refused) {
                    if other != id {
                        self.denied.entry(other).or_default().push(now);
                    }
                }
                self.scopes.insert(id, grant.scope.as_deref() == Some("a b"));
            }
            Verdict::Refused(_) | Verdict::Ambiguous(_) => {
                self.denied.entry(id).or_default().push(now);
                self.refused.insert(id);
            }
            // verify.url may be out of order: that says nothing.
            Verdict::Accepted(_) if has_failed => {}
            Verdict::Accepted(_) | Verdict::Rejected(_) => {
                self.denied.entry(id).or_default().push(now);
                self.rejections.push_back((now, id));
            }
            _ => {}
        }
    }

    pub(super) fn may_be_accepted(&mut self, key: Key, verdict: &Verdict, now: Timestamp) {
        if let Verdict::Accepted(grant) = verdict {
            self.accepted.insert(key.id(), (now, now + grant.lifetime));
        }
    }

    /// After a promotion with custody the active credential is there again after a restart.
    pub(super) fn recovers(&self, sim: &Sim) {
        let Some(record) = sim.member.record() else { return };
        let Some(overlap) = record.overlap() else { return };
        let promoted_at = overlap.retire_not_before;
        if !sim.member.keeps_active() || self.edited_at + 2 * MINUTE * 60 > promoted_at {
            return;
        }
        let is_there = |place: &super::places::Place| {
            place.content.iter().any(|key| key.id() == record.active)
        };
        assert!(sim.places.iter().any(is_there), "I21: what was promoted is lost with its process");
    }

    pub(super) fn window(&mut self, now: Timestamp) {
        let from = now - MINUTE;
        let is_old = |at: &Timestamp| *at < from;
        while self.stimuli.front().is_some_and(is_old) {
            self.stimuli.pop_front();
        }
        while self.sends.front().is_some_and(|(at, _)| is_old(at)) {
            self.sends.pop_front();
        }
        while self.rejections.front().is_some_and(|(at, _)| is_old(at)) {
            self.rejections.pop_front();
        }
    }
}

impl Sim {
    pub(super) fn check_write(&self, write: &Write, fresh: Option<&Fresh>) {
        let Some(stored) = self.store.load().record else {
            assert!(fresh.is_some(), "Started without a token");
            return;
        };
        if Some(stored.version) != write.expect {
            return;
        }
        let previous = stored.open_overlap().map(|overlap| overlap.previous);
        let role = previous.map(|previous| write.record.role(previous));
        if role == Some(Role::Retired) {
            self.check_retired(&stored);
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
    pub(super) fn check_request(&mut self, credential: &Arc<Credential>) {
        let is_same = |it: &super::process::Sent| it.credential.is_same_as(credential);
        assert!(!self.sent.values().any(is_same), "two requests with one credential");
        let id = Key::of(credential).id();
        let is_retired = self.checks.retired.contains(&id);
        let role = self.member.record().map(|record| record.role(id));
        assert!(!is_retired, "I2: {:?} is retired, presented as {role:?}", Key::of(credential));
        self.checks.sends.push_back((self.now, id));
        self.checks.memory.presents(Key::of(credential), self.now);
        let Some(record) = self.member.record() else { return };
        let role = record.role(id);
        let is_early = self.regime.store_survives;
        assert!(role != Role::Unknown || is_early, "an unknown credential is presented");
        let phase = PhaseName::of(Some(record));
        let is_prepared = phase == PhaseName::Prepared && role == Role::Active;
        assert!(!is_prepared, "the active credential is presented while it may be replaced");
        // Whether it still works is asked while a proved candidate waits, and to judge a refused one.
        let next = record.staged().map(|staged| staged.next);
        let is_asked = next.is_some_and(|next| {
            self.checks.accepted.contains_key(&next) || self.checks.denied.contains_key(&next)
        });
        // I20: with a fresh token nothing but a probe is sent.
        let held = self.member.token(self.now).filter(|held| self.now < held.refresh_at);
        let is_quiet = matches!(phase, PhaseName::Stable | PhaseName::Staged)
            && !is_asked
            && self.waiters.is_empty()
            && !self.checks.denied.contains_key(&id)
            // A store that gave no answer may have cost the token that is not handed out yet.
            && (self.regime.store_faults == 0 || self.troubled_at + 5 * SECOND < self.now)
            && self.callers.values().all(|(_, ask, _)| !matches!(ask, Ask::Request(Request::Prepare { .. })));
        assert!(
            !(role == Role::Active && is_quiet && held.is_some()),
            "I20: a request with the active credential although a fresh token is held"
        );
    }

    pub(super) fn check_published(&mut self, token: &Arc<HeldToken>) {
        assert!(self.now < token.usable_until, "I8: a token past its time is handed out");
        let is_same =
            self.handed_out.as_ref().is_some_and(|held| Arc::ptr_eq(&held.token, &token.token));
        assert!(
            token.serial > self.checks.last_serial
                || is_same && token.serial == self.checks.last_serial,
            "I8: the serial went from {} to {}",
            self.checks.last_serial,
            token.serial
        );
        self.checks.last_serial = token.serial;
        let issued = self.provider.issued.get(token.text.expose()).copied();
        let issued = issued.expect("a token that the provider has issued");
        assert_eq!(issued.key, Key::of(&token.credential), "it was made with another credential");
        let is_invalid = self.checks.invalidated.as_deref() == Some(token.text.expose());
        assert!(!is_invalid, "I8: a token that was invalidated comes back");
        assert!(!issued.unfit, "a token that failed its checks is handed out");
        assert!(token.usable_until <= issued.expires_at, "it is handed out for too long");
        let id = issued.key.id();
        let leaked = |record: &Record| !record.may_use_token_of(id);
        assert!(
            !self.member.record().is_some_and(leaked),
            "a token of a credential that has leaked is handed out"
        );
    }

    /// A caller of `getToken` is refused: rightly?
    pub(super) fn check_settled(&self, min_validity: Duration, refusal: Option<&Refusal>) {
        if matches!(refusal, Some(Refusal::Unavailable { .. })) && min_validity == Duration::ZERO {
            assert!(self.member.token(self.now).is_none(), "I1: refused although a token is valid");
        }
    }

    pub(super) fn check_answer(
        &self,
        ask: &Ask,
        key: Option<Key>,
        outcome: &Result<Answer, Denial>,
    ) {
        let (Some(key), Ask::Request(Request::Rotate(_))) = (key, ask) else { return };
        match outcome {
            Ok(Answer::Rotation(_)) => {
                let active = self.member.record().map(|record| record.active);
                assert_eq!(active, Some(key.id()), "a rotation succeeded, and another is active");
            }
            Err(Denial { reason: Reason::Refused(refusal, _), .. }) => {
                if matches!(**refusal, rotation::Refusal::CandidateRejected(_)) {
                    let is_denied = self.checks.denied.contains_key(&key.id());
                    let is_of_another = self.regime.store_survives;
                    assert!(
                        is_denied || is_of_another,
                        "a candidate is called rejected that was not"
                    );
                }
            }
            _ => {}
        }
    }
}
