//! A snapshot of a manager for people and probes.

use std::collections::BTreeMap;
use std::sync::Arc;

use serde::Serialize;

use super::message::{CredentialName, HandleId, RotationMessage, millis};
use super::report;
use crate::clock::{Clock, Timestamp};
use crate::error::Failure;
use crate::member::{CredentialState, Member, Name, SinkFailure, Snapshot, Standing};
use crate::refresh::Tally;
use crate::rotation::{PhaseName, Role};
use crate::source::{EntryPlace, SourceState, Sources};
use crate::token::HeldToken;

/// What `status()` tells. Instants are milliseconds since 1970.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Status {
    name: Option<String>,
    phase: &'static str,
    generation: Option<u64>,
    token: Option<TokenStatus>,
    credentials: Vec<CredentialStatus>,
    sources: Vec<SourceStatus>,
    rotation: Option<RotationMessage>,
    refreshing: bool,
    next_refresh_at: Option<i64>,
    last_error: Option<LastError>,
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
struct TokenStatus {
    serial: u64,
    issued_at: i64,
    expires_at: i64,
    #[serde(flatten)]
    credential: CredentialName,
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
struct CredentialStatus {
    #[serde(flatten)]
    name: CredentialName,
    state: &'static str,
    role: &'static str,
    expires_at: Option<i64>,
}

impl CredentialStatus {
    fn of(state: &CredentialState) -> Self {
        let CredentialState { credential, role, standing, .. } = state;
        Self {
            name: credential
                .as_ref()
                .map_or_else(CredentialName::from, |it| CredentialName::of(it)),
            state: match standing {
                Standing::Unknown => "unknown",
                Standing::Accepted => "accepted",
                Standing::Rejected(_) => "rejected",
            },
            role: match role {
                Some(Role::Active) => "active",
                Some(Role::Next) => "next",
                Some(Role::Previous) => "previous",
                Some(Role::Standby) => "standby",
                Some(Role::Quarantined) => "quarantined",
                Some(Role::Waiting) => "waiting",
                Some(Role::Retired) => "retired",
                Some(Role::Unknown) | None => "unknown",
            },
            expires_at: credential.as_ref().ok().and_then(|credential| credential.expires_at),
        }
    }
}

#[derive(Debug, Serialize)]
struct SourceStatus {
    entry: usize,
    #[serde(skip_serializing_if = "Option::is_none")]
    label: Option<String>,
    state: &'static str,
    since: Option<i64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    message: Option<String>,
}

impl SourceStatus {
    fn of(state: SourceState, clock: &dyn Clock) -> Self {
        let SourceState { place, label, is_pending, problem, .. } = state;
        let word = match &problem {
            _ if is_pending => "pending",
            None => "ok",
            Some(problem) if problem.is_empty => "empty",
            Some(_) => "unreadable",
        };
        let since = problem.as_ref().map(|problem| clock.utc_millis(problem.since));
        let message = problem.map(|problem| problem.message);
        Self { entry: place.index, label, state: word, since, message }
    }
}

#[derive(Debug, Serialize)]
struct LastError {
    at: i64,
    error: Failure,
}

/// What `metrics()` tells.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Metrics {
    token_remaining_ms: u64,
    #[serde(flatten)]
    tally: Tally,
}

impl Metrics {
    pub(super) fn of(member: &Member, now: Timestamp) -> Self {
        let refresh = member.refresh();
        let remaining = refresh.token(now).map(|token| token.runway(now)).unwrap_or_default();
        Self { token_remaining_ms: millis(remaining), tally: refresh.tally().clone() }
    }
}

/// What is needed for a [`Status`] or a [`Health`](super::Health), copied under the manager's lock.
pub(super) struct View {
    phase: PhaseName,
    generation: Option<u64>,
    pub(super) token: Option<Arc<HeldToken>>,
    pub(super) credentials: Vec<CredentialState>,
    pub(super) sources: Vec<SourceState>,
    pub(super) labels: BTreeMap<EntryPlace, String>,
    pub(super) rotation: Option<Snapshot>,
    is_fetching: bool,
    next_refresh: Option<Timestamp>,
    pub(super) last_failure: Option<(Failure, Timestamp)>,
    pub(super) failing_since: Option<Timestamp>,
    pub(super) without_token: Option<Timestamp>,
    pub(super) refused_since: Option<Timestamp>,
    pub(super) degraded_since: Option<Timestamp>,
    pub(super) sink_failures: Vec<SinkFailure>,
    pub(super) unkept: Option<(Name, Timestamp)>,
    pub(super) is_overdue: bool,
    /// Since when the native thread was to run and has not.
    pub(super) stalled_since: Option<Timestamp>,
    pub(super) is_live: bool,
    pub(super) now: Timestamp,
}

impl View {
    pub(super) fn of(
        member: &Member,
        sources: &Sources,
        opened_at: Timestamp,
        (stalled_since, is_live): (Option<Timestamp>, bool),
        now: Timestamp,
    ) -> Self {
        let refresh = member.refresh();
        let states = sources.states();
        let label = |state: &SourceState| Some((state.place, state.label.clone()?));
        Self {
            labels: states.iter().filter_map(label).collect(),
            sources: states,
            failing_since: refresh.failing_since(),
            without_token: refresh.without_token_since().map(|since| since.max(opened_at)),
            refused_since: refresh.refused_since(now),
            degraded_since: member.degraded_since(),
            sink_failures: member.sink_failures(),
            unkept: member.unkept(),
            is_overdue: member.is_overdue(),
            stalled_since,
            is_live,
            phase: member.phase(),
            generation: member.generation(),
            token: refresh.token(now).cloned(),
            credentials: member.credentials(),
            rotation: member.latest_rotation(),
            is_fetching: refresh.is_fetching(),
            next_refresh: refresh.next_refresh().map(|at| at.max(now)),
            last_failure: refresh.last_failure().cloned(),
            now,
        }
    }

    /// For whoever opened that handle: the sources are its own.
    pub(super) fn into_status(
        self,
        name: Option<String>,
        handle: HandleId,
        clock: &dyn Clock,
    ) -> Status {
        let Self { token, credentials, is_fetching, next_refresh, last_failure, .. } = self;
        let labels = |place| self.labels.get(&place).cloned();
        let own = self.sources.into_iter().filter(|state| state.place.owner == handle);
        Status {
            name,
            phase: report::phase(self.phase),
            generation: self.generation,
            rotation: self.rotation.map(|snapshot| report::rotation(&snapshot, &labels, clock)),
            sources: own.map(|state| SourceStatus::of(state, clock)).collect(),
            token: token.map(|token| TokenStatus {
                serial: token.serial,
                issued_at: clock.utc_millis(token.issued_at),
                expires_at: clock.utc_millis(token.expires_at),
                credential: CredentialName::of(&token.credential),
            }),
            credentials: credentials.iter().map(CredentialStatus::of).collect(),
            refreshing: is_fetching,
            next_refresh_at: next_refresh.map(|at| clock.utc_millis(at)),
            last_error: last_failure
                .map(|(error, at)| LastError { at: clock.utc_millis(at), error }),
        }
    }
}
