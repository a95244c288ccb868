//! A next credential is being proved.

use std::time::Duration;

use crate::clock::StoreTime;
use crate::credential::CredentialId;
use crate::rotation::caller::{Awaited, CallerId};
use crate::rotation::candidate::{self, PHASE_LIMIT};
use crate::rotation::effect::RotationEffect;
use crate::rotation::evidence::Evidence;
use crate::rotation::fleet::MemberTable;
use crate::rotation::notice::{RotationNotice, Why};
use crate::rotation::outcome::{Refusal, Settled};
use crate::rotation::persist;
use crate::rotation::probes::Probe;
use crate::rotation::promotion::{Lack, lack};
use crate::rotation::record::{Overlap, Phase, Record, Staged};
use crate::rotation::request::{Request, Rotate};
use crate::rotation::retirement::FRESH;
use crate::rotation::role::Role;
use crate::rotation::transaction::Transaction;
use crate::rotation::transition::Transition;
use crate::rotation::view::View;
use crate::rotation::wait::Wait;
use crate::verdict::Verdict;

/// What a caller gets who waits for a preparation when a step ends in this phase.
pub(super) const NO_PREPARATION: Refusal = Refusal::Conflict;

/// While a proved candidate waits for custody, the active credential is asked this often: a person
/// may have replaced it without anybody having presented the old one since.
const ASKING: Duration = Duration::from_mins(1);

/// How long a first attempt to write the candidate back may take before that begins. Each asking
/// makes a token with the old secret, which is none of an ordinary rotation's business.
const PATIENCE: Duration = Duration::from_secs(5);

pub(super) fn request(
    tx: &mut Transaction<'_>,
    staged: &Staged,
    caller: CallerId,
    request: &Request,
) {
    match request {
        Request::Rotate(rotate) => self::rotate(tx, staged, caller, rotate),
        Request::Prepare { min_runway } => {
            tx.keep(caller, Awaited::Preparation { min_runway: *min_runway });
        }
        Request::CancelPreparation => tx.reply(caller, Ok(Settled::Cancelled)),
        // The overlap rests until the rotation above it has ended.
        Request::RollBack(_) | Request::Retire { .. } if staged.beneath.is_some() => {
            tx.reply(caller, Err(Refusal::Conflict));
        }
        Request::RollBack(_) => tx.reply(caller, Err(Refusal::NoCandidate(Vec::new()))),
        Request::Retire { .. } => tx.reply(caller, Ok(Settled::Retired)),
    }
}

/// The caller joins the rotation that is open, or takes its place.
fn rotate(tx: &mut Transaction<'_>, staged: &Staged, caller: CallerId, rotate: &Rotate) {
    if rotate.rotation.as_ref() == Some(&staged.rotation) {
        return join(tx, staged, caller, rotate);
    }
    let (candidate, rotation) = candidate::named(rotate, staged.next);
    match tx.record().role(candidate) {
        Role::Active => {}
        Role::Next => return join(tx, staged, caller, rotate),
        Role::Previous => {
            tx.want_back();
            return tx.keep(caller, Awaited::Return(candidate));
        }
        _ if !rotate.supersede => return tx.reply(caller, Err(Refusal::Conflict)),
        _ => {
            end(tx, Why::Superseded);
            tx.stage_asked(candidate, rotation.clone(), rotate);
        }
    }
    tx.keep_until_promoted(caller, candidate, rotation, rotate);
}

fn join(tx: &mut Transaction<'_>, staged: &Staged, caller: CallerId, rotate: &Rotate) {
    want_again(tx, rotate.compromised);
    tx.verify(staged.next, rotate.verify.as_ref());
    persist::retry_impossible(tx);
    let (rotation, candidate) = (staged.rotation.clone(), staged.next);
    tx.keep_until_promoted(caller, candidate, rotation, rotate);
}

/// Somebody waits for the candidate again; and what one caller knows of a leak counts for all.
fn want_again(tx: &mut Transaction<'_>, compromised: bool) {
    if let Phase::Staged(staged) = &mut tx.record_mut().phase {
        staged.compromised |= compromised;
        staged.unwanted = None;
    }
}

/// A source yields another credential: the candidate again, or what it was to replace.
pub(super) fn change(tx: &mut Transaction<'_>, had: Option<Role>, to: CredentialId) {
    match tx.record().role(to) {
        Role::Active if had == Some(Role::Next) => end(tx, Why::Withdrawn),
        Role::Next => want_again(tx, false),
        Role::Previous if had == Some(Role::Active) => tx.want_back(),
        _ => {}
    }
}

pub(super) fn offer(tx: &mut Transaction<'_>, candidate: CredentialId) {
    tx.put_in_line(candidate);
}

/// An answer that says nothing of the candidate changes nothing.
pub(super) fn answer(
    tx: &mut Transaction<'_>,
    staged: &Staged,
    credential: CredentialId,
    verdict: &Verdict<Evidence>,
) {
    let is_clear = matches!(verdict, Verdict::Rejected(_)) || tx.proof(credential).is_some();
    if credential == staged.next && !is_clear {
        tx.took_nothing(Transition::AwaitingProof);
    }
}

/// Promotes the candidate, gives it up, or goes on with it.
pub(super) fn time(tx: &mut Transaction<'_>, staged: &Staged) {
    let lack = lack(tx.record(), tx.view(), staged, tx.now());
    if let Some(proof) = tx.proof_since(staged.at, staged.next) {
        if lack.is_none() {
            tx.promote(staged.clone(), proof);
            return;
        }
        let is_new = proof.at == tx.now() && matches!(lack, Some(Lack::Custody));
        if is_new && staged.unwanted.is_none() && tx.record().has_tried_targets(tx.view()) {
            tx.notify(RotationNotice::AwaitsCustody(staged.next));
        }
    }
    if let Some(active) = tx.substitute() {
        end_overlap_beneath(tx, active);
        return;
    }
    let rejections = tx.view().ledger.rejections(staged.next);
    if rejections.is_some_and(|since| since.first_at >= staged.at && since.are_final()) {
        end(tx, Why::Rejected);
    } else if tx.view().has_proved(staged) {
        // It is not given up before the active credential has shown once more that it still works.
        let asked_at = is_to_end(staged, tx.now());
        let works = |since| tx.proof_since(since, tx.record().active).is_some();
        match asked_at.filter(|since| works(*since)) {
            Some(_) => end(
                tx,
                match lack {
                    Some(Lack::Retirement(_)) => Why::RetireBlocked,
                    _ => Why::NoCustody,
                },
            ),
            None => watch_holders(tx, staged),
        }
    } else if tx.now() >= staged.deadline && tx.view().held.contains(&staged.next) {
        // Who cannot present it does not know whether it was proved elsewhere.
        end(tx, Why::Deadline);
    } else {
        watch_holders(tx, staged);
    }
}

/// A fallback has taken over: the overlap beneath has nothing left to go back to.
fn end_overlap_beneath(tx: &mut Transaction<'_>, active: CredentialId) {
    if let Phase::Staged(staged) = &mut tx.record_mut().phase
        && let Some(beneath) = staged.beneath.take()
        && beneath.previous != active
    {
        tx.stand_by(beneath.previous);
    }
}

/// Gives the candidate up when nobody has held it for as long as a silent member counts as live.
fn watch_holders(tx: &mut Transaction<'_>, staged: &Staged) {
    let (is_held, now) = (tx.view().is_held(staged.next), tx.now());
    match staged.forsaken {
        Some(since) if !is_held && now.since(since) >= MemberTable::TTL => end(tx, Why::NotHeld),
        known => {
            let forsaken = (!is_held).then(|| known.unwrap_or(now));
            tx.record_mut().phase = Phase::Staged(Staged { forsaken, ..staged.clone() });
        }
    }
}

/// Goes back to where the rotation began, without the candidate.
fn end(tx: &mut Transaction<'_>, why: Why) {
    let Some(staged) = tx.unstage(why) else { return };
    let (is_rejected, now) = (tx.is_active_rejected(), tx.now());
    tx.record_mut().phase = match staged.beneath {
        // It rested meanwhile, and may have its time again before people are told that it is late.
        Some(beneath) => {
            let deadline = beneath.deadline.max(now + PHASE_LIMIT);
            Phase::Overlap(Overlap { deadline, ..*beneath })
        }
        None if is_rejected => Phase::Degraded { since: now },
        None => Phase::Stable,
    };
    if why == Why::Rejected {
        tx.perform([RotationEffect::DropTokens(staged.next)]);
    }
}

/// A caller of the rotation has left.
pub(super) fn leave(tx: &mut Transaction<'_>, staged: &Staged, awaits: &Awaited) {
    if matches!(awaits, Awaited::Promotion { rotation, .. } if *rotation == staged.rotation) {
        end_if_unwanted(tx);
    }
}

/// The candidate could not be written to a place; `is_first` at the first attempt there.
pub(super) fn not_written(tx: &mut Transaction<'_>, candidate: CredentialId, is_first: bool) {
    let is_told = is_first && tx.record().has_tried_targets(tx.view());
    let is_kept = tx.record().is_in_custody(tx.view(), candidate);
    end_if_unwanted(tx);
    let is_wanted = tx.record().staged().is_some_and(|staged| staged.unwanted.is_none());
    if is_told && !is_kept && is_wanted {
        tx.notify(RotationNotice::AwaitsCustody(candidate));
    }
}

/// Gives the candidate up where nobody waits for it and no source yields it. One that is proved
/// stays until the active credential has shown that it still works.
fn end_if_unwanted(tx: &mut Transaction<'_>) {
    let Some(staged) = tx.record().staged().cloned() else { return };
    // A place that is written with it is about to yield it.
    let is_written =
        !tx.view().writing.is_empty() || tx.record().is_written(tx.view(), staged.next);
    if tx.waits_for(staged.next) || is_written || tx.view().is_yielded(staged.next) {
        return;
    }
    if tx.view().has_proved(&staged) {
        let unwanted = staged.unwanted.or(Some(tx.now()));
        tx.record_mut().phase = Phase::Staged(Staged { unwanted, ..staged });
    } else {
        end(tx, Why::CallerLeft);
    }
}

/// Since when a proved candidate is to be given up, provided that the active credential still
/// works.
fn is_to_end(staged: &Staged, now: StoreTime) -> Option<StoreTime> {
    staged.unwanted.or((now >= staged.deadline).then_some(staged.deadline))
}

pub(super) fn is_promotable(record: &Record, view: &View, staged: &Staged, now: StoreTime) -> bool {
    view.ledger.valid_proof_since(staged.at, staged.next, now).is_some()
        && lack(record, view, staged, now).is_none()
}

/// The candidate until it is proved, and the active credential where that matters meanwhile.
pub(super) fn probes(record: &Record, view: &View, staged: &Staged, now: StoreTime) -> Vec<Probe> {
    let ledger = &view.ledger;
    let mut wanted = Vec::new();
    if ledger.valid_proof_since(staged.at, staged.next, now).is_none() {
        wanted.push((staged.next, ledger.retry_at(staged.next, staged.at)));
    }
    let active = active_due(record, view, staged, now);
    wanted.extend(active.map(|at| (record.active, at)));
    wanted
}

/// When the active credential is to be asked, because the candidate is proved and yet not promoted.
fn active_due(record: &Record, view: &View, staged: &Staged, now: StoreTime) -> Option<StoreTime> {
    let ledger = &view.ledger;
    if !view.has_proved(staged) {
        // Whose fault a refusal is shows in whether another credential is accepted.
        let refused_at = ledger.refused_since(staged.next).filter(|at| *at >= staged.at)?;
        return Some(ledger.retry_at(record.active, refused_at));
    }
    match lack(record, view, staged, now)? {
        Lack::Custody => {}
        Lack::Retirement(missing) if missing.proof => {
            return Some(ledger.retry_at(record.active, now - FRESH));
        }
        Lack::Retirement(_) => is_to_end(staged, now).map(drop)?,
    }
    let proved_at = ledger.proof(staged.next).map(|proof| proof.at)?;
    let is_hopeful = !record.has_tried_targets(view);
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

/// When the candidate is given up for want of a holder, or of a proof.
pub(super) fn deadlines(staged: &Staged) -> Vec<StoreTime> {
    let forsaken = staged.forsaken.map(|since| since + MemberTable::TTL);
    forsaken.into_iter().chain([staged.deadline]).collect()
}

pub(super) fn waits(record: &Record, view: &View, staged: &Staged, now: StoreTime) -> Vec<Wait> {
    if view.ledger.valid_proof_since(staged.at, staged.next, now).is_none() {
        return vec![Wait::Proof(staged.next)];
    }
    match lack(record, view, staged, now) {
        None => Vec::new(),
        Some(Lack::Custody) => vec![Wait::Custody],
        Some(Lack::Retirement(missing)) => vec![Wait::Retirement(missing)],
    }
}
