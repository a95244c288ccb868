//! The write that promotes a candidate, and what the candidate lacks until then.

use std::time::Duration;

use super::candidate::PHASE_LIMIT;
use super::custody::Persisted;
use super::effect::RotationEffect;
use super::history::{End, Past, RotationId};
use super::missing::Missing;
use super::notice::{About, RotationNotice};
use super::record::{Overlap, Phase, Record, Staged};
use super::retirement;
use super::standing::Proof;
use super::succession::is_replaced;
use super::transaction::Transaction;
use super::transition::Transition;
use super::view::View;
use crate::clock::StoreTime;
use crate::credential::CredentialId;

/// What a proved candidate still lacks.
pub(super) enum Lack {
    /// Nothing but this process keeps it.
    Custody,
    /// What was previous when it was staged cannot be retired yet.
    Retirement(Missing),
}

/// What a candidate that is proved still lacks; nothing where the active credential is rejected or
/// held by nobody, since then waiting costs tokens.
pub(super) fn lack(record: &Record, view: &View, staged: &Staged, now: StoreTime) -> Option<Lack> {
    if is_replaced(record, view, now) {
        return None;
    }
    if !record.is_in_custody(view, staged.next) {
        return Some(Lack::Custody);
    }
    let beneath = staged.beneath.as_deref().filter(|_| !staged.compromised)?;
    let missing = retirement::missing(record, view, beneath, false, now);
    (!missing.is_nothing()).then_some(Lack::Retirement(missing))
}

impl Transaction<'_> {
    /// Writes the new credential, its token and the end of the overlap at once.
    pub(super) fn promote(&mut self, staged: Staged, proof: Proof) {
        let view = self.view();
        if let Some(beneath) = &staged.beneath {
            let is_replaced = is_replaced(self.record(), view, self.now());
            if is_replaced && !staged.compromised {
                // Nothing is retired while what comes after it may be needed.
                let alone = Staged { beneath: None, ..staged.clone() };
                self.record_mut().phase = Phase::Staged(alone);
                self.quarantine(beneath.previous, true);
            } else {
                if !staged.compromised {
                    let barrier = retirement::barrier(self.record(), view, beneath);
                    self.require(barrier);
                }
                self.retire(beneath.previous, false);
            }
        }
        self.forget_predecessors(staged.next);
        let previous = self.replace_active(staged.next, proof);
        let is_pending = self.record().persisted(view, staged.next) == Persisted::Pending;
        if is_pending && !self.record().is_kept(view, staged.next) {
            self.notify(RotationNotice::NotPersisted(staged.next));
        }
        let (rotation, candidate) = (staged.rotation.clone(), staged.next);
        let past = Past { rotation: rotation.clone(), candidate, end: End::Promoted };
        self.record_mut().remember(past);
        let about = About { rotation, candidate, why: None };
        if staged.compromised {
            self.retire(previous, true);
            self.perform([RotationEffect::DropTokens(previous)]);
            self.record_mut().phase = Phase::Stable;
            self.took_about(Transition::PromotedAfterLeak, about);
        } else {
            self.open_overlap(previous, staged.rotation);
            self.took_about(Transition::Promoted, about);
        }
    }

    /// Keeps what was active as a fallback until nobody can need it any more.
    pub(super) fn open_overlap(&mut self, previous: CredentialId, rotation: RotationId) {
        let now = self.now();
        let safe_to_revoke_at = self.last_expiry_of(previous).unwrap_or(now);
        let remaining = safe_to_revoke_at.since(now);
        let usual = remaining.max(Duration::from_mins(5)).min(Duration::from_hours(1));
        let retire_not_before = now + self.view().policy.overlap.unwrap_or(usual);
        let epoch = self.epoch();
        self.record_mut().phase = Phase::Overlap(Overlap {
            previous,
            rotation,
            epoch,
            at: now,
            retire_not_before,
            safe_to_revoke_at,
            deadline: retire_not_before + PHASE_LIMIT,
            overdue: false,
            reverting: None,
        });
    }

    fn last_expiry_of(&self, credential: CredentialId) -> Option<StoreTime> {
        let shared = self.view().token.filter(|token| token.credential == credential);
        let shared = shared.map(|token| token.expires_at);
        self.view().ledger.last_expiry(credential).max(shared)
    }
}
