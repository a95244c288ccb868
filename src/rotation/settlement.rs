//! When a kept caller has what it waits for, or will never have it.

use super::caller::Awaited;
use super::history::{End, RotationId};
use super::outcome::{Refusal, Settled};
use super::retirement;
use super::role::Role;
use super::transaction::Transaction;
use crate::credential::CredentialId;

/// The outcome for a caller that waits for this; none while it goes on waiting.
pub(super) fn outcome(tx: &Transaction<'_>, awaited: &Awaited) -> Option<Result<Settled, Refusal>> {
    match awaited {
        Awaited::Promotion { rotation, candidate, .. } => of_promotion(tx, rotation, *candidate),
        Awaited::Return(credential) => of_return(tx, *credential),
        // A later rotation is open above the one that it is about.
        Awaited::Retirement { .. } if tx.record().has_overlap_beneath() => {
            Some(Err(Refusal::Conflict))
        }
        Awaited::Retirement { previous, .. } => match tx.record().role(*previous) {
            Role::Previous => None,
            Role::Retired => Some(Ok(Settled::Retired)),
            // It took over again, or may stand in once more.
            _ => Some(Err(Refusal::Conflict)),
        },
        // What it means depends on the phase, and so does whose turn it is.
        Awaited::Preparation { .. } | Awaited::Turn(_) => None,
    }
}

fn of_promotion(
    tx: &Transaction<'_>,
    rotation: &RotationId,
    candidate: CredentialId,
) -> Option<Result<Settled, Refusal>> {
    if tx.record().active == candidate {
        return Some(Ok(active(tx)));
    }
    if tx.record().staged().is_some_and(|staged| staged.rotation == *rotation) {
        return None;
    }
    Some(Err(match tx.record().past(rotation).map(|past| past.end) {
        Some(End::Rejected) => Refusal::CandidateRejected(candidate),
        Some(End::Unverified) => Refusal::CandidateUnverified(candidate),
        Some(End::NoCustody) => Refusal::NoCustody(candidate),
        Some(End::RetireBlocked) => Refusal::RetireBlocked(retirement::missing_now(tx)),
        Some(End::Promoted | End::RolledBack | End::Superseded) | None => Refusal::Conflict,
    }))
}

fn of_return(tx: &Transaction<'_>, credential: CredentialId) -> Option<Result<Settled, Refusal>> {
    if tx.record().active == credential {
        return Some(Ok(active(tx)));
    }
    // A later rotation is open above the one that it is about.
    if tx.record().has_overlap_beneath() {
        return Some(Err(Refusal::Conflict));
    }
    if tx.record().overlap().is_some_and(|overlap| overlap.reverting.is_some()) {
        return None;
    }
    // It may have been retired meanwhile.
    let is_rejected = tx.view().ledger.rejections(credential).is_some();
    Some(Err(if is_rejected {
        Refusal::CandidateRejected(credential)
    } else {
        Refusal::NoCandidate(Vec::new())
    }))
}

fn active(tx: &Transaction<'_>) -> Settled {
    let record = tx.record();
    let last = record.history.last().filter(|past| past.candidate == record.active);
    // Of a rollback it is the rotation that was rolled back.
    let open = record.overlap().map(|overlap| &overlap.rotation);
    let rotation = open.or(last.map(|past| &past.rotation)).cloned();
    Settled::Active { rotation }
}
