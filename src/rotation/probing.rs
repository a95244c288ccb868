//! Which credentials are to be presented now, and which sinks are to be written.

use super::caller::Awaited;
use super::draft::Draft;
use super::effect::Effect;
use super::record::{Phase, Record, Sink, Slot};
use super::retirement::FRESH;
use super::view::View;
use super::{promotion, start};
use crate::clock::Timestamp;
use crate::credential::CredentialId;

/// The probes that are due.
pub(super) fn probe(draft: &mut Draft<'_>) {
    let mut due: Vec<CredentialId> = Vec::new();
    for (credential, at) in wanted(Some(&draft.record), draft.view, draft.now) {
        if at <= draft.now && !due.contains(&credential) {
            due.push(credential);
        }
    }
    let active = draft.record.active;
    // Also whoever has waited for a while: its probe may have been lost with the driver's thread.
    if draft.awaited().any(|awaits| matches!(awaits, Awaited::Preparation { .. }))
        && !draft.view.probing.contains(&active)
        && !due.contains(&active)
    {
        due.push(active);
    }
    draft.effects.extend(due.into_iter().map(Effect::Probe));
}

/// What is to be presented, and when.
pub(super) fn wanted(
    record: Option<&Record>,
    view: &View,
    now: Timestamp,
) -> Vec<(CredentialId, Timestamp)> {
    let Some(record) = record else { return start::wanted(&start::known(view), view) };
    let ledger = &view.ledger;
    let mut wanted = Vec::new();
    match &record.phase {
        Phase::Stable | Phase::Prepared(_) => {}
        Phase::Staged(staged) => {
            if ledger.valid_proof_since(staged.at, staged.next, now).is_none() {
                wanted.push((staged.next, ledger.retry_at(staged.next, staged.at)));
            }
            let active = promotion::active_due(record, view, staged, now);
            wanted.extend(active.map(|at| (record.active, at)));
        }
        Phase::Overlap(overlap) => {
            if let Some(since) = overlap.reverting {
                wanted.push((overlap.previous, ledger.retry_at(overlap.previous, since)));
            }
            let is_asked = view
                .callers
                .iter()
                .any(|one| matches!(one.awaits, Awaited::Retirement { .. } | Awaited::Turn(_)));
            let is_fresh = ledger.proof(record.active).is_some_and(|proof| proof.at >= now - FRESH);
            if !is_fresh {
                let retry_at = ledger.retry_at(record.active, now - FRESH);
                let from = if is_asked { now } else { overlap.retire_not_before };
                wanted.push((record.active, retry_at.max(from)));
            }
        }
        Phase::Degraded { since } => {
            let all = [record.active].into_iter().chain(record.fallbacks());
            wanted.extend(all.map(|one| (one, ledger.retry_soon(one, *since))));
        }
    }
    // Which one stands in is known from then on; more tokens of it say no more.
    let unproved_since = |since| {
        let unproved =
            move |one: &CredentialId| ledger.valid_proof_since(since, *one, now).is_none();
        let all = record.fallbacks().filter(unproved);
        all.map(move |one| (one, ledger.retry_at(one, since)))
    };
    if let Some(rejected) = ledger.rejections(record.active) {
        wanted.extend(unproved_since(rejected.first_at));
        wanted.push((record.active, ledger.retry_at(record.active, Timestamp::default())));
    } else if !view.is_held(record.active) {
        wanted.extend(unproved_since(now - FRESH));
    } else {
        let slow = record.quarantined.iter().map(|known| known.credential);
        // One that was accepted at last waits for its turn, and more tokens of it say no more.
        let is_proved = |one| ledger.valid_proof(one, now).is_some();
        let yielded = slow.filter(|one| view.configured.contains(one) && !is_proved(*one));
        wanted.extend(yielded.map(|one| (one, ledger.retry_at(one, Timestamp::default()))));
    }
    wanted.retain(|(one, _)| {
        view.held.contains(one) && !view.probing.contains(one) && record.may_present(*one)
    });
    wanted
}

/// The sinks that are due.
pub(super) fn write_sinks(draft: &mut Draft<'_>) {
    let (record, now) = (draft.record.clone(), draft.now);
    sinks_due(&record, draft.view, now, &mut draft.effects);
}

pub(super) fn sinks_due(record: &Record, view: &View, now: Timestamp, effects: &mut Vec<Effect>) {
    let credential = record.to_write_back();
    let due = unwritten(record, view).into_iter().filter(|(_, at)| *at <= now);
    effects.extend(due.map(|(slot, _)| Effect::WriteSink { slot, credential }));
}

/// The sinks that are to be written, and when.
pub(super) fn unwritten(record: &Record, view: &View) -> Vec<(Slot, Timestamp)> {
    let credential = record.to_write_back();
    if !view.held.contains(&credential) {
        return Vec::new();
    }
    // One of the next credential is written before the promotion only where custody depends on it.
    let is_early = record.staged().is_some();
    let depends = record.staged().is_none_or(|staged| {
        let is_proved = view.ledger.proof(staged.next).is_some_and(|proof| proof.at >= staged.at);
        is_proved && !record.is_kept(view, staged.next)
    });
    let overlap_ends = record.overlap().map(|overlap| overlap.retire_not_before);
    let late = overlap_ends.unwrap_or_default();
    let idle = view.sinks.iter().filter(|spec| {
        !view.writing.contains(&spec.slot) && !view.stuck.contains(&(spec.slot, credential))
    });
    let wanted = idle.filter(|spec| depends && !(is_early && spec.at_retirement));
    wanted
        .filter_map(|spec| {
            let not_before = match record.sinks.get(&spec.slot) {
                Some(Sink::Pending { not_before }) => *not_before,
                None if is_early => Timestamp::default(),
                _ => return None,
            };
            Some((spec.slot, if spec.at_retirement { not_before.max(late) } else { not_before }))
        })
        .collect()
}
