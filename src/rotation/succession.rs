//! How another credential becomes the active one.

use std::sync::Arc;

use super::custody::Persisted;
use super::notice::RotationNotice;
use super::record::{Phase, Record};
use super::retirement::FRESH;
use super::role::Role;
use super::standing::Proof;
use super::target::TargetState;
use super::transaction::Transaction;
use super::transition::Transition;
use super::view::View;
use crate::clock::StoreTime;
use crate::credential::CredentialId;

/// Whether no live member holds the active credential.
pub(super) fn is_abandoned(record: &Record, view: &View, now: StoreTime) -> bool {
    let Some(fleet) = &view.fleet else { return false };
    fleet.census.is_complete(now) && !view.is_held(record.active)
}

/// Whether a fallback stands in for the active credential: that is rejected, or held by nobody.
pub(super) fn is_replaced(record: &Record, view: &View, now: StoreTime) -> bool {
    view.ledger.rejections(record.active).is_some() || is_abandoned(record, view, now)
}

/// Whether nobody can present anything that the record knows and the endpoint may accept: then the
/// fleet takes a credential that it has never seen.
pub fn is_forsaken(record: &Record, view: &View, now: StoreTime) -> bool {
    let Some(fleet) = &view.fleet else { return false };
    let is_left = |one| view.is_held(one) && view.ledger.rejections(one).is_none();
    matches!(record.phase, Phase::Degraded { .. })
        || fleet.census.is_complete(now) && !record.in_use().any(is_left)
}

/// The fallback that was accepted since the active credential was rejected, or is held by nobody.
pub(super) fn accepted_instead(tx: &Transaction<'_>) -> Option<(CredentialId, Proof)> {
    let rejections = tx.view().ledger.rejections(tx.record().active);
    let is_abandoned = is_abandoned(tx.record(), tx.view(), tx.now());
    let abandoned = is_abandoned.then(|| tx.now() - FRESH);
    let since = rejections.map(|rejections| rejections.first_at).or(abandoned)?;
    // The next one becomes active by its own promotion.
    let mut fallbacks = tx.record().fallbacks().filter(|one| tx.record().role(*one) != Role::Next);
    fallbacks.find_map(|one| Some((one, tx.proof_since(since, one)?)))
}

/// Whether the active credential is rejected, and so is everything else that anybody could present.
pub(super) fn is_hopeless(tx: &Transaction<'_>) -> bool {
    let ledger = &tx.view().ledger;
    let Some(rejected) = ledger.rejections(tx.record().active) else { return false };
    let is_rejected = |one| {
        ledger.rejections(one).is_some_and(|rejections| rejections.last_at >= rejected.first_at)
    };
    !tx.record().fallbacks().any(|one| tx.view().is_held(one) && !is_rejected(one))
}

impl Transaction<'_> {
    /// A fallback that is accepted takes over from an active credential that is rejected or held by
    /// nobody. Returns the new active credential.
    pub(super) fn substitute(&mut self) -> Option<CredentialId> {
        let (active, proof) = accepted_instead(self)?;
        let was = self.replace_active(active, proof);
        self.stand_by(was);
        self.took(Transition::Substituted);
        Some(active)
    }

    /// Changes the active credential with its token, and returns the one that it was.
    ///
    /// The new one has left every other role after this; the old one has none yet.
    pub(super) fn replace_active(&mut self, active: CredentialId, proof: Proof) -> CredentialId {
        let view = self.view();
        let pending = TargetState::Pending { not_before: self.now() };
        let record = self.record_mut();
        record.standby.retain(|known| *known != active);
        record.quarantined.retain(|known| known.credential != active);
        record.retired.retain(|known| known.credential != active);
        record.waiting = record.waiting.filter(|waiting| *waiting != active);
        record.generation += 1;
        let was = std::mem::replace(&mut record.active, active);
        if let Some(client) = view.clients.get(&active) {
            record.client = Arc::clone(client);
        }
        record.scope = view.ledger.scope(active).cloned();
        let targets = view.targets.iter().map(|spec| spec.target);
        let targets = targets.filter(|target| view.is_recorded(*target));
        match &mut record.phase {
            // The candidate stays, and so does what was written with it.
            Phase::Staged(staged) if staged.next != active => {
                staged.targets = targets.map(|target| (target, pending)).collect();
            }
            phase => {
                let proved = matches!(phase, Phase::Staged(_));
                let begun = |state: &TargetState| !matches!(state, TargetState::Pending { .. });
                record.targets.retain(|_, state| proved && begun(state));
                for target in targets {
                    record.targets.entry(target).or_insert(pending);
                }
            }
        }
        self.replace_token(proof);
        let record = self.record();
        // Where it is persisted next, there is something to tell only when that fails.
        let is_written_next = record.persisted(view, active) == Persisted::Pending;
        let is_well = is_written_next || record.is_succeeded(view);
        if !is_well && !record.is_kept(view, active) {
            self.notify(RotationNotice::NotPersisted(active));
        }
        was
    }
}
