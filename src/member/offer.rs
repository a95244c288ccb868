//! What the token lifecycle may fetch with.

use std::sync::Arc;

use super::effect::MemberEffect;
use super::parts::Member;
use super::step::MemberStep;
use crate::clock::Timestamp;
use crate::credential::{Credential, CredentialId};
use crate::error::{Code, Failure};
use crate::refresh::{self, Offer};
use crate::rotation::{self, Phase, Record};

impl MemberStep<'_> {
    /// Passes on what has changed of what may be presented.
    pub(super) fn update_offer(&mut self) {
        self.member.prune();
        let mut offer = self.member.offer(self.now);
        if self.member.work.awaits_token() {
            // Whoever is about to get a token need not fetch another one.
            let known = &self.member.refresh().offer().credentials;
            offer.credentials.retain(|one| known.contains(one));
        }
        if offer == *self.member.refresh().offer() {
            return;
        }
        // A new secret may lie in a source already: callers wait until it has been read.
        if offer.rejected.is_some() && self.member.refresh().offer().rejected.is_none() {
            self.member.credentials.await_sources();
            self.effects.push(MemberEffect::ReadSources);
        }
        let offer = Offer { awaits_sources: self.member.credentials.awaits_sources(), ..offer };
        self.tell_refresh(refresh::RefreshEvent::Offered(offer.into()));
        self.member.prune();
    }

    /// Takes back at once what may not be presented any more; what is new waits for
    /// [`Self::update_offer`], which comes when nothing is being stored.
    pub(super) fn narrow_offer(&mut self) {
        let allowed = self.member.presentable();
        let is_allowed = |one: &Arc<Credential>| allowed.iter().any(|it| it.is_same_as(one));
        let offer = self.member.refresh().offer();
        if offer.credentials.iter().all(is_allowed) {
            return;
        }
        let credentials = offer.credentials.iter().filter(|one| is_allowed(one)).cloned().collect();
        // Nobody is told meanwhile that there is nothing left.
        let offer = Offer { credentials, awaits_sources: true, ..offer.clone() };
        self.tell_refresh(refresh::RefreshEvent::Offered(offer.into()));
    }
}

impl Member {
    /// What a token can be fetched with now; who is rejected is left to the credential lifecycle.
    fn offer(&self, now: Timestamp) -> Offer {
        let known = self.presentable();
        let is_open = |one: &&Arc<Credential>| {
            let may_be_retried =
                self.is_for_itself() && one.has_id() && self.retry_at(one.id(), now) <= now;
            !self.standings.is_rejected(one) || may_be_retried
        };
        let open = known.iter().filter(is_open);
        let credentials: Vec<_> = open.cloned().collect();
        // Nobody else tries again what was rejected.
        let is_alone = self.shared.is_out() && credentials.is_empty();
        let credentials = if is_alone { known.clone() } else { credentials };
        let is_asking = self.work.has_requests() || self.lease.is_awaited();
        let is_hopeless = credentials.is_empty() && !known.is_empty() && !is_asking;
        let rejected = is_hopeless.then(|| self.rejection(&known, now));
        let unreadable = self.credentials.unreadable().cloned();
        let is_withheld = self.is_withheld();
        let awaits_sources = self.credentials.awaits_sources() || !self.has_read();
        Offer { credentials, unreadable, awaits_sources, is_withheld, rejected }
    }

    /// What may be presented, in the order in which it is tried.
    pub(super) fn presentable(&self) -> Vec<Arc<Credential>> {
        if !self.has_read() {
            return Vec::new();
        }
        let keyring = &self.credentials.keyring;
        let Some(record) = self.record() else {
            let named = self.calls.awaited().filter_map(|one| keyring.get(one)).cloned();
            let mut list: Vec<Arc<Credential>> = Vec::new();
            // While there can be no record, nothing else remembers what was accepted.
            let is_accepted = |one: &&Arc<Credential>| {
                self.shared.is_out() && self.standings.ledger.proof(one.id()).is_some()
            };
            let accepted = keyring.all().filter(is_accepted).cloned();
            let configured = self.credentials.configured().iter().cloned();
            for credential in named.chain(configured).chain(accepted) {
                if !list.iter().any(|known| known.is_same_as(&credential)) {
                    list.push(credential);
                }
            }
            return list;
        };
        if self.is_withheld() {
            return Vec::new();
        }
        let all = record.in_use();
        // Whether the active one may be was looked at above.
        let leaves_it = self.leaves_it_to_others(record);
        let allowed = all.filter(|one| {
            (*one == record.active || !leaves_it && record.may_present(*one))
                && !self.shared.is_buried(*one)
        });
        let mut list: Vec<_> = allowed.filter_map(|one| keyring.get(one)).cloned().collect();
        // In an outage nobody can say whether the fleet knows it by now.
        if self.shared.is_out() || self.is_for_itself() {
            list.extend(self.unknown().cloned());
        }
        list
    }

    /// Whether a credential is here, and was not read as retired in a record that is lost.
    pub(super) fn may_present_here(&self, credential: CredentialId) -> bool {
        self.credentials.keyring.get(credential).is_some() && !self.shared.is_buried(credential)
    }

    /// Whether others hold the active credential and this member does not: nobody is handed what it
    /// would get with a fallback.
    pub(super) fn leaves_it_to_others(&self, record: &Record) -> bool {
        let active = record.active;
        !self.shared.is_out()
            && self.shared.fleet().is_some_and(|fleet| fleet.is_held(active))
            && !self.may_present_here(active)
            && self.standings.ledger.rejections(active).is_none()
    }

    fn rejection(&self, known: &[Arc<Credential>], now: Timestamp) -> (Failure, Timestamp) {
        let said = known.iter().find_map(|one| self.standings.failure(one.id()));
        let failure = said.cloned().unwrap_or_else(|| {
            Failure::new(Code::CredentialRejected, "The token endpoint rejects every credential.")
        });
        let is_degraded =
            self.record().is_some_and(|it| matches!(it.phase, Phase::Degraded { .. }));
        let failure = if is_degraded {
            let message = format!(
                "No known credential is accepted any longer. Rotate to an accepted one. {}",
                failure.message
            );
            Failure { code: Code::Degraded, message, ..failure }
        } else {
            failure
        };
        let again = rotation::wake_at(self.record(), &self.view(), self.clock.now(now));
        let again = again.map_or(now, |at| self.clock.due(at, now));
        (failure, again)
    }
}
