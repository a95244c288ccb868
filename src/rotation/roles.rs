//! The roles of credentials that are neither active nor open to be.

use super::draft::Draft;
use super::record::{Quarantined, Record, Retired, Role};
use crate::credential::CredentialId;

impl Draft<'_> {
    /// The candidate after this rotation: the latest one wins, and the other one stays a fallback.
    pub(super) fn put_in_line(&mut self, candidate: CredentialId) {
        let was = self.record.waiting.replace(candidate);
        let is_lost = |one: &CredentialId| {
            self.record.role(*one) == Role::Unknown && self.view.configured.contains(one)
        };
        if let Some(lost) = was.filter(is_lost) {
            self.record.standby.push(lost);
        }
    }

    /// A later credential of the same client was accepted: of the earlier ones those go that no source yields.
    pub(super) fn forget_predecessors(&mut self, accepted: CredentialId) {
        let view = self.view;
        self.record.standby.retain(|known| {
            *known == accepted
                || view.is_yielded(*known)
                || !view.are_of_one_client(*known, accepted)
        });
    }

    /// Of the fallbacks that no source yields the latest are kept.
    pub(super) fn limit_standbys(&mut self) {
        let view = self.view;
        let strays = self.record.standby.iter().filter(|known| !view.is_yielded(**known)).count();
        let mut surplus = strays.saturating_sub(Record::MOST_STRAYS);
        self.record.standby.retain(|known| {
            let goes = surplus > 0 && !view.is_yielded(*known);
            surplus -= usize::from(goes);
            !goes
        });
    }

    pub(super) fn quarantine(&mut self, credential: CredentialId, was_active: bool) {
        self.record.standby.retain(|known| *known != credential);
        if self.record.role(credential) != Role::Quarantined {
            self.record.quarantined.push(Quarantined { credential, was_active });
        }
        // Mistyped secrets are not probed for ever.
        let is_stray =
            |known: &Quarantined| !known.was_active && !self.view.is_yielded(known.credential);
        let strays = self.record.quarantined.iter().filter(|known| is_stray(known)).count();
        let mut surplus = strays.saturating_sub(Record::MOST_STRAYS);
        self.record.quarantined.retain(|known| {
            let goes = surplus > 0 && is_stray(known);
            surplus -= usize::from(goes);
            !goes
        });
    }

    /// Puts a credential that is no longer active or previous to the others, without judging it.
    pub(super) fn stand_by(&mut self, credential: CredentialId) {
        if self.view.ledger.rejections(credential).is_some() {
            self.quarantine(credential, true);
        } else if !self.record.standby.contains(&credential) {
            self.record.standby.push(credential);
            self.limit_standbys();
        }
    }

    pub(super) fn retire(&mut self, credential: CredentialId, compromised: bool) {
        let record = &mut self.record;
        record.waiting = record.waiting.filter(|waiting| *waiting != credential);
        record.retired.push(Retired { credential, compromised });
        let surplus = record.retired.len().saturating_sub(Record::MOST_RETIRED);
        record.retired.drain(..surplus);
    }
}
