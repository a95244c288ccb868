//! The record that a step is changing, with everything that goes along with the change.

use super::caller::{Awaited, CallerId, KeptCaller};
use super::effect::{RotationEffect, RotationStep};
use super::notice::{About, Moved, RotationNotice};
use super::outcome::{Refusal, Settled};
use super::record::Record;
use super::request::Rotate;
use super::standing::Proof;
use super::transition::Transition;
use super::view::View;
use super::write::{Barrier, TokenChange, Write};
use crate::clock::StoreTime;
use crate::credential::CredentialId;

/// One step in the making: nothing of it happens before the store has accepted its write.
pub(super) struct Transaction<'a> {
    view: &'a View,
    now: StoreTime,
    before: &'a Record,
    record: Record,
    callers: Callers,
    taken: Taken,
    effects: Vec<RotationEffect>,
    token: TokenChange,
    barrier: Option<Barrier>,
}

/// The callers that wait.
#[derive(Default)]
struct Callers {
    /// They waited before this step.
    kept: Vec<KeptCaller>,
    /// They wait from this step on, unless it settles what they wait for.
    new: Vec<KeptCaller>,
}

/// The transitions that were taken.
#[derive(Default)]
struct Taken {
    /// Those that change nothing.
    idle: Vec<Moved>,
    moves: Vec<Moved>,
}

impl<'a> Transaction<'a> {
    pub(super) fn new(before: &'a Record, view: &'a View, now: StoreTime) -> Self {
        Self {
            view,
            now,
            before,
            record: before.clone(),
            callers: Callers { kept: view.callers.clone(), new: Vec::new() },
            taken: Taken::default(),
            effects: Vec::new(),
            token: TokenChange::Keep,
            barrier: None,
        }
    }

    pub(super) fn view(&self) -> &'a View {
        self.view
    }

    pub(super) fn now(&self) -> StoreTime {
        self.now
    }

    /// The record as it has become so far.
    pub(super) fn record(&self) -> &Record {
        &self.record
    }

    pub(super) fn record_mut(&mut self) -> &mut Record {
        &mut self.record
    }

    /// The epoch of the write that this step asks for.
    pub(super) fn epoch(&self) -> u64 {
        self.before.version.epoch + 1
    }

    /// The previous credential is to take over again as soon as it is accepted once more; beneath a
    /// candidate, as soon as the overlap goes on.
    pub(super) fn want_back(&mut self) {
        let now = self.now;
        if let Some(overlap) = self.record.open_overlap_mut() {
            overlap.reverting.get_or_insert(now);
        }
    }

    /// Whether the previous credential was wanted back before this step.
    pub(super) fn was_reverting(&self) -> bool {
        self.before.overlap().is_some_and(|overlap| overlap.reverting.is_some())
    }

    // What the endpoint said.

    /// See [`Ledger::valid_proof`](super::ledger::Ledger::valid_proof).
    pub(super) fn proof(&self, credential: CredentialId) -> Option<Proof> {
        self.view.ledger.valid_proof(credential, self.now)
    }

    /// See [`Ledger::valid_proof_since`](super::ledger::Ledger::valid_proof_since).
    pub(super) fn proof_since(&self, since: StoreTime, credential: CredentialId) -> Option<Proof> {
        self.view.ledger.valid_proof_since(since, credential, self.now)
    }

    pub(super) fn is_active_rejected(&self) -> bool {
        self.view.ledger.rejections(self.record.active).is_some()
    }

    // Callers.

    /// The caller waits, unless this very step settles what it waits for.
    pub(super) fn keep(&mut self, id: CallerId, awaits: Awaited) {
        self.callers.new.push(KeptCaller { id, awaits });
    }

    /// What callers wait for.
    pub(super) fn awaited(&self) -> impl Iterator<Item = &Awaited> {
        self.callers.kept.iter().chain(&self.callers.new).map(|caller| &caller.awaits)
    }

    /// Whether a caller waits until this credential is active.
    pub(super) fn waits_for(&self, candidate: CredentialId) -> bool {
        self.awaited()
            .any(|it| matches!(it, Awaited::Promotion { candidate: one, .. } if *one == candidate))
    }

    pub(super) fn has_preparation(&self) -> bool {
        self.awaited().any(|it| matches!(it, Awaited::Preparation { .. }))
    }

    /// The callers that waited for their turn before this step; they do not wait any more.
    pub(super) fn take_turns(&mut self) -> Vec<(CallerId, Rotate)> {
        let is_turn = |caller: &mut KeptCaller| matches!(caller.awaits, Awaited::Turn(_));
        let callers = self.callers.kept.extract_if(.., is_turn);
        let turns = callers.filter_map(|caller| match caller.awaits {
            Awaited::Turn(rotate) => Some((caller.id, rotate)),
            _ => None,
        });
        turns.collect()
    }

    pub(super) fn reply(&mut self, caller: CallerId, outcome: Result<Settled, Refusal>) {
        self.effects.push(RotationEffect::Answer { caller, outcome });
    }

    /// Replies to those of the waiting callers for which `outcome` returns something.
    pub(super) fn settle(
        &mut self,
        outcome: impl Fn(&Self, &Awaited) -> Option<Result<Settled, Refusal>>,
    ) {
        let Callers { kept, new } = std::mem::take(&mut self.callers);
        let kept = self.settle_each(kept, &outcome);
        let new = self.settle_each(new, &outcome);
        self.callers = Callers { kept, new };
    }

    /// Returns those that go on waiting.
    fn settle_each(
        &mut self,
        callers: Vec<KeptCaller>,
        outcome: impl Fn(&Self, &Awaited) -> Option<Result<Settled, Refusal>>,
    ) -> Vec<KeptCaller> {
        let mut waiting = Vec::new();
        for caller in callers {
            match outcome(self, &caller.awaits) {
                Some(outcome) => self.reply(caller.id, outcome),
                None => waiting.push(caller),
            }
        }
        waiting
    }

    // Transitions, and what else is told and done.

    /// A row of the table was taken that concerns the phase alone.
    pub(super) fn took(&mut self, transition: Transition) {
        self.taken.moves.push(Moved::phase(transition));
    }

    /// A row of the table was taken that is about a rotation.
    pub(super) fn took_about(&mut self, transition: Transition, about: About) {
        self.taken.moves.push(Moved { transition, about: Some(about) });
    }

    /// A row of the table was taken that changes nothing.
    pub(super) fn took_nothing(&mut self, transition: Transition) {
        self.taken.idle.push(Moved::phase(transition));
    }

    /// Whether a transition was taken that changes something.
    pub(super) fn has_moved(&self) -> bool {
        !self.taken.moves.is_empty()
    }

    pub(super) fn notify(&mut self, notice: RotationNotice) {
        self.effects.push(RotationEffect::Notify(notice));
    }

    pub(super) fn perform(&mut self, effects: impl IntoIterator<Item = RotationEffect>) {
        self.effects.extend(effects);
    }

    // What goes into the write besides the record.

    /// The token of the active credential's latest probe is shared with this write.
    pub(super) fn replace_token(&mut self, proof: Proof) {
        let credential = self.record.active;
        self.token = TokenChange::Replace { credential, expires_at: proof.expires_at };
    }

    pub(super) fn replaces_token(&self) -> bool {
        self.token != TokenChange::Keep
    }

    /// The store compares this once more before it takes the write.
    pub(super) fn require(&mut self, barrier: Option<Barrier>) {
        self.barrier = barrier;
    }

    pub(super) fn finish(mut self) -> RotationStep {
        let kept = self.callers.new.into_iter().map(RotationEffect::Keep);
        let moves: Vec<Moved> = self.taken.idle.into_iter().chain(self.taken.moves).collect();
        let transitions = moves.iter().map(|it| it.transition).collect();
        let told = moves.into_iter().map(|it| RotationEffect::Notify(RotationNotice::Moved(it)));
        // What is sent for a caller depends on what it waits for.
        let effects = told.chain(kept).chain(self.effects).collect();
        self.record.forget_verified();
        if self.record == *self.before && self.token == TokenChange::Keep {
            return RotationStep { write: None, effects, transitions };
        }
        self.record.lineage.follow(self.before.version.nonce);
        self.record.version.epoch = self.before.version.epoch + 1;
        self.record.version.nonce = self.view.nonce;
        let expect = Some(self.before.version);
        let (record, token, barrier) = (self.record, self.token, self.barrier);
        RotationStep { write: Some(Write { expect, record, token, barrier }), effects, transitions }
    }
}
