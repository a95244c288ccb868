//! Records, writes and tokens that the cases store.

use std::collections::BTreeMap;
use std::time::Duration;

use crate::clock::StoreTime;
use crate::credential::CredentialId;
use crate::rotation::{Lineage, Phase, Record, TokenChange, Version, Write};
use crate::secret::Secret;
use crate::store::Fresh;
use crate::token::TokenId;

pub(crate) const HOUR: Duration = Duration::from_hours(1);
pub(crate) const SECOND: Duration = Duration::from_secs(1);

pub(crate) const OLD: CredentialId = CredentialId::from_bytes(*b"old-one-");
pub(crate) const NEW: CredentialId = CredentialId::from_bytes(*b"new-one-");
pub(crate) const THIRD: CredentialId = CredentialId::from_bytes(*b"3rd-one-");

pub(crate) fn first_record() -> Record {
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

pub(crate) fn followed_by(expect: Option<Version>, record: Record) -> Write {
    Write { expect, record, token: TokenChange::Keep, barrier: None }
}

/// A write that follows a record, and what it stores.
pub(crate) fn next(before: &Record) -> (Write, Record) {
    let Version { incarnation, epoch, nonce } = before.version;
    let version = Version { incarnation, epoch: epoch + 1, nonce: nonce + 1 };
    let record = Record { version, ..before.clone() };
    (followed_by(Some(before.version), record.clone()), record)
}

pub(crate) fn fresh(text: &str, issued_at: StoreTime) -> Fresh {
    Fresh { id: id_of(text), text: Secret::new(text), issued_at }
}

/// The id of the token with that text.
pub(crate) fn id_of(text: &str) -> TokenId {
    let digits = text.bytes().fold(0, |sum: u64, byte| sum.wrapping_mul(31) + u64::from(byte));
    TokenId(digits)
}

/// Versions that differ from the given one in as little as possible.
pub(crate) fn others(version: Version) -> [Version; 6] {
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
