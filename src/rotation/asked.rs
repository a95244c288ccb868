//! What people, callers and sources ask for, and how they are answered.

use std::time::Duration;

use super::caller::{Awaited, CallerId, KeptCaller};
use super::draft::Draft;
use super::effect::{Missing, Notice, Refusal, Settled, Why};
use super::event::{Event, SinkOutcome};
use super::record::{End, Phase, Prepared, Role, RotationId, Sink, Slot};
use super::request::{Request, Rotate};
use super::transition::Transition;
use super::{promotion, retirement};
use crate::credential::CredentialId;
use crate::verdict::{Arrival, Verdict};

/// A preparation lasts so long at most.
const PREPARATION: Duration = Duration::from_mins(15);
/// The gap between attempts to write a sink.
const SINK_GAP: Duration = Duration::from_secs(10);

pub(super) fn handle(draft: &mut Draft<'_>, event: &Event) {
    match event {
        Event::Ticked => {}
        Event::Changed { from, to } => change(draft, *from, *to),
        Event::Started(credential) => start(draft, *credential),
        Event::Answered { credential, verdict } => answered(draft, *credential, verdict),
        Event::Asked { caller, request } => ask(draft, *caller, request),
        Event::Left(caller) => leave(draft, caller),
        Event::SinkWritten { slot, credential, outcome } => {
            sink_written(draft, *slot, *credential, *outcome);
        }
    }
}

/// Answers whoever has what it waited for, or will never have it.
pub(super) fn settle(draft: &mut Draft<'_>) {
    draft.settle(|draft, awaits| match awaits {
        Awaited::Promotion { rotation, candidate } => promotion(draft, rotation, *candidate),
        Awaited::Return(credential) if draft.record.active == *credential => {
            Some(Ok(active(draft)))
        }
        // A later rotation is open above the one that they are about.
        Awaited::Return(_) | Awaited::Retirement { .. } if has_overlap_beneath(draft) => {
            Some(Err(Refusal::Conflict))
        }
        Awaited::Return(credential) => {
            let is_tried = draft.record.overlap().is_some_and(|open| open.reverting.is_some());
            // It may have been retired meanwhile.
            let is_rejected = draft.view.ledger.rejections(*credential).is_some();
            (!is_tried).then_some(Err(if is_rejected {
                Refusal::CandidateRejected(*credential)
            } else {
                Refusal::NoCandidate(Vec::new())
            }))
        }
        Awaited::Retirement { previous, .. } => match draft.record.role(*previous) {
            Role::Previous => None,
            Role::Retired => Some(Ok(Settled::Retired)),
            // It took over again, or may stand in once more.
            _ => Some(Err(Refusal::Conflict)),
        },
        Awaited::Preparation { min_runway } => prepared(draft, *min_runway),
        // See `resume`.
        Awaited::Turn(_) => None,
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
        Some(End::RetireBlocked) => Refusal::RetireBlocked(missing(draft)),
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

fn ask(draft: &mut Draft<'_>, caller: CallerId, request: &Request) {
    match request {
        Request::Rotate(rotate) => ask_rotate(draft, caller, rotate),
        Request::Prepare { min_runway } => {
            if matches!(draft.record.phase, Phase::Prepared(_)) {
                draft.took(Transition::Prepared);
            }
            draft.keep(caller, Awaited::Preparation { min_runway: *min_runway });
        }
        Request::CancelPreparation => {
            if matches!(draft.record.phase, Phase::Prepared(_)) {
                draft.record.phase = Phase::Stable;
                draft.took(Transition::PreparationEnded);
            }
            draft.answer(caller, Ok(Settled::Cancelled));
        }
        Request::RollBack(rotation) | Request::Retire { rotation, .. }
            if is_about_another(draft, rotation) =>
        {
            draft.answer(caller, Err(Refusal::Conflict));
        }
        Request::RollBack(_) => match draft.record.overlap() {
            Some(overlap) => {
                let previous = overlap.previous;
                revert(draft);
                draft.keep(caller, Awaited::Return(previous));
            }
            None => draft.answer(caller, Err(Refusal::NoCandidate(Vec::new()))),
        },
        Request::Retire { force, .. } => match draft.record.overlap() {
            Some(overlap) => {
                let awaits = Awaited::Retirement { previous: overlap.previous, force: *force };
                draft.keep(caller, awaits);
            }
            None => draft.answer(caller, Ok(Settled::Retired)),
        },
    }
}

/// Whether the open overlap is another rotation's, or rests beneath a later one.
fn is_about_another(draft: &Draft<'_>, rotation: &RotationId) -> bool {
    has_overlap_beneath(draft)
        || draft.record.overlap().is_some_and(|overlap| overlap.rotation != *rotation)
}

/// Takes up those again who wait for the retirement that comes before their own rotation.
pub(super) fn resume(draft: &mut Draft<'_>) {
    if missing(draft).is_only_proof() && !is_active_rejected(draft) {
        return;
    }
    for caller in draft.take(|awaits| matches!(awaits, Awaited::Turn(_))) {
        if let Awaited::Turn(rotate) = &caller.awaits {
            ask_rotate(draft, caller.id, rotate);
        }
    }
}

fn ask_rotate(draft: &mut Draft<'_>, caller: CallerId, rotate: &Rotate) {
    let named = rotate.rotation.as_ref();
    if let Some(rotation) = named.filter(|rotation| is_current(draft, rotation)) {
        join(draft, rotate);
        write_impossible_again(draft);
        let staged = draft.record.staged().map(|staged| staged.next);
        let candidate = staged.unwrap_or(draft.record.active);
        draft.keep(caller, Awaited::Promotion { rotation: rotation.clone(), candidate });
        return;
    }
    let Some(candidate) = rotate.candidate.or_else(|| configured_candidate(draft)) else {
        let looked_at = draft.view.configured.clone();
        draft.answer(caller, Err(Refusal::NoCandidate(looked_at)));
        return;
    };
    let mut rotation = named.cloned().unwrap_or_else(|| RotationId::of(candidate));
    match (draft.record.role(candidate), draft.record.phase.clone()) {
        (Role::Active, _) => {
            if draft.record.staged().is_none() {
                write_impossible_again(draft);
            }
        }
        (Role::Next, Phase::Staged(staged)) => {
            join(draft, rotate);
            write_impossible_again(draft);
            rotation = staged.rotation;
        }
        (Role::Previous, _) => {
            revert(draft);
            draft.keep(caller, Awaited::Return(candidate));
            return;
        }
        (_, Phase::Staged(_) | Phase::Overlap(_)) if !rotate.supersede => {
            draft.answer(caller, Err(Refusal::Conflict));
            return;
        }
        (_, Phase::Overlap(_)) => {
            // What is previous is retired with the promotion, if it is not needed then.
            let missing = missing(draft);
            let is_free = rotate.compromised || is_active_rejected(draft);
            if !is_free && missing.is_only_proof() {
                // It is asked for, and this goes on then.
                draft.keep(caller, Awaited::Turn(rotate.clone()));
                return;
            }
            if !is_free && !missing.is_nothing() {
                draft.answer(caller, Err(Refusal::RetireBlocked(missing)));
                return;
            }
            draft.stage(candidate, rotation.clone(), rotate.compromised);
        }
        (_, phase) => {
            if matches!(phase, Phase::Staged(_)) {
                promotion::end_staging(draft, Why::Superseded);
            }
            draft.stage(candidate, rotation.clone(), rotate.compromised);
        }
    }
    draft.keep(caller, Awaited::Promotion { rotation, candidate });
}

/// What is known of a leak by one caller counts for all; and somebody waits for the candidate again.
fn join(draft: &mut Draft<'_>, rotate: &Rotate) {
    if let Phase::Staged(staged) = &mut draft.record.phase {
        staged.compromised |= rotate.compromised;
        staged.unwanted = None;
    }
}

/// Whoever asks for a credential again may have mended the place that it is to be written to.
fn write_impossible_again(draft: &mut Draft<'_>) {
    let pending = Sink::Pending { not_before: draft.now };
    for sink in draft.record.sinks.values_mut().filter(|sink| **sink == Sink::Impossible) {
        *sink = pending;
    }
}

fn has_overlap_beneath(draft: &Draft<'_>) -> bool {
    draft.record.overlap().is_none() && draft.record.open_overlap().is_some()
}

fn is_active_rejected(draft: &Draft<'_>) -> bool {
    draft.view.ledger.rejections(draft.record.active).is_some()
}

/// What stands between the previous credential of the open overlap and its retirement.
fn missing(draft: &Draft<'_>) -> Missing {
    let overlap = draft.record.open_overlap();
    overlap.map_or_else(Missing::default, |overlap| {
        retirement::missing(&draft.record, draft.view, overlap, false, draft.now)
    })
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
            promotion::end_staging(draft, Why::Withdrawn);
        }
        Role::Active => {}
        Role::Next => join(draft, &Rotate::default()),
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

/// RolledBack is wanted; it takes place when the previous credential is accepted.
fn revert(draft: &mut Draft<'_>) {
    let now = draft.now;
    if let Some(overlap) = draft.record.open_overlap_mut() {
        overlap.reverting.get_or_insert(now);
    }
}

fn answered(draft: &mut Draft<'_>, credential: CredentialId, verdict: &Verdict<Arrival>) {
    match draft.record.role(credential) {
        Role::Next
            if draft.proof(credential).is_none() && !matches!(verdict, Verdict::Rejected(_)) =>
        {
            draft.took_nothing();
        }
        // It was withdrawn before this answer, and is as good as one that was proved before that.
        Role::Unknown if draft.proof(credential).is_some() => draft.stand_by(credential),
        _ => {}
    }
    let is_asked = draft.awaited().any(|awaits| matches!(awaits, Awaited::Preparation { .. }));
    if credential == draft.record.active && is_asked && draft.record.phase == Phase::Stable {
        prepare(draft, verdict);
    }
}

/// Prepared, now that it is known how long a fresh token lives.
fn prepare(draft: &mut Draft<'_>, verdict: &Verdict<Arrival>) {
    let proof = matches!(verdict, Verdict::Accepted(_)).then(|| draft.proof(draft.record.active));
    let Some(proof) = proof.flatten() else {
        draft.settle(|_, awaits| {
            matches!(awaits, Awaited::Preparation { .. }).then_some(Err(Refusal::TokenUnavailable))
        });
        return;
    };
    let (safe_until, now) = (proof.expires_at, draft.now);
    draft.settle(|_, awaits| match awaits {
        Awaited::Preparation { min_runway } if safe_until.since(now) < *min_runway => {
            Some(Err(Refusal::LifetimeTooShort { safe_until }))
        }
        _ => None,
    });
    if draft.awaited().any(|awaits| matches!(awaits, Awaited::Preparation { .. })) {
        let deadline = proof.soft_at.min(now + PREPARATION);
        draft.record.phase = Phase::Prepared(Prepared { deadline, safe_until });
        draft.replace_token(proof);
        draft.took(Transition::Prepared);
    }
}

/// The last caller left, and no source yields what it wanted: CandidateWithdrawn.
fn leave(draft: &mut Draft<'_>, caller: &KeptCaller) {
    let Awaited::Promotion { rotation, .. } = &caller.awaits else { return };
    if draft.record.staged().is_some_and(|staged| staged.rotation == *rotation) {
        promotion::end_if_forsaken(draft);
    }
}

fn sink_written(draft: &mut Draft<'_>, slot: Slot, credential: CredentialId, outcome: SinkOutcome) {
    let wanted = draft.record.to_write_back();
    if credential != wanted {
        if outcome == SinkOutcome::Done {
            // The place holds now what is not to be kept there.
            let pending = Sink::Pending { not_before: draft.now };
            draft.record.sinks.insert(slot, pending);
        }
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
        let is_told = is_first && promotion::is_everything_tried(&draft.record, draft.view);
        let is_kept = promotion::in_custody(&draft.record, draft.view, credential);
        promotion::end_if_forsaken(draft);
        let is_wanted = draft.record.staged().is_some_and(|staged| staged.unwanted.is_none());
        if is_told && !is_kept && is_wanted {
            draft.notify(Notice::AwaitsCustody(credential));
        }
    }
}

fn is_compromised(draft: &Draft<'_>, credential: CredentialId) -> bool {
    draft.record.retired.iter().any(|known| known.credential == credential && known.compromised)
}
