//! The active credential works, and no rotation is open.

use std::time::Duration;

use crate::credential::CredentialId;
use crate::rotation::caller::Awaited;
use crate::rotation::evidence::Evidence;
use crate::rotation::outcome::Refusal;
use crate::rotation::record::{Phase, Prepared, Version};
use crate::rotation::role::Role;
use crate::rotation::succession;
use crate::rotation::transaction::Transaction;
use crate::rotation::transition::Transition;
use crate::verdict::Verdict;

/// How long a preparation lasts at most.
const PREPARATION: Duration = Duration::from_mins(15);

/// The fresh token of the active credential is what a caller may wait for who prepares a change.
pub(super) fn answer(
    tx: &mut Transaction<'_>,
    credential: CredentialId,
    verdict: &Verdict<Evidence>,
) {
    if credential == tx.record().active && tx.has_preparation() {
        prepare(tx, verdict);
    }
}

/// Begins the preparation, now that it is known how long a fresh token lives.
fn prepare(tx: &mut Transaction<'_>, verdict: &Verdict<Evidence>) {
    let proof = matches!(verdict, Verdict::Accepted(_)).then(|| tx.proof(tx.record().active));
    let Some(proof) = proof.flatten() else {
        tx.settle(|_, awaited| {
            matches!(awaited, Awaited::Preparation { .. }).then_some(Err(Refusal::TokenUnavailable))
        });
        return;
    };
    let (safe_until, now) = (proof.expires_at, tx.now());
    tx.settle(|_, awaited| match awaited {
        Awaited::Preparation { min_runway } if safe_until.since(now) < *min_runway => {
            Some(Err(Refusal::LifetimeTooShort { safe_until }))
        }
        _ => None,
    });
    if tx.has_preparation() {
        let deadline = proof.soft_at.min(now + PREPARATION);
        tx.record_mut().phase = Phase::Prepared(Prepared { deadline, safe_until });
        tx.replace_token(proof);
        tx.took(Transition::Prepared);
    }
}

pub(super) fn time(tx: &mut Transaction<'_>) {
    if tx.substitute().is_some() || take_early_caller(tx) {
        return;
    }
    if succession::is_hopeless(tx) {
        tx.record_mut().phase = Phase::Degraded { since: tx.now() };
        tx.took(Transition::Degraded);
    }
}

/// Stages the candidate of a caller that came before there was a record.
fn take_early_caller(tx: &mut Transaction<'_>) -> bool {
    if tx.record().version.epoch != Version::FIRST_EPOCH {
        return false;
    }
    let early = tx.awaited().find_map(|awaited| match awaited {
        Awaited::Promotion { rotation, candidate, .. } => {
            let is_early = tx.record().role(*candidate) != Role::Active;
            is_early.then(|| (rotation.clone(), *candidate))
        }
        _ => None,
    });
    let Some((rotation, candidate)) = early else { return false };
    tx.stage(candidate, rotation, false);
    true
}
