//! Records, writes and tokens that the cases store.

use std::collections::BTreeMap;
use std::time::Duration;

use crate::clock::StoreTime;
use crate::credential::CredentialId;
use crate::rotation::{Lineage, Phase, Record, TokenChange, Version, Write};
use crate::secret::Secret;
use crate::store::Fresh;
use crate::token::TokenId;

pub(super) const HOUR: Duration = Duration::from_hours(1);
pub(super) const SECOND: Duration = Duration::from_secs(1);

pub(super) const OLD: CredentialId = CredentialId::from_bytes(*b"old-one-");
pub(super) const NEW: CredentialId = CredentialId::from_bytes(*b"new-one-");
pub(super) const THIRD: CredentialId = CredentialId::from_bytes(*b"3rd-one-");

pub(super) fn first_record() -> Record {
    Record {
        version: Version { incarnation: 77, epoch: Version::FIRST_EPOCH, nonce: 1000 },
        generation: 1,
        active: OLD,
        client: "app".into(),
        scope: None,
        verify: BTreeMap::new(),
        phase: Phase::Stable,
        standby: vec![NEW],
        quarantined: Vec::new(),
        retired: Vec::new(),
        waiting: None,
        targets: BTreeMap::new(),
        history: Vec::new(),
        lineage: Lineage::default(),
    }
}

pub(super) fn followed_by(expect: Option<Version>, record: Record) -> Write {
    Write { expect, record, token: TokenChange::Keep, barrier: None }
}

/// A write that follows a record, and what it stores.
pub(super) fn next(before: &Record) -> (Write, Record) {
    let Version { incarnation, epoch, nonce } = before.version;
    let version = Version { incarnation, epoch: epoch + 1, nonce: nonce + 1 };
    let record = Record { version, ..before.clone() };
    (followed_by(Some(before.version), record.clone()), record)
}

pub(super) fn fresh(text: &str, issued_at: StoreTime) -> Fresh {
    Fresh { id: id_of(text), text: Secret::new(text), issued_at }
}

/// The id of the token with that text.
pub(super) fn id_of(text: &str) -> TokenId {
    let digits = text.bytes().fold(0, |sum: u64, byte| sum.wrapping_mul(31) + u64::from(byte));
    TokenId(digits)
}

/// Versions that differ from the given one in as little as possible.
pub(super) fn others(version: Version) -> [Version; 6] {
    let Version { incarnation, epoch, nonce } = version;
    [
        Version { incarnation: incarnation + 1, ..version },
        Version { epoch: epoch - 1, ..version },
        Version { epoch: epoch + 1, ..version },
        Version { nonce: nonce + 1, ..version },
        Version { epoch: epoch - 1, nonce: nonce - 1, incarnation },
        Version { incarnation: incarnation + 1, epoch: epoch + 1, nonce: nonce + 1 },
    ]
}
