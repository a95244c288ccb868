//! What has to be there before the previous credential is retired: T12 and T13.

use std::time::Duration;

use super::draft::Draft;
use super::effect::Missing;
use super::record::{Overlap, Phase, Sink};
use super::transition::Transition;
use super::write::Barrier;

/// The active credential was accepted so recently, at the latest, when the previous one is retired.
pub(super) const FRESH: Duration = Duration::from_mins(1);

/// T12, or what is in its way. `force` does without members and sinks, never without the proof.
pub(super) fn retire(draft: &mut Draft<'_>, overlap: &Overlap, force: bool) -> Result<(), Missing> {
    let missing = missing(draft, overlap, force);
    if !missing.is_nothing() {
        return Err(missing);
    }
    if !force {
        let barrier = barrier(draft, overlap);
        draft.require(barrier);
    }
    draft.retire(overlap.previous, false);
    draft.record.phase = Phase::Stable;
    draft.took(Transition::T12);
    Ok(())
}

pub(super) fn missing(draft: &Draft<'_>, overlap: &Overlap, force: bool) -> Missing {
    let active = draft.record.active;
    let proof = draft.proof_since(draft.now - FRESH, active).is_none();
    if force {
        return Missing { proof, ..Missing::default() };
    }
    let members = draft.view.fleet.as_ref().map(|fleet| &fleet.members);
    let mut missing = match (members, barrier(draft, overlap)) {
        (Some(members), Some(barrier)) => barrier.missing(members, draft.now),
        _ => Missing::default(),
    };
    missing.proof = proof;
    let sinks = &draft.record.sinks;
    let pending = sinks.iter().filter(|(_, sink)| matches!(sink, Sink::Pending { .. }));
    missing.sinks = pending.map(|(slot, _)| *slot).collect();
    let is_impossible = sinks.values().any(|sink| *sink == Sink::Impossible);
    missing.custody = is_impossible && !draft.record.is_kept(draft.view, active);
    missing
}

fn barrier(draft: &Draft<'_>, overlap: &Overlap) -> Option<Barrier> {
    let fleet = draft.view.fleet.as_ref()?;
    Some(Barrier {
        epoch: overlap.epoch,
        credential: draft.record.active,
        is_sealed: fleet.sealed.contains(&draft.record.active),
        writer: fleet.me,
    })
}
