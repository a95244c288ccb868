//! There is no record before the first credential is accepted.

use std::collections::BTreeMap;

use crate::clock::StoreTime;
use crate::credential::CredentialId;
use crate::rotation::caller::{Awaited, CallerId, KeptCaller};
use crate::rotation::effect::{RotationEffect, RotationStep};
use crate::rotation::event::RotationEvent;
use crate::rotation::history::{End, Past, RotationId};
use crate::rotation::lineage::Lineage;
use crate::rotation::notice::{Moved, RotationNotice};
use crate::rotation::outcome::{Refusal, Settled};
use crate::rotation::persist;
use crate::rotation::probes::Probe;
use crate::rotation::record::{Phase, Record, Version};
use crate::rotation::request::Request;
use crate::rotation::role::Quarantined;
use crate::rotation::standing::Proof;
use crate::rotation::target::TargetState;
use crate::rotation::transition::Transition;
use crate::rotation::view::View;
use crate::rotation::write::{TokenChange, Write};

/// Makes the first record as soon as a credential is accepted.
pub(in crate::rotation) fn step(
    view: &View,
    event: &RotationEvent,
    now: StoreTime,
) -> RotationStep {
    let mut effects = Vec::new();
    let mut callers = view.callers.clone();
    if let RotationEvent::Asked { caller, request } = event {
        match self::request(*caller, request, view) {
            Ok(caller) => {
                effects.push(RotationEffect::Keep(caller.clone()));
                callers.push(caller);
            }
            Err(outcome) => effects.push(RotationEffect::Answer { caller: *caller, outcome }),
        }
    }
    let order = order(&callers, view);
    let strays = strays(&order, view);
    let Some((active, proof)) = first_accepted(&order, &strays, view, now) else {
        let due = probes_of(&order, view).into_iter().filter(|(_, at)| *at <= now);
        effects.extend(due.map(|(credential, _)| RotationEffect::Probe(credential)));
        return RotationStep { effects, ..RotationStep::default() };
    };

    let known: Vec<CredentialId> = order.into_iter().chain(strays).collect();
    let record = first_record(active, &known, &callers, view, now);
    let outcomes = outcomes(&callers, active, view);
    // Whoever gets an outcome at once need not be kept.
    effects.retain(|effect| {
        !matches!(effect, RotationEffect::Keep(kept) if outcomes.iter().any(|(id, _)| *id == kept.id))
    });
    effects.insert(
        0,
        RotationEffect::Notify(RotationNotice::Moved(Moved::phase(Transition::Started))),
    );
    effects.extend(
        outcomes.into_iter().map(|(caller, outcome)| RotationEffect::Answer { caller, outcome }),
    );
    if record.targets.is_empty() && !record.is_kept(view, active) {
        effects.push(RotationEffect::Notify(RotationNotice::NotPersisted(active)));
    }
    effects.extend(persist::due(&record, view, now));
    let token = TokenChange::Replace { credential: active, expires_at: proof.expires_at };
    let write = Some(Write { expect: None, record, token, barrier: None });
    RotationStep { write, effects, transitions: vec![Transition::Started] }
}

/// The caller as it waits from now on, or its outcome.
fn request(
    caller: CallerId,
    request: &Request,
    view: &View,
) -> Result<KeptCaller, Result<Settled, Refusal>> {
    match request {
        Request::Rotate(rotate) => {
            let first = rotate.candidate.or_else(|| view.configured.first().copied());
            let candidate = first.ok_or(Err(Refusal::NoCandidate(Vec::new())))?;
            let rotation = rotate.rotation.clone().unwrap_or_else(|| RotationId::of(candidate));
            let verify = rotate.verify.clone();
            let awaits = Awaited::Promotion { rotation, candidate, verify };
            Ok(KeptCaller { id: caller, awaits })
        }
        Request::RollBack(_) => Err(Err(Refusal::NoCandidate(Vec::new()))),
        Request::CancelPreparation => Err(Ok(Settled::Cancelled)),
        // Nothing has been rotated yet.
        Request::Retire { .. } => Err(Err(Refusal::Conflict)),
        Request::Prepare { .. } => Err(Err(Refusal::TokenUnavailable)),
    }
}

/// What callers named, then the configuration.
fn order(callers: &[KeptCaller], view: &View) -> Vec<CredentialId> {
    let named = callers.iter().filter_map(|caller| match &caller.awaits {
        Awaited::Promotion { candidate, .. } => Some(*candidate),
        _ => None,
    });
    let mut order = Vec::new();
    for credential in named.chain(view.configured.iter().copied()) {
        if !order.contains(&credential) {
            order.push(credential);
        }
    }
    order
}

/// What was accepted although nothing names it any more: whoever did has left, or a source has
/// changed.
fn strays(order: &[CredentialId], view: &View) -> Vec<CredentialId> {
    let is_accepted = |one: &CredentialId| view.ledger.proof(*one).is_some();
    let held = view.held.iter().copied().filter(is_accepted);
    held.filter(|one| !order.contains(one)).collect()
}

/// What becomes active: the first in the order that is accepted, or a stray where all of the order
/// is rejected.
fn first_accepted(
    order: &[CredentialId],
    strays: &[CredentialId],
    view: &View,
    now: StoreTime,
) -> Option<(CredentialId, Proof)> {
    let proved = |one: &CredentialId| Some((*one, view.ledger.valid_proof(*one, now)?));
    order.iter().find_map(proved).or_else(|| {
        let are_rejected = order.iter().all(|one| view.ledger.rejections(*one).is_some());
        strays.iter().filter(|_| are_rejected).find_map(proved)
    })
}

/// What becomes of those who wait for a rotation. A candidate that was not answered yet follows
/// this start with a rotation of its own.
fn outcomes(
    callers: &[KeptCaller],
    active: CredentialId,
    view: &View,
) -> Vec<(CallerId, Result<Settled, Refusal>)> {
    let outcomes = callers.iter().filter_map(|caller| {
        let Awaited::Promotion { rotation, candidate, .. } = &caller.awaits else { return None };
        let outcome = if *candidate == active {
            Ok(Settled::Active { rotation: Some(rotation.clone()) })
        } else {
            view.ledger.rejections(*candidate)?;
            Err(Refusal::CandidateRejected(*candidate))
        };
        Some((caller.id, outcome))
    });
    outcomes.collect()
}

/// The first one that was not rejected; when all were, each of them again, slowly.
fn probes_of(order: &[CredentialId], view: &View) -> Vec<Probe> {
    let is_open = |one: &&CredentialId| view.ledger.rejections(**one).is_none();
    let chosen: Vec<CredentialId> = match order.iter().find(is_open) {
        Some(open) => vec![*open],
        None => order.to_vec(),
    };
    let idle = chosen.into_iter().filter(|one| !view.probing.contains(one));
    idle.map(|one| (one, view.ledger.retry_soon(one, StoreTime::default()))).collect()
}

/// What is to be presented when nobody asks for anything else, and when.
pub(in crate::rotation) fn probes(view: &View) -> Vec<Probe> {
    probes_of(&order(&view.callers, view), view)
}

fn first_record(
    active: CredentialId,
    known: &[CredentialId],
    callers: &[KeptCaller],
    view: &View,
    now: StoreTime,
) -> Record {
    let others = known.iter().copied().filter(|one| *one != active);
    let (rejected, standby): (Vec<_>, Vec<_>) =
        others.partition(|one| view.ledger.rejections(*one).is_some());
    let quarantined = |credential| Quarantined { credential, was_active: false };
    let history = callers.iter().filter_map(|caller| match &caller.awaits {
        Awaited::Promotion { rotation, candidate, .. } if *candidate == active => {
            let (rotation, candidate) = (rotation.clone(), *candidate);
            Some(Past { rotation, candidate, end: End::Promoted })
        }
        _ => None,
    });
    let verify = callers.iter().filter_map(|caller| match &caller.awaits {
        Awaited::Promotion { candidate, verify: Some(url), .. } if *candidate != active => {
            Some((*candidate, url.clone()))
        }
        _ => None,
    });
    // What the configuration yields needs no persisting.
    let is_configured = view.configured.contains(&active);
    let pending = TargetState::Pending { not_before: now };
    let targets = view.targets.iter().filter(|_| !is_configured).map(|spec| spec.target);
    let targets =
        targets.filter(|target| view.is_recorded(*target)).map(|target| (target, pending));
    Record {
        version: Version {
            incarnation: Version::new_incarnation(view.nonce, now),
            epoch: Version::FIRST_EPOCH,
            nonce: view.nonce,
        },
        generation: Record::FIRST_GENERATION,
        active,
        client: view.clients.get(&active).cloned().unwrap_or_default(),
        scope: view.ledger.scope(active).cloned(),
        phase: Phase::Stable,
        standby,
        quarantined: rejected.into_iter().map(quarantined).collect(),
        retired: Vec::new(),
        waiting: None,
        targets: targets.collect::<BTreeMap<_, _>>(),
        verify: verify.collect(),
        history: history.collect(),
        lineage: Lineage::default(),
    }
}
