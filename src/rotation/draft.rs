//! The record that a step is working on, and the changes of roles that the transitions are made of.

use std::time::Duration;

use super::caller::{Awaited, CallerId, KeptCaller};
use super::effect::{About, Effect, Moved, Notice, Persisted, Refusal, Settled, Step, Why};
use super::ledger::Proof;
use super::record::{End, Former, Overlap, Past, Phase, Record, RotationId, Sink, Staged};
use super::transition::Transition;
use super::view::View;
use super::write::{Barrier, TokenChange, Write};
use super::{promotion, retirement};
use crate::clock::Timestamp;
use crate::credential::CredentialId;

/// How long a candidate may take, and how long after its end an overlap is overdue.
pub(super) const PHASE_LIMIT: Duration = Duration::from_mins(10);

pub(super) struct Draft<'a> {
    pub(super) view: &'a View,
    pub(super) now: Timestamp,
    pub(super) record: Record,
    callers: Vec<(KeptCaller, bool)>,
    pub(super) effects: Vec<Effect>,
    moves: Vec<Moved>,
    idle: Vec<Moved>,
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
            moves: Vec::new(),
            idle: Vec::new(),
            before,
            token: TokenChange::Keep,
            barrier: None,
        }
    }

    pub(super) fn awaited(&self) -> impl Iterator<Item = &Awaited> {
        self.callers.iter().map(|(caller, _)| &caller.awaits)
    }

    /// The caller waits, unless this very step answers it.
    pub(super) fn keep(&mut self, id: CallerId, awaits: Awaited) {
        self.callers.push((KeptCaller { id, awaits }, true));
    }

    /// The callers that waited for that before this step; they do not wait any more.
    pub(super) fn take(&mut self, is_meant: impl Fn(&Awaited) -> bool) -> Vec<KeptCaller> {
        let fits = |(caller, is_new): &mut (KeptCaller, bool)| !*is_new && is_meant(&caller.awaits);
        self.callers.extract_if(.., fits).map(|(caller, _)| caller).collect()
    }

    pub(super) fn answer(&mut self, caller: CallerId, outcome: Result<Settled, Refusal>) {
        self.effects.push(Effect::Answer { caller, outcome });
    }

    /// Answers those of the waiting callers of which `outcome` says what becomes of them.
    pub(super) fn settle(
        &mut self,
        outcome: impl Fn(&Self, &Awaited) -> Option<Result<Settled, Refusal>>,
    ) {
        for (caller, is_new) in std::mem::take(&mut self.callers) {
            match outcome(self, &caller.awaits) {
                Some(outcome) => self.answer(caller.id, outcome),
                None => self.callers.push((caller, is_new)),
            }
        }
    }

    pub(super) fn finish(mut self) -> Step {
        let new = self.callers.extract_if(.., |(_, is_new)| *is_new);
        let kept: Vec<Effect> = new.map(|(caller, _)| Effect::Keep(caller)).collect();
        let moves: Vec<Moved> = self.idle.into_iter().chain(self.moves).collect();
        let transitions = moves.iter().map(|it| it.transition).collect();
        let told = moves.into_iter().map(|it| Effect::Notify(Notice::Moved(it)));
        // What is sent for a caller depends on what it waits for.
        let effects = told.chain(kept).chain(self.effects).collect();
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
        self.moves.push(Moved::phase(transition));
    }

    fn took_about(&mut self, transition: Transition, about: About) {
        self.moves.push(Moved { transition, about: Some(about) });
    }

    /// AwaitingProof: an answer that says nothing of the candidate changes nothing.
    pub(super) fn took_nothing(&mut self) {
        self.idle.push(Moved::phase(Transition::AwaitingProof));
    }

    pub(super) fn has_moved(&self) -> bool {
        !self.moves.is_empty()
    }

    /// Whether a caller waits until this credential is active.
    pub(super) fn waits_for(&self, candidate: CredentialId) -> bool {
        self.awaited()
            .any(|it| matches!(it, Awaited::Promotion { candidate: one, .. } if *one == candidate))
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

    /// Staged: the credential leaves the role that it had and is to be proved.
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
        let beneath = match std::mem::replace(&mut record.phase, Phase::Stable) {
            Phase::Overlap(overlap) => Some(Box::new(overlap)),
            _ => None,
        };
        let about = About { rotation: rotation.clone(), candidate: next, why: None };
        record.phase = Phase::Staged(Staged {
            next,
            former,
            rotation,
            at: self.now,
            deadline: self.now + PHASE_LIMIT,
            compromised,
            forsaken: None,
            unwanted: None,
            sinks,
            beneath,
        });
        self.took_about(Transition::Staged, about);
    }

    /// CandidateRejected, CandidateWithdrawn: ends the open rotation without a promotion; the caller of this chooses the next phase.
    pub(super) fn unstage(&mut self, why: Why) -> Option<Staged> {
        let staged = self.record.staged()?.clone();
        let end = why.end();
        let is_yielded = self.view.configured.contains(&staged.next)
            || self.record.sinks.values().any(|sink| *sink == Sink::Done);
        let is_proved = promotion::was_proved(self.view, &staged);
        if is_proved {
            self.forget_predecessors(staged.next);
        }
        match (end, staged.former) {
            // What was accepted is never forgotten: it may be all that is left one day.
            _ if is_proved => self.record.standby.push(staged.next),
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
        let pending = Sink::Pending { not_before: self.now };
        // A place that holds what was withdrawn now gets the active credential again.
        let behind = written.into_iter().filter(|(_, sink)| *sink == Sink::Done);
        self.record.sinks.extend(behind.map(|(slot, _)| (slot, pending)));
        self.limit_standbys();
        self.remember(staged.rotation.clone(), staged.next, end);
        let transition = if end == End::Rejected {
            Transition::CandidateRejected
        } else {
            Transition::CandidateWithdrawn
        };
        let (rotation, candidate) = (staged.rotation.clone(), staged.next);
        self.took_about(transition, About { rotation, candidate, why: Some(why) });
        Some(staged)
    }

    /// Promoted: the new credential, its token and the end of the overlap, in one write.
    pub(super) fn promote(&mut self, staged: Staged, proof: Proof) {
        let is_rejected = self.view.ledger.rejections(self.record.active).is_some();
        if let Some(beneath) = &staged.beneath {
            if is_rejected && !staged.compromised {
                // Nothing is retired while what comes after it may be needed.
                self.record.phase = Phase::Staged(Staged { beneath: None, ..staged.clone() });
                self.quarantine(beneath.previous, true);
            } else {
                if !staged.compromised {
                    self.barrier = retirement::barrier(&self.record, self.view, beneath);
                }
                self.retire(beneath.previous, false);
            }
        }
        self.forget_predecessors(staged.next);
        let previous = self.replace_active(staged.next, proof);
        if self.record.persisted(staged.next) == Persisted::Pending
            && !self.record.is_kept(self.view, staged.next)
        {
            self.notify(Notice::NotPersisted(staged.next));
        }
        self.remember(staged.rotation.clone(), staged.next, End::Promoted);
        let (rotation, candidate) = (staged.rotation.clone(), staged.next);
        let about = About { rotation, candidate, why: None };
        if staged.compromised {
            self.retire(previous, true);
            self.effects.push(Effect::DropTokens(previous));
            self.record.phase = Phase::Stable;
            self.took_about(Transition::PromotedAfterLeak, about);
        } else {
            self.open_overlap(previous, staged.rotation);
            self.took_about(Transition::Promoted, about);
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
            at: self.now,
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
        // Where it is written back next, there is something to tell only when that fails.
        let is_written_next = self.record.persisted(active) == Persisted::Pending;
        let is_well = is_written_next || self.record.is_succeeded(self.view);
        if !is_well && !self.record.is_kept(self.view, active) {
            self.notify(Notice::NotPersisted(active));
        }
        was
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
