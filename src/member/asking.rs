//! Who asks something of the credential lifecycle, and how it is answered.

use std::sync::Arc;

use url::Url;

use super::course::{Item, Todo};
use super::report::Phase;
use super::{Answer, Ask, Candidate, Denial, Effect, Member, Reason, Step, Until};
use crate::clock::Timestamp;
use crate::credential::{Credential, CredentialId};
use crate::error::Failure;
use crate::rotation::{
    self, Awaited, CallerId, KeptCaller, Refusal, Request, Role, Rotate, RotationId, Settled,
};

/// A caller that has no answer yet.
#[derive(Debug, Default)]
pub(super) struct Open {
    pub(super) deadline: Option<Timestamp>,
    /// The rotation that it is about, as far as that is known.
    rotation: Option<RotationId>,
    /// What it wants to rotate to.
    candidate: Option<Arc<Credential>>,
    verify: Option<Url>,
    is_rotate: bool,
    /// The files that a rotation would write were asked after; they are not for the same caller again.
    is_tried: bool,
}

/// Somebody who waits until a rotation has come so far.
#[derive(Debug)]
pub(super) struct Watch {
    caller: CallerId,
    rotation: RotationId,
    until: Until,
}

impl Step<'_> {
    pub(super) fn asked(&mut self, caller: CallerId, ask: Ask, deadline: Option<Timestamp>) {
        let mut open = Open { deadline, ..Open::default() };
        match ask {
            Ask::Until(rotation, until) => self.watch(caller, open, rotation, until),
            Ask::Request(request) => {
                open.rotation = request.rotation().cloned();
                if let Request::Rotate(rotate) = &request {
                    open.is_rotate = true;
                    open.verify.clone_from(&rotate.verify);
                }
                self.member.open.insert(caller, open);
                self.line_up(caller, request);
            }
        }
    }

    fn watch(&mut self, caller: CallerId, open: Open, rotation: RotationId, until: Until) {
        if until == Until::Everywhere && self.member.view.fleet.is_none() {
            let outcome = Err(Denial { reason: Reason::NoFleet, rotation: Some(rotation) });
            self.effects.push(Effect::Answer { caller, outcome });
            return;
        }
        self.member.open.insert(caller, Open { rotation: Some(rotation.clone()), ..open });
        self.member.watches.push(Watch { caller, rotation, until });
    }

    /// Queues a request, unless the sources have to be read before it can be understood.
    fn line_up(&mut self, caller: CallerId, request: Request<Candidate>) {
        if matches!(&request, Request::Rotate(Rotate { candidate: None, .. })) {
            self.member.awaiting_sources.push((caller, request));
            self.effects.push(Effect::ReadSources);
        } else if self.member.lacks_client_id(&request) {
            self.member.awaiting_sources.push((caller, request));
        } else {
            self.member.queue.push_back(Item::Asked { caller, request });
        }
    }

    /// Makes a credential of what the caller that is next in line named.
    pub(super) fn resolve_candidate(&mut self) {
        let member = &mut *self.member;
        let Some(Item::Asked { caller, request }) = member.queue.front() else { return };
        let Request::Rotate(Rotate { candidate: Some(named), .. }) = request else {
            return;
        };
        let client_id = named.client_id.clone().or_else(|| member.usual_client_id());
        let Some(open) = member.open.get_mut(caller).filter(|open| open.candidate.is_none()) else {
            return;
        };
        let Candidate { label, client_secret, expires_at, .. } = named.clone();
        open.candidate = client_id.map(|client_id| {
            Arc::new(Credential::new(label, client_id, client_secret).expiring(expires_at))
        });
    }

    pub(super) fn take_request(&mut self, caller: CallerId, request: Request<Candidate>) {
        let member = &mut *self.member;
        let Some(open) = member.open.get_mut(&caller) else { return };
        let id = open.candidate.as_ref().map(|credential| credential.id());
        match &request {
            Request::Rotate(rotate) => {
                open.rotation = rotate.rotation.clone().or_else(|| id.map(RotationId::of));
                if let Some(credential) = open.candidate.clone() {
                    member.keyring.add(&credential);
                }
            }
            // Only now what is configured has been taken up, and with it the places.
            Request::Prepare { .. } if !open.is_tried && member.record.is_some() => {
                open.is_tried = true;
                return self.ask_after_trials(caller, request);
            }
            Request::Retire { rotation, .. } if !member.is_in_overlap(rotation) => {
                let snapshot = member.snapshot(rotation);
                let is_retired = snapshot.is_some_and(|it| it.phase == Phase::Retired);
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
        let event = rotation::Event::Asked { caller, request };
        member.todo.push_back(Todo::Step(event));
    }

    /// The caller waits, as the credential lifecycle knows it, unless it has left meanwhile.
    pub(super) fn keep(&mut self, caller: KeptCaller) {
        let member = &mut *self.member;
        let Some(open) = member.open.get_mut(&caller.id) else {
            member.queue.push_back(Item::Rotation(rotation::Event::Left(caller)));
            return;
        };
        if let Awaited::Promotion { rotation, candidate } = &caller.awaits {
            open.rotation = Some(rotation.clone());
            let url = open.verify.clone();
            member.verify(*candidate, url);
        }
        member.view.callers.retain(|known| known.id != caller.id);
        member.view.callers.push(caller);
    }

    /// The credential lifecycle answers a caller.
    pub(super) fn settle(&mut self, caller: CallerId, outcome: Result<Settled, Refusal>) {
        self.member.view.callers.retain(|known| known.id != caller);
        let Some(open) = self.member.open.remove(&caller) else { return };
        // What it gets is the rotation as it is from now on.
        self.look_at_waits();
        let outcome = match outcome {
            Ok(Settled::Active { rotation, .. }) => {
                self.snapshot_for(rotation.or_else(|| open.rotation.clone()))
            }
            Ok(Settled::Retired) => self.snapshot_for(open.rotation),
            Ok(Settled::Prepared { safe_until }) => {
                let custody = self.member.custody_of_a_rotation();
                Ok(Answer::Prepared { safe_until, custody })
            }
            Ok(Settled::Cancelled) => Ok(Answer::Cancelled),
            Err(refusal) => {
                let failure = match &refusal {
                    Refusal::CandidateRejected(id) => self.member.failures.get(id).cloned(),
                    Refusal::CandidateUnverified(id) => self.member.why_unproved(*id),
                    Refusal::NoCustody(_) => self.member.sinks.why_not(),
                    Refusal::TokenUnavailable => self.member.why_no_token(),
                    _ => None,
                };
                let rotation = match &refusal {
                    // What is in the way, not what was wanted.
                    Refusal::Conflict => self.member.latest_rotation_id().cloned(),
                    _ => open.rotation,
                };
                let reason = Reason::Refused(Box::new(refusal), failure.map(Box::new));
                Err(Denial { reason, rotation })
            }
        };
        self.effects.push(Effect::Answer { caller, outcome });
    }

    fn snapshot_for(&mut self, rotation: Option<RotationId>) -> Result<Answer, Denial> {
        match self.member.active_snapshot(rotation.clone()) {
            Some(snapshot) => Ok(Answer::Rotation(Box::new(snapshot))),
            None => {
                Err(Denial { reason: Reason::Refused(Box::new(Refusal::Conflict), None), rotation })
            }
        }
    }

    /// Somebody no longer waits; no answer is given.
    pub(super) fn left(&mut self, caller: CallerId) {
        let member = &mut *self.member;
        member.open.remove(&caller);
        member.watches.retain(|watch| watch.caller != caller);
        member.awaiting_sources.retain(|(waiting, _)| *waiting != caller);
        member.trials.forget(caller);
        member
            .queue
            .retain(|item| !matches!(item, Item::Asked { caller: other, .. } if *other == caller));
        let known = member.view.callers.iter().position(|known| known.id == caller);
        if let Some(known) = known.map(|index| member.view.callers.remove(index)) {
            member.queue.push_back(Item::Rotation(rotation::Event::Left(known)));
        }
    }

    pub(super) fn expire_callers(&mut self) {
        let now = self.now;
        let is_due = |open: &Open| open.deadline.is_some_and(|at| at <= now);
        let due: Vec<CallerId> =
            self.member.open.iter().filter(|(_, open)| is_due(open)).map(|(id, _)| *id).collect();
        for caller in due {
            let Some(open) = self.member.open.get(&caller) else { continue };
            let (is_rotate, rotation) = (open.is_rotate, open.rotation.clone());
            let waits = rotation.as_ref().map(|it| self.member.waits.of(it));
            let reason =
                Reason::TimedOut { is_rotate, waiting: waits.unwrap_or_default().to_vec() };
            self.left(caller);
            let outcome = Err(Denial { reason, rotation });
            self.effects.push(Effect::Answer { caller, outcome });
        }
    }

    /// Answers those who wait until a rotation has come far enough.
    pub(super) fn look_at_watches(&mut self) {
        for watch in std::mem::take(&mut self.member.watches) {
            let snapshot = self.member.snapshot(&watch.rotation);
            let conflict = || Err(Refusal::Conflict);
            let outcome = match (snapshot.as_ref().map(|it| it.phase), watch.until) {
                (None | Some(Phase::Failed), _) => Some(conflict()),
                (Some(Phase::Staged), _) | (Some(Phase::Overlap), Until::Retired) => None,
                (Some(_), Until::Persisted) => {
                    let is_pending = snapshot
                        .as_ref()
                        .is_some_and(|it| it.persisted == rotation::Persisted::Pending);
                    (!is_pending).then_some(Ok(Settled::Retired))
                }
                (Some(Phase::RolledBack), _) => Some(conflict()),
                (Some(Phase::Overlap), Until::Everywhere) => {
                    self.member.is_everywhere().then_some(Ok(Settled::Retired))
                }
                (Some(Phase::Retired), _) => Some(Ok(Settled::Retired)),
            };
            match outcome {
                Some(outcome) => self.settle(watch.caller, outcome),
                None => self.member.watches.push(watch),
            }
        }
    }
}

impl Member {
    /// The credential that the caller named, once its client id is known.
    pub(super) fn candidate_of(&self, caller: CallerId) -> Option<&Arc<Credential>> {
        self.open.get(&caller)?.candidate.as_ref()
    }

    /// The candidates of callers, whether or not they are taken up already.
    pub(super) fn asked_for(&self) -> impl Iterator<Item = CredentialId> {
        let candidates = self.open.values().filter_map(|open| open.candidate.as_ref());
        candidates.filter(|credential| credential.has_id()).map(|credential| credential.id())
    }

    /// One more caller waits for the candidate, whose token is to be tried there if anywhere.
    fn verify(&mut self, candidate: CredentialId, url: Option<Url>) {
        let Some(url) = url else {
            let is_verified = self.view.callers.iter().any(|known| {
                matches!(&known.awaits, Awaited::Promotion { candidate: one, .. } if *one == candidate)
                    && self.open.get(&known.id).is_some_and(|open| open.verify.is_some())
            });
            if !is_verified {
                self.verifications.remove(&candidate);
            }
            return;
        };
        self.verifications.insert(candidate, url);
        if self
            .record
            .as_ref()
            .and_then(rotation::Record::staged)
            .is_some_and(|it| it.next == candidate)
        {
            // It may be proved without that check, and wait for nothing but its custody.
            self.view.ledger.forget_proof(candidate);
        }
    }

    /// Where a candidate's token is to be tried before it counts.
    pub(super) fn verify_url(&self, credential: &Credential) -> Option<Url> {
        let mut wanted = self.open.values().filter(|open| {
            open.candidate.as_ref().is_some_and(|candidate| candidate.is_same_as(credential))
        });
        wanted.find_map(|open| open.verify.clone()).or_else(|| self.verification(credential))
    }

    /// The same of a candidate that no open call names; what stands in for a dead one is not looked at so.
    fn verification(&self, credential: &Credential) -> Option<Url> {
        let record = self.record.as_ref()?;
        let id = credential.has_id().then(|| credential.id())?;
        let is_candidate = match record.role(id) {
            Role::Next => true,
            Role::Quarantined | Role::Waiting => {
                self.view.ledger.rejections(record.active).is_none()
            }
            _ => false,
        };
        self.verifications.get(&id).filter(|_| is_candidate).cloned()
    }

    /// Whether only the sources, which are being read for the first time, can say whose secret it is.
    fn lacks_client_id(&self, request: &Request<Candidate>) -> bool {
        let Request::Rotate(Rotate { candidate: Some(named), .. }) = request else { return false };
        named.client_id.is_none() && self.usual_client_id().is_none() && self.awaits_sources
    }

    /// The client id of whoever names only a secret.
    fn usual_client_id(&self) -> Option<String> {
        let active = self.record.as_ref().and_then(|record| self.keyring.get(record.active));
        let usual = active.or_else(|| self.configured.first());
        usual.map(|credential| credential.client_id.clone())
    }

    /// Why the endpoint has not proved a candidate.
    fn why_unproved(&self, candidate: CredentialId) -> Option<Failure> {
        let doubt = self.doubt.as_ref().filter(|doubt| doubt.credential == candidate);
        doubt.map(|doubt| doubt.failure.clone())
    }

    /// What the endpoint last said to the active credential, or why there is none.
    fn why_no_token(&self) -> Option<Failure> {
        let active = self.record.as_ref().map(|record| record.active);
        let of_active = self.no_token.as_ref().filter(|(id, _)| Some(*id) == active);
        of_active
            .map(|(_, failure)| failure)
            .or(self.refresh.last_failure().map(|(failure, _)| failure))
            .cloned()
    }

    fn is_in_overlap(&self, rotation: &RotationId) -> bool {
        let overlap = self.record.as_ref().and_then(rotation::Record::overlap);
        overlap.is_some_and(|overlap| overlap.rotation == *rotation)
    }
}
