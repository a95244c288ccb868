//! The steps of the credential lifecycle, and when the next one is due.

use super::caller::Awaited;
use super::effect::RotationStep;
use super::event::RotationEvent;
use super::phase::{dispatch, starting};
use super::record::Record;
use super::request::Request;
use super::transaction::Transaction;
use super::view::View;
use super::wait::Wait;
use super::{persist, probes, retirement, settlement};
use crate::clock::StoreTime;
use crate::verdict::Verdict;

/// One step of the credential lifecycle.
///
/// **Shape.** A function from the record, and from what a member knows, to one write and the
/// effects that follow it. It keeps nothing, so that a write which the store refused is repeated
/// with what is stored by then, a crash loses no decision, and every member of a fleet may take any
/// step.
///
/// **Phases.** `Starting` (no record), `Stable`, `Prepared` (a fresh token is held and nobody
/// presents the active credential), `Staged` (a next one is being proved), `Overlap` (it was
/// promoted, the previous one is a fallback), `Degraded` (none is accepted).
/// [`TABLE`](super::TABLE) has all transitions.
///
/// **Calls.** For an answer of the endpoint first [`Ledger::note`](super::Ledger::note), then
/// `step` with [`RotationEvent::Answered`]; for everything else only `step`. Then the write, then
/// the effects (see [`RotationStep`]). [`wake_at`] says when [`RotationEvent::Ticked`] is due; a
/// tick that comes early or twice changes nothing. `now` is the store's time; it never goes back.
///
/// **Guarantees.** The active credential changes only together with a token that was obtained with
/// the new one. A candidate is given up after 3 rejections over at least 5 s, or after 10 min. An
/// overlap lasts at least `overlap` (usually the remaining life of the old token, 5 min to 1 h),
/// and the previous credential is retired only while the active one was accepted in the last 60 s
/// and every live member holds it and knows that it is active. Answers that say nothing of the
/// credential (throttled, transient, misconfigured) change nothing.
pub fn step(
    record: Option<&Record>,
    view: &View,
    event: &RotationEvent,
    now: StoreTime,
) -> RotationStep {
    let Some(record) = record else { return starting::step(view, event, now) };
    let mut tx = Transaction::new(record, view, now);
    if let RotationEvent::Answered { credential, verdict } = event
        && let Verdict::Accepted(evidence) = &**verdict
        && *credential == record.active
    {
        tx.record_mut().scope.clone_from(&evidence.scope);
    }
    persist::give_up_lost(&mut tx);
    dispatch::take(&mut tx, event);
    if !tx.has_moved() {
        dispatch::time(&mut tx);
    }
    take_turns(&mut tx);
    dispatch::take_waiting(&mut tx);
    if let RotationEvent::Answered { credential, verdict } = event
        && let Verdict::Accepted(evidence) = &**verdict
    {
        probes::serve(&mut tx, *credential, evidence);
    }
    tx.settle(|tx, awaited| match awaited {
        Awaited::Preparation { min_runway } => dispatch::preparation(tx, *min_runway),
        awaited => settlement::outcome(tx, awaited),
    });
    let wanted = wanted(tx.record(), view, now);
    probes::perform(&mut tx, wanted);
    persist::perform(&mut tx);
    tx.finish()
}

/// Takes up those again who wait for the retirement that comes before their own rotation.
fn take_turns(tx: &mut Transaction<'_>) {
    if retirement::missing_now(tx).is_only_proof() && !tx.is_active_rejected() {
        return;
    }
    for (caller, rotate) in tx.take_turns() {
        dispatch::request(tx, caller, &Request::Rotate(rotate));
    }
}

/// When [`RotationEvent::Ticked`] is due if nothing happens before.
pub fn wake_at(record: Option<&Record>, view: &View, now: StoreTime) -> Option<StoreTime> {
    let Some(record) = record else {
        return starting::probes(view).into_iter().map(|(_, at)| at.max(now)).min();
    };
    let deadlines = dispatch::deadlines(record).into_iter().filter(|at| *at > now);
    let probes = wanted(record, view, now).into_iter().map(|(_, at)| at.max(now));
    let targets = persist::unwritten(record, view).into_iter().map(|(_, at)| at.max(now));
    let promotion = dispatch::is_promotable(record, view, now).then_some(now);
    let lost = persist::given_up_at(record, view).map(|at| at.max(now));
    deadlines.chain(probes).chain(targets).chain(promotion).chain(lost).min()
}

/// What the open rotation waits for, as far as this member knows.
pub fn waits(record: &Record, view: &View, now: StoreTime) -> Vec<Wait> {
    dispatch::waits(record, view, now)
}

fn wanted(record: &Record, view: &View, now: StoreTime) -> Vec<probes::Probe> {
    probes::wanted(dispatch::probes(record, view, now), record, view, now)
}
