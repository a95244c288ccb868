//! What is wrong, or will be: for probes, and for people who are to prevent an outage.

use std::sync::Arc;

use serde::Serialize;

use super::message::millis;
use super::status::View;
use super::wording::{self, Labels};
use crate::clock::{Clock, Timestamp};
use crate::credential::Credential;
use crate::member::{CredentialState, Name, Standing, WaitCode, Waiting};
use crate::rotation::Role;
use crate::source::SourceState;

/// An end that comes so soon is something to act upon.
const SOON: i64 = 86_400_000;

/// What `health()` tells. Instants are milliseconds since 1970.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Health {
    live: bool,
    ready: bool,
    degraded: bool,
    problems: Vec<Problem>,
    token_runway_ms: u64,
}

/// One thing that is wrong.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
struct Problem {
    code: &'static str,
    message: String,
    since: i64,
    affects_tokens: bool,
}

impl View {
    pub(super) fn health(&self, clock: &dyn Clock) -> Health {
        let labels = |place| self.labels.get(&place).cloned();
        let health = Examination { view: self, clock, labels: &labels, problems: Vec::new() };
        let problems = health.problems();
        Health {
            live: self.is_live,
            ready: self.token.is_some(),
            degraded: !problems.is_empty(),
            problems,
            token_runway_ms: self.token.as_ref().map_or(0, |token| millis(token.runway(self.now))),
        }
    }
}

/// A look at everything that may be wrong, the most urgent first.
struct Examination<'a> {
    view: &'a View,
    clock: &'a dyn Clock,
    labels: Labels<'a>,
    problems: Vec<Problem>,
}

impl Examination<'_> {
    fn problems(mut self) -> Vec<Problem> {
        self.thread();
        self.token();
        self.endpoint();
        self.credentials();
        self.sources();
        self.custody();
        self.rotation();
        self.expiry();
        self.problems
    }

    /// What keeps `getToken()` from being served now affects tokens.
    fn add(&mut self, code: &'static str, since: i64, affects_tokens: bool, message: String) {
        self.problems.push(Problem { code, message, since, affects_tokens });
    }

    fn utc(&self, at: Timestamp) -> i64 {
        self.clock.utc_millis(at)
    }

    fn is_without_token(&self) -> bool {
        self.view.token.is_none()
    }

    fn thread(&mut self) {
        if let Some(since) = self.view.stalled_since {
            let message = "The native thread has not run although it was to: tokens are not refreshed. Restart the process \
                 if this lasts.";
            self.add(
                "thread-stalled",
                self.utc(since),
                self.is_without_token(),
                message.to_owned(),
            );
        }
    }

    fn token(&mut self) {
        if let Some(since) = self.view.without_token {
            let pending = self.view.sources.iter().filter(|source| source.is_pending);
            let pending = pending.map(|source| {
                let entry = wording::entry(source.place, self.labels);
                format!(" The source of {entry} has not answered yet.")
            });
            let message = "No token is held: getToken() waits or is refused.".to_owned();
            let message = message + &pending.collect::<String>();
            self.add("no-token", self.utc(since), true, message);
        }
        if let Some(since) = self.view.refused_since {
            let message = "A resource answers 401 to every token, fresh ones included: see whether it expects another \
                 audience, scope or issuer. Tokens are not dropped for it any more.";
            self.add("tokens-refused", self.utc(since), false, message.to_owned());
        }
    }

    fn endpoint(&mut self) {
        let view = self.view;
        if let (Some((failure, _)), Some(since)) = (&view.last_failure, view.failing_since) {
            let message = format!("The token cannot be refreshed: {}", failure.message);
            self.add("refresh-failing", self.utc(since), self.is_without_token(), message);
        }
        if let Some(since) = view.degraded_since {
            let message = "No known credential is accepted any more. Put one that is into a source, or give it to \
                 rotate().";
            self.add("degraded", self.utc(since), self.is_without_token(), message.to_owned());
        }
    }

    /// A candidate that was refused is nobody's any more. What was replaced may be dead: where the provider kills the old
    /// secret with the new one, it is in every rotation.
    fn credentials(&mut self) {
        for state in self.view.credentials.iter().filter(|state| state.is_in_use) {
            let (Ok(credential), Standing::Rejected(since)) = (&state.credential, state.standing)
            else {
                continue;
            };
            if is_replaced(state) {
                continue;
            }
            let advice = match state.role {
                Some(Role::Active) => {
                    "Give the new one to rotate(), or put it where this one is read from."
                }
                _ => "Replace it, or take it out of the configuration.",
            };
            let message = format!("The token endpoint rejects the {}. {advice}", named(credential));
            self.add("credential-rejected", self.utc(since), false, message);
        }
    }

    fn sources(&mut self) {
        for SourceState { problem, throttled, is_covered, .. } in &self.view.sources {
            if let Some(throttled) = throttled {
                let since = self.utc(throttled.since);
                self.add("source-throttled", since, false, throttled.message.clone());
            }
            let Some(problem) = problem else { continue };
            let code = if problem.is_empty { "source-empty" } else { "source-unreadable" };
            let advice = if *is_covered {
                "What it yielded before stays in use; after a restart it would be missing."
            } else {
                "It is read again by itself."
            };
            let affects = !is_covered && self.is_without_token();
            let message = format!("{} {advice}", problem.message);
            self.add(code, self.utc(problem.since), affects, message);
        }
    }

    fn custody(&mut self) {
        for failure in &self.view.sink_failures {
            let code = match failure.outcome {
                crate::rotation::SinkOutcome::Impossible => "persist-impossible",
                _ => "persist-failing",
            };
            let mut message = wording::sink_failure(failure, self.labels);
            message.insert_str(0, "After a restart the new secret would be missing: ");
            self.add(code, self.utc(failure.since), false, message);
        }
        if let Some((name, since)) = &self.view.unkept {
            let message = format!(
                "The {} is active, and nothing keeps it beyond this process: after a restart it would be missing. Write it \
                 to where the service reads its credentials from.",
                wording::credential(name)
            );
            self.add("not-persisted", self.utc(*since), false, message);
        }
    }

    /// What a rotation waits for is told once somebody has to do something about it.
    fn rotation(&mut self) {
        let Some(rotation) = &self.view.rotation else { return };
        for waiting @ Waiting { since, on } in &rotation.waiting {
            if !waiting.is_alarming(self.view.is_overdue) {
                continue;
            }
            let code = match on.code() {
                WaitCode::Proof => "awaiting-proof",
                WaitCode::Custody => "awaiting-custody",
                WaitCode::Members => "awaiting-members",
                WaitCode::Sinks => "awaiting-sinks",
                WaitCode::Time => continue,
            };
            let message = format!(
                "Rotation {} waits. {}",
                rotation.rotation,
                wording::waiting(on, self.labels)
            );
            self.add(code, self.utc(*since), false, message);
        }
    }

    fn expiry(&mut self) {
        let now = self.utc(self.view.now);
        let in_use =
            self.view.credentials.iter().filter(|state| state.is_in_use && !is_replaced(state));
        let ending = in_use.filter_map(|CredentialState { credential, .. }| {
            let credential = credential.as_ref().ok()?;
            Some((credential, credential.expires_at.filter(|at| now >= at - SOON)?))
        });
        let ending: Vec<(&Arc<Credential>, i64)> = ending.collect();
        for (credential, expires_at) in ending {
            let name = named(credential);
            if now < expires_at {
                let message =
                    format!("The {name} expires at the provider within a day. Replace it now.");
                self.add("credential-expiring", expires_at - SOON, false, message);
            } else {
                let message = format!("The {name} has expired at the provider. Replace it now.");
                self.add("credential-expired", expires_at, false, message);
            }
        }
    }
}

/// Nobody is to replace it any more.
fn is_replaced(state: &CredentialState) -> bool {
    matches!(state.role, Some(Role::Retired | Role::Previous))
}

/// A credential, as far as it can be named at no cost: deriving an id takes 20 ms.
fn named(credential: &Credential) -> String {
    if credential.has_id() {
        return wording::credential(&Name::of(credential));
    }
    let label = credential.label.as_ref().map(|label| format!(" \"{label}\"")).unwrap_or_default();
    format!("credential{label} (client id {})", credential.client_id)
}
