//! What an open rotation waits for.

use super::caller::Awaited;
use super::effect::Missing;
use super::promotion::{Lack, lack};
use super::record::{Phase, Record};
use super::retirement;
use super::view::View;
use crate::clock::Timestamp;
use crate::credential::CredentialId;

/// Something that an open rotation waits for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Wait {
    /// The endpoint has to accept this credential.
    Proof(CredentialId),
    /// Something beyond this process has to keep the candidate.
    Custody,
    /// The previous credential cannot be retired yet.
    Retirement(Missing),
    /// The overlap goes on until then.
    Time(Timestamp),
}

/// What the open rotation waits for, as far as this member knows.
pub fn waits(record: &Record, view: &View, now: Timestamp) -> Vec<Wait> {
    match &record.phase {
        Phase::Stable | Phase::Prepared(_) | Phase::Degraded { .. } => Vec::new(),
        Phase::Staged(staged) => {
            if view.ledger.valid_proof_since(staged.at, staged.next, now).is_none() {
                return vec![Wait::Proof(staged.next)];
            }
            match lack(record, view, staged, now) {
                None => Vec::new(),
                Some(Lack::Custody) => vec![Wait::Custody],
                Some(Lack::Retirement(missing)) => vec![Wait::Retirement(missing)],
            }
        }
        Phase::Overlap(overlap) => {
            let is_asked = view.callers.iter().any(|caller| {
                matches!(caller.awaits, Awaited::Retirement { .. } | Awaited::Turn(_))
            });
            if overlap.reverting.is_some() && view.is_held(overlap.previous) {
                return vec![Wait::Proof(overlap.previous)];
            }
            let mut missing = retirement::missing(record, view, overlap, false, now);
            let mut waits = Vec::new();
            if now < overlap.retire_not_before && !is_asked {
                waits.push(Wait::Time(overlap.retire_not_before));
                // The proof is made when the time has come, and so are the writes that belong to the end.
                missing.proof = false;
                let is_late =
                    |slot| view.sinks.iter().any(|spec| spec.slot == slot && spec.at_retirement);
                missing.sinks.retain(|slot| !is_late(*slot));
            }
            waits.extend((!missing.is_nothing()).then_some(Wait::Retirement(missing)));
            waits
        }
    }
}
