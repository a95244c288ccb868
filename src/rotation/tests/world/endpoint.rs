//! The token endpoint: what it answers, and how its answers reach the members.

use super::{Peer, World};
use crate::credential::CredentialId;
use crate::rotation::tests::ground::Ground;
use crate::rotation::tests::verdicts::{accepted, rejected};
use crate::rotation::*;
use crate::verdict::{Verdict, Verify};

impl World {
    /// The endpoint gives tokens for it from now on.
    pub(crate) fn accept(&mut self, credential: CredentialId) {
        self.accept_with(credential, None, None);
    }

    pub(crate) fn answer_with(&mut self, credential: CredentialId, verdict: Verdict<Evidence>) {
        self.endpoint.insert(credential, verdict);
    }

    pub(crate) fn accept_with(
        &mut self,
        credential: CredentialId,
        scope: Option<&str>,
        verify: Option<Verify>,
    ) {
        let scope = scope.map(str::to_owned);
        let scope = scope.map(Into::into);
        let evidence = Evidence { scope, verify, ..accepted(self.now, self.now) };
        self.endpoint.insert(credential, Verdict::Accepted(evidence));
    }

    /// The endpoint does not accept it any more.
    pub(crate) fn kill(&mut self, credential: CredentialId) {
        self.endpoint.insert(credential, rejected());
    }

    /// The probes of a member that are due get their answers; one that sleeps or is dead misses it.
    pub(super) fn answer_probes(&mut self, peer: usize) {
        while let Some(credential) = self.peers[peer].take_probe(self.now) {
            if !self.peers[peer].is_awake() {
                continue;
            }
            let known = self.endpoint.get(&credential).cloned();
            let mut verdict = known.unwrap_or_else(rejected);
            if let Verdict::Accepted(evidence) = &mut verdict {
                evidence.expires_at = self.now + self.lifetime;
                evidence.soft_at = self.now + self.lifetime / 2;
            }
            self.answered(peer, credential, verdict);
        }
    }

    /// An answer of the endpoint reaches a member, also one that no probe asked for.
    pub(crate) fn answered(
        &mut self,
        peer: usize,
        credential: CredentialId,
        verdict: Verdict<Evidence>,
    ) {
        let now = self.now;
        let Peer { view, record, .. } = &mut self.peers[peer];
        let policy = view.policy;
        view.ledger.note(credential, &verdict, record.as_ref(), &policy, now);
        self.tell(peer, RotationEvent::Answered { credential, verdict: verdict.into() });
    }

    /// The token lifecycle refreshes with a credential.
    pub(crate) fn refresh(&mut self, peer: usize, credential: CredentialId) {
        self.probes(peer, credential);
        self.pass(Self::LATENCY);
    }
}
