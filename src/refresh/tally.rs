//! What has happened so far, in numbers.

use std::time::Duration;

use serde::Serialize;

use crate::error::Code;

/// Counts since the manager was opened.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Tally {
    /// Refreshes by how they ended.
    pub refreshes: Results,
    /// Callers that had to wait for a token.
    pub waits: u64,
    /// Answers that rejected a credential.
    pub credential_rejections: u64,
    /// Tokens that were dropped because a resource answered 401 to them.
    pub invalidations: u64,
    /// Reports of a 401 that came too soon after another one.
    pub invalidations_ignored: u64,
    /// How often the background thread, or this manager's part of it, was started again.
    pub thread_restarts: u64,
    /// How long refreshes took.
    pub refresh_duration_ms: Durations,
}

/// Refreshes by how they ended.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct Results {
    /// With a token.
    pub success: u64,
    /// Failures with the code `ERR_CREDENTIAL_REJECTED`.
    pub rejected: u64,
    /// Failures with the code `ERR_MISCONFIGURED`.
    pub misconfigured: u64,
    /// Failures with the code `ERR_THROTTLED`.
    pub throttled: u64,
    /// Failures with the code `ERR_ENDPOINT`.
    pub endpoint: u64,
}

/// A histogram of durations.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Durations {
    /// How many there were.
    pub count: u64,
    /// Their sum, in milliseconds.
    pub sum: u64,
    /// Cumulative, by upper bound.
    pub buckets: [Bucket; 8],
}

/// One step of a histogram.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
pub struct Bucket {
    /// The upper bound in milliseconds, included.
    pub le: u64,
    /// How many were no longer than that.
    pub count: u64,
}

impl Default for Durations {
    fn default() -> Self {
        let bounds = [50, 100, 250, 500, 1_000, 2_500, 5_000, 10_000];
        Self { count: 0, sum: 0, buckets: bounds.map(|le| Bucket { le, count: 0 }) }
    }
}

impl Durations {
    fn add(&mut self, duration: Duration) {
        let millis = u64::try_from(duration.as_millis()).unwrap_or(u64::MAX);
        self.count += 1;
        self.sum = self.sum.saturating_add(millis);
        for bucket in &mut self.buckets {
            bucket.count += u64::from(millis <= bucket.le);
        }
    }
}

impl Tally {
    pub(super) fn succeeded(&mut self, took: Duration) {
        self.refreshes.success += 1;
        self.refresh_duration_ms.add(took);
    }

    pub(super) fn failed(&mut self, code: Code, took: Duration) {
        let results = &mut self.refreshes;
        *match code {
            Code::CredentialRejected => &mut results.rejected,
            Code::Misconfigured => &mut results.misconfigured,
            Code::Throttled => &mut results.throttled,
            _ => &mut results.endpoint,
        } += 1;
        self.refresh_duration_ms.add(took);
    }
}
