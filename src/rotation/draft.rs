//! The record that a step is working on, and the changes of roles that the transitions are made of.

use std::time::Duration;

use super::effect::{Effect, Notice, Refusal, Settled, Step};
use super::event::{Caller, CallerId, Want};
use super::ledger::Proof;
use super::record::{
    End, Former, Overlap, Past, Phase, Quarantined, Record, Retired, Role, RotationId, Sink, Staged,
};
use super::transition::Transition;
use super::view::View;
use super::write::{Barrier, TokenChange, Write};
use crate::clock::Timestamp;
use crate::credential::CredentialId;

/// How long a candidate may take, and how long after its end an overlap is overdue.
pub(super) const PHASE_LIMIT: Duration = Duration::from_mins(10);

pub(super) struct Draft<'a> {
    pub(super) view: &'a View,
    pub(super) now: Timestamp,
    pub(super) record: Record,
    callers: Vec<(Caller, bool)>,
    pub(super) effects: Vec<Effect>,
    pub(super) transitions: Vec<Transition>,
    idle: Vec<Transition>,
    before: &'a Record,
    token: TokenChange,
    barrier: Option<Barrier>,
}

impl<'a> Draft<'a> {
    pub(super) fn new(before: &'a Record, view: &'a View, now: Timestamp) -> Self {
        Self {
            view,
            now,
            record: before.clone(),
            callers: view.callers.iter().map(|caller| (caller.clone(), false)).collect(),
            effects: Vec::new(),
            transitions: Vec::new(),
            idle: Vec::new(),
            before,
            token: TokenChange::Keep,
            barrier: None,
        }
    }

    pub(super) fn wants(&self) -> impl Iterator<Item = &Want> {
        self.callers.iter().map(|(caller, _)| &caller.want)
    }

    /// The caller waits, unless this very step answers it.
    pub(super) fn keep(&mut self, id: CallerId, want: Want) {
        self.callers.push((Caller { id, want }, true));
    }

    /// The callers that waited before this step and want that; they do not wait any more.
    pub(super) fn take(&mut self, wants: impl Fn(&Want) -> bool) -> Vec<Caller> {
        let fits = |(caller, is_new): &mut (Caller, bool)| !*is_new && wants(&caller.want);
        self.callers.extract_if(.., fits).map(|(caller, _)| caller).collect()
    }

    pub(super) fn answer(&mut self, caller: CallerId, outcome: Result<Settled, Refusal>) {
        self.effects.push(Effect::Answer { caller, outcome });
    }

    /// Answers those of the waiting callers of which `outcome` says what becomes of them.
    pub(super) fn settle(
        &mut self,
        outcome: impl Fn(&Self, &Want) -> Option<Result<Settled, Refusal>>,
    ) {
        for (caller, is_new) in std::mem::take(&mut self.callers) {
            match outcome(self, &caller.want) {
                Some(outcome) => self.answer(caller.id, outcome),
                None => self.callers.push((caller, is_new)),
            }
        }
    }

    pub(super) fn finish(mut self) -> Step {
        let new = self.callers.extract_if(.., |(_, is_new)| *is_new);
        let kept: Vec<Effect> = new.map(|(caller, _)| Effect::Keep(caller)).collect();
        let transitions: Vec<_> = self.idle.into_iter().chain(self.transitions).collect();
        let moved = transitions.iter().map(|row| Effect::Notify(Notice::Moved(*row)));
        // What is sent for a caller depends on what it wants.
        let effects = moved.chain(kept).chain(self.effects).collect();
        if self.record == *self.before && self.token == TokenChange::Keep {
            return Step { write: None, effects, transitions };
        }
        self.record.version.epoch = self.before.version.epoch + 1;
        self.record.version.nonce = self.view.nonce;
        let expect = Some(self.before.version);
        let (record, token, barrier) = (self.record, self.token, self.barrier);
        Step { write: Some(Write { expect, record, token, barrier }), effects, transitions }
    }

    /// The epoch of the write that this step asks for.
    fn epoch(&self) -> u64 {
        self.before.version.epoch + 1
    }

    pub(super) fn took(&mut self, transition: Transition) {
        self.transitions.push(transition);
    }

    /// Notes a row that changes nothing.
    pub(super) fn took_nothing_by(&mut self, transition: Transition) {
        self.idle.push(transition);
    }

    pub(super) fn has_moved(&self) -> bool {
        !self.transitions.is_empty()
    }

    /// The token of the active credential's latest probe is shared with this write.
    pub(super) fn replace_token(&mut self, proof: Proof) {
        let credential = self.record.active;
        self.token = TokenChange::Replace { credential, expires_at: proof.expires_at };
    }

    pub(super) fn replaces_token(&self) -> bool {
        self.token != TokenChange::Keep
    }

    /// Whether the previous credential was wanted back before this step.
    pub(super) fn was_reverting(&self) -> bool {
        self.before.overlap().is_some_and(|overlap| overlap.reverting.is_some())
    }

    pub(super) fn notify(&mut self, notice: Notice) {
        self.effects.push(Effect::Notify(notice));
    }

    /// See [`Ledger::valid_proof`](super::ledger::Ledger::valid_proof).
    pub(super) fn proof(&self, credential: CredentialId) -> Option<Proof> {
        self.view.ledger.valid_proof(credential, self.now)
    }

    /// See [`Ledger::valid_proof_since`](super::ledger::Ledger::valid_proof_since).
    pub(super) fn proof_since(&self, since: Timestamp, credential: CredentialId) -> Option<Proof> {
        self.view.ledger.valid_proof_since(since, credential, self.now)
    }

    /// T3: the credential leaves the role that it had and is to be proved.
    pub(super) fn stage(&mut self, next: CredentialId, rotation: RotationId, compromised: bool) {
        let record = &mut self.record;
        let mut former = Former::Unknown;
        if let Some(index) = record.standby.iter().position(|known| *known == next) {
            record.standby.remove(index);
            former = Former::Standby;
        }
        if let Some(index) = record.quarantined.iter().position(|known| known.credential == next) {
            former = Former::Quarantined(record.quarantined.remove(index));
        }
        if let Some(index) = record.retired.iter().position(|known| known.credential == next) {
            former = Former::Retired(record.retired.remove(index));
        }
        record.waiting = record.waiting.filter(|waiting| *waiting != next);
        let sinks = std::mem::take(&mut record.sinks);
        record.phase = Phase::Staged(Staged {
            next,
            former,
            rotation,
            at: self.now,
            deadline: self.now + PHASE_LIMIT,
            compromised,
            forsaken: None,
            sinks,
        });
        self.took(Transition::T3);
    }

    /// The candidate after this rotation: the latest one wins, and the other one stays a fallback.
    pub(super) fn put_in_line(&mut self, candidate: CredentialId) {
        let was = self.record.waiting.replace(candidate);
        let is_lost = |one: &CredentialId| {
            self.record.role(*one) == Role::Unknown && self.view.configured.contains(one)
        };
        if let Some(lost) = was.filter(is_lost) {
            self.record.standby.push(lost);
        }
    }

    /// Ends the open rotation without a promotion; the caller of this chooses the next phase.
    pub(super) fn unstage(&mut self, end: End) -> Option<Staged> {
        let staged = self.record.staged()?.clone();
        let is_yielded = self.view.configured.contains(&staged.next)
            || self.record.sinks.values().any(|sink| *sink == Sink::Done);
        match (end, staged.former) {
            (End::Rejected, former) => {
                let was_active = match former {
                    Former::Retired(_) => true,
                    Former::Quarantined(known) => known.was_active,
                    Former::Unknown | Former::Standby => false,
                };
                self.quarantine(staged.next, was_active);
            }
            // What a source or a written place yields stays a fallback, though nothing proved it in time.
            (_, Former::Unknown) if is_yielded => {
                self.record.standby.push(staged.next);
            }
            (_, Former::Unknown) => {}
            (_, Former::Standby) => self.record.standby.push(staged.next),
            (_, Former::Quarantined(known)) => self.record.quarantined.push(known),
            (_, Former::Retired(known)) => self.record.retired.push(known),
        }
        let written = std::mem::replace(&mut self.record.sinks, staged.sinks.clone());
        for slot in written.into_iter().filter(|(_, sink)| *sink == Sink::Done).map(|it| it.0) {
            // It holds what was withdrawn now.
            let is_behind = |sink: &Sink| matches!(sink, Sink::Pending { .. });
            self.record.sinks.retain(|known, sink| *known != slot || is_behind(sink));
        }
        self.remember(staged.rotation.clone(), staged.next, end);
        Some(staged)
    }

    /// T4: the new credential, its token and the end of the overlap, in one write.
    pub(super) fn promote(&mut self, staged: Staged, proof: Proof) {
        let previous = self.replace_active(staged.next, proof);
        self.remember(staged.rotation.clone(), staged.next, End::Promoted);
        if staged.compromised {
            self.retire(previous, true);
            self.effects.push(Effect::DropTokens(previous));
            self.record.phase = Phase::Stable;
            self.took(Transition::T4c);
        } else {
            self.open_overlap(previous, staged.rotation);
            self.took(Transition::T4);
        }
    }

    pub(super) fn open_overlap(&mut self, previous: CredentialId, rotation: RotationId) {
        let safe_to_revoke_at = self.last_expiry_of(previous).unwrap_or(self.now);
        let remaining = safe_to_revoke_at.since(self.now);
        let usual = remaining.max(Duration::from_mins(5)).min(Duration::from_hours(1));
        let retire_not_before = self.now + self.view.policy.overlap.unwrap_or(usual);
        self.record.phase = Phase::Overlap(Overlap {
            previous,
            rotation,
            epoch: self.epoch(),
            retire_not_before,
            safe_to_revoke_at,
            deadline: retire_not_before + PHASE_LIMIT,
            overdue: false,
            reverting: None,
        });
    }

    /// Changes the active credential with its token, and answers the one that it was.
    ///
    /// The new one has left every other role after this; the old one has none yet.
    pub(super) fn replace_active(&mut self, active: CredentialId, proof: Proof) -> CredentialId {
        let record = &mut self.record;
        record.standby.retain(|known| *known != active);
        record.quarantined.retain(|known| known.credential != active);
        record.retired.retain(|known| known.credential != active);
        record.waiting = record.waiting.filter(|waiting| *waiting != active);
        record.generation += 1;
        let was = std::mem::replace(&mut record.active, active);
        let pending = Sink::Pending { not_before: self.now };
        let slots = self.view.sinks.iter().map(|spec| spec.slot);
        match &mut record.phase {
            // The candidate stays, and so does what was written with it.
            Phase::Staged(staged) if staged.next != active => {
                staged.sinks = slots.map(|slot| (slot, pending)).collect();
            }
            phase => {
                let proved = matches!(phase, Phase::Staged(_));
                let written = |sink: &Sink| !matches!(sink, Sink::Pending { .. });
                record.sinks.retain(|_, sink| proved && written(sink));
                for slot in slots {
                    record.sinks.entry(slot).or_insert(pending);
                }
            }
        }
        self.replace_token(proof);
        if !self.record.is_kept(self.view, active) {
            self.notify(Notice::NotPersisted(active));
        }
        was
    }

    pub(super) fn quarantine(&mut self, credential: CredentialId, was_active: bool) {
        self.record.standby.retain(|known| *known != credential);
        if self.record.role(credential) != Role::Quarantined {
            self.record.quarantined.push(Quarantined { credential, was_active });
        }
        // Mistyped secrets are not probed for ever.
        let is_stray =
            |known: &Quarantined| !known.was_active && !self.view.is_yielded(known.credential);
        let strays = self.record.quarantined.iter().filter(|known| is_stray(known)).count();
        let mut surplus = strays.saturating_sub(Record::MOST_REJECTED);
        self.record.quarantined.retain(|known| {
            let goes = surplus > 0 && is_stray(known);
            surplus -= usize::from(goes);
            !goes
        });
    }

    /// Puts a credential that is no longer active or previous to the others, without judging it.
    pub(super) fn stand_by(&mut self, credential: CredentialId) {
        if self.view.ledger.rejections(credential).is_some() {
            self.quarantine(credential, true);
        } else if !self.record.standby.contains(&credential) {
            self.record.standby.push(credential);
        }
    }

    pub(super) fn retire(&mut self, credential: CredentialId, compromised: bool) {
        let record = &mut self.record;
        record.waiting = record.waiting.filter(|waiting| *waiting != credential);
        record.retired.push(Retired { credential, compromised });
        let surplus = record.retired.len().saturating_sub(Record::MOST_RETIRED);
        record.retired.drain(..surplus);
    }

    pub(super) fn require(&mut self, barrier: Option<Barrier>) {
        self.barrier = barrier;
    }

    fn remember(&mut self, rotation: RotationId, candidate: CredentialId, end: End) {
        let history = &mut self.record.history;
        history.push(Past { rotation, candidate, end });
        let surplus = history.len().saturating_sub(Record::MOST_HISTORY);
        history.drain(..surplus);
    }

    /// Whether the rotation that was open ended with its candidate, now that another credential is active.
    pub(super) fn revise_end(&mut self, rotation: &RotationId) {
        let active = self.record.active;
        let past = self.record.history.iter_mut().rev().find(|past| past.rotation == *rotation);
        if let Some(past) = past {
            past.end = if past.candidate == active { End::Promoted } else { End::RolledBack };
        }
    }

    fn last_expiry_of(&self, credential: CredentialId) -> Option<Timestamp> {
        let shared = self.view.token.filter(|token| token.credential == credential);
        let shared = shared.map(|token| token.expires_at);
        self.view.ledger.last_expiry(credential).max(shared)
    }
}
