//! What the token endpoint answered, taken in: of the credential first, then of the refresh that waits for it.

use std::sync::Arc;

use super::course::{Item, Todo};
use super::{Doubt, Effect, Member, Notice, Step};
use crate::clock::Timestamp;
use crate::credential::{Credential, CredentialId};
use crate::error::{Code, Failure};
use crate::rotation::{self, Record, Role};
use crate::token::{self, FreshToken};
use crate::verdict::{Arrival, Verdict, Verify};

/// What a token request brought.
#[derive(Debug)]
pub(super) struct Answered {
    pub(super) credential: Arc<Credential>,
    flight: Option<u64>,
    verdict: Verdict<Arrival>,
    /// It may wait for an id, and proves nothing of the time since.
    arrived_at: Timestamp,
}

impl Answered {
    /// The token, where it is one and nothing more was asked.
    fn plain(&self) -> Option<&FreshToken> {
        match &self.verdict {
            Verdict::Accepted(Arrival { token, verify: None, .. }) => Some(token),
            _ => None,
        }
    }

    /// Whether it is a token, and nothing more was asked.
    pub(super) fn is_plain(&self) -> bool {
        self.plain().is_some()
    }

    /// Whether an earlier one of the same credential has nothing to tell beside it.
    pub(super) fn supersedes(&self, before: &Self) -> bool {
        let Some((token, old)) = self.plain().zip(before.plain()) else { return false };
        // When the last of them expires is when the credential may be revoked.
        self.credential.is_same_as(&before.credential) && old.expires_at <= token.expires_at
    }
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
        if matches!(verdict, Verdict::Rejected(_)) {
            self.member.refresh.count_rejection();
        }
        let verdict = verdict.and_then(|grant| self.schedule(&credential, grant, sent_at));
        let verdict = self.judge(&credential, verdict, verify);
        if let Verdict::Accepted(Arrival { token, verify, .. }) = &verdict
            && self.member.record.is_none()
            && flight.is_some()
            && !matches!(verify, Some(Verify::Refused | Verify::Failed))
        {
            // Nobody waits for the derivation of an id: the record follows.
            self.install(token, self.member.serial() + 1);
        }
        let answered = Answered { credential, flight, verdict, arrived_at: self.now };
        self.member.enqueue(Item::Answered(Box::new(answered)));
    }

    /// Lays out the life of a token that came, if anything is left of it.
    pub(super) fn schedule(
        &mut self,
        credential: &Arc<Credential>,
        grant: token::Grant,
        sent_at: Timestamp,
    ) -> Verdict<Arrival> {
        let schedule = self.member.policy.schedule(&grant, sent_at, self.chance.ratio());
        if schedule.usable_until <= self.now {
            let life = schedule.expires_at.since(sent_at);
            let failure = token::unusable_on_arrival(&grant, life, self.now, sent_at);
            return Verdict::Misconfigured(failure);
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
        Verdict::Accepted(Arrival { token: Arc::new(token), scope: grant.scope, verify: None })
    }

    /// What an answer means beside what is known here.
    fn judge(
        &self,
        credential: &Credential,
        verdict: Verdict<Arrival>,
        verify: Option<Verify>,
    ) -> Verdict<Arrival> {
        let member = &*self.member;
        let is_awaited = member.record.is_some() && member.verify_url(credential).is_some();
        match verdict {
            Verdict::Accepted(arrival) => {
                // Somebody has asked for the check since the request was sent: this token does not
                // count, the next one may.
                let verify = verify.or(is_awaited.then_some(Verify::Failed));
                Verdict::Accepted(Arrival { verify, ..arrival })
            }
            verdict if member.knows_another(credential) => verdict.beside_another_credential(),
            verdict => verdict,
        }
    }

    pub(super) fn take_answer(&mut self, answered: Answered) {
        let Answered { credential, flight, verdict, arrived_at } = answered;
        let id = credential.id();
        let member = &mut *self.member;
        member.taken_in = Some((id, arrived_at));
        member.keyring.add(&credential);
        let rejected_before = member.rejected();
        let record = member.record.as_ref();
        member.view.ledger.note(id, &verdict, record, &member.view.policy, arrived_at);
        let is_proved = member.view.ledger.proof(id).is_some_and(|proof| proof.at == arrived_at);
        let verdict = Arc::new(verdict);
        // To the refresh a token that does not count is like none.
        let concluded = match &*verdict {
            Verdict::Accepted(arrival) if is_proved => {
                member.failures.remove(&id);
                member.no_token.take_if(|(known, _)| *known == id);
                member.obtained.insert(id, Arc::clone(&arrival.token));
                Arc::clone(&verdict)
            }
            Verdict::Accepted(arrival) => Arc::new(Verdict::Refused(unproved(arrival.verify))),
            _ => Arc::clone(&verdict),
        };
        if let Some(failure) = concluded.failure() {
            if concluded.is_about_the_credential() {
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
        let event = rotation::Event::Answered { credential: id, verdict };
        self.member.todo.push_back(Todo::Step(event));
        if let Some(flight) = flight {
            self.member.todo.push_back(Todo::Conclude { flight, verdict: concluded });
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
