//! Which phase has to say what something means: the one that the record is in at that moment.

use std::time::Duration;

use super::{degraded, overlap, prepared, quiet, stable, staged};
use crate::clock::StoreTime;
use crate::credential::CredentialId;
use crate::rotation::caller::CallerId;
use crate::rotation::candidate;
use crate::rotation::event::RotationEvent;
use crate::rotation::evidence::Evidence;
use crate::rotation::outcome::{Refusal, Settled};
use crate::rotation::persist;
use crate::rotation::probes::Probe;
use crate::rotation::record::{Phase, Record};
use crate::rotation::request::Request;
use crate::rotation::target::PersistOutcome;
use crate::rotation::transaction::Transaction;
use crate::rotation::view::View;
use crate::rotation::wait::Wait;
use crate::verdict::Verdict;

/// Something happened.
pub(in crate::rotation) fn take(tx: &mut Transaction<'_>, event: &RotationEvent) {
    match event {
        RotationEvent::Ticked => {}
        RotationEvent::Changed { from, to } => change(tx, *from, *to),
        RotationEvent::Started(credential) => {
            if candidate::is_offered_at_start(tx, *credential) {
                offer(tx, *credential);
            }
        }
        RotationEvent::Answered { credential, verdict } => answer(tx, *credential, verdict),
        RotationEvent::Asked { caller, request } => self::request(tx, *caller, request),
        RotationEvent::Left(caller) => {
            if let Phase::Staged(staged) = phase(tx) {
                staged::leave(tx, &staged, &caller.awaits);
            }
        }
        RotationEvent::Persisted { target, credential, outcome } => {
            // The record says nothing of a member's files: each failure counts as the first one, and
            // people are told a reason once.
            let known = tx.record().targets.get(target);
            let is_first = known.is_none_or(|state| !state.was_tried());
            let is_wanted = persist::take_in(tx, *target, *credential, *outcome);
            if is_wanted && *outcome != PersistOutcome::Done && tx.record().staged().is_some() {
                staged::not_written(tx, *credential, is_first);
            }
        }
    }
}

/// A caller asks for something, or for the same again when its turn has come.
pub(in crate::rotation) fn request(tx: &mut Transaction<'_>, caller: CallerId, request: &Request) {
    match phase(tx) {
        Phase::Stable | Phase::Degraded { .. } => quiet::request(tx, caller, request),
        Phase::Prepared(_) => prepared::request(tx, caller, request),
        Phase::Staged(staged) => staged::request(tx, &staged, caller, request),
        Phase::Overlap(overlap) => overlap::request(tx, &overlap, caller, request),
    }
}

/// A source yields another credential than before.
fn change(tx: &mut Transaction<'_>, from: Option<CredentialId>, to: CredentialId) {
    let had = from.map(|from| tx.record().role(from));
    match phase(tx) {
        Phase::Staged(_) => staged::change(tx, had, to),
        Phase::Overlap(_) => overlap::change(tx, had, to),
        Phase::Stable | Phase::Prepared(_) | Phase::Degraded { .. } => {}
    }
    if candidate::is_offered(tx, to) {
        offer(tx, to);
    }
}

/// There is a candidate that nobody asks for: a source yields it, or it is accepted at last.
fn offer(tx: &mut Transaction<'_>, candidate: CredentialId) {
    match phase(tx) {
        Phase::Stable | Phase::Degraded { .. } => quiet::offer(tx, candidate),
        Phase::Prepared(_) => prepared::offer(tx, candidate),
        Phase::Staged(_) => staged::offer(tx, candidate),
        Phase::Overlap(_) => overlap::offer(tx, candidate),
    }
}

/// The endpoint answered a probe.
fn answer(tx: &mut Transaction<'_>, credential: CredentialId, verdict: &Verdict<Evidence>) {
    tx.stand_by_if_withdrawn(credential);
    match phase(tx) {
        Phase::Stable => stable::answer(tx, credential, verdict),
        Phase::Staged(staged) => staged::answer(tx, &staged, credential, verdict),
        Phase::Prepared(_) | Phase::Overlap(_) | Phase::Degraded { .. } => {}
    }
}

/// Takes the transition that follows from the endpoint's answers and from time, if one does.
pub(in crate::rotation) fn time(tx: &mut Transaction<'_>) {
    match phase(tx) {
        Phase::Stable => stable::time(tx),
        Phase::Prepared(prepared) => prepared::time(tx, &prepared),
        Phase::Staged(staged) => staged::time(tx, &staged),
        Phase::Overlap(overlap) => overlap::time(tx, overlap),
        // What is accepted at last is looked at there, too.
        Phase::Degraded { since } => return degraded::time(tx, since),
    }
    if !tx.has_moved()
        && let Some(candidate) = tx.readmit()
    {
        offer(tx, candidate);
    }
}

/// Takes up the candidate that has waited until the phase allows for it.
pub(in crate::rotation) fn take_waiting(tx: &mut Transaction<'_>) {
    match phase(tx) {
        Phase::Stable | Phase::Degraded { .. } => quiet::take_waiting(tx),
        Phase::Prepared(_) | Phase::Staged(_) | Phase::Overlap(_) => {}
    }
}

/// The outcome for a caller that waits for a preparation.
pub(in crate::rotation) fn preparation(
    tx: &Transaction<'_>,
    min_runway: Duration,
) -> Option<Result<Settled, Refusal>> {
    match &tx.record().phase {
        // It waits for the fresh token.
        Phase::Stable => None,
        Phase::Prepared(prepared) => Some(prepared::preparation(tx, prepared, min_runway)),
        Phase::Staged(_) => Some(Err(staged::NO_PREPARATION)),
        Phase::Overlap(_) => Some(Err(overlap::NO_PREPARATION)),
        Phase::Degraded { .. } => Some(Err(degraded::NO_PREPARATION)),
    }
}

/// What the phase wants presented, and when.
pub(in crate::rotation) fn probes(record: &Record, view: &View, now: StoreTime) -> Vec<Probe> {
    match &record.phase {
        Phase::Stable | Phase::Prepared(_) => Vec::new(),
        Phase::Staged(staged) => staged::probes(record, view, staged, now),
        Phase::Overlap(overlap) => overlap::probes(record, view, overlap, now),
        Phase::Degraded { since } => degraded::probes(record, view, *since),
    }
}

/// The moments at which time alone makes something due.
pub(in crate::rotation) fn deadlines(record: &Record) -> Vec<StoreTime> {
    match &record.phase {
        Phase::Stable | Phase::Degraded { .. } => Vec::new(),
        Phase::Prepared(prepared) => prepared::deadlines(prepared),
        Phase::Staged(staged) => staged::deadlines(staged),
        Phase::Overlap(overlap) => overlap::deadlines(overlap),
    }
}

/// Whether a promotion needs nothing any more but to be written.
pub(in crate::rotation) fn is_promotable(record: &Record, view: &View, now: StoreTime) -> bool {
    record.staged().is_some_and(|staged| staged::is_promotable(record, view, staged, now))
}

/// What the open rotation waits for.
pub(in crate::rotation) fn waits(record: &Record, view: &View, now: StoreTime) -> Vec<Wait> {
    match &record.phase {
        Phase::Stable | Phase::Prepared(_) | Phase::Degraded { .. } => Vec::new(),
        Phase::Staged(staged) => staged::waits(record, view, staged, now),
        Phase::Overlap(overlap) => overlap::waits(record, view, overlap, now),
    }
}

/// A copy, since what the phase says may change it.
fn phase(tx: &Transaction<'_>) -> Phase {
    tx.record().phase.clone()
}
