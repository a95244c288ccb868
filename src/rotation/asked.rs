//! What people, callers and sources ask for, and how they are answered.

use std::time::Duration;

use super::course;
use super::draft::Draft;
use super::effect::{Notice, Refusal, Settled};
use super::event::{Caller, CallerId, Event, Rotate, SinkOutcome, Want};
use super::ledger::Answer;
use super::record::{End, Overlap, Phase, Prepared, Role, RotationId, Sink, Slot};
use super::retirement;
use super::transition::Transition;
use crate::credential::CredentialId;

/// A preparation lasts so long at most.
const PREPARATION: Duration = Duration::from_mins(15);
/// The gap between attempts to write a sink.
const SINK_GAP: Duration = Duration::from_secs(10);

pub(super) fn handle(draft: &mut Draft<'_>, event: &Event) {
    match event {
        Event::Ticked => {}
        Event::Changed { from, to } => change(draft, *from, *to),
        Event::Started(credential) => start(draft, *credential),
        Event::Answered { credential, answer } => answered(draft, *credential, answer),
        Event::Asked(caller) => ask(draft, caller),
        Event::Left(caller) => leave(draft, caller),
        Event::SinkWritten { slot, credential, outcome } => {
            sink_written(draft, *slot, *credential, *outcome);
        }
    }
}

/// Answers whoever has what it waited for, or will never have it.
pub(super) fn settle(draft: &mut Draft<'_>) {
    draft.settle(|draft, want| match want {
        Want::Promotion { rotation, candidate } => promotion(draft, rotation, *candidate),
        Want::Return(credential) if draft.record.active == *credential => Some(Ok(active(draft))),
        Want::Return(credential) => {
            let is_tried = draft.record.overlap().is_some_and(|open| open.reverting.is_some());
            // It may have been retired meanwhile.
            let is_rejected = draft.view.ledger.rejections(*credential).is_some();
            (!is_tried).then_some(Err(if is_rejected {
                Refusal::CandidateRejected(*credential)
            } else {
                Refusal::NoCandidate(Vec::new())
            }))
        }
        Want::Retirement { previous, .. } => match draft.record.role(*previous) {
            Role::Previous => None,
            Role::Retired => Some(Ok(Settled::Retired)),
            // It took over again, or may stand in once more.
            _ => Some(Err(Refusal::Conflict)),
        },
        Want::Prepare { min_runway } => prepared(draft, *min_runway),
        // See `resume` of those that are kept.
        Want::Rotate(_) | Want::Rollback | Want::Retire { .. } | Want::CancelPrepare => None,
    });
}

fn promotion(
    draft: &Draft<'_>,
    rotation: &RotationId,
    candidate: CredentialId,
) -> Option<Result<Settled, Refusal>> {
    if draft.record.active == candidate {
        return Some(Ok(active(draft)));
    }
    if draft.record.staged().is_some_and(|staged| staged.rotation == *rotation) {
        return None;
    }
    Some(Err(match draft.record.past(rotation).map(|past| past.end) {
        Some(End::Rejected) => Refusal::CandidateRejected(candidate),
        Some(End::Unverified) => Refusal::CandidateUnverified(candidate),
        Some(End::NoCustody) => Refusal::NoCustody(candidate),
        Some(End::Promoted | End::RolledBack | End::Superseded) | None => Refusal::Conflict,
    }))
}

fn prepared(draft: &Draft<'_>, min_runway: Duration) -> Option<Result<Settled, Refusal>> {
    match &draft.record.phase {
        Phase::Stable => None,
        Phase::Prepared(prepared) => {
            let safe_until = prepared.safe_until;
            let is_enough = safe_until.since(draft.now) >= min_runway;
            let short = Refusal::LifetimeTooShort { safe_until };
            Some(if is_enough { Ok(Settled::Prepared { safe_until }) } else { Err(short) })
        }
        Phase::Staged(_) | Phase::Overlap(_) => Some(Err(Refusal::Conflict)),
        Phase::Degraded { .. } => Some(Err(Refusal::Degraded)),
    }
}

fn active(draft: &Draft<'_>) -> Settled {
    let last = draft.record.history.last();
    let last = last.filter(|past| past.candidate == draft.record.active);
    // Of a rollback it is the rotation that was rolled back.
    let open = draft.record.overlap().map(|overlap| &overlap.rotation);
    let rotation = open.or(last.map(|past| &past.rotation)).cloned();
    Settled::Active { rotation }
}

fn ask(draft: &mut Draft<'_>, caller: &Caller) {
    match &caller.want {
        Want::Rotate(rotate) => ask_rotate(draft, caller.id, rotate),
        Want::Prepare { .. } => {
            if matches!(draft.record.phase, Phase::Prepared(_)) {
                draft.took(Transition::T1);
            }
            draft.keep(caller.id, caller.want.clone());
        }
        Want::CancelPrepare => {
            if matches!(draft.record.phase, Phase::Prepared(_)) {
                draft.record.phase = Phase::Stable;
                draft.took(Transition::T2);
            }
            draft.answer(caller.id, Ok(Settled::Cancelled));
        }
        Want::Rollback => match draft.record.overlap() {
            Some(overlap) => {
                let previous = overlap.previous;
                revert(draft);
                draft.keep(caller.id, Want::Return(previous));
            }
            None => draft.answer(caller.id, Err(Refusal::NoCandidate(Vec::new()))),
        },
        Want::Retire { force } => match draft.record.overlap() {
            Some(overlap) => {
                let want = Want::Retirement { previous: overlap.previous, force: *force };
                draft.keep(caller.id, want);
            }
            None => draft.answer(caller.id, Ok(Settled::Retired)),
        },
        Want::Retirement { .. } | Want::Promotion { .. } | Want::Return(_) => {
            draft.keep(caller.id, caller.want.clone());
        }
    }
}

/// Takes up those again who wait for the retirement that comes before their own rotation.
pub(super) fn resume(draft: &mut Draft<'_>) {
    let overlap = draft.record.overlap().cloned();
    if overlap.is_some_and(|it| retirement::missing(draft, &it, false).is_only_proof()) {
        return;
    }
    for caller in draft.take(|want| matches!(want, Want::Rotate(_))) {
        ask(draft, &caller);
    }
}

fn ask_rotate(draft: &mut Draft<'_>, caller: CallerId, rotate: &Rotate) {
    let named = rotate.rotation.as_ref();
    if let Some(rotation) = named.filter(|rotation| is_current(draft, rotation)) {
        join(draft, rotate);
        let staged = draft.record.staged().map(|staged| staged.next);
        let candidate = staged.unwrap_or(draft.record.active);
        draft.keep(caller, Want::Promotion { rotation: rotation.clone(), candidate });
        return;
    }
    let Some(candidate) = rotate.candidate.or_else(|| configured_candidate(draft)) else {
        let looked_at = draft.view.configured.clone();
        draft.answer(caller, Err(Refusal::NoCandidate(looked_at)));
        return;
    };
    let mut rotation = named.cloned().unwrap_or_else(|| RotationId::of(candidate));
    match (draft.record.role(candidate), draft.record.phase.clone()) {
        (Role::Active, _) => {}
        (Role::Next, Phase::Staged(staged)) => {
            join(draft, rotate);
            rotation = staged.rotation;
        }
        (Role::Previous, _) => {
            revert(draft);
            draft.keep(caller, Want::Return(candidate));
            return;
        }
        (_, Phase::Staged(_) | Phase::Overlap(_)) if !rotate.supersede => {
            draft.answer(caller, Err(Refusal::Conflict));
            return;
        }
        (_, Phase::Overlap(overlap)) => {
            match retirement::retire(draft, &overlap, false) {
                Ok(()) => {}
                // It is asked for, and this goes on then.
                Err(missing) if missing.is_only_proof() => {
                    draft.keep(caller, Want::Rotate(rotate.clone()));
                    return;
                }
                Err(missing) => {
                    draft.answer(caller, Err(Refusal::RetireBlocked(missing)));
                    return;
                }
            }
            draft.stage(candidate, rotation.clone(), rotate.compromised);
        }
        (_, phase) => {
            if matches!(phase, Phase::Staged(_)) {
                draft.unstage(End::Superseded);
            }
            draft.stage(candidate, rotation.clone(), rotate.compromised);
        }
    }
    draft.keep(caller, Want::Promotion { rotation, candidate });
}

/// What is known of a leak by one caller counts for all.
fn join(draft: &mut Draft<'_>, rotate: &Rotate) {
    if let Phase::Staged(staged) = &mut draft.record.phase {
        staged.compromised |= rotate.compromised;
    }
}

/// Whether it is the id of the open rotation, or of the last one while its candidate is active.
fn is_current(draft: &Draft<'_>, rotation: &RotationId) -> bool {
    let record = &draft.record;
    if let Some(staged) = record.staged() {
        return staged.rotation == *rotation;
    }
    let last = record.history.last();
    last.is_some_and(|past| past.rotation == *rotation && past.candidate == record.active)
}

/// What `rotate()` without an argument means.
fn configured_candidate(draft: &Draft<'_>) -> Option<CredentialId> {
    if let Some(staged) = draft.record.staged() {
        return Some(staged.next);
    }
    if draft.record.overlap().is_some() {
        return Some(draft.record.active);
    }
    let mut configured = draft.view.configured.iter().copied();
    configured.find(|one| {
        !matches!(draft.record.role(*one), Role::Active | Role::Previous | Role::Retired)
    })
}

/// An edge: a source yields something else.
fn change(draft: &mut Draft<'_>, from: Option<CredentialId>, to: CredentialId) {
    let had = from.map(|from| draft.record.role(from));
    match draft.record.role(to) {
        Role::Active if had == Some(Role::Next) => {
            course::end_staging(draft, End::Unverified, Transition::T7);
        }
        Role::Active | Role::Next => {}
        Role::Previous => {
            if had == Some(Role::Active) {
                revert(draft);
            }
        }
        Role::Retired if is_compromised(draft, to) => draft.notify(Notice::Compromised(to)),
        _ => offer(draft, to),
    }
}

/// At start only what is new to the record is a candidate, and only beside something that is not.
fn start(draft: &mut Draft<'_>, credential: CredentialId) {
    let record = &draft.record;
    let knows = |one: &CredentialId| record.role(*one) != Role::Unknown;
    if !knows(&credential) && draft.view.held.iter().any(knows) {
        offer(draft, credential);
    }
}

fn offer(draft: &mut Draft<'_>, candidate: CredentialId) {
    match draft.record.phase {
        Phase::Stable | Phase::Prepared(_) | Phase::Degraded { .. } => {
            draft.stage(candidate, RotationId::of(candidate), false);
        }
        Phase::Staged(_) | Phase::Overlap(_) => {
            draft.put_in_line(candidate);
        }
    }
}

/// T10 is wanted; it takes place when the previous credential is accepted.
fn revert(draft: &mut Draft<'_>) {
    let now = draft.now;
    if let Phase::Overlap(Overlap { reverting, .. }) = &mut draft.record.phase {
        *reverting = Some(reverting.unwrap_or(now));
    }
}

fn answered(draft: &mut Draft<'_>, credential: CredentialId, answer: &Answer) {
    if draft.record.role(credential) == Role::Next
        && draft.proof(credential).is_none()
        && !matches!(answer, Answer::Rejected)
    {
        draft.took_nothing_by(Transition::T6);
    }
    let is_asked = draft.wants().any(|want| matches!(want, Want::Prepare { .. }));
    if credential == draft.record.active && is_asked && draft.record.phase == Phase::Stable {
        prepare(draft, answer);
    }
}

/// T1, now that it is known how long a fresh token lives.
fn prepare(draft: &mut Draft<'_>, answer: &Answer) {
    let proof = matches!(answer, Answer::Accepted(_)).then(|| draft.proof(draft.record.active));
    let Some(proof) = proof.flatten() else {
        draft.settle(|_, want| {
            matches!(want, Want::Prepare { .. }).then_some(Err(Refusal::TokenUnavailable))
        });
        return;
    };
    let (safe_until, now) = (proof.expires_at, draft.now);
    draft.settle(|_, want| match want {
        Want::Prepare { min_runway } if safe_until.since(now) < *min_runway => {
            Some(Err(Refusal::LifetimeTooShort { safe_until }))
        }
        _ => None,
    });
    if draft.wants().any(|want| matches!(want, Want::Prepare { .. })) {
        let deadline = proof.refresh_at.min(now + PREPARATION);
        draft.record.phase = Phase::Prepared(Prepared { deadline, safe_until });
        draft.replace_token(proof);
        draft.took(Transition::T1);
    }
}

/// The last caller left, and no source yields what it wanted: T7.
fn leave(draft: &mut Draft<'_>, caller: &Caller) {
    let Want::Promotion { rotation, .. } = &caller.want else { return };
    let Some(staged) = draft.record.staged().filter(|staged| staged.rotation == *rotation) else {
        return;
    };
    let next = staged.next;
    end_if_forsaken(draft, next);
}

/// T7 where nobody waits for the candidate and nothing yields it.
fn end_if_forsaken(draft: &mut Draft<'_>, next: CredentialId) {
    let waits =
        |want: &Want| matches!(want, Want::Promotion { candidate, .. } if *candidate == next);
    // A place that is written with it is about to yield it.
    let is_written = !draft.view.writing.is_empty()
        || draft.record.sinks.values().any(|sink| *sink == Sink::Done);
    if !draft.wants().any(waits) && !is_written && !draft.view.is_yielded(next) {
        course::end_staging(draft, End::Unverified, Transition::T7);
    }
}

fn sink_written(draft: &mut Draft<'_>, slot: Slot, credential: CredentialId, outcome: SinkOutcome) {
    if credential != draft.record.to_write_back() {
        return;
    }
    let sink = match outcome {
        SinkOutcome::Done => Sink::Done,
        SinkOutcome::Impossible => {
            draft.notify(Notice::SinkImpossible(slot));
            Sink::Impossible
        }
        SinkOutcome::Failed => Sink::Pending { not_before: draft.now + SINK_GAP },
    };
    let is_first = draft.record.sinks.insert(slot, sink).is_none();
    if draft.record.staged().is_some() && outcome != SinkOutcome::Done {
        let is_told = is_first && course::is_everything_tried(draft);
        let is_kept = course::in_custody(&draft.record, draft.view, credential);
        end_if_forsaken(draft, credential);
        if is_told && !is_kept && draft.record.staged().is_some() {
            draft.notify(Notice::AwaitsCustody(credential));
        }
    }
}

fn is_compromised(draft: &Draft<'_>, credential: CredentialId) -> bool {
    draft.record.retired.iter().any(|known| known.credential == credential && known.compromised)
}
