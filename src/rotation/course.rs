//! What follows from the endpoint's answers and from time, without being asked: PreparationEnded, Substituted to Recovered.

use super::caller::Awaited;
use super::draft::Draft;
use super::effect::{Effect, Notice, Refusal};
use super::event::Event;
use super::ledger::Proof;
use super::record::{Overlap, Phase, Prepared, Record, Role, RotationId, Version};
use super::transition::Transition;
use super::view::View;
use super::{promotion, retirement};
use crate::clock::Timestamp;
use crate::credential::CredentialId;
use crate::verdict::{Arrival, Verdict};

/// The one transition that is due, if any is.
pub(super) fn follow(draft: &mut Draft<'_>) {
    match draft.record.phase.clone() {
        Phase::Stable => {
            if !substitute(draft) && !take_early_caller(draft) {
                degrade(draft);
            }
        }
        Phase::Prepared(prepared) => {
            if !substitute(draft) {
                end_preparation(draft, &prepared);
            }
        }
        Phase::Staged(staged) => promotion::prove(draft, &staged),
        Phase::Overlap(overlap) => follow_overlap(draft, overlap),
        Phase::Degraded { since } => recover(draft, since),
    }
    if !draft.has_moved() {
        readmit(draft);
    }
}

/// Staged for the candidate that waited until now.
pub(super) fn take_waiting(draft: &mut Draft<'_>) {
    if !matches!(draft.record.phase, Phase::Stable | Phase::Degraded { .. }) {
        return;
    }
    let Some(waiting) = draft.record.waiting.take() else { return };
    if draft.record.role(waiting) != Role::Active {
        draft.stage(waiting, RotationId::of(waiting), false);
    }
}

/// Staged for a caller that came before there was a record.
fn take_early_caller(draft: &mut Draft<'_>) -> bool {
    let early = draft.awaited().find_map(|awaits| match awaits {
        Awaited::Promotion { rotation, candidate } => {
            let is_early = draft.record.version.epoch == Version::FIRST_EPOCH
                && draft.record.role(*candidate) != Role::Active;
            is_early.then(|| (rotation.clone(), *candidate))
        }
        _ => None,
    });
    let Some((rotation, candidate)) = early else { return false };
    draft.stage(candidate, rotation, false);
    true
}

/// Hands the token of an accepted probe out where it is the active credential's or stands in for it.
pub(super) fn serve(draft: &mut Draft<'_>, event: &Event) {
    let Event::Answered { credential, verdict } = event else { return };
    let Verdict::Accepted(Arrival { token, .. }) = &**verdict else { return };
    if draft.replaces_token() || draft.proof(*credential).is_none() {
        return;
    }
    let active = draft.record.active;
    let is_replaced = draft.view.ledger.rejections(active).is_some()
        || is_abandoned(&draft.record, draft.view, draft.now);
    let is_needed = *credential == active || is_replaced;
    if is_needed && draft.record.role(*credential) != Role::Retired {
        let generation = draft.record.generation;
        draft.effects.push(Effect::Serve { credential: *credential, generation });
    }
    let now = draft.now;
    if let Some(overlap) = draft.record.open_overlap_mut()
        && overlap.previous == *credential
        && token.expires_at > now
    {
        // Tokens of the previous credential are still being made: it is safe to revoke only after them.
        overlap.safe_to_revoke_at = overlap.safe_to_revoke_at.max(token.expires_at);
    }
}

/// Substituted: something else is accepted since the active credential was rejected, or is held by nobody.
pub(super) fn substitute(draft: &mut Draft<'_>) -> bool {
    let Some((active, proof)) = accepted_instead(draft) else { return false };
    let was = draft.replace_active(active, proof);
    draft.stand_by(was);
    draft.took(Transition::Substituted);
    if matches!(draft.record.phase, Phase::Prepared(_)) {
        draft.record.phase = Phase::Stable;
    }
    if let Phase::Staged(staged) = &mut draft.record.phase
        && let Some(beneath) = staged.beneath.take()
        && beneath.previous != active
    {
        draft.stand_by(beneath.previous);
    }
    true
}

fn accepted_instead(draft: &Draft<'_>) -> Option<(CredentialId, Proof)> {
    let rejections = draft.view.ledger.rejections(draft.record.active);
    let is_abandoned = is_abandoned(&draft.record, draft.view, draft.now);
    let abandoned = is_abandoned.then(|| draft.now - retirement::FRESH);
    let since = rejections.map(|rejections| rejections.first_at).or(abandoned)?;
    let mut fallbacks = draft.record.fallbacks().filter(|one| {
        // The next one has its own way, by Promoted.
        draft.record.role(*one) != Role::Next
    });
    fallbacks.find_map(|one| Some((one, draft.proof_since(since, one)?)))
}

/// Degraded: nothing that anybody could present is accepted.
fn degrade(draft: &mut Draft<'_>) {
    let ledger = &draft.view.ledger;
    let Some(rejected) = ledger.rejections(draft.record.active) else { return };
    let is_rejected = |one| {
        ledger.rejections(one).is_some_and(|rejections| rejections.last_at >= rejected.first_at)
    };
    let may_serve = |one| draft.view.is_held(one) && !is_rejected(one);
    if draft.record.fallbacks().any(may_serve) {
        return;
    }
    let phase = Phase::Degraded { since: draft.now };
    if let Phase::Overlap(overlap) = std::mem::replace(&mut draft.record.phase, phase) {
        draft.quarantine(overlap.previous, true);
    }
    draft.took(Transition::Degraded);
}

/// Recovered.
fn recover(draft: &mut Draft<'_>, since: Timestamp) {
    let active = draft.record.active;
    let known: Vec<CredentialId> = [active].into_iter().chain(draft.record.fallbacks()).collect();
    let found = known.into_iter().find_map(|one| Some((one, draft.proof_since(since, one)?)));
    let Some((accepted, proof)) = found else { return };
    draft.record.phase = Phase::Stable;
    if accepted != active {
        draft.replace_active(accepted, proof);
        draft.quarantine(active, true);
    }
    draft.took(Transition::Recovered);
}

/// PreparationEnded.
fn end_preparation(draft: &mut Draft<'_>, prepared: &Prepared) {
    let is_there = |token: super::view::Token| token.expires_at >= prepared.safe_until;
    if draft.now >= prepared.deadline || !draft.view.token.is_some_and(is_there) {
        draft.record.phase = Phase::Stable;
        draft.took(Transition::PreparationEnded);
    }
}

/// FellBack to Degraded.
fn follow_overlap(draft: &mut Draft<'_>, overlap: Overlap) {
    // What was accepted before it was asked for is no proof, not even of the same instant.
    if let Some(asked_at) = overlap.reverting.filter(|_| draft.was_reverting()) {
        if let Some(proof) = draft.proof_since(asked_at, overlap.previous) {
            return roll_back(draft, overlap, proof);
        }
        let refused = draft.view.ledger.rejections(overlap.previous);
        if refused.is_some_and(|rejections| rejections.last_at >= asked_at) {
            draft.record.phase = Phase::Overlap(Overlap { reverting: None, ..overlap });
            return;
        }
    }
    let rejections = draft.view.ledger.rejections(draft.record.active);
    if rejections.is_some_and(|rejections| rejections.are_final())
        && let Some((active, proof)) = accepted_instead(draft)
    {
        return fall_back(draft, &overlap, active, proof, Transition::FellBack);
    }
    if is_abandoned(&draft.record, draft.view, draft.now)
        && let Some(proof) = draft.proof_since(draft.now - retirement::FRESH, overlap.previous)
    {
        return fall_back(draft, &overlap, overlap.previous, proof, Transition::Abandoned);
    }
    degrade(draft);
    if draft.has_moved() {
        return;
    }
    let force = draft.awaited().filter_map(|awaits| match awaits {
        Awaited::Retirement { previous, force } if *previous == overlap.previous => Some(*force),
        _ => None,
    });
    let force = force.reduce(|one, other| one || other);
    // Whoever wants the previous one back is answered before it is retired.
    let is_wanted = overlap.reverting.is_some() && draft.view.is_held(overlap.previous);
    if force.is_none() && (is_wanted || draft.now < overlap.retire_not_before) {
        return;
    }
    let Err(missing) = retirement::retire(draft, &overlap, force.unwrap_or_default()) else {
        return;
    };
    if !missing.is_only_proof() {
        draft.settle(|_, awaits| {
            matches!(awaits, Awaited::Retirement { .. })
                .then(|| Err(Refusal::RetireBlocked(missing.clone())))
        });
    }
    if draft.now >= overlap.deadline && !overlap.overdue {
        draft.notify(Notice::Overdue(missing));
        draft.record.phase = Phase::Overlap(Overlap { overdue: true, ..overlap });
        draft.took(Transition::Overdue);
    }
}

/// RolledBack.
fn roll_back(draft: &mut Draft<'_>, overlap: Overlap, proof: Proof) {
    let was = draft.replace_active(overlap.previous, proof);
    draft.revise_end(&overlap.rotation);
    draft.open_overlap(was, overlap.rotation);
    draft.took(Transition::RolledBack);
}

/// FellBack, Abandoned: the overlap ends, and nothing is retired by it.
fn fall_back(
    draft: &mut Draft<'_>,
    overlap: &Overlap,
    active: CredentialId,
    proof: Proof,
    transition: Transition,
) {
    draft.record.phase = Phase::Stable;
    let was = draft.replace_active(active, proof);
    draft.revise_end(&overlap.rotation);
    draft.stand_by(was);
    if overlap.previous != active {
        draft.stand_by(overlap.previous);
    }
    draft.took(transition);
}

/// Whether no live member holds the active credential.
pub(super) fn is_abandoned(record: &Record, view: &View, now: Timestamp) -> bool {
    let Some(fleet) = &view.fleet else { return false };
    fleet.members.is_complete(now) && !view.is_held(record.active)
}

/// A quarantined credential that is accepted at last.
fn readmit(draft: &mut Draft<'_>) {
    let quarantined = draft.record.quarantined.clone();
    let accepted = quarantined.into_iter().find(|known| draft.proof(known.credential).is_some());
    let Some(known) = accepted else { return };
    let credential = known.credential;
    match draft.record.phase {
        Phase::Stable | Phase::Prepared(_) if !known.was_active => {
            draft.stage(credential, RotationId::of(credential), false);
        }
        Phase::Staged(_) | Phase::Overlap(_) if !known.was_active => {
            draft.put_in_line(credential);
        }
        Phase::Degraded { .. } => {}
        _ => {
            draft.record.quarantined.retain(|other| other.credential != credential);
            draft.record.standby.push(credential);
        }
    }
}
