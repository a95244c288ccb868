//! What Stable and Degraded have in common: no rotation is open, so that one may begin at once.

use crate::credential::CredentialId;
use crate::rotation::caller::{Awaited, CallerId};
use crate::rotation::candidate;
use crate::rotation::outcome::{Refusal, Settled};
use crate::rotation::request::Request;
use crate::rotation::transaction::Transaction;

pub(super) fn request(tx: &mut Transaction<'_>, caller: CallerId, request: &Request) {
    match request {
        Request::Rotate(rotate) => candidate::begin(tx, caller, rotate),
        Request::Prepare { min_runway } => {
            tx.keep(caller, Awaited::Preparation { min_runway: *min_runway });
        }
        Request::CancelPreparation => tx.reply(caller, Ok(Settled::Cancelled)),
        Request::RollBack(_) => tx.reply(caller, Err(Refusal::NoCandidate(Vec::new()))),
        Request::Retire { .. } => tx.reply(caller, Ok(Settled::Retired)),
    }
}

pub(super) fn offer(tx: &mut Transaction<'_>, candidate: CredentialId) {
    tx.stage_offered(candidate);
}

pub(super) fn take_waiting(tx: &mut Transaction<'_>) {
    tx.stage_waiting();
}
