//! No known credential is accepted.

use crate::clock::StoreTime;
use crate::credential::CredentialId;
use crate::rotation::outcome::Refusal;
use crate::rotation::probes::Probe;
use crate::rotation::record::{Phase, Record};
use crate::rotation::standing::Proof;
use crate::rotation::transaction::Transaction;
use crate::rotation::transition::Transition;
use crate::rotation::view::View;

/// What a caller gets who waits for a preparation when a step ends in this phase.
pub(super) const NO_PREPARATION: Refusal = Refusal::Degraded;

/// The first credential that is accepted is the active one from then on.
pub(super) fn time(tx: &mut Transaction<'_>, since: StoreTime) {
    let active = tx.record().active;
    let Some((accepted, proof)) = accepted_since(tx, since) else { return };
    tx.record_mut().phase = Phase::Stable;
    if accepted != active {
        tx.replace_active(accepted, proof);
        tx.quarantine(active, true);
    }
    tx.took(Transition::Recovered);
}

fn accepted_since(tx: &Transaction<'_>, since: StoreTime) -> Option<(CredentialId, Proof)> {
    let mut known = tx.record().in_use();
    known.find_map(|one| Some((one, tx.proof_since(since, one)?)))
}

/// Everything that is known, at least once a minute.
pub(super) fn probes(record: &Record, view: &View, since: StoreTime) -> Vec<Probe> {
    record.in_use().map(|one| (one, view.ledger.retry_soon(one, since))).collect()
}
