//! How the credentials stand: what the endpoint said last of each, and why one is not proved.

use std::collections::BTreeMap;
use std::sync::Arc;

use super::keyring::{Keyring, Name};
use super::operations::Purpose;
use super::store_clock::StoreClock;
use crate::clock::{StoreTime, Timestamp};
use crate::credential::{Credential, CredentialId};
use crate::error::{Code, Failure};
use crate::rotation::{self, Evidence, Ledger, Record, Role};
use crate::store::Operation;
use crate::verdict::{Arrival, Verdict, Verify};

/// What is known of a credential.
#[derive(Debug, Clone)]
pub struct CredentialState {
    /// The credential; of a retired one that nothing yields any more only the name is left.
    pub credential: Result<Arc<Credential>, Name>,
    /// Its place in the credential lifecycle; none before there is a record.
    pub role: Option<Role>,
    /// What the endpoint said last.
    pub standing: CredentialStanding,
    /// Tokens are fetched with it, or a source yields it: that it is rejected concerns people.
    pub is_in_use: bool,
}

/// What the token endpoint said last of a credential.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum CredentialStanding {
    /// Never tried, or never answered for certain.
    Unknown,
    /// A token.
    Accepted,
    /// A rejection, the first of a row at that time.
    Rejected(Timestamp),
}

/// The endpoint's answers, and what people are told of those that were no token.
#[derive(Debug, Default)]
pub(super) struct Standings {
    pub(super) ledger: Ledger,
    /// What the endpoint said last of each credential that it does not accept.
    failures: BTreeMap<CredentialId, Failure>,
    doubt: Option<Doubt>,
    /// Why the latest request with what was active then brought no token.
    no_token: Option<(CredentialId, Failure)>,
}

/// Why the latest answer neither proved nor rejected the candidate.
#[derive(Debug)]
struct Doubt {
    credential: CredentialId,
    failure: Failure,
    /// People know already.
    is_told: bool,
}

impl Standings {
    /// Notes an answer of a credential; returns what the refresh makes of it, to which a token that
    /// does not count is like none.
    pub(super) fn note(
        &mut self,
        id: CredentialId,
        (verdict, evidence): (&Arc<Verdict<Arrival>>, &Verdict<Evidence>),
        record: Option<&Record>,
        policy: &rotation::RotationPolicy,
        arrived_at: StoreTime,
    ) -> Arc<Verdict<Arrival>> {
        self.ledger.note(id, evidence, record, policy, arrived_at);
        let is_proved = self.ledger.proof(id).is_some_and(|proof| proof.at == arrived_at);
        let concluded = match &**verdict {
            Verdict::Accepted(arrival) if !is_proved => {
                Arc::new(Verdict::Refused(unproved(arrival.verify)))
            }
            _ => Arc::clone(verdict),
        };
        match concluded.failure() {
            None => {
                self.failures.remove(&id);
                self.no_token.take_if(|(known, _)| *known == id);
            }
            Some(failure) => {
                if concluded.is_about_the_credential() {
                    self.failures.insert(id, failure.clone());
                }
                if record.is_some_and(|record| record.role(id) == Role::Next) {
                    self.doubt(id, failure);
                }
                if record.is_some_and(|record| record.active == id) {
                    self.no_token = Some((id, failure.clone()));
                }
            }
        }
        concluded
    }

    /// What the fleet is to be told of an answer that was noted.
    pub(super) fn take_note(
        &mut self,
        id: CredentialId,
        record: Option<&Record>,
        policy: &rotation::RotationPolicy,
        arrived_at: StoreTime,
    ) -> Option<(Purpose, Operation)> {
        if self.ledger.rejections(id).is_some_and(|row| row.last_at == arrived_at) {
            let staged = record.and_then(Record::staged).filter(|staged| staged.next == id);
            let since = staged.map(|staged| staged.at + policy.propagation);
            return Some((Purpose::Rejection(id), Operation::Reject { credential: id, since }));
        }
        let is_accepted = self.ledger.proof(id).is_some_and(|proof| proof.at == arrived_at);
        let is_noted = is_accepted && self.ledger.clear_noted(id);
        is_noted.then_some((Purpose::Note, Operation::Accept(id)))
    }

    /// Remembers why a candidate is not proved yet.
    fn doubt(&mut self, candidate: CredentialId, failure: &Failure) {
        let is_same =
            |known: &Doubt| known.credential == candidate && known.failure.code == failure.code;
        let is_told = self.doubt.as_ref().is_some_and(|known| is_same(known) && known.is_told);
        self.doubt = Some(Doubt { credential: candidate, failure: failure.clone(), is_told });
    }

    /// What the endpoint said last of a credential that it does not accept.
    pub(super) fn failure(&self, id: CredentialId) -> Option<&Failure> {
        self.failures.get(&id)
    }

    /// Why the endpoint has not proved a candidate.
    pub(super) fn why_unproved(&self, candidate: CredentialId) -> Option<&Failure> {
        let doubt = self.doubt.as_ref().filter(|doubt| doubt.credential == candidate);
        doubt.map(|doubt| &doubt.failure)
    }

    /// What the endpoint last said to the active credential, if it was no token.
    pub(super) fn why_no_token(&self, active: CredentialId) -> Option<&Failure> {
        self.no_token.as_ref().filter(|(id, _)| *id == active).map(|(_, failure)| failure)
    }

    /// The doubt that people do not know of yet; they are told now.
    pub(super) fn untold_doubt(&mut self) -> Option<Failure> {
        let doubt = self.doubt.as_mut().filter(|doubt| !doubt.is_told)?;
        doubt.is_told = true;
        Some(doubt.failure.clone())
    }

    /// A candidate is tried from now on: what was answered before says nothing of it.
    pub(super) fn begin_trial(&mut self, candidate: CredentialId) {
        self.ledger.forget_proof(candidate);
        self.doubt.take_if(|doubt| doubt.credential == candidate);
    }

    /// The credentials whose latest certain answer was a rejection.
    pub(super) fn rejected(&self, keyring: &Keyring) -> Vec<CredentialId> {
        keyring.ids().filter(|id| self.ledger.rejections(*id).is_some()).collect()
    }

    pub(super) fn is_rejected(&self, credential: &Credential) -> bool {
        credential.has_id() && self.ledger.rejections(credential.id()).is_some()
    }

    /// What the endpoint said last of a credential for certain.
    pub(super) fn of(&self, id: CredentialId, clock: &StoreClock) -> CredentialStanding {
        match self.ledger.standing(id) {
            None => CredentialStanding::Unknown,
            Some(rotation::Standing::Accepted(_)) => CredentialStanding::Accepted,
            Some(rotation::Standing::Rejected(rejections)) => {
                CredentialStanding::Rejected(clock.own(rejections.first_at))
            }
        }
    }

    /// Forgets what was said of credentials that are not here any more.
    pub(super) fn retain(
        &mut self,
        is_held: impl Fn(CredentialId) -> bool,
        is_known: impl Fn(CredentialId) -> bool,
    ) {
        self.failures.retain(|id, _| is_held(*id));
        self.ledger.retain(is_known);
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
