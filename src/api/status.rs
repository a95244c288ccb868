//! What `status()` returns.

use serde::Serialize;

use super::credential::CredentialName;
use super::handle::HandleId;
use super::instant::{Calendar, UtcMillis};
use super::rotation::{RotationMessage, phase};
use crate::error::Failure;
use crate::member::{CredentialStanding, CredentialState, Member};
use crate::rotation::Role;
use crate::source::{SourceState, Sources};
use crate::token::HeldToken;

/// What is known of a manager now.
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
    next_refresh_at: Option<UtcMillis>,
    last_error: Option<LastError>,
}

impl Status {
    /// A snapshot for the handle that asks: the sources are its own.
    pub fn of(
        name: Option<String>,
        handle: HandleId,
        member: &Member,
        sources: &Sources,
        calendar: Calendar<'_>,
    ) -> Self {
        let (refresh, now) = (member.refresh(), calendar.now());
        let labels = |place| sources.label(place).map(str::to_owned);
        let own = sources.states().into_iter().filter(|state| state.place.owner == handle);
        let rotation = member.latest_rotation();
        Self {
            name,
            phase: phase(member.phase()),
            generation: member.generation(),
            token: refresh.token(now).map(|token| TokenStatus::of(token, calendar)),
            credentials: member.credentials().iter().map(CredentialStatus::of).collect(),
            sources: own.map(|state| SourceStatus::of(state, calendar)).collect(),
            rotation: rotation.map(|it| RotationMessage::of(&it, &labels, calendar)),
            refreshing: refresh.is_fetching(),
            next_refresh_at: refresh.next_refresh().map(|at| calendar.utc(at.max(now))),
            last_error: refresh
                .last_failure()
                .map(|(error, at)| LastError { at: calendar.utc(*at), error: error.clone() }),
        }
    }
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
struct TokenStatus {
    serial: u64,
    issued_at: UtcMillis,
    expires_at: UtcMillis,
    #[serde(flatten)]
    credential: CredentialName,
}

impl TokenStatus {
    fn of(token: &HeldToken, calendar: Calendar<'_>) -> Self {
        Self {
            serial: token.serial,
            issued_at: calendar.utc(token.issued_at),
            expires_at: calendar.utc(token.expires_at),
            credential: CredentialName::of_maker(&token.made_with),
        }
    }
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
struct CredentialStatus {
    #[serde(flatten)]
    name: CredentialName,
    state: &'static str,
    role: &'static str,
    expires_at: Option<UtcMillis>,
}

impl CredentialStatus {
    fn of(state: &CredentialState) -> Self {
        let CredentialState { credential, role, standing, .. } = state;
        let expires_at = credential.as_ref().ok().and_then(|credential| credential.expires_at);
        Self {
            name: credential
                .as_ref()
                .map_or_else(CredentialName::from, |it| CredentialName::of(it)),
            state: match standing {
                CredentialStanding::Unknown => "unknown",
                CredentialStanding::Accepted => "accepted",
                CredentialStanding::Rejected(_) => "rejected",
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
            expires_at: expires_at.map(UtcMillis),
        }
    }
}

#[derive(Debug, Serialize)]
struct SourceStatus {
    entry: usize,
    #[serde(skip_serializing_if = "Option::is_none")]
    label: Option<String>,
    state: &'static str,
    since: Option<UtcMillis>,
    #[serde(skip_serializing_if = "Option::is_none")]
    message: Option<String>,
}

impl SourceStatus {
    fn of(state: SourceState, calendar: Calendar<'_>) -> Self {
        let SourceState { place, label, is_pending, problem, .. } = state;
        let word = match &problem {
            _ if is_pending => "pending",
            None => "ok",
            Some(problem) if problem.is_empty => "empty",
            Some(_) => "unreadable",
        };
        let since = problem.as_ref().map(|problem| calendar.utc(problem.since));
        let message = problem.map(|problem| problem.message);
        Self { entry: place.index, label, state: word, since, message }
    }
}

#[derive(Debug, Serialize)]
struct LastError {
    at: UtcMillis,
    error: Failure,
}
