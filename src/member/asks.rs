//! What callers ask of the credential lifecycle, and how each gets its outcome.

use std::sync::Arc;

use super::calls::{Open, Watch};
use super::effect::{Answer, Denial, MemberEffect, Reason};
use super::event::{Ask, Candidate, Until};
use super::item::Item;
use super::named::NamedMembers;
use super::parts::Member;
use super::snapshot::Progress;
use super::step::MemberStep;
use super::work::Todo;
use crate::clock::Timestamp;
use crate::credential::Credential;
use crate::error::Failure;
use crate::rotation::{
    self, CallerId, KeptCaller, Persisted, Record, Refusal, Request, Rotate, RotationId, Settled,
};

impl MemberStep<'_> {
    pub(super) fn asked(&mut self, caller: CallerId, ask: Ask, deadline: Option<Timestamp>) {
        match ask {
            Ask::Until(rotation, until) => self.watch(Watch { caller, rotation, until }, deadline),
            Ask::Request(request) => {
                self.member.calls.open(caller, Open::of(&request, deadline));
                self.line_up(caller, request);
            }
        }
    }

    fn watch(&mut self, watch: Watch, deadline: Option<Timestamp>) {
        let Watch { caller, until, .. } = watch;
        let rotation = Some(watch.rotation.clone());
        if until == Until::Everywhere && self.member.shared.fleet().is_none() {
            let outcome = Err(Denial::new(Reason::NoFleet, rotation));
            self.effects.push(MemberEffect::Answer { caller, outcome });
            return;
        }
        self.member.calls.open(caller, Open { deadline, rotation, ..Open::default() });
        self.member.calls.watch(watch);
    }

    /// Queues a request, unless the sources have to be read before it can be understood.
    fn line_up(&mut self, caller: CallerId, request: Request<Candidate>) {
        if matches!(&request, Request::Rotate(Rotate { candidate: None, .. })) {
            self.member.calls.await_sources(caller, request);
            self.effects.push(MemberEffect::ReadSources);
        } else if self.member.lacks_client_id(&request) {
            self.member.calls.await_sources(caller, request);
        } else {
            self.member.work.push(Item::Asked { caller, request });
        }
    }

    /// Makes a credential of what the caller that is next in line named.
    pub(super) fn resolve_candidate(&mut self) {
        let member = &mut *self.member;
        let Some(Item::Asked { caller, request }) = member.work.next_item() else { return };
        let Request::Rotate(Rotate { candidate: Some(named), .. }) = request else {
            return;
        };
        let client_id = named.client_id.clone().or_else(|| member.usual_client_id());
        let open = member.calls.get_mut(*caller).filter(|open| open.candidate.is_none());
        let Some(open) = open else { return };
        let Candidate { label, client_secret, expires_at, .. } = named.clone();
        open.candidate = client_id.map(|client_id| {
            Arc::new(Credential::new(label, client_id, client_secret).expiring(expires_at))
        });
    }

    pub(super) fn take_request(&mut self, caller: CallerId, request: Request<Candidate>) {
        let member = &mut *self.member;
        let has_record = member.record().is_some();
        let Some(open) = member.calls.get_mut(caller) else { return };
        let id = open.candidate.as_ref().map(|credential| credential.id());
        match &request {
            Request::Rotate(rotate) => {
                member.targets.retry_impossible();
                open.rotation = rotate.rotation.clone().or_else(|| id.map(RotationId::of));
                if let Some(credential) = &open.candidate {
                    member.credentials.keyring.add(credential);
                    member.shared.unbury(credential.id());
                }
            }
            // Only now what is configured has been taken up, and with it the places.
            Request::Prepare { .. } if !open.is_tried && has_record => {
                open.is_tried = true;
                return self.ask_after_trials(caller, request);
            }
            Request::Retire { rotation, .. } if !member.is_in_overlap(rotation) => {
                let snapshot = member.snapshot(rotation);
                let is_retired = snapshot.is_some_and(|it| it.phase == Progress::Retired);
                let outcome =
                    if is_retired { Ok(Settled::Retired) } else { Err(Refusal::Conflict) };
                return self.settle(caller, outcome);
            }
            _ => {}
        }
        let Some(request) = request.map_candidate(|_| id) else {
            // Nobody knows which client it is of.
            return self.settle(caller, Err(Refusal::NoCandidate(Vec::new())));
        };
        member.work.then(Todo::Step(rotation::RotationEvent::Asked { caller, request }));
    }

    /// The caller waits, as the credential lifecycle knows it, unless it has left meanwhile.
    pub(super) fn keep(&mut self, caller: KeptCaller) {
        let Member { calls, work, .. } = &mut *self.member;
        if calls.get(caller.id).is_none() {
            return work.push(Item::Rotation(rotation::RotationEvent::Left(caller)));
        }
        calls.keep(caller);
    }

    /// The caller gets its outcome, as the credential lifecycle says.
    pub(super) fn settle(&mut self, caller: CallerId, outcome: Result<Settled, Refusal>) {
        let Some(open) = self.member.calls.close(caller) else { return };
        match outcome {
            Err(Refusal::RetireBlocked(missing)) => self.tell_blocked(caller, open, missing),
            outcome => self.answer(caller, open, outcome, NamedMembers::default()),
        }
    }

    /// The same, with the members that are in the way.
    pub(super) fn answer(
        &mut self,
        caller: CallerId,
        open: Open,
        outcome: Result<Settled, Refusal>,
        named: NamedMembers,
    ) {
        // What it gets is the rotation as it is from now on.
        self.look_at_waits();
        let member = &mut *self.member;
        let outcome = match outcome {
            Ok(Settled::Active { rotation, .. }) => {
                member.outcome_of(rotation.or_else(|| open.rotation.clone()))
            }
            Ok(Settled::Retired) => member.outcome_of(open.rotation),
            Ok(Settled::Prepared { safe_until }) => {
                let safe_until = member.clock.own(safe_until);
                let custody = member.targets.custody_of(&member.places_of_a_rotation());
                Ok(Answer::Prepared { safe_until, custody })
            }
            Ok(Settled::Cancelled) => Ok(Answer::Cancelled),
            Err(refusal) => Err(Denial { named, ..member.denial(refusal, open.rotation) }),
        };
        self.effects.push(MemberEffect::Answer { caller, outcome });
    }

    /// Somebody no longer waits, and gets no outcome.
    pub(super) fn left(&mut self, caller: CallerId) {
        let Member { calls, laggards, targets, work, .. } = &mut *self.member;
        targets.trials.forget(caller);
        work.forget(caller);
        laggards.forget(caller);
        if let Some(known) = calls.leave(caller) {
            work.push(Item::Rotation(rotation::RotationEvent::Left(known)));
        }
    }

    /// The caller has waited long enough.
    pub(super) fn time_out(&mut self, caller: CallerId) {
        let member = &*self.member;
        let Some(open) = member.calls.get(caller) else { return };
        let (is_rotate, rotation) = (open.is_rotate, open.rotation.clone());
        let waits = rotation.as_ref().map(|it| member.rotations.waits_of(it));
        let reason = Reason::TimedOut { is_rotate, waiting: waits.unwrap_or_default().to_vec() };
        self.left(caller);
        let outcome = Err(Denial::new(reason, rotation));
        self.effects.push(MemberEffect::Answer { caller, outcome });
    }

    /// Settles those who wait until a rotation has come far enough.
    pub(super) fn look_at_watches(&mut self) {
        for watch in self.member.calls.take_watches() {
            match self.member.outcome_of_watch(&watch) {
                Some(outcome) => self.settle(watch.caller, outcome),
                None => self.member.calls.watch(watch),
            }
        }
    }
}

impl Member {
    /// What a watch has come to, if the rotation has come far enough.
    fn outcome_of_watch(&self, watch: &Watch) -> Option<Result<Settled, Refusal>> {
        let snapshot = self.snapshot(&watch.rotation);
        let Some(snapshot) = snapshot else { return Some(Err(Refusal::Conflict)) };
        let has_come = match (snapshot.phase, watch.until) {
            (Progress::Failed, _) => return Some(Err(Refusal::Conflict)),
            (Progress::Staged, _) | (Progress::Overlap, Until::Retired) => false,
            (_, Until::Persisted) => snapshot.persisted != Persisted::Pending,
            (Progress::RolledBack, _) => return Some(Err(Refusal::Conflict)),
            (Progress::Overlap, Until::Everywhere) => self.is_everywhere(),
            (Progress::Retired, _) => true,
        };
        has_come.then_some(Ok(Settled::Retired))
    }

    /// Where the rotation stands that the caller's request was about.
    fn outcome_of(&mut self, rotation: Option<RotationId>) -> Result<Answer, Denial> {
        let snapshot = self.active_snapshot(rotation.clone());
        let reason = || Reason::Refused(Box::new(Refusal::Conflict), None);
        snapshot
            .map(|snapshot| Answer::Rotation(Box::new(snapshot)))
            .ok_or_else(|| Denial::new(reason(), rotation))
    }

    fn denial(&self, refusal: Refusal, rotation: Option<RotationId>) -> Denial {
        let standings = &self.standings;
        let failure = match &refusal {
            Refusal::CandidateRejected(id) => standings.failure(*id).cloned(),
            Refusal::CandidateUnverified(id) => standings.why_unproved(*id).cloned(),
            Refusal::NoCustody(_) => self.targets.why_not(),
            Refusal::TokenUnavailable => self.why_no_token(),
            _ => None,
        };
        let rotation = match &refusal {
            // What is in the way, not what was wanted.
            Refusal::Conflict => self.latest_rotation_id().cloned(),
            _ => rotation,
        };
        let reason = Reason::Refused(Box::new(refusal), failure.map(Box::new));
        Denial::new(reason, rotation)
    }

    /// What the endpoint last said to the active credential, or why there is none.
    fn why_no_token(&self) -> Option<Failure> {
        let active = self.record().map(|record| record.active);
        let of_active = active.and_then(|active| self.standings.why_no_token(active));
        of_active.or(self.refresh().last_failure().map(|(failure, _)| failure)).cloned()
    }

    /// Whether only the sources, which are being read for the first time, can say which client the
    /// secret is of.
    fn lacks_client_id(&self, request: &Request<Candidate>) -> bool {
        let Request::Rotate(Rotate { candidate: Some(named), .. }) = request else { return false };
        named.client_id.is_none()
            && self.usual_client_id().is_none()
            && self.credentials.awaits_sources()
    }

    /// The client id of whoever names only a secret.
    fn usual_client_id(&self) -> Option<String> {
        let active = self.record().map(|record| record.active);
        let active = active.and_then(|active| self.credentials.keyring.get(active));
        let usual = active.or_else(|| self.credentials.configured().first());
        usual.map(|credential| credential.client_id.clone())
    }

    fn is_in_overlap(&self, rotation: &RotationId) -> bool {
        let overlap = self.record().and_then(Record::overlap);
        overlap.is_some_and(|overlap| overlap.rotation == *rotation)
    }
}
