//! What must hold after every step, and over the history.

use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::time::Duration;

use super::process::{MINUTE, SECOND, Sim};
use super::provider::Key;
use crate::credential::{Credential, CredentialId};
use crate::member::*;
use crate::refresh::Refusal;
use crate::rotation::{PhaseName, Record, Retired, Role, TokenChange, Transition, Version, Write};
use crate::store::Fresh;
use crate::verdict::Verdict;

/// What one process has seen.
#[derive(Debug, Default)]
pub(super) struct Checks {
    /// When a credential was last accepted, and when the token of that ends.
    accepted: BTreeMap<CredentialId, (Timestamp, Timestamp)>,
    /// When it was not, since it was last accepted.
    denied: BTreeMap<CredentialId, Vec<Timestamp>>,
    refused: BTreeSet<CredentialId>,
    scopes: BTreeMap<CredentialId, bool>,
    /// Read as retired, and not named since.
    retired: BTreeSet<CredentialId>,
    named: BTreeMap<CredentialId, Timestamp>,
    last_serial: u64,
    last_version: Option<Version>,
    sends: VecDeque<(Timestamp, CredentialId)>,
    rejections: VecDeque<(Timestamp, CredentialId)>,
    /// What gives a reason for more requests.
    stimuli: VecDeque<Timestamp>,
    retire_asked_at: Option<Timestamp>,
    edited_at: Timestamp,
    invalidated: Option<String>,
}

impl Checks {
    pub(super) fn end_of_process(&mut self) {
        let edited_at = self.edited_at;
        let stimuli = std::mem::take(&mut self.stimuli);
        let sends = std::mem::take(&mut self.sends);
        let rejections = std::mem::take(&mut self.rejections);
        *self = Self { sends, rejections, stimuli, edited_at, ..Self::default() };
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
        let staged = record.and_then(Record::staged);
        staged.is_some_and(|staged| staged.next == key.id())
            && record.is_some_and(|record| self.scopes.get(&record.active) == Some(&true))
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
                self.denied.remove(&id);
                // The endpoint answers: the bare 401s of the others were meant.
                for other in std::mem::take(&mut self.refused) {
                    if other != id {
                        self.denied.entry(other).or_default().push(now);
                    }
                }
                self.scopes.insert(id, grant.scope.as_deref() == Some("a b"));
            }
            Verdict::Refused(_) => {
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

    fn window(&mut self, now: Timestamp) {
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

fn moves(effects: &[Effect]) -> Vec<Transition> {
    let moved = |effect: &Effect| match effect {
        Effect::Notify(Notice::Rotation(change)) => match change.what {
            What::Moved(transition) => Some(transition),
            _ => None,
        },
        _ => None,
    };
    effects.iter().filter_map(moved).collect()
}

impl Sim {
    /// One step: what became of the record, and whether that was right.
    pub(super) fn check_step(&mut self, before: Option<&Record>, stored: bool, effects: &[Effect]) {
        let Some(after) = self.member.record().cloned() else { return };
        if before == Some(&after) {
            return;
        }
        let was = self.checks.last_version.replace(after.version);
        if let Some(was) = was.filter(|was| was.incarnation == after.version.incarnation) {
            assert!(was.epoch <= after.version.epoch, "I4: the epoch fell");
            let is_other = was.epoch == after.version.epoch && was.nonce != after.version.nonce;
            assert!(!is_other, "I4: two records of one epoch");
        }
        Self::check_roles(&after);
        let retired = |record: &Record| -> BTreeSet<CredentialId> {
            record.retired.iter().map(|it: &Retired| it.credential).collect()
        };
        let (now, new) = (self.now, retired(&after));
        for id in before.map(retired).unwrap_or_default().difference(&new) {
            let was_cleared =
                !self.checks.retired.contains(id) || after.retired.len() >= Record::MOST_RETIRED;
            assert!(was_cleared, "I2: a retirement was forgotten without a reason");
        }
        let Some(before) = before else {
            let is_named = |id: &CredentialId| {
                self.checks.named.contains_key(id) || after.waiting == Some(*id)
            };
            let new = new.into_iter().filter(|id| !is_named(id)).collect::<Vec<_>>();
            self.checks.retired.extend(new);
            return;
        };
        let just_named: BTreeSet<_> = self
            .checks
            .named
            .iter()
            .filter(|(_, at)| **at + 10 * SECOND >= now)
            .map(|(id, _)| *id)
            .collect();
        let new: Vec<_> = new.difference(&retired(before)).copied().collect();
        self.checks.retired.extend(new.into_iter().filter(|id| !just_named.contains(id)));
        let moves = moves(effects);
        if !stored {
            return;
        }
        self.check_phase(before, &after, &moves);
        self.check_active(before, &after, &moves);
    }

    fn check_roles(record: &Record) {
        let mut all = vec![record.active];
        all.extend(record.standby.iter());
        all.extend(record.quarantined.iter().map(|it| it.credential));
        all.extend(record.retired.iter().map(|it| it.credential));
        all.extend(record.staged().map(|it| it.next));
        all.extend(record.overlap().map(|it| it.previous));
        let unique: BTreeSet<_> = all.iter().collect();
        assert_eq!(unique.len(), all.len(), "a credential has two roles: {record:#?}");
    }

    fn check_phase(&self, before: &Record, after: &Record, moves: &[Transition]) {
        let (from, to) = (PhaseName::of(Some(before)), PhaseName::of(Some(after)));
        match moves {
            [] => assert_eq!(from, to, "a phase changed without a transition"),
            [one] => assert!(one.allows(from, to), "{one:?} does not lead from {from:?} to {to:?}"),
            _ => {}
        }
        let ends = [Transition::T9, Transition::T11, Transition::T12, Transition::T14];
        if before.overlap().is_some() && after.overlap().is_none() {
            assert!(moves.iter().any(|it| ends.contains(it)), "I12: {moves:?} ended an overlap");
        }
        if let (Some(was), Some(is)) = (before.staged(), after.staged())
            && was.rotation != is.rotation
        {
            assert!(after.past(&was.rotation).is_some(), "I11: a rotation was forgotten");
        }
        for one in moves {
            match one {
                Transition::T5 => self.check_rejected(before),
                Transition::T14 => self.check_degraded(before, after),
                Transition::T8 | Transition::T9 => {
                    let denied = self.checks.denied.get(&before.active);
                    assert!(denied.is_some(), "{one:?} although the active one was not rejected");
                }
                _ => {}
            }
        }
    }

    fn check_rejected(&self, before: &Record) {
        let staged = before.staged().expect("only a staged one is rejected");
        let denied = self.checks.denied.get(&staged.next).cloned().unwrap_or_default();
        let since: Vec<_> = denied.into_iter().filter(|at| *at + 5 * SECOND >= staged.at).collect();
        let span = since.last().zip(since.first()).map(|(last, first)| last.since(*first));
        assert!(
            since.len() >= 3 && span >= Some(5 * SECOND),
            "I10: a candidate was given up after {since:?}"
        );
    }

    fn check_retired(&self, before: &Record) {
        let overlap = before.overlap().expect("only an overlap ends by T12");
        let is_due = self.now >= overlap.retire_not_before;
        let is_asked = self.checks.retire_asked_at.is_some_and(|at| at + 16 * MINUTE >= self.now);
        assert!(is_due || is_asked, "I12: retired before its time");
        let proof = self.checks.accepted.get(&before.active);
        let is_fresh = proof.is_some_and(|(at, _)| *at + MINUTE + 5 * SECOND >= self.now);
        let is_denied = self.checks.denied.contains_key(&before.active) && !is_fresh;
        assert!(
            is_fresh && !is_denied,
            "I6: retired although the active one is not proved: {proof:?}"
        );
    }

    fn check_degraded(&self, before: &Record, after: &Record) {
        let mut all = vec![before.active];
        let next = after.staged().map(|staged| staged.next);
        all.extend(after.fallbacks().filter(|one| Some(*one) != next));
        for id in all {
            let is_held = self.configured.iter().any(|key| key.id() == id);
            let is_accepted = !self.checks.denied.contains_key(&id) && is_held;
            assert!(!is_accepted, "T14 although {id} was not rejected: {after:#?}");
        }
    }

    fn check_active(&self, before: &Record, after: &Record, moves: &[Transition]) {
        let changed = u64::from(before.active != after.active);
        assert_eq!(after.generation, before.generation + changed, "a generation for each change");
        if changed == 0 {
            return;
        }
        let proof = self.checks.accepted.get(&after.active);
        assert!(proof.is_some(), "I7: active without a proof: {moves:?}");
    }

    pub(super) fn check_write(&self, write: &Write, fresh: Option<&Fresh>) {
        let Some(stored) = self.store.load().record else {
            assert!(fresh.is_some(), "T0 without a token");
            return;
        };
        if Some(stored.version) != write.expect {
            return;
        }
        let previous = stored.overlap().map(|overlap| overlap.previous);
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
        let Some(record) = self.member.record() else { return };
        let role = record.role(id);
        let is_early = self.regime.store_survives;
        assert!(role != Role::Unknown || is_early, "an unknown credential is presented");
        let phase = PhaseName::of(Some(record));
        let is_prepared = phase == PhaseName::Prepared && role == Role::Active;
        assert!(!is_prepared, "the active credential is presented while it may be replaced");
        // I20: with a fresh token nothing but a probe is sent.
        let held = self.member.token(self.now).filter(|held| self.now < held.refresh_at);
        let is_quiet = matches!(phase, PhaseName::Stable | PhaseName::Staged)
            && self.waiters.is_empty()
            && !self.checks.denied.contains_key(&id)
            // A store that gave no answer may have cost the token that is not handed out yet.
            && (self.regime.store_faults == 0 || self.troubled_at + 5 * SECOND < self.now)
            && self.callers.values().all(|(_, ask, _)| !matches!(ask, Ask::Prepare { .. }));
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
        let (Some(key), Ask::Rotate { .. }) = (key, ask) else { return };
        match outcome {
            Ok(Answer::Rotation(_)) => {
                let active = self.member.record().map(|record| record.active);
                assert_eq!(active, Some(key.id()), "a rotation succeeded, and another is active");
            }
            Err(Denial { reason: Reason::Refused(refusal, _), .. }) => {
                if matches!(**refusal, rotation::Refusal::CandidateRejected(_)) {
                    let is_denied = self.checks.denied.contains_key(&key.id());
                    assert!(is_denied, "a candidate is called rejected that was not");
                }
            }
            _ => {}
        }
    }

    /// Between two steps, when every effect has been performed.
    pub(super) fn check_rest(&mut self) {
        let held = self.member.token(self.now).map(|held| held.serial);
        assert_eq!(
            held,
            self.handed_out.as_ref().map(|held| held.serial),
            "two opinions of a token"
        );
        let wake_at = self.member.wake_at(self.now);
        assert!(wake_at.is_none_or(|at| at > self.now), "a tick would be due again at once");
        self.check_deadlines();
        self.check_storms();
        self.check_health();
    }

    fn check_deadlines(&self) {
        let is_overdue = |at: &Timestamp| *at + SECOND < self.now;
        assert!(!self.waiters.values().any(|(at, _)| is_overdue(at)), "a waiter is forgotten");
        let overdue = |(at, _, _): &(Timestamp, Ask, Option<Key>)| is_overdue(at);
        assert!(!self.callers.values().any(overdue), "a caller is forgotten: {:?}", self.callers);
        let Some(record) = self.member.record() else { return };
        let deadline = match &record.phase {
            rotation::Phase::Prepared(prepared) => prepared.deadline,
            rotation::Phase::Staged(staged) => staged.deadline,
            rotation::Phase::Overlap(overlap) => overlap.deadline,
            _ => return,
        };
        let is_troubled = self.troubled_at + 6 * MINUTE >= deadline;
        if deadline + SECOND < self.now && !is_troubled && !self.is_stranded() {
            let sinks = record.sinks.values();
            let is_kept = record.persisted() != Persisted::Impossible || self.member.keeps_active();
            let is_blocked = record.overlap().is_some()
                && (!is_kept
                    || sinks.into_iter().any(|it| matches!(it, rotation::Sink::Pending { .. })));
            let is_denied = self.checks.denied.contains_key(&record.active);
            assert!(is_blocked || is_denied, "I13: a phase outlives its deadline");
        }
    }

    fn check_storms(&mut self) {
        self.checks.window(self.now);
        let reasons = self.checks.stimuli.len();
        if self.is_stranded() {
            return;
        }
        let Checks { sends, rejections, .. } = &self.checks;
        assert!(sends.len() <= 70 + 10 * reasons, "I10: {} requests in a minute", sends.len());
        let mut each: BTreeMap<CredentialId, usize> = BTreeMap::new();
        for (_, id) in rejections {
            *each.entry(*id).or_default() += 1;
        }
        let most = each.values().max().copied().unwrap_or_default();
        assert!(most <= 12 + 4 * reasons, "I10: {most} rejections of one credential in a minute");
    }

    /// The store outlived a process that held the active credential, and nobody else does: without a
    /// fleet that is the end of it.
    fn is_stranded(&self) -> bool {
        let holds = |id| self.configured.iter().any(|key| key.id() == id);
        let active = self.member.record().map(|record| record.active);
        self.regime.store_survives && !active.is_none_or(holds)
    }

    /// Whether a credential is held that the provider has accepted all the while.
    fn good(&self) -> Option<(Key, CredentialId, Option<Role>)> {
        if self.is_stranded() {
            return None;
        }
        self.configured.iter().find_map(|key| {
            let role = self.member.record().map(|record| record.role(key.id()));
            let is_accepted = self.provider.accepts(*key, self.troubled_at)
                && self.provider.accepts(*key, self.now);
            // Who starts beside a store that has a record already is told of it too late.
            let is_late = self.regime.store_survives && role == Some(Role::Unknown);
            (is_accepted && !is_late && role != Some(Role::Retired)).then(|| (*key, key.id(), role))
        })
    }

    fn check_health(&self) {
        const PATIENCE: Duration = Duration::from_secs(380);
        if self.troubled_at + PATIENCE < self.now && self.handed_out.is_none() {
            let good = self.good();
            assert!(good.is_none(), "I1: no token although {good:?} is accepted and held");
        }
    }

    /// All faults have ended long ago.
    pub(super) fn check_settled_down(&self) {
        if self.is_stranded() {
            return;
        }
        let phase = PhaseName::of(self.member.record());
        let is_impossible = self.member.record().is_some_and(|record| {
            record.overlap().is_some()
                && record.sinks.values().any(|sink| *sink == rotation::Sink::Impossible)
                && !self.member.keeps_active()
        });
        if self.good().is_some() {
            assert!(self.handed_out.is_some(), "I5: no token comes back");
            assert!(phase == PhaseName::Stable || is_impossible, "I5: it stays {phase:?}");
        } else {
            assert!(
                matches!(phase, PhaseName::Degraded | PhaseName::Starting | PhaseName::Stable)
                    || is_impossible,
                "I5: it stays {phase:?}"
            );
        }
    }
}
