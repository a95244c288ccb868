//! The writing of credentials back to the places that they come from.

use super::effect::RotationEffect;
use super::notice::RotationNotice;
use super::record::Record;
use super::target::{PersistOutcome, TargetId, TargetState};
use super::transaction::Transaction;
use super::view::View;
use crate::clock::StoreTime;
use crate::credential::CredentialId;

/// Takes in what came of a write. Returns whether it was made with the credential that is to be
/// there.
pub(super) fn take_in(
    tx: &mut Transaction<'_>,
    target: TargetId,
    credential: CredentialId,
    outcome: PersistOutcome,
) -> bool {
    let now = tx.now();
    let is_recorded = tx.view().is_recorded(target);
    if credential != tx.record().to_persist() {
        if is_recorded && outcome == PersistOutcome::Done {
            // The place holds now what is not to be kept there.
            tx.record_mut().targets.insert(target, TargetState::Pending { not_before: now });
        }
        return false;
    }
    if outcome == PersistOutcome::Impossible {
        tx.notify(RotationNotice::PersistImpossible(target));
    }
    if is_recorded {
        tx.record_mut().targets.insert(target, TargetState::after(outcome, now));
    }
    true
}

/// Whoever asks for a credential again may have mended the place that it is to be written to.
pub(super) fn retry_impossible(tx: &mut Transaction<'_>) {
    let pending = TargetState::Pending { not_before: tx.now() };
    let targets = tx.record_mut().targets.values_mut();
    for state in targets.filter(|state| **state == TargetState::Impossible) {
        *state = pending;
    }
}

/// Gives up what nobody could write for a while.
pub(super) fn give_up_lost(tx: &mut Transaction<'_>) {
    let (view, now) = (tx.view(), tx.now());
    if !view.fleet.as_ref().is_some_and(|fleet| fleet.census.is_complete(now)) {
        return;
    }
    for credential in [tx.record().active, tx.record().to_persist()] {
        for (target, state) in tx.record_mut().targets_of_mut(credential) {
            if is_lost(view, *target) {
                *state = state.without_writer(now);
            }
        }
    }
}

/// When the next one is given up.
pub(super) fn given_up_at(record: &Record, view: &View) -> Option<StoreTime> {
    let complete_at = view.fleet.as_ref()?.census.complete_at();
    let credentials = [record.active, record.to_persist()].into_iter();
    let states = credentials.flat_map(|one| record.targets_of(one));
    let lost = states.filter(|(target, _)| is_lost(view, **target));
    lost.filter_map(|(_, state)| state.given_up_at()).min().map(|at| at.max(complete_at))
}

/// Whether no live member can write to a place, this one included.
fn is_lost(view: &View, target: TargetId) -> bool {
    !view.fleet.as_ref().is_some_and(|fleet| fleet.census.can_persist(target))
        && !view.targets.iter().any(|spec| spec.target == target)
}

/// Has the persist targets written that are due.
pub(super) fn perform(tx: &mut Transaction<'_>) {
    let due = due(tx.record(), tx.view(), tx.now());
    for effect in &due {
        if let RotationEffect::Persist { target: target @ TargetId::Shared(_), .. } = effect {
            // Nobody else begins meanwhile.
            let before = tx.record().targets.get(target).copied();
            let claimed = TargetState::claimed(before, tx.now());
            tx.record_mut().targets.insert(*target, claimed);
        }
    }
    tx.perform(due);
}

/// The writes that are due.
pub(super) fn due(record: &Record, view: &View, now: StoreTime) -> Vec<RotationEffect> {
    let credential = record.to_persist();
    let due = unwritten(record, view).into_iter().filter(|(_, at)| *at <= now);
    due.map(|(target, _)| RotationEffect::Persist { target, credential }).collect()
}

/// The persist targets that are to be written, and when.
pub(super) fn unwritten(record: &Record, view: &View) -> Vec<(TargetId, StoreTime)> {
    let credential = record.to_persist();
    if !view.held.contains(&credential) {
        return Vec::new();
    }
    // One of the next credential is written before the promotion only where custody depends on it.
    let is_early = record.staged().is_some();
    let depends = record
        .staged()
        .is_none_or(|staged| view.has_proved(staged) && !record.is_kept(view, staged.next));
    let overlap_ends = record.overlap().map(|overlap| overlap.retire_not_before);
    let late = overlap_ends.unwrap_or_default();
    let idle = view.targets.iter().filter(|spec| {
        !view.writing.contains(&spec.target) && !view.stuck.contains(&(spec.target, credential))
    });
    let wanted = idle.filter(|spec| depends && !(is_early && spec.at_retirement));
    wanted
        .filter_map(|spec| {
            let known = if view.is_recorded(spec.target) {
                record.targets.get(&spec.target)
            } else {
                view.files.get(&(spec.target, credential))
            };
            let not_before = match known {
                Some(state) => state.due()?,
                None if is_early => StoreTime::default(),
                None => return None,
            };
            Some((spec.target, if spec.at_retirement { not_before.max(late) } else { not_before }))
        })
        .collect()
}
