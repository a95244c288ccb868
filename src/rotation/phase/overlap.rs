//! A credential was promoted, and the previous one is still a fallback.

use crate::clock::StoreTime;
use crate::credential::CredentialId;
use crate::rotation::caller::{Awaited, CallerId};
use crate::rotation::candidate;
use crate::rotation::notice::RotationNotice;
use crate::rotation::outcome::{Refusal, Settled};
use crate::rotation::persist;
use crate::rotation::probes::Probe;
use crate::rotation::record::{Overlap, Phase, Record};
use crate::rotation::request::{Request, Rotate};
use crate::rotation::retirement::{self, FRESH};
use crate::rotation::role::Role;
use crate::rotation::standing::Proof;
use crate::rotation::succession;
use crate::rotation::transaction::Transaction;
use crate::rotation::transition::Transition;
use crate::rotation::view::View;
use crate::rotation::wait::Wait;

/// What a caller gets who waits for a preparation when a step ends in this phase.
pub(super) const NO_PREPARATION: Refusal = Refusal::Conflict;

pub(super) fn request(
    tx: &mut Transaction<'_>,
    overlap: &Overlap,
    caller: CallerId,
    request: &Request,
) {
    match request {
        Request::Rotate(rotate) => self::rotate(tx, overlap, caller, rotate),
        Request::Prepare { min_runway } => {
            tx.keep(caller, Awaited::Preparation { min_runway: *min_runway });
        }
        Request::CancelPreparation => tx.reply(caller, Ok(Settled::Cancelled)),
        Request::RollBack(rotation) | Request::Retire { rotation, .. }
            if *rotation != overlap.rotation =>
        {
            tx.reply(caller, Err(Refusal::Conflict));
        }
        Request::RollBack(_) => revert(tx, overlap, caller),
        Request::Retire { force, .. } => {
            let awaits = Awaited::Retirement { previous: overlap.previous, force: *force };
            tx.keep(caller, awaits);
        }
    }
}

/// A further rotation: what is previous now is retired with its promotion, if it is not needed
/// then.
fn rotate(tx: &mut Transaction<'_>, overlap: &Overlap, caller: CallerId, rotate: &Rotate) {
    if candidate::join_ended(tx, caller, rotate) {
        return;
    }
    let (candidate, rotation) = candidate::named(rotate, tx.record().active);
    match tx.record().role(candidate) {
        Role::Active => persist::retry_impossible(tx),
        Role::Previous => return revert(tx, overlap, caller),
        _ if !rotate.supersede => return tx.reply(caller, Err(Refusal::Conflict)),
        _ => {
            let missing = retirement::missing_now(tx);
            let is_free = rotate.compromised || tx.is_active_rejected();
            if !is_free && missing.is_only_proof() {
                // The proof is asked for, and this goes on then.
                return tx.keep(caller, Awaited::Turn(rotate.clone()));
            }
            if !is_free && !missing.is_nothing() {
                return tx.reply(caller, Err(Refusal::RetireBlocked(missing)));
            }
            tx.stage_asked(candidate, rotation.clone(), rotate);
        }
    }
    tx.keep_until_promoted(caller, candidate, rotation, rotate);
}

/// The previous credential is wanted back; it takes over when it is accepted once more.
fn revert(tx: &mut Transaction<'_>, overlap: &Overlap, caller: CallerId) {
    tx.want_back();
    tx.keep(caller, Awaited::Return(overlap.previous));
}

/// The source that yielded the active credential yields the previous one again.
pub(super) fn change(tx: &mut Transaction<'_>, had: Option<Role>, to: CredentialId) {
    if had == Some(Role::Active) && tx.record().role(to) == Role::Previous {
        tx.want_back();
    }
}

pub(super) fn offer(tx: &mut Transaction<'_>, candidate: CredentialId) {
    tx.put_in_line(candidate);
}

pub(super) fn time(tx: &mut Transaction<'_>, overlap: Overlap) {
    // What was accepted before it was asked for is no proof, not even of the same instant.
    if let Some(asked_at) = overlap.reverting.filter(|_| tx.was_reverting()) {
        if let Some(proof) = tx.proof_since(asked_at, overlap.previous) {
            return roll_back(tx, overlap, proof);
        }
        let refused = tx.view().ledger.rejections(overlap.previous);
        if refused.is_some_and(|rejections| rejections.last_at >= asked_at) {
            tx.record_mut().phase = Phase::Overlap(Overlap { reverting: None, ..overlap });
            return;
        }
    }
    let rejections = tx.view().ledger.rejections(tx.record().active);
    if rejections.is_some_and(|rejections| rejections.are_final())
        && let Some((active, proof)) = succession::accepted_instead(tx)
    {
        return fall_back(tx, &overlap, active, proof, Transition::FellBack);
    }
    if succession::is_abandoned(tx.record(), tx.view(), tx.now())
        && let Some((active, proof)) = left_to_present(tx, &overlap)
    {
        return fall_back(tx, &overlap, active, proof, Transition::Abandoned);
    }
    if succession::is_hopeless(tx) {
        tx.record_mut().phase = Phase::Degraded { since: tx.now() };
        tx.quarantine(overlap.previous, true);
        tx.took(Transition::Degraded);
        return;
    }
    end_if_due(tx, overlap);
}

/// The previous credential becomes active again; what was active is a fallback now.
fn roll_back(tx: &mut Transaction<'_>, overlap: Overlap, proof: Proof) {
    let was = tx.replace_active(overlap.previous, proof);
    tx.record_mut().revise_end(&overlap.rotation);
    tx.open_overlap(was, overlap.rotation);
    tx.took(Transition::RolledBack);
}

/// What takes over where nobody holds the active credential: the previous one, while it may still
/// be accepted, and else any fallback that is.
fn left_to_present(tx: &Transaction<'_>, overlap: &Overlap) -> Option<(CredentialId, Proof)> {
    let rejections = tx.view().ledger.rejections(overlap.previous);
    let is_rejected = rejections.is_some_and(|rejections| rejections.are_final());
    if tx.view().is_held(overlap.previous) && !is_rejected {
        let proof = tx.proof_since(tx.now() - FRESH, overlap.previous)?;
        return Some((overlap.previous, proof));
    }
    succession::accepted_instead(tx)
}

/// A fallback takes over: the overlap ends, and nothing is retired by it.
fn fall_back(
    tx: &mut Transaction<'_>,
    overlap: &Overlap,
    active: CredentialId,
    proof: Proof,
    transition: Transition,
) {
    tx.record_mut().phase = Phase::Stable;
    let was = tx.replace_active(active, proof);
    tx.record_mut().revise_end(&overlap.rotation);
    tx.stand_by(was);
    if overlap.previous != active {
        tx.stand_by(overlap.previous);
    }
    tx.took(transition);
}

/// Retires the previous credential when its time has come or somebody asks for it, and tells once
/// when that is overdue.
fn end_if_due(tx: &mut Transaction<'_>, overlap: Overlap) {
    let force = tx.awaited().filter_map(|awaited| match awaited {
        Awaited::Retirement { previous, force } if *previous == overlap.previous => Some(*force),
        _ => None,
    });
    let force = force.reduce(|one, other| one || other);
    // Whoever wants the previous one back gets an outcome before it is retired.
    let is_wanted = overlap.reverting.is_some() && tx.view().is_held(overlap.previous);
    if force.is_none() && (is_wanted || tx.now() < overlap.retire_not_before) {
        return;
    }
    let Err(missing) = retirement::retire(tx, &overlap, force.unwrap_or_default()) else {
        return;
    };
    if force.is_none() && retirement::makes_way(tx, &missing) {
        return tx.stage_waiting();
    }
    if !missing.is_only_proof() {
        tx.settle(|_, awaited| {
            matches!(awaited, Awaited::Retirement { .. })
                .then(|| Err(Refusal::RetireBlocked(missing.clone())))
        });
    }
    if tx.now() >= overlap.deadline && !overlap.overdue {
        tx.notify(RotationNotice::Overdue(missing));
        tx.record_mut().phase = Phase::Overlap(Overlap { overdue: true, ..overlap });
        tx.took(Transition::Overdue);
    }
}

/// When the end is due, and when it is overdue.
pub(super) fn deadlines(overlap: &Overlap) -> Vec<StoreTime> {
    vec![overlap.retire_not_before, overlap.deadline]
}

/// The previous credential while it is wanted back, and the active one when the end needs its
/// proof.
pub(super) fn probes(
    record: &Record,
    view: &View,
    overlap: &Overlap,
    now: StoreTime,
) -> Vec<Probe> {
    let (ledger, active) = (&view.ledger, record.active);
    let mut wanted = Vec::new();
    if let Some(since) = overlap.reverting {
        wanted.push((overlap.previous, ledger.retry_at(overlap.previous, since)));
    }
    let is_fresh = ledger.proof(active).is_some_and(|proof| proof.at >= now - FRESH);
    // Nothing is asked for while members or persist targets are missing: it would be old by then.
    let missing = retirement::missing(record, view, overlap, is_forced(view), now);
    if !is_fresh && (missing.is_nothing() || missing.is_only_proof()) {
        let from = if is_to_end_now(view) { now } else { overlap.retire_not_before };
        wanted.push((active, ledger.retry_at(active, now - FRESH).max(from)));
    }
    wanted
}

pub(super) fn waits(record: &Record, view: &View, overlap: &Overlap, now: StoreTime) -> Vec<Wait> {
    if overlap.reverting.is_some() && view.is_held(overlap.previous) {
        return vec![Wait::Proof(overlap.previous)];
    }
    let mut missing = retirement::missing(record, view, overlap, false, now);
    let mut waits = Vec::new();
    if now < overlap.retire_not_before && !is_to_end_now(view) {
        waits.push(Wait::Time(overlap.retire_not_before));
        // The proof is made when the time has come, and so are the writes that belong to the end.
        missing.proof = false;
        let is_late =
            |target| view.targets.iter().any(|spec| spec.target == target && spec.at_retirement);
        missing.targets.retain(|target| !is_late(*target));
    }
    waits.extend((!missing.is_nothing()).then_some(Wait::Retirement(missing)));
    waits
}

/// Whether somebody wants the end of the overlap, whoever is missing.
fn is_forced(view: &View) -> bool {
    let is_forced = |awaited: &Awaited| matches!(awaited, Awaited::Retirement { force: true, .. });
    view.callers.iter().any(|caller| is_forced(&caller.awaits))
}

/// Whether somebody waits for the end of the overlap.
fn is_to_end_now(view: &View) -> bool {
    let is_meant =
        |awaited: &Awaited| matches!(awaited, Awaited::Retirement { .. } | Awaited::Turn(_));
    view.callers.iter().any(|caller| is_meant(&caller.awaits))
}
