//! What has to be there before the previous credential is retired.

use std::time::Duration;

use super::missing::Missing;
use super::record::{Overlap, Phase, Record};
use super::target::TargetState;
use super::transaction::Transaction;
use super::transition::Transition;
use super::view::View;
use super::write::Barrier;
use crate::clock::StoreTime;
use crate::credential::CredentialId;

/// The active credential was accepted so recently, at the latest, when the previous one is retired.
pub(super) const FRESH: Duration = Duration::from_mins(1);

/// Retires the previous credential, or returns what is in its way. `force` does without members and
/// persist targets, never without the proof.
pub(super) fn retire(
    tx: &mut Transaction<'_>,
    overlap: &Overlap,
    force: bool,
) -> Result<(), Missing> {
    let missing = missing(tx.record(), tx.view(), overlap, force, tx.now());
    if !missing.is_nothing() {
        return Err(missing);
    }
    if !force {
        let barrier = barrier(tx.record(), tx.view(), overlap);
        tx.require(barrier);
    }
    tx.retire(overlap.previous, false);
    tx.record_mut().phase = Phase::Stable;
    tx.took(Transition::Retired);
    Ok(())
}

/// What stands between the previous credential of an open overlap and its retirement.
pub fn missing(
    record: &Record,
    view: &View,
    overlap: &Overlap,
    force: bool,
    now: StoreTime,
) -> Missing {
    let active = record.active;
    let proof = view.ledger.valid_proof_since(now - FRESH, active, now).is_none();
    if force {
        return Missing { proof, ..Missing::default() };
    }
    let census = view.fleet.as_ref().map(|fleet| &fleet.census);
    let mut missing = match (census, barrier(record, view, overlap)) {
        (Some(census), Some(barrier)) => barrier.missing(census, now),
        _ => Missing::default(),
    };
    missing.proof = proof;
    let targets = record.targets_of(active);
    let pending = targets.iter().filter(|(_, state)| state.due().is_some());
    missing.targets = pending.map(|(target, _)| *target).collect();
    let is_impossible = targets.values().any(|state| *state == TargetState::Impossible);
    missing.custody = is_impossible && !record.is_kept(view, active);
    missing
}

/// The same of the overlap that is open, if one is.
pub(super) fn missing_now(tx: &Transaction<'_>) -> Missing {
    let overlap = tx.record().open_overlap();
    overlap.map_or_else(Missing::default, |overlap| {
        missing(tx.record(), tx.view(), overlap, false, tx.now())
    })
}

/// What the store compares once more before it takes the retirement.
pub fn barrier(record: &Record, view: &View, overlap: &Overlap) -> Option<Barrier> {
    let fleet = view.fleet.as_ref()?;
    let candidate = record.staged().map(|staged| staged.next);
    // A candidate that everybody holds may end what a member without the active one holds open.
    let replaces = |one: &CredentialId| fleet.all_hold(*one) && !fleet.all_hold(record.active);
    let credential = candidate.filter(replaces).unwrap_or(record.active);
    Some(Barrier {
        epoch: overlap.epoch,
        credential,
        is_sealed: fleet.sealed.contains(&credential),
        writer: fleet.me,
    })
}

/// Whether only members without the active credential are in the way of a retirement, and every
/// member holds the candidate that waits for it.
pub(super) fn makes_way(tx: &Transaction<'_>, missing: &Missing) -> bool {
    let others = Missing { holders: 0, proof: false, ..missing.clone() };
    let fleet = tx.view().fleet.as_ref();
    let all_hold = |one| fleet.is_some_and(|fleet| fleet.all_hold(one));
    missing.holders > 0 && others.is_nothing() && tx.record().waiting.is_some_and(all_hold)
}
