//! The token requests that show which credentials are accepted, and what becomes of their tokens.

use super::effect::RotationEffect;
use super::evidence::Evidence;
use super::record::Record;
use super::retirement::FRESH;
use super::role::Role;
use super::succession::is_replaced;
use super::transaction::Transaction;
use super::view::View;
use crate::clock::StoreTime;
use crate::credential::CredentialId;

/// A credential that is to be presented, and when.
pub(super) type Probe = (CredentialId, StoreTime);

/// Sends the probes that are due.
pub(super) fn perform(tx: &mut Transaction<'_>, wanted: Vec<Probe>) {
    let mut due: Vec<CredentialId> = Vec::new();
    for (credential, at) in wanted {
        if at <= tx.now() && !due.contains(&credential) {
            due.push(credential);
        }
    }
    let active = tx.record().active;
    let is_open = tx.view().held.contains(&active) && !tx.view().probing.contains(&active);
    // Also for a preparation that has waited for a while: its probe may have been lost with the
    // driver's thread.
    if tx.has_preparation() && is_open && !due.contains(&active) {
        due.push(active);
    }
    tx.perform(due.into_iter().map(RotationEffect::Probe));
}

/// What is to be presented: what the phase asks for, and what may stand in for the active
/// credential.
pub(super) fn wanted(
    of_phase: Vec<Probe>,
    record: &Record,
    view: &View,
    now: StoreTime,
) -> Vec<Probe> {
    let ledger = &view.ledger;
    let mut wanted = of_phase;
    // Which one stands in is known from then on; more tokens of it say no more.
    let unproved_since = |since| {
        let unproved =
            move |one: &CredentialId| ledger.valid_proof_since(since, *one, now).is_none();
        let all = record.fallbacks().filter(unproved);
        all.map(move |one| (one, ledger.retry_at(one, since)))
    };
    if let Some(rejected) = ledger.rejections(record.active) {
        wanted.extend(unproved_since(rejected.first_at));
        wanted.push((record.active, ledger.retry_at(record.active, StoreTime::default())));
    } else if !view.is_held(record.active) {
        wanted.extend(unproved_since(now - FRESH));
    } else {
        let slow = record.quarantined.iter().map(|known| known.credential);
        // One that was accepted at last waits for its turn, and more tokens of it say no more.
        let is_proved = |one| ledger.valid_proof(one, now).is_some();
        let yielded = slow.filter(|one| view.configured.contains(one) && !is_proved(*one));
        wanted.extend(yielded.map(|one| (one, ledger.retry_at(one, StoreTime::default()))));
    }
    wanted.retain(|(one, _)| {
        view.held.contains(one) && !view.probing.contains(one) && record.may_present(*one)
    });
    wanted
}

/// Hands out the token of an accepted probe where its credential is active or stands in for the
/// active one.
pub(super) fn serve(tx: &mut Transaction<'_>, credential: CredentialId, evidence: &Evidence) {
    if tx.replaces_token() || tx.proof(credential).is_none() {
        return;
    }
    let is_needed =
        credential == tx.record().active || is_replaced(tx.record(), tx.view(), tx.now());
    if is_needed && tx.record().role(credential) != Role::Retired {
        let generation = tx.record().generation;
        tx.perform([RotationEffect::Serve { credential, generation }]);
    }
    let now = tx.now();
    if let Some(overlap) = tx.record_mut().open_overlap_mut()
        && overlap.previous == credential
        && evidence.expires_at > now
    {
        // Tokens of the previous credential are still being made: it is safe to revoke only after
        // them.
        overlap.safe_to_revoke_at = overlap.safe_to_revoke_at.max(evidence.expires_at);
    }
}
