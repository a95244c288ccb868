//! What becomes of a candidate: Promoted, CandidateRejected and CandidateWithdrawn, and Substituted meanwhile.

use std::time::Duration;

use super::course::{is_abandoned, substitute};
use super::draft::Draft;
use super::effect::{Effect, Missing, Notice, Why};
use super::record::{Phase, Record, Sink, Staged};
use super::retirement;
use super::view::{Members, View};
use crate::clock::Timestamp;
use crate::credential::CredentialId;

/// While a proved candidate waits for custody, the active credential is asked this often: a person may
/// have replaced it without anybody having presented the old one since.
const ASKING: Duration = Duration::from_mins(1);

/// So long a first attempt to write the candidate back may take before that begins. Each asking makes a
/// token with the old secret, which is none of an ordinary rotation's business.
const PATIENCE: Duration = Duration::from_secs(5);

/// What a proved candidate still lacks.
pub(super) enum Lack {
    /// Nothing but this process keeps it.
    Custody,
    /// What was previous when it was staged cannot be retired yet.
    Retirement(Missing),
}

/// Promoted, CandidateRejected, CandidateWithdrawn and, meanwhile, Substituted.
pub(super) fn prove(draft: &mut Draft<'_>, staged: &Staged) {
    let lack = lack(&draft.record, draft.view, staged, draft.now);
    if let Some(proof) = draft.proof_since(staged.at, staged.next) {
        if lack.is_none() {
            draft.promote(staged.clone(), proof);
            return;
        }
        let is_new = proof.at == draft.now && matches!(lack, Some(Lack::Custody));
        let is_new = is_new && staged.unwanted.is_none();
        if is_new && is_everything_tried(&draft.record, draft.view) {
            draft.notify(Notice::AwaitsCustody(staged.next));
        }
    }
    if substitute(draft) {
        return;
    }
    let rejections = draft.view.ledger.rejections(staged.next);
    if rejections.is_some_and(|since| since.first_at >= staged.at && since.are_final()) {
        end_staging(draft, Why::Rejected);
    } else if was_proved(draft.view, staged) {
        // It is not given up before the active credential has shown once more that it still works.
        let asked_at = is_to_end(staged, draft.now);
        let works = |since| draft.proof_since(since, draft.record.active).is_some();
        match asked_at.filter(|since| works(*since)) {
            Some(_) => end_staging(
                draft,
                match lack {
                    Some(Lack::Retirement(_)) => Why::RetireBlocked,
                    _ => Why::NoCustody,
                },
            ),
            None => watch_holders(draft, staged),
        }
    } else if draft.now >= staged.deadline && draft.view.held.contains(&staged.next) {
        // Who cannot present it does not know whether it was proved elsewhere.
        end_staging(draft, Why::Deadline);
    } else {
        watch_holders(draft, staged);
    }
}

/// Whether the next credential has all that it takes, so that nothing else has to happen before Promoted.
pub(super) fn is_promotable(record: &Record, view: &View, now: Timestamp) -> bool {
    record.staged().is_some_and(|staged| {
        view.ledger.valid_proof_since(staged.at, staged.next, now).is_some()
            && lack(record, view, staged, now).is_none()
    })
}

/// What a candidate that is proved still lacks; nothing where the active credential is rejected or held
/// by nobody, since then waiting costs tokens.
pub(super) fn lack(record: &Record, view: &View, staged: &Staged, now: Timestamp) -> Option<Lack> {
    if view.ledger.rejections(record.active).is_some() || is_abandoned(record, view, now) {
        return None;
    }
    if !in_custody(record, view, staged.next) {
        return Some(Lack::Custody);
    }
    let beneath = staged.beneath.as_deref().filter(|_| !staged.compromised)?;
    let missing = retirement::missing(record, view, beneath, false, now);
    (!missing.is_nothing()).then_some(Lack::Retirement(missing))
}

/// When the active credential is to be asked, because the candidate is proved and yet not promoted.
pub(super) fn active_due(
    record: &Record,
    view: &View,
    staged: &Staged,
    now: Timestamp,
) -> Option<Timestamp> {
    let ledger = &view.ledger;
    if !was_proved(view, staged) {
        // Whose fault a refusal is shows in whether another credential is accepted.
        let refused_at = ledger.refused_since(staged.next).filter(|at| *at >= staged.at)?;
        return Some(ledger.retry_at(record.active, refused_at));
    }
    match lack(record, view, staged, now)? {
        Lack::Custody => {}
        Lack::Retirement(missing) if missing.proof => {
            return Some(ledger.retry_at(record.active, now - retirement::FRESH));
        }
        Lack::Retirement(_) => is_to_end(staged, now).map(drop)?,
    }
    let proved_at = ledger.proof(staged.next).map(|proof| proof.at)?;
    let is_hopeful = !is_everything_tried(record, view);
    let first_at = if is_hopeful { proved_at + PATIENCE } else { proved_at };
    let since = is_to_end(staged, now).map_or(proved_at, |at| at.max(proved_at));
    Some(match ledger.proof(record.active) {
        Some(active) if active.at >= since => {
            (active.at + ASKING).max(ledger.retry_at(record.active, active.at))
        }
        _ if is_to_end(staged, now).is_some() => ledger.retry_at(record.active, since),
        _ => ledger.retry_at(record.active, since).max(first_at),
    })
}

/// Since when a proved candidate is to be given up, provided that the active credential still works.
fn is_to_end(staged: &Staged, now: Timestamp) -> Option<Timestamp> {
    staged.unwanted.or((now >= staged.deadline).then_some(staged.deadline))
}

/// Whether the endpoint's latest certain answer is a token, though that may have expired.
pub(super) fn was_proved(view: &View, staged: &Staged) -> bool {
    view.ledger.proof(staged.next).is_some_and(|proof| proof.at >= staged.at)
}

/// In one process a promotion is not refused for want of a place to keep the credential.
pub(super) fn in_custody(record: &Record, view: &View, credential: CredentialId) -> bool {
    record.is_kept(view, credential) || view.fleet.is_none() && !awaits_sinks(record, view)
}

/// Whether a slot that can be written before the promotion may still be.
fn awaits_sinks(record: &Record, view: &View) -> bool {
    let is_open = |slot| matches!(record.sinks.get(slot), None | Some(Sink::Pending { .. }));
    view.sinks.iter().any(|spec| !spec.at_retirement && is_open(&spec.slot))
}

/// Whether no sink is left that may yet keep the next credential at its first attempt.
pub(super) fn is_everything_tried(record: &Record, view: &View) -> bool {
    let is_tried = |slot| record.sinks.contains_key(slot);
    view.sinks.iter().all(|spec| spec.at_retirement || is_tried(&spec.slot))
}

/// CandidateWithdrawn when nobody has held the next credential for as long as a silent member counts as live.
fn watch_holders(draft: &mut Draft<'_>, staged: &Staged) {
    let (is_held, now) = (draft.view.is_held(staged.next), draft.now);
    match staged.forsaken {
        Some(since) if !is_held && now.since(since) >= Members::TTL => {
            end_staging(draft, Why::NotHeld);
        }
        known => {
            let forsaken = (!is_held).then(|| known.unwrap_or(now));
            draft.record.phase = Phase::Staged(Staged { forsaken, ..staged.clone() });
        }
    }
}

/// CandidateRejected, CandidateWithdrawn: back to where the rotation began.
pub(super) fn end_staging(draft: &mut Draft<'_>, why: Why) {
    let Some(staged) = draft.unstage(why) else { return };
    let is_rejected = draft.view.ledger.rejections(draft.record.active).is_some();
    let now = draft.now;
    draft.record.phase = match staged.beneath {
        Some(beneath) => Phase::Overlap(*beneath),
        None if is_rejected => Phase::Degraded { since: now },
        None => Phase::Stable,
    };
    if why == Why::Rejected {
        draft.effects.push(Effect::DropTokens(staged.next));
    }
}

/// CandidateWithdrawn where nobody waits for the candidate and no source yields it. One that is proved stays until the active
/// credential has shown that it still works.
pub(super) fn end_if_forsaken(draft: &mut Draft<'_>) {
    let Some(staged) = draft.record.staged().cloned() else { return };
    // A place that is written with it is about to yield it.
    let is_written = !draft.view.writing.is_empty()
        || draft.record.sinks.values().any(|sink| *sink == Sink::Done);
    if draft.waits_for(staged.next) || is_written || draft.view.is_yielded(staged.next) {
        return;
    }
    if was_proved(draft.view, &staged) {
        let unwanted = staged.unwanted.or(Some(draft.now));
        draft.record.phase = Phase::Staged(Staged { unwanted, ..staged });
    } else {
        end_staging(draft, Why::CallerLeft);
    }
}
