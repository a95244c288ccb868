//! The candidate of a rotation: how it is found, staged and given up.

use std::time::Duration;

use url::Url;

use super::caller::{Awaited, CallerId};
use super::history::{End, Past, RotationId};
use super::notice::{About, RotationNotice, Why};
use super::outcome::Refusal;
use super::persist;
use super::record::{Phase, Staged};
use super::request::Rotate;
use super::role::{Former, Role};
use super::target::TargetState;
use super::transaction::Transaction;
use super::transition::Transition;
use crate::credential::CredentialId;

/// How long a candidate may take, and how long after its time an overlap is overdue.
pub(super) const PHASE_LIMIT: Duration = Duration::from_mins(10);

/// Begins the rotation that a caller asks for where none is open.
pub(super) fn begin(tx: &mut Transaction<'_>, caller: CallerId, rotate: &Rotate) {
    if join_ended(tx, caller, rotate) {
        return;
    }
    let Some(usual) = rotate.candidate.or_else(|| first_unused(tx)) else {
        let looked_at = tx.view().configured.clone();
        tx.reply(caller, Err(Refusal::NoCandidate(looked_at)));
        return;
    };
    let (candidate, rotation) = named(rotate, usual);
    if tx.record().role(candidate) == Role::Active {
        persist::retry_impossible(tx);
    } else {
        tx.stage_asked(candidate, rotation.clone(), rotate);
    }
    tx.keep_until_promoted(caller, candidate, rotation, rotate);
}

/// Whether the caller names the latest rotation, and its candidate is active: then it waits for the
/// outcome of that one.
pub(super) fn join_ended(tx: &mut Transaction<'_>, caller: CallerId, rotate: &Rotate) -> bool {
    let candidate = tx.record().active;
    let last = tx.record().history.last().filter(|past| past.candidate == candidate);
    let Some(rotation) =
        rotate.rotation.clone().filter(|named| last.is_some_and(|past| past.rotation == *named))
    else {
        return false;
    };
    persist::retry_impossible(tx);
    tx.keep_until_promoted(caller, candidate, rotation, rotate);
    true
}

/// The candidate and the key of a rotation. `usual` is the candidate of a caller who names none.
pub(super) fn named(rotate: &Rotate, usual: CredentialId) -> (CredentialId, RotationId) {
    let candidate = rotate.candidate.unwrap_or(usual);
    let rotation = rotate.rotation.clone().unwrap_or_else(|| RotationId::of(candidate));
    (candidate, rotation)
}

fn first_unused(tx: &Transaction<'_>) -> Option<CredentialId> {
    let mut configured = tx.view().configured.iter().copied();
    configured.find(|one| {
        !matches!(tx.record().role(*one), Role::Active | Role::Previous | Role::Retired)
    })
}

/// Whether what a source yields now is to be offered as a candidate where it has no open role.
pub(super) fn is_offered(tx: &mut Transaction<'_>, yielded: CredentialId) -> bool {
    let mut retired = tx.record().retired.iter();
    let is_compromised = retired.any(|known| known.credential == yielded && known.compromised);
    match tx.record().role(yielded) {
        Role::Active | Role::Next | Role::Previous => false,
        Role::Retired if is_compromised => {
            tx.notify(RotationNotice::Compromised(yielded));
            false
        }
        _ => true,
    }
}

/// At start only what is new to the record is a candidate, and only beside something that is not.
pub(super) fn is_offered_at_start(tx: &Transaction<'_>, configured: CredentialId) -> bool {
    let knows = |one: &CredentialId| tx.record().role(*one) != Role::Unknown;
    !knows(&configured) && tx.view().held.iter().any(knows)
}

impl Transaction<'_> {
    /// Stages a credential under the key that is made from it.
    pub(super) fn stage_offered(&mut self, candidate: CredentialId) {
        self.stage(candidate, RotationId::of(candidate), false);
    }

    /// Stages a credential that a caller asks for.
    pub(super) fn stage_asked(
        &mut self,
        candidate: CredentialId,
        rotation: RotationId,
        rotate: &Rotate,
    ) {
        self.verify(candidate, rotate.verify.as_ref());
        self.stage(candidate, rotation, rotate.compromised);
    }

    /// The caller waits until its candidate is active.
    pub(super) fn keep_until_promoted(
        &mut self,
        caller: CallerId,
        candidate: CredentialId,
        rotation: RotationId,
        rotate: &Rotate,
    ) {
        let verify = rotate.verify.clone();
        self.keep(caller, Awaited::Promotion { rotation, candidate, verify });
    }

    /// A caller wants the candidate's token tried there, or needs no such proof: then it is enough
    /// that the endpoint accepts the candidate, unless another caller may be waiting for more.
    pub(super) fn verify(&mut self, candidate: CredentialId, url: Option<&Url>) {
        let is_wanted = self.awaited().any(|it| {
            matches!(it, Awaited::Promotion { candidate: one, verify: Some(_), .. } if *one == candidate)
        });
        // Nobody knows what the callers of other members wait for.
        let is_shared = self.view().fleet.is_some() && self.record().role(candidate) == Role::Next;
        match url {
            Some(url) => {
                self.record_mut().verify.insert(candidate, url.clone());
            }
            None if is_wanted || is_shared => {}
            None => {
                self.record_mut().verify.remove(&candidate);
            }
        }
    }

    /// Stages the candidate that has waited for the end of the rotation before it.
    pub(super) fn stage_waiting(&mut self) {
        let Some(waiting) = self.record_mut().waiting.take() else { return };
        if self.record().role(waiting) != Role::Active {
            self.stage_offered(waiting);
        }
    }

    /// The credential leaves the role that it had, and is to be proved.
    pub(super) fn stage(&mut self, next: CredentialId, rotation: RotationId, compromised: bool) {
        let at = self.now();
        let record = self.record_mut();
        let mut former = Former::Unknown;
        if let Some(index) = record.standby.iter().position(|known| *known == next) {
            record.standby.remove(index);
            former = Former::Standby;
        }
        if let Some(index) = record.quarantined.iter().position(|known| known.credential == next) {
            former = Former::Quarantined(record.quarantined.remove(index));
        }
        if let Some(index) = record.retired.iter().position(|known| known.credential == next) {
            former = Former::Retired(record.retired.remove(index));
        }
        record.waiting = record.waiting.filter(|waiting| *waiting != next);
        let targets = std::mem::take(&mut record.targets);
        let beneath = match std::mem::replace(&mut record.phase, Phase::Stable) {
            Phase::Overlap(overlap) => Some(Box::new(overlap)),
            _ => None,
        };
        let about = About { rotation: rotation.clone(), candidate: next, why: None };
        record.phase = Phase::Staged(Staged {
            next,
            former,
            rotation,
            at,
            deadline: at + PHASE_LIMIT,
            compromised,
            forsaken: None,
            unwanted: None,
            targets,
            beneath,
        });
        self.took_about(Transition::Staged, about);
    }

    /// Ends the open rotation without a promotion: the candidate gets its former role back, or is
    /// quarantined. Whoever calls this chooses the next phase.
    pub(super) fn unstage(&mut self, why: Why) -> Option<Staged> {
        let view = self.view();
        let now = self.now();
        let staged = self.record().staged()?.clone();
        let end = why.end();
        let is_yielded =
            view.configured.contains(&staged.next) || self.record().is_written(view, staged.next);
        let is_proved = view.has_proved(&staged);
        if is_proved {
            self.forget_predecessors(staged.next);
        }
        let record = self.record_mut();
        match (end, staged.former) {
            // What was accepted is never forgotten: it may be all that is left one day.
            _ if is_proved => record.standby.push(staged.next),
            (End::Rejected, former) => {
                let was_active = match former {
                    Former::Retired(_) => true,
                    Former::Quarantined(known) => known.was_active,
                    Former::Unknown | Former::Standby => false,
                };
                self.quarantine(staged.next, was_active);
            }
            // What a source or a written place yields stays a fallback, though nothing proved it
            // in time.
            (_, Former::Unknown) if is_yielded => record.standby.push(staged.next),
            (_, Former::Unknown) => {}
            (_, Former::Standby) => record.standby.push(staged.next),
            (_, Former::Quarantined(known)) => record.quarantined.push(known),
            (_, Former::Retired(known)) => record.retired.push(known),
        }
        let record = self.record_mut();
        let written = std::mem::replace(&mut record.targets, staged.targets.clone());
        let pending = TargetState::Pending { not_before: now };
        // A place that holds what was withdrawn now gets the active credential again.
        let behind = written.into_iter().filter(|(_, state)| *state == TargetState::Done);
        record.targets.extend(behind.map(|(target, _)| (target, pending)));
        self.limit_standbys();
        let (rotation, candidate) = (staged.rotation.clone(), staged.next);
        self.record_mut().remember(Past { rotation: rotation.clone(), candidate, end });
        let transition = if end == End::Rejected {
            Transition::CandidateRejected
        } else {
            Transition::CandidateWithdrawn
        };
        self.took_about(transition, About { rotation, candidate, why: Some(why) });
        Some(staged)
    }
}
