//! Everything that a store holds at one moment.

use std::collections::BTreeMap;
use std::time::Duration;

use super::token::TokenEntry;
use crate::clock::StoreTime;
use crate::credential::CredentialId;
use crate::rotation::{Census, Record, Rejections};

/// How long the rejections of a credential are remembered after the latest one: longer than the
/// time between the slowest probes.
pub const REJECTIONS_TTL: Duration = Duration::from_mins(10);

/// Everything that is stored at one moment.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StoreSnapshot {
    /// The store's time.
    pub now: StoreTime,
    /// The record of the credential lifecycle; `None` before the first one.
    pub record: Option<Record>,
    /// The token, unless it has expired or was deleted.
    pub token: Option<TokenEntry>,
    /// The serial of the latest token, even if that token is gone; 0 before the first one.
    pub serial: u64,
    /// The live members, counted for the one that asked; `None` if one process shares nothing.
    pub census: Option<Census>,
    /// The row of rejections of every credential that has one.
    pub rejections: BTreeMap<CredentialId, Rejections>,
    /// Nobody asks the endpoint before this instant.
    pub cool_down: Option<StoreTime>,
}
