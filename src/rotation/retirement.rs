//! What has to be there before the previous credential is retired: Retired and Overdue.

use std::time::Duration;

use super::draft::Draft;
use super::effect::Missing;
use super::record::{Overlap, Phase, Record, Sink};
use super::transition::Transition;
use super::view::View;
use super::write::Barrier;
use crate::clock::Timestamp;

/// The active credential was accepted so recently, at the latest, when the previous one is retired.
pub(super) const FRESH: Duration = Duration::from_mins(1);

/// Retired, or what is in its way. `force` does without members and sinks, never without the proof.
pub(super) fn retire(draft: &mut Draft<'_>, overlap: &Overlap, force: bool) -> Result<(), Missing> {
    let missing = missing(&draft.record, draft.view, overlap, force, draft.now);
    if !missing.is_nothing() {
        return Err(missing);
    }
    if !force {
        let barrier = barrier(&draft.record, draft.view, overlap);
        draft.require(barrier);
    }
    draft.retire(overlap.previous, false);
    draft.record.phase = Phase::Stable;
    draft.took(Transition::Retired);
    Ok(())
}

/// What stands between the previous credential of an open overlap and its retirement.
pub fn missing(
    record: &Record,
    view: &View,
    overlap: &Overlap,
    force: bool,
    now: Timestamp,
) -> Missing {
    let active = record.active;
    let proof = view.ledger.valid_proof_since(now - FRESH, active, now).is_none();
    if force {
        return Missing { proof, ..Missing::default() };
    }
    let members = view.fleet.as_ref().map(|fleet| &fleet.members);
    let mut missing = match (members, barrier(record, view, overlap)) {
        (Some(members), Some(barrier)) => barrier.missing(members, now),
        _ => Missing::default(),
    };
    missing.proof = proof;
    let sinks = record.sinks_of(active);
    let pending = sinks.iter().filter(|(_, sink)| matches!(sink, Sink::Pending { .. }));
    missing.sinks = pending.map(|(slot, _)| *slot).collect();
    let is_impossible = sinks.values().any(|sink| *sink == Sink::Impossible);
    missing.custody = is_impossible && !record.is_kept(view, active);
    missing
}

/// What the store compares once more before it takes the retirement.
pub(super) fn barrier(record: &Record, view: &View, overlap: &Overlap) -> Option<Barrier> {
    let fleet = view.fleet.as_ref()?;
    Some(Barrier {
        epoch: overlap.epoch,
        credential: record.active,
        is_sealed: fleet.sealed.contains(&record.active),
        writer: fleet.me,
    })
}
