//! A sign of life of a member, and what the store returns for it.

use std::collections::{BTreeMap, BTreeSet};

use crate::clock::StoreTime;
use crate::credential::CredentialId;
use crate::rotation::{Census, MemberId, Rejections, TargetId, Token, Version};

/// A sign of life of a member.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Beat {
    /// The member that is alive.
    pub member: MemberId,
    /// The version that the member has read last.
    ///
    /// It counts as acknowledged if exactly this version is stored at that moment, nonce included.
    /// The same epoch of another incarnation, or of a write that the store has lost, acknowledges
    /// nothing. An older version takes nothing back.
    pub read: Option<Version>,
    /// The credentials that the member can present.
    pub holds: BTreeSet<CredentialId>,
    /// The functions of its configuration that write credentials back.
    pub persists: BTreeSet<TargetId>,
}

/// The reply to [`Operation::Beat`](super::Operation::Beat): enough to know whether to load.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Pulse {
    /// The store's time.
    pub now: StoreTime,
    /// The version that is stored.
    pub version: Option<Version>,
    /// See [`StoreSnapshot::token`](super::StoreSnapshot::token).
    pub token: Option<Token>,
    /// See [`StoreSnapshot::serial`](super::StoreSnapshot::serial).
    pub serial: u64,
    /// See [`StoreSnapshot::census`](super::StoreSnapshot::census).
    pub census: Option<Census>,
    /// See [`StoreSnapshot::rejections`](super::StoreSnapshot::rejections).
    pub rejections: BTreeMap<CredentialId, Rejections>,
}
