//! A snapshot of a manager for people and probes.

use std::sync::Arc;

use serde::Serialize;

use super::message::{CredentialName, RotationMessage, millis};
use super::report;
use crate::clock::{Clock, Timestamp};
use crate::error::Failure;
use crate::member::{CredentialState, Member, Snapshot, Standing};
use crate::refresh::Tally;
use crate::rotation::{PhaseName, Role};
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
                Standing::Rejected => "rejected",
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
struct LastError {
    at: i64,
    error: Failure,
}

/// What `health()` tells.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Health {
    ready: bool,
    degraded: bool,
    reasons: Vec<String>,
    token_runway_ms: u64,
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

/// What is needed for a [`Status`] or a [`Health`], copied under the manager's lock, which naming credentials must not hold.
pub(super) struct View {
    phase: PhaseName,
    generation: Option<u64>,
    token: Option<Arc<HeldToken>>,
    credentials: Vec<CredentialState>,
    rotation: Option<Snapshot>,
    is_fetching: bool,
    next_refresh: Option<Timestamp>,
    last_failure: Option<(Failure, Timestamp)>,
    unreadable: Option<Failure>,
    now: Timestamp,
}

impl View {
    pub(super) fn of(member: &Member, now: Timestamp) -> Self {
        let refresh = member.refresh();
        Self {
            phase: member.phase(),
            generation: member.record().map(|record| record.generation),
            token: refresh.token(now).cloned(),
            credentials: member.credentials(),
            rotation: member.latest_rotation(),
            is_fetching: refresh.is_fetching(),
            next_refresh: refresh.next_refresh().map(|at| at.max(now)),
            last_failure: refresh.last_failure().cloned(),
            unreadable: member.unreadable_source().cloned(),
            now,
        }
    }

    pub(super) fn into_status(self, name: Option<String>, clock: &dyn Clock) -> Status {
        let Self { token, credentials, is_fetching, next_refresh, last_failure, .. } = self;
        Status {
            name,
            phase: report::phase(self.phase),
            generation: self.generation,
            rotation: self.rotation.map(|snapshot| report::rotation(&snapshot, clock)),
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

    pub(super) fn health(&self) -> Health {
        let mut reasons = Vec::new();
        if self.token.is_none() {
            reasons.push("No token is held.".to_owned());
        }
        if let Some((failure, _)) = &self.last_failure {
            reasons.push(failure.message.clone());
        }
        if let Some(failure) = &self.unreadable {
            reasons.push(failure.message.clone());
        }
        // A candidate that was refused is nobody's any more.
        let in_use = self.credentials.iter().filter(|state| state.is_in_use);
        let (known, rejected) = in_use.fold((0, 0), |(known, rejected), state| {
            (known + 1, rejected + usize::from(state.standing == Standing::Rejected))
        });
        if rejected > 0 {
            reasons.push(format!(
                "The token endpoint rejects {rejected} of {known} known credentials."
            ));
        }
        Health {
            ready: self.token.is_some(),
            degraded: !reasons.is_empty(),
            reasons,
            token_runway_ms: self.token.as_ref().map_or(0, |token| millis(token.runway(self.now))),
        }
    }
}
