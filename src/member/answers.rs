//! What becomes of an answer of the token endpoint: it is noted of the credential first, then the
//! credential lifecycle and the refresh that waits for it are told.

use std::sync::Arc;

use url::Url;

use super::effect::{MemberEffect, MemberNotice};
use super::item::{Answered, Item};
use super::operations::Purpose;
use super::parts::Member;
use super::step::MemberStep;
use super::work::Todo;
use crate::clock::{StoreTime, Timestamp};
use crate::credential::Credential;
use crate::policy::Policy;
use crate::rotation::{self, Evidence, Role};
use crate::store::Operation;
use crate::token::{self, FreshToken, Maker, TokenId};
use crate::verdict::{Arrival, Verdict, Verify};

impl MemberStep<'_> {
    /// A token request was answered.
    pub(super) fn answered(
        &mut self,
        request: u64,
        sent_at: Timestamp,
        verdict: Verdict,
        verify: Option<Verify>,
    ) {
        let Some(under_way) = self.member.work.end_request(request) else { return };
        let (credential, flight) = (under_way.credential, under_way.flight);
        if matches!(verdict, Verdict::Rejected(_)) {
            self.member.tokens.refresh.count_rejection();
        }
        self.pause_fleet(&verdict);
        let id = TokenId(self.chance.bits());
        let verdict = verdict.and_then(|grant| {
            let made_with = Maker::Here(Arc::clone(&credential));
            self.schedule(id, made_with, grant, sent_at)
        });
        let verdict = verdict.and_then(|arrival| Verdict::Accepted(Arrival { verify, ..arrival }));
        let verdict = self.member.judge(&credential, verdict);
        if let Verdict::Accepted(Arrival { token, verify, .. }) = &verdict
            && self.member.record().is_none()
            && flight.is_some()
            && !matches!(verify, Some(Verify::Refused | Verify::Failed))
        {
            // Nobody waits for the derivation of an id: the record follows.
            self.install(token, self.member.serial() + 1);
        }
        let verdict = Arc::new(verdict);
        let answered = Answered { credential, flight, verdict, arrived_at: self.now };
        self.enqueue(Item::Answered(Box::new(answered)));
    }

    /// The endpoint wants to be left alone: nobody of the fleet asks it meanwhile.
    fn pause_fleet(&mut self, verdict: &Verdict) {
        let Some(asked) = verdict.retry_after().filter(|_| self.member.membership.is_some()) else {
            return;
        };
        let pause = asked.min(Policy::LONGEST_RETRY_AFTER);
        let until = self.store_now() + pause;
        self.member.shared.pause(Some(until));
        self.ask_store(Purpose::Note, Operation::CoolDown(pause));
    }

    /// Lays out the life of a token that came, if anything is left of it.
    pub(super) fn schedule(
        &mut self,
        id: TokenId,
        made_with: Maker,
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
            id,
            text: grant.access_token,
            made_with,
            issued_at: sent_at,
            received_at: self.now,
            expires_at: schedule.expires_at,
            soft_at: schedule.soft_at,
            refresh_at: schedule.refresh_at,
            usable_until: schedule.usable_until,
        };
        Verdict::Accepted(Arrival { token: Arc::new(token), scope: grant.scope, verify: None })
    }

    /// The credential's id is known: the answer counts.
    pub(super) fn take_answer(&mut self, answered: Answered) {
        if self.member.is_own(&answered) {
            return self.take_own_answer(answered);
        }
        let Answered { credential, flight, verdict, arrived_at } = answered;
        let (id, arrived_at) = (credential.id(), self.arrival_of(arrived_at));
        let verdict = self.member.unless_unverified(&credential, verdict);
        self.member.work.take_in(id, arrived_at);
        let evidence = self.member.evidence(&verdict, self.now);
        let concluded = self.note_answer(&credential, &verdict, &evidence, arrived_at);
        let work = &mut self.member.work;
        let event = rotation::RotationEvent::Answered { credential: id, verdict: evidence };
        work.then(Todo::Step(event));
        if let Some(flight) = flight {
            work.then(Todo::Conclude { flight, verdict: concluded });
        }
    }

    /// When an answer came, as the store would tell it.
    pub(super) fn arrival_of(&self, arrived_at: Timestamp) -> StoreTime {
        if arrived_at == self.now {
            self.store_now()
        } else {
            self.member.clock.told(arrived_at, self.now)
        }
    }

    /// Notes what the endpoint has said of a credential, and tells those who listen; returns what
    /// the refresh makes of it.
    pub(super) fn note_answer(
        &mut self,
        credential: &Arc<Credential>,
        verdict: &Arc<Verdict<Arrival>>,
        evidence: &Verdict<Evidence>,
        arrived_at: StoreTime,
    ) -> Arc<Verdict<Arrival>> {
        let id = credential.id();
        let policy = self.member.rotation_policy();
        let Member { credentials, shared, standings, tokens, .. } = &mut *self.member;
        credentials.keyring.add(credential);
        let before = standings.rejected(&credentials.keyring);
        let concluded =
            standings.note(id, (verdict, evidence), shared.record(), &policy, arrived_at);
        if let Verdict::Accepted(arrival) = &*concluded {
            tokens.obtain(id, &arrival.token);
        }
        let note = standings.take_note(id, shared.record(), &policy, arrived_at);
        let after = standings.rejected(&credentials.keyring);
        for id in after.into_iter().filter(|id| !before.contains(id)) {
            let known = credentials.keyring.get(id).zip(standings.failure(id));
            if let Some((credential, failure)) = known {
                let (credential, failure) = (Arc::clone(credential), failure.clone());
                let notice = MemberNotice::CredentialRejected { credential, failure };
                self.effects.push(MemberEffect::Notify(notice));
            }
        }
        if let Some((purpose, operation)) = note.filter(|_| self.member.membership.is_some()) {
            self.ask_store(purpose, operation);
        }
        concluded
    }
}

impl Member {
    /// What an answer means beside what is known here.
    fn judge(&self, credential: &Credential, verdict: Verdict<Arrival>) -> Verdict<Arrival> {
        match verdict {
            Verdict::Accepted(_) => verdict,
            verdict if self.knows_another(credential) => verdict.beside_another_credential(),
            verdict => verdict,
        }
    }

    /// What an answer means now that it counts. Somebody may have asked for the check since the
    /// request was sent, or the record that says so was read only now: this token does not count,
    /// the next one may.
    pub(super) fn unless_unverified(
        &self,
        credential: &Credential,
        verdict: Arc<Verdict<Arrival>>,
    ) -> Arc<Verdict<Arrival>> {
        match &*verdict {
            Verdict::Accepted(arrival)
                if arrival.verify.is_none()
                    && self.record().is_some()
                    && self.verify_url(credential).is_some() =>
            {
                let verify = Some(Verify::Failed);
                Arc::new(Verdict::Accepted(Arrival { verify, ..arrival.clone() }))
            }
            _ => verdict,
        }
    }

    /// What an answer says to the credential lifecycle.
    pub(super) fn evidence(
        &self,
        verdict: &Verdict<Arrival>,
        now: Timestamp,
    ) -> Arc<Verdict<Evidence>> {
        let evidence = verdict.clone().and_then(|arrival| {
            let Arrival { token, scope, verify } = arrival;
            let told = |instant| self.clock.told(instant, now);
            let (expires_at, soft_at) = (told(token.expires_at), told(token.soft_at));
            Verdict::Accepted(Evidence { expires_at, soft_at, scope: scope.map(Arc::from), verify })
        });
        Arc::new(evidence)
    }

    /// Where a candidate's token is to be tried before it counts.
    pub(super) fn verify_url(&self, credential: &Credential) -> Option<&Url> {
        self.calls.verify_url(credential).or_else(|| {
            let record = self.record()?;
            let id = credential.has_id().then(|| credential.id())?;
            let is_candidate = match record.role(id) {
                Role::Next => true,
                // What stands in for a dead one is not tried.
                Role::Quarantined | Role::Waiting => {
                    self.standings.ledger.rejections(record.active).is_none()
                }
                _ => false,
            };
            record.verify.get(&id).filter(|_| is_candidate)
        })
    }

    /// Whether there is another credential that may be presented.
    fn knows_another(&self, credential: &Credential) -> bool {
        self.presentable().iter().any(|known| !known.is_same_as(credential))
    }

    /// The serial of the token that is held or was shared last.
    pub(super) fn serial(&self) -> u64 {
        self.refresh().last_serial().max(self.shared.serial())
    }
}
