//! The writing of credentials back to the places that they come from.

use std::time::Duration;

use super::effect::Effect;
use super::notice::Notice;
use super::record::Record;
use super::sink::{Sink, SinkOutcome, Slot};
use super::transaction::Transaction;
use super::view::View;
use crate::clock::Timestamp;
use crate::credential::CredentialId;

/// The gap between attempts to write a sink.
const SINK_GAP: Duration = Duration::from_secs(10);

/// Takes in what came of a write. Returns whether it was made with the credential that is to be
/// there.
pub(super) fn take_in(
    tx: &mut Transaction<'_>,
    slot: Slot,
    credential: CredentialId,
    outcome: SinkOutcome,
) -> bool {
    let now = tx.now();
    if credential != tx.record().to_write_back() {
        if outcome == SinkOutcome::Done {
            // The place holds now what is not to be kept there.
            tx.record_mut().sinks.insert(slot, Sink::Pending { not_before: now });
        }
        return false;
    }
    let sink = match outcome {
        SinkOutcome::Done => Sink::Done,
        SinkOutcome::Impossible => {
            tx.notify(Notice::SinkImpossible(slot));
            Sink::Impossible
        }
        SinkOutcome::Failed => Sink::Pending { not_before: now + SINK_GAP },
    };
    tx.record_mut().sinks.insert(slot, sink);
    true
}

/// Whoever asks for a credential again may have mended the place that it is to be written to.
pub(super) fn retry_impossible(tx: &mut Transaction<'_>) {
    let pending = Sink::Pending { not_before: tx.now() };
    let sinks = tx.record_mut().sinks.values_mut();
    for sink in sinks.filter(|sink| **sink == Sink::Impossible) {
        *sink = pending;
    }
}

/// Has the sinks written that are due.
pub(super) fn perform(tx: &mut Transaction<'_>) {
    let due = due(tx.record(), tx.view(), tx.now());
    tx.perform(due);
}

/// The writes that are due.
pub(super) fn due(record: &Record, view: &View, now: Timestamp) -> Vec<Effect> {
    let credential = record.to_write_back();
    let due = unwritten(record, view).into_iter().filter(|(_, at)| *at <= now);
    due.map(|(slot, _)| Effect::WriteSink { slot, credential }).collect()
}

/// The sinks that are to be written, and when.
pub(super) fn unwritten(record: &Record, view: &View) -> Vec<(Slot, Timestamp)> {
    let credential = record.to_write_back();
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
