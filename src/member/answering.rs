//! What the token endpoint answered, taken in: of the credential first, then of the refresh that waits for it.

use std::sync::Arc;

use super::course::{Item, Todo};
use super::{Doubt, Effect, Member, Notice, Step};
use crate::clock::Timestamp;
use crate::credential::{Credential, CredentialId};
use crate::error::{Code, Failure};
use crate::refresh::Meaning;
use crate::rotation::{self, Answer, Grant, Record, Role, Verify};
use crate::token::{self, FreshToken};
use crate::verdict::Verdict;

/// What a token request brought.
#[derive(Debug)]
pub(super) struct Answered {
    pub(super) credential: Arc<Credential>,
    flight: Option<u64>,
    outcome: Outcome,
    verify: Option<Verify>,
    /// It may wait for an id, and proves nothing of the time since.
    arrived_at: Timestamp,
}

impl Answered {
    /// Whether it is a token, and nothing more was asked.
    pub(super) fn is_plain(&self) -> bool {
        matches!(self.outcome, Outcome::Accepted(..)) && self.verify.is_none()
    }

    /// Whether an earlier one of the same credential has nothing to tell beside it.
    pub(super) fn supersedes(&self, before: &Self) -> bool {
        let (Outcome::Accepted(token, _), Outcome::Accepted(old, _)) =
            (&self.outcome, &before.outcome)
        else {
            return false;
        };
        // When the last of them expires is when the credential may be revoked.
        self.is_plain()
            && before.is_plain()
            && self.credential.is_same_as(&before.credential)
            && old.expires_at <= token.expires_at
    }
}

#[derive(Debug)]
pub(super) enum Outcome {
    Accepted(Arc<FreshToken>, Option<String>),
    Rejected(Failure),
    Refused(Failure),
    /// It says nothing of the credential; whether trying again can help.
    Unclear(Failure, Meaning),
}

impl Step<'_> {
    /// A token request was answered.
    pub(super) fn answered(
        &mut self,
        request: u64,
        sent_at: Timestamp,
        verdict: Verdict,
        verify: Option<Verify>,
    ) {
        let Some(under_way) = self.member.requests.take(request) else { return };
        let (credential, flight) = (under_way.credential, under_way.flight);
        // Somebody has asked for it since the request was sent: this token does not count, the next one may.
        let is_asked = verify.is_none()
            && self.member.record.is_some()
            && self.member.verify_url(&credential).is_some();
        let verify = if is_asked { Some(Verify::Failed) } else { verify };
        let outcome = match verdict {
            Verdict::Accepted(grant) => self.accept(&credential, grant, sent_at),
            Verdict::Rejected(failure) => {
                self.member.refresh.count_rejection();
                Outcome::Rejected(failure)
            }
            Verdict::Refused(failure) => Outcome::Refused(failure),
            // It may be about this credential, which shows where another one is accepted.
            Verdict::Ambiguous(failure) if self.member.knows_another(&credential) => {
                Outcome::Refused(failure)
            }
            Verdict::Ambiguous(failure) | Verdict::Misconfigured(failure) => {
                Outcome::Unclear(failure, Meaning::Final)
            }
            Verdict::Throttled(failure) | Verdict::Transient(failure) => {
                Outcome::Unclear(failure, Meaning::Passing)
            }
        };
        if let Outcome::Accepted(token, _) = &outcome
            && self.member.record.is_none()
            && flight.is_some()
            && !matches!(verify, Some(Verify::Refused | Verify::Failed))
        {
            // Nobody waits for the derivation of an id: the record follows.
            self.install(token, self.member.serial() + 1);
        }
        let answered = Answered { credential, flight, outcome, verify, arrived_at: self.now };
        self.member.enqueue(Item::Answered(Box::new(answered)));
    }

    pub(super) fn accept(
        &mut self,
        credential: &Arc<Credential>,
        grant: token::Grant,
        sent_at: Timestamp,
    ) -> Outcome {
        let schedule = self.member.policy.schedule(&grant, sent_at, self.chance.ratio());
        if schedule.usable_until <= self.now {
            let life = schedule.expires_at.since(sent_at);
            let failure = token::unusable_on_arrival(&grant, life, self.now, sent_at);
            return Outcome::Unclear(failure, Meaning::Final);
        }
        let token = FreshToken {
            text: grant.access_token,
            credential: Arc::clone(credential),
            issued_at: sent_at,
            received_at: self.now,
            expires_at: schedule.expires_at,
            soft_at: schedule.soft_at,
            refresh_at: schedule.refresh_at,
            usable_until: schedule.usable_until,
        };
        Outcome::Accepted(Arc::new(token), grant.scope)
    }

    pub(super) fn take_answer(&mut self, answered: Answered) {
        let Answered { credential, flight, outcome, verify, arrived_at } = answered;
        let id = credential.id();
        let (answer, mut failure) = match &outcome {
            Outcome::Accepted(token, scope) => {
                let (expires_at, soft_at) = (token.expires_at, token.soft_at);
                let scope = scope.clone();
                (Answer::Accepted(Grant { expires_at, soft_at, scope, verify }), None)
            }
            Outcome::Rejected(failure) => {
                (Answer::Rejected, Some((failure.clone(), Meaning::TryNext)))
            }
            Outcome::Refused(failure) => {
                (Answer::Refused, Some((failure.clone(), Meaning::TryNext)))
            }
            Outcome::Unclear(failure, meaning) => {
                let retry_after = failure.retry_after;
                (Answer::Unclear { retry_after }, Some((failure.clone(), *meaning)))
            }
        };
        let member = &mut *self.member;
        member.taken_in = Some((id, arrived_at));
        member.keyring.add(&credential);
        let rejected_before = member.rejected();
        let record = member.record.as_ref();
        member.view.ledger.note(id, &answer, record, &member.view.policy, arrived_at);
        let is_proved = member.view.ledger.proof(id).is_some_and(|proof| proof.at == arrived_at);
        match outcome {
            Outcome::Accepted(token, _) if is_proved => {
                member.failures.remove(&id);
                member.no_token.take_if(|(known, _)| *known == id);
                member.obtained.insert(id, token);
            }
            Outcome::Accepted(..) => {
                failure = Some((unproved(verify), Meaning::TryNext));
            }
            _ => {}
        }
        if let Some((failure, meaning)) = &failure {
            if *meaning == Meaning::TryNext {
                member.failures.insert(id, failure.clone());
            }
            member.doubt(id, failure);
            if member.record.as_ref().is_some_and(|record| record.active == id) {
                member.no_token = Some((id, failure.clone()));
            }
        }
        for id in self.member.rejected().into_iter().filter(|id| !rejected_before.contains(id)) {
            let member = &*self.member;
            let known = member.keyring.get(id).zip(member.failures.get(&id));
            if let Some((credential, failure)) = known {
                let (credential, failure) = (Arc::clone(credential), failure.clone());
                let notice = Notice::CredentialRejected { credential, failure };
                self.effects.push(Effect::Notify(notice));
            }
        }
        let event = rotation::Event::Answered { credential: id, answer };
        self.member.todo.push_back(Todo::Step(event));
        if let Some(flight) = flight {
            self.member.todo.push_back(Todo::Conclude { flight, failure });
        }
    }
}

impl Member {
    /// Whether there is another credential that may be presented.
    fn knows_another(&self, credential: &Credential) -> bool {
        self.presentable().iter().any(|known| !known.is_same_as(credential))
    }

    /// Remembers why a candidate is not proved yet.
    fn doubt(&mut self, candidate: CredentialId, failure: &Failure) {
        let is_next = |record: &Record| record.role(candidate) == Role::Next;
        if !self.record.as_ref().is_some_and(is_next) {
            return;
        }
        let is_same =
            |known: &Doubt| known.credential == candidate && known.failure.code == failure.code;
        let is_told = self.doubt.as_ref().is_some_and(|known| is_same(known) && known.is_told);
        self.doubt = Some(Doubt { credential: candidate, failure: failure.clone(), is_told });
    }

    fn rejected(&self) -> Vec<CredentialId> {
        self.keyring.ids().filter(|id| self.view.ledger.rejections(*id).is_some()).collect()
    }
}

/// Why a token that came does not prove its credential.
fn unproved(verify: Option<Verify>) -> Failure {
    let (code, story) = match verify {
        Some(Verify::Refused) => {
            (Code::CandidateRejected, "verify.url answered 401 or 403 to the candidate's token.")
        }
        Some(Verify::Failed) => {
            (Code::Endpoint, "verify.url did not answer the candidate's token with 2xx.")
        }
        Some(Verify::Passed) | None => (
            Code::CandidateRejected,
            "The candidate's token has a narrower scope than the active credential's last one.",
        ),
    };
    Failure::new(code, story)
}
