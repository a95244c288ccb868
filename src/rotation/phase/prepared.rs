//! A fresh token is held, and nobody presents the active credential: a person may be replacing it.

use std::time::Duration;

use crate::clock::StoreTime;
use crate::credential::CredentialId;
use crate::rotation::caller::{Awaited, CallerId};
use crate::rotation::candidate;
use crate::rotation::outcome::{Refusal, Settled};
use crate::rotation::record::{Phase, Prepared};
use crate::rotation::request::Request;
use crate::rotation::transaction::Transaction;
use crate::rotation::transition::Transition;
use crate::rotation::view::Token;

pub(super) fn request(tx: &mut Transaction<'_>, caller: CallerId, request: &Request) {
    match request {
        Request::Rotate(rotate) => candidate::begin(tx, caller, rotate),
        Request::Prepare { min_runway } => {
            tx.took(Transition::Prepared);
            tx.keep(caller, Awaited::Preparation { min_runway: *min_runway });
        }
        Request::CancelPreparation => {
            end(tx);
            tx.reply(caller, Ok(Settled::Cancelled));
        }
        Request::RollBack(_) => tx.reply(caller, Err(Refusal::NoCandidate(Vec::new()))),
        Request::Retire { .. } => tx.reply(caller, Ok(Settled::Retired)),
    }
}

pub(super) fn offer(tx: &mut Transaction<'_>, candidate: CredentialId) {
    tx.stage_offered(candidate);
}

pub(super) fn time(tx: &mut Transaction<'_>, prepared: &Prepared) {
    if tx.substitute().is_some() {
        tx.record_mut().phase = Phase::Stable;
        return;
    }
    let is_there = |token: Token| token.expires_at >= prepared.safe_until;
    if tx.now() >= prepared.deadline || !tx.view().token.is_some_and(is_there) {
        end(tx);
    }
}

fn end(tx: &mut Transaction<'_>) {
    tx.record_mut().phase = Phase::Stable;
    tx.took(Transition::PreparationEnded);
}

pub(super) fn deadlines(prepared: &Prepared) -> Vec<StoreTime> {
    vec![prepared.deadline]
}

/// Whether the token that is held bridges as much time as the caller wants.
pub(super) fn preparation(
    tx: &Transaction<'_>,
    prepared: &Prepared,
    min_runway: Duration,
) -> Result<Settled, Refusal> {
    let safe_until = prepared.safe_until;
    if safe_until.since(tx.now()) >= min_runway {
        Ok(Settled::Prepared { safe_until })
    } else {
        Err(Refusal::LifetimeTooShort { safe_until })
    }
}
