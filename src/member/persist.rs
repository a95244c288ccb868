//! How a credential is persisted, and how it is tried beforehand whether that would work.

use std::sync::Arc;

use super::effect::{MemberEffect, MemberNotice};
use super::event::Candidate;
use super::item::Item;
use super::parts::Member;
use super::step::MemberStep;
use crate::credential::{Credential, CredentialId};
use crate::persist::PersistTarget;
use crate::rotation::{self, CallerId, PersistOutcome, Record, Request, TargetId};
use crate::source::{EntryPlace, Yielded};

impl MemberStep<'_> {
    pub(super) fn persist(&mut self, target_id: TargetId, credential: &Arc<Credential>) {
        let Member { targets, credentials, policy, .. } = &mut *self.member;
        if targets.is_writing(target_id) || targets.is_stuck(target_id, credential.id()) {
            // A reading came between the step that wanted it and this, and wanted the same.
            return;
        }
        let is_there = |entry: &&Yielded| targets.target_of(entry.place) == Some(target_id);
        let entry = credentials.entries().iter().find(is_there);
        let known = entry.and_then(|entry| Some((entry.place, entry.persist.clone()?)));
        let Some((place, target)) = known else {
            // Whoever configured the place is gone: nothing waits for it.
            return self.take_in_written(target_id, credential.id(), PersistOutcome::Impossible);
        };
        let deadline = self.now + policy.persist_timeout;
        let write = targets.begin(target_id, credential, &target, deadline);
        let credential = Arc::clone(credential);
        self.effects.push(MemberEffect::Persist { write, place, target, credential });
    }

    /// Attempts that have taken too long count as failed. Whoever makes them may still come to an
    /// end.
    pub(super) fn expire_writes(&mut self) {
        for (write, target_id, credential, what) in self.member.targets.expire(self.now) {
            self.effects.push(MemberEffect::AbortPersist { write });
            let millis = self.member.policy.persist_timeout.as_millis();
            let message =
                format!("{what} has not come to an end within persistTimeoutMs ({millis} ms)");
            self.tell_written(target_id, &credential, PersistOutcome::Failed, Some(message));
        }
    }

    pub(super) fn persisted(
        &mut self,
        write: u64,
        outcome: PersistOutcome,
        message: Option<String>,
    ) {
        let Some(write) = self.member.targets.end(write) else { return };
        if write.is_overdue && outcome != PersistOutcome::Done {
            // That it failed is known; now it may be tried again.
            self.member.work.push(Item::TICK);
            return;
        }
        self.tell_written(write.target_id, &write.credential, outcome, message);
    }

    fn tell_written(
        &mut self,
        target_id: TargetId,
        credential: &Arc<Credential>,
        outcome: PersistOutcome,
        message: Option<String>,
    ) {
        let Member { targets, credentials, .. } = &mut *self.member;
        let id = credential.id();
        if let Some(place) = targets.note(target_id, id, outcome, message.as_deref(), self.now) {
            if outcome == PersistOutcome::Done {
                credentials.written_back(place);
            }
            let credential = Arc::clone(credential);
            let notice = MemberNotice::Persisted { place, credential, outcome, message };
            self.effects.push(MemberEffect::Notify(notice));
        }
        self.take_in_written(target_id, id, outcome);
    }

    fn take_in_written(
        &mut self,
        target_id: TargetId,
        credential: CredentialId,
        outcome: PersistOutcome,
    ) {
        if self.member.membership.is_some() {
            let state = rotation::TargetState::after(outcome, self.store_now());
            self.member.targets.attempted(target_id, credential, state);
        }
        let event = rotation::RotationEvent::Persisted { target: target_id, credential, outcome };
        self.member.work.push(Item::Rotation(event));
    }

    /// Environment variables follow the active credential at once; they are never custody.
    pub(super) fn replace_variables(&mut self, was: Option<&Record>) {
        let Member { shared, credentials, targets, .. } = &mut *self.member;
        let Some((was, now)) = was.zip(shared.record()) else { return };
        let active = credentials.keyring.get(now.active).filter(|_| was.active != now.active);
        let Some(credential) = active.map(Arc::clone) else { return };
        for place in credentials.readers_of_variables(was.active) {
            let target_id = targets.target_of(place);
            let is_done = |target_id| targets.is_written(now, target_id);
            // What was persisted as well is there again after a restart.
            if !target_id.is_some_and(is_done) {
                credentials.replace_variables(place, credential.id());
            }
            let credential = Arc::clone(&credential);
            self.effects.push(MemberEffect::ReplaceVariables { place, credential });
        }
    }

    /// Tries the files that a rotation would write, and takes the request up once it is known which
    /// of them can be written.
    pub(super) fn ask_after_trials(&mut self, caller: CallerId, request: Request<Candidate>) {
        let places = self.member.places_of_a_rotation();
        let files =
            places.into_iter().filter(|(_, target)| !matches!(target, PersistTarget::Js { .. }));
        let trials = &mut self.member.targets.trials;
        for (place, target) in files {
            if trials.begin(place) {
                self.effects.push(MemberEffect::TryPersist { place, target });
            }
        }
        trials.wait(caller, request, self.now);
        self.end_trials();
    }

    /// Whoever waited for trials goes on when all of them have ended.
    pub(super) fn end_trials(&mut self) {
        for (caller, request) in self.member.targets.trials.take_served() {
            self.member.work.push(Item::Asked { caller, request });
        }
    }
}

impl Member {
    /// The places that a credential which replaces the active one is written to before it takes
    /// over.
    pub(super) fn places_of_a_rotation(&self) -> Vec<(EntryPlace, PersistTarget)> {
        let is_in_fleet = self.membership.is_some();
        self.targets.places_of_a_rotation(self.record(), self.credentials.entries(), is_in_fleet)
    }
}
