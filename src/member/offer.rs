//! What the token lifecycle may fetch with, and what the credential lifecycle is shown.

use std::collections::BTreeSet;
use std::sync::Arc;

use super::{Member, Step};
use crate::clock::Timestamp;
use crate::credential::{Credential, CredentialId};
use crate::error::{Code, Failure};
use crate::refresh::{self, Offer};
use crate::rotation::{self, Awaited, Phase, Role};
use crate::source::Yielded;

impl Step<'_> {
    /// Passes on what has changed of what may be presented.
    pub(super) fn update_offer(&mut self) {
        self.member.show();
        let mut offer = self.member.offer(self.now);
        if self.awaits_token() {
            // Whoever is about to get a token need not fetch another one.
            let known = &self.member.refresh.offer().credentials;
            offer.credentials.retain(|one| known.contains(one));
        }
        if offer == *self.member.refresh.offer() {
            return;
        }
        // A new secret may lie in a source already: callers wait until it has been read.
        if offer.rejected.is_some() && self.member.refresh.offer().rejected.is_none() {
            self.member.awaits_sources = true;
            self.effects.push(super::Effect::ReadSources);
        }
        let offer = Offer { awaits_sources: self.member.awaits_sources, ..offer };
        self.tell_refresh(refresh::Event::Offered(offer.into()));
        self.member.show();
    }

    /// Takes back at once what may not be presented any more; what is new waits for [`Self::update_offer`],
    /// which comes when nothing is being stored.
    pub(super) fn narrow_offer(&mut self) {
        let allowed = self.member.presentable();
        let is_allowed = |one: &Arc<Credential>| allowed.iter().any(|it| it.is_same_as(one));
        let offer = self.member.refresh.offer();
        if offer.credentials.iter().all(is_allowed) {
            return;
        }
        let credentials = offer.credentials.iter().filter(|one| is_allowed(one)).cloned().collect();
        // Nobody is told meanwhile that there is nothing left.
        let offer = Offer { credentials, awaits_sources: true, ..offer.clone() };
        self.tell_refresh(refresh::Event::Offered(offer.into()));
    }
}

impl Member {
    /// What a token can be fetched with now; who is rejected is left to the credential lifecycle.
    fn offer(&self, now: Timestamp) -> Offer {
        let known = self.presentable();
        let credentials: Vec<_> =
            known.iter().filter(|one| !self.is_rejected(one)).cloned().collect();
        let is_hopeless = credentials.is_empty() && !known.is_empty() && self.requests.is_empty();
        let rejected = is_hopeless.then(|| self.rejection(&known, now));
        let unreadable = self.unreadable.clone();
        let is_prepared = |it: &rotation::Record| matches!(it.phase, Phase::Prepared(_));
        let is_withheld = self.record.as_ref().is_some_and(is_prepared);
        let awaits_sources = self.awaits_sources;
        Offer { credentials, unreadable, awaits_sources, is_withheld, rejected }
    }

    /// What may be presented, in the order in which it is tried.
    pub(super) fn presentable(&self) -> Vec<Arc<Credential>> {
        let Some(record) = &self.record else {
            let named = self.named().filter_map(|one| self.keyring.get(one)).cloned();
            let mut list: Vec<Arc<Credential>> = Vec::new();
            for credential in named.chain(self.configured.iter().cloned()) {
                if !list.iter().any(|known| known.is_same_as(&credential)) {
                    list.push(credential);
                }
            }
            return list;
        };
        if matches!(record.phase, Phase::Prepared(_)) {
            return Vec::new();
        }
        let all = [record.active].into_iter().chain(record.fallbacks());
        let allowed = all.filter(|one| record.may_present(*one));
        allowed.filter_map(|one| self.keyring.get(one)).cloned().collect()
    }

    /// The candidates that callers named, who wait for them.
    fn named(&self) -> impl Iterator<Item = CredentialId> {
        self.view.callers.iter().filter_map(|caller| match &caller.awaits {
            Awaited::Promotion { candidate, .. } => Some(*candidate),
            _ => None,
        })
    }

    pub(super) fn is_rejected(&self, credential: &Credential) -> bool {
        credential.has_id() && self.view.ledger.rejections(credential.id()).is_some()
    }

    fn rejection(&self, known: &[Arc<Credential>], now: Timestamp) -> (Failure, Timestamp) {
        let said = known.iter().find_map(|one| self.failures.get(&one.id()));
        let failure = said.cloned().unwrap_or_else(|| {
            Failure::new(Code::CredentialRejected, "The token endpoint rejects every credential.")
        });
        let is_degraded =
            self.record.as_ref().is_some_and(|it| matches!(it.phase, Phase::Degraded { .. }));
        let failure = if is_degraded {
            let message = format!(
                "No known credential is accepted any more. Rotate to one that is. {}",
                failure.message
            );
            Failure { code: Code::Degraded, message, ..failure }
        } else {
            failure
        };
        let again = rotation::wake_at(self.record.as_ref(), &self.view, now).unwrap_or(now);
        (failure, again)
    }

    /// Brings what the credential lifecycle is shown up to date.
    pub(super) fn show(&mut self) {
        self.prune();
        let has_id = |one: &&Arc<Credential>| one.has_id();
        self.view.configured = self.taken_up.iter().map(|it| it.id()).collect();
        self.view.fleeting = self.fleeting();
        self.view.held = self.keyring.ids().collect();
        self.view.clients = self.keyring.clients().collect();
        let mut probing: BTreeSet<CredentialId> =
            self.under_way().filter(has_id).map(|it| it.id()).collect();
        if self.record.is_none() && !self.refresh.has_token() {
            // The first token is the token lifecycle's matter, at its own pace.
            let open = self.presentable().into_iter().filter(|one| !self.is_rejected(one));
            probing.extend(open.filter(|one| one.has_id()).map(|one| one.id()));
        }
        self.view.probing = probing;
        self.view.sinks = self.sinks.specs(self.record.as_ref(), &self.entries);
    }

    /// What nothing yields but variables that were written here.
    fn fleeting(&self) -> BTreeSet<CredentialId> {
        let is_kept = |id: &CredentialId| {
            let entries = self.entries.iter();
            let yielding = |entry: &&Yielded| entry.credentials.iter().any(|it| it.id() == *id);
            entries.filter(yielding).any(|entry| self.replaced.get(&entry.place) != Some(id))
        };
        self.replaced.values().copied().filter(|id| !is_kept(id)).collect()
    }

    /// Forgets what nothing refers to any more.
    fn prune(&mut self) {
        let both = self.configured.iter().chain(&self.taken_up);
        let configured: BTreeSet<CredentialId> =
            both.filter(|it| it.has_id()).map(|it| it.id()).collect();
        let named: BTreeSet<CredentialId> = self.named().chain(self.asked_for()).collect();
        let record = self.record.as_ref();
        let role = |id| record.map_or(Role::Unknown, |record| record.role(id));
        let asked = self.under_way().filter(|it| it.has_id()).map(|it| it.id());
        let asked: BTreeSet<CredentialId> = asked.chain(self.taken_in.map(|(id, _)| id)).collect();
        let accepted = |id| record.is_none() && self.view.ledger.proof(id).is_some();
        let is_held = |id| {
            configured.contains(&id)
                || named.contains(&id)
                // An acceptance that comes after it was withdrawn counts all the same.
                || asked.contains(&id)
                || accepted(id)
                || !matches!(role(id), Role::Unknown | Role::Retired)
        };
        let in_history =
            |id| record.is_some_and(|it| it.history.iter().any(|past| past.candidate == id));
        self.keyring.retain(is_held, |id| role(id) != Role::Unknown || in_history(id));
        let keyring = &self.keyring;
        self.failures.retain(|id, _| keyring.get(*id).is_some());
        self.obtained.retain(|id, _| keyring.get(*id).is_some());
        self.view.ledger.retain(|id| keyring.knows(id));
        self.verifications.retain(|id, _| keyring.get(*id).is_some() && role(*id) != Role::Active);
    }
}
