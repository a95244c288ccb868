//! The roles of credentials that are neither active nor open to be.

use super::record::Record;
use super::role::{Quarantined, Retired, Role};
use super::transaction::Transaction;
use crate::credential::CredentialId;

impl Transaction<'_> {
    /// The candidate after this rotation: the latest one wins, and the other one stays a fallback.
    pub(super) fn put_in_line(&mut self, candidate: CredentialId) {
        let view = self.view();
        let record = self.record_mut();
        let was = record.waiting.replace(candidate);
        let is_lost = |one: &CredentialId| {
            record.role(*one) == Role::Unknown && view.configured.contains(one)
        };
        if let Some(lost) = was.filter(is_lost) {
            record.standby.push(lost);
        }
    }

    /// A later credential of the same client was accepted: of the earlier ones those go that no
    /// source yields.
    pub(super) fn forget_predecessors(&mut self, accepted: CredentialId) {
        let view = self.view();
        self.record_mut().standby.retain(|known| {
            *known == accepted
                || view.is_yielded(*known)
                || !view.are_of_one_client(*known, accepted)
        });
    }

    /// Of the fallbacks that no source yields the latest are kept.
    pub(super) fn limit_standbys(&mut self) {
        let view = self.view();
        let standby = &mut self.record_mut().standby;
        let strays = standby.iter().filter(|known| !view.is_yielded(**known)).count();
        let mut surplus = strays.saturating_sub(Record::MOST_STRAYS);
        standby.retain(|known| {
            let goes = surplus > 0 && !view.is_yielded(*known);
            surplus -= usize::from(goes);
            !goes
        });
    }

    pub(super) fn quarantine(&mut self, credential: CredentialId, was_active: bool) {
        let view = self.view();
        let record = self.record_mut();
        record.standby.retain(|known| *known != credential);
        if record.role(credential) != Role::Quarantined {
            record.quarantined.push(Quarantined { credential, was_active });
        }
        // Mistyped secrets are not probed for ever.
        let is_stray =
            |known: &Quarantined| !known.was_active && !view.is_yielded(known.credential);
        let strays = record.quarantined.iter().filter(|known| is_stray(known)).count();
        let mut surplus = strays.saturating_sub(Record::MOST_STRAYS);
        record.quarantined.retain(|known| {
            let goes = surplus > 0 && is_stray(known);
            surplus -= usize::from(goes);
            !goes
        });
    }

    /// Puts a credential that is no longer active or previous to the others, without judging it.
    pub(super) fn stand_by(&mut self, credential: CredentialId) {
        if self.view().ledger.rejections(credential).is_some() {
            self.quarantine(credential, true);
        } else if !self.record().standby.contains(&credential) {
            self.record_mut().standby.push(credential);
            self.limit_standbys();
        }
    }

    /// A credential that was withdrawn before it was accepted is as good as one that was proved
    /// before it was withdrawn.
    pub(super) fn stand_by_if_withdrawn(&mut self, credential: CredentialId) {
        if self.record().role(credential) == Role::Unknown && self.proof(credential).is_some() {
            self.stand_by(credential);
        }
    }

    /// Looks for a quarantined credential that is accepted at last, and returns it if it is a
    /// candidate: one that was active once becomes a fallback instead.
    pub(super) fn readmit(&mut self) -> Option<CredentialId> {
        let mut quarantined = self.record().quarantined.iter();
        let known = *quarantined.find(|known| self.proof(known.credential).is_some())?;
        if !known.was_active {
            return Some(known.credential);
        }
        let record = self.record_mut();
        record.quarantined.retain(|other| other.credential != known.credential);
        record.standby.push(known.credential);
        None
    }

    pub(super) fn retire(&mut self, credential: CredentialId, compromised: bool) {
        let record = self.record_mut();
        record.waiting = record.waiting.filter(|waiting| *waiting != credential);
        record.retired.push(Retired { credential, compromised });
        let surplus = record.retired.len().saturating_sub(Record::MOST_RETIRED);
        record.retired.drain(..surplus);
    }
}
