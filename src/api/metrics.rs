//! What `metrics()` returns.

use serde::Serialize;

use super::instant::millis;
use crate::clock::Timestamp;
use crate::member::Member;
use crate::refresh::Tally;

/// Figures for monitoring.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Metrics {
    token_remaining_ms: u64,
    #[serde(flatten)]
    tally: Tally,
}

impl Metrics {
    /// The figures of a member at this moment.
    pub fn of(member: &Member, now: Timestamp) -> Self {
        let refresh = member.refresh();
        let remaining = refresh.token(now).map(|token| token.runway(now)).unwrap_or_default();
        Self { token_remaining_ms: millis(remaining), tally: refresh.tally().clone() }
    }
}
