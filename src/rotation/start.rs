//! Before there is a record: Started.

use std::collections::BTreeMap;

use super::caller::{Awaited, CallerId, KeptCaller};
use super::effect::{Effect, Moved, Notice, Refusal, Settled, Step};
use super::event::Event;
use super::probing;
use super::record::{End, Past, Phase, Quarantined, Record, RotationId, Sink, Version};
use super::request::Request;
use super::transition::Transition;
use super::view::View;
use super::write::{TokenChange, Write};
use crate::clock::Timestamp;
use crate::credential::CredentialId;

pub(super) fn step(view: &View, event: &Event, now: Timestamp) -> Step {
    let mut effects = Vec::new();
    let mut callers = view.callers.clone();
    if let Event::Asked { caller, request } = event {
        match ask(*caller, request, view) {
            Ok(caller) => {
                effects.push(Effect::Keep(caller.clone()));
                callers.push(caller);
            }
            Err(outcome) => effects.push(Effect::Answer { caller: *caller, outcome }),
        }
    }
    let mut order = order(&callers, view);
    let proved = |one: &CredentialId| Some((*one, view.ledger.valid_proof(*one, now)?));
    let strays = strays(&order, view);
    let is_rejected = |one: &CredentialId| view.ledger.rejections(*one).is_some();
    let first = order.iter().find_map(proved).or_else(|| {
        let are_rejected = order.iter().all(is_rejected);
        strays.iter().filter(|_| are_rejected).find_map(proved)
    });
    let Some((active, proof)) = first else {
        let due = wanted(&order, view).into_iter().filter(|(_, at)| *at <= now);
        effects.extend(due.map(|(credential, _)| Effect::Probe(credential)));
        return Step { effects, ..Step::default() };
    };

    order.extend(strays);
    let record = self::first(active, &order, &callers, view, now);
    let mut told = vec![Effect::Notify(Notice::Moved(Moved::phase(Transition::Started)))];
    told.append(&mut effects);
    for caller in &callers {
        let Awaited::Promotion { rotation, candidate } = &caller.awaits else { continue };
        let outcome = if *candidate == active {
            Ok(Settled::Active { rotation: Some(rotation.clone()) })
        } else if view.ledger.rejections(*candidate).is_some() {
            Err(Refusal::CandidateRejected(*candidate))
        } else {
            // It was not answered yet: its rotation follows this one's start.
            continue;
        };
        told.push(Effect::Answer { caller: caller.id, outcome });
    }
    let answers = told.iter().filter_map(|effect| match effect {
        Effect::Answer { caller, .. } => Some(*caller),
        _ => None,
    });
    let answered: Vec<_> = answers.collect();
    told.retain(|effect| !matches!(effect, Effect::Keep(one) if answered.contains(&one.id)));
    if record.sinks.is_empty() && !record.is_kept(view, active) {
        told.push(Effect::Notify(Notice::NotPersisted(active)));
    }
    probing::sinks_due(&record, view, now, &mut told);
    let token = TokenChange::Replace { credential: active, expires_at: proof.expires_at };
    let write = Some(Write { expect: None, record, token, barrier: None });
    Step { write, effects: told, transitions: vec![Transition::Started] }
}

fn ask(
    caller: CallerId,
    request: &Request,
    view: &View,
) -> Result<KeptCaller, Result<Settled, Refusal>> {
    match request {
        Request::Rotate(rotate) => {
            let first = rotate.candidate.or_else(|| view.configured.first().copied());
            let candidate = first.ok_or(Err(Refusal::NoCandidate(Vec::new())))?;
            let rotation = rotate.rotation.clone().unwrap_or_else(|| RotationId::of(candidate));
            Ok(KeptCaller { id: caller, awaits: Awaited::Promotion { rotation, candidate } })
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

/// What was accepted although nothing names it any more: whoever did has left, or a source has changed.
fn strays(order: &[CredentialId], view: &View) -> Vec<CredentialId> {
    let is_accepted = |one: &CredentialId| view.ledger.proof(*one).is_some();
    let held = view.held.iter().copied().filter(is_accepted);
    held.filter(|one| !order.contains(one)).collect()
}

/// The first one that was not rejected; when all were, each of them again, slowly.
pub(super) fn wanted(order: &[CredentialId], view: &View) -> Vec<(CredentialId, Timestamp)> {
    let is_open = |one: &&CredentialId| view.ledger.rejections(**one).is_none();
    let chosen: Vec<CredentialId> = match order.iter().find(is_open) {
        Some(open) => vec![*open],
        None => order.to_vec(),
    };
    let idle = chosen.into_iter().filter(|one| !view.probing.contains(one));
    idle.map(|one| (one, view.ledger.retry_soon(one, Timestamp::default()))).collect()
}

/// The order when nobody asks for anything else.
pub(super) fn known(view: &View) -> Vec<CredentialId> {
    order(&view.callers, view)
}

fn first(
    active: CredentialId,
    order: &[CredentialId],
    callers: &[KeptCaller],
    view: &View,
    now: Timestamp,
) -> Record {
    let others = order.iter().copied().filter(|one| *one != active);
    let (rejected, standby): (Vec<_>, Vec<_>) =
        others.partition(|one| view.ledger.rejections(*one).is_some());
    let quarantined = |credential| Quarantined { credential, was_active: false };
    let history = callers.iter().filter_map(|caller| match &caller.awaits {
        Awaited::Promotion { rotation, candidate } if *candidate == active => {
            let (rotation, candidate) = (rotation.clone(), *candidate);
            Some(Past { rotation, candidate, end: End::Promoted })
        }
        _ => None,
    });
    // What the configuration yields needs no writing back.
    let is_configured = view.configured.contains(&active);
    let pending = Sink::Pending { not_before: now };
    let sinks = view.sinks.iter().filter(|_| !is_configured).map(|spec| (spec.slot, pending));
    Record {
        version: Version {
            incarnation: view.nonce,
            epoch: Version::FIRST_EPOCH,
            nonce: view.nonce,
        },
        generation: Record::FIRST_GENERATION,
        active,
        phase: Phase::Stable,
        standby,
        quarantined: rejected.into_iter().map(quarantined).collect(),
        retired: Vec::new(),
        waiting: None,
        sinks: sinks.collect::<BTreeMap<_, _>>(),
        history: history.collect(),
    }
}
