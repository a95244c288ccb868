//! What `health()` returns: what is wrong, or will be, for probes and for people who prevent
//! outages.

use serde::Serialize;

use super::instant::{Calendar, UtcMillis, millis};
use super::sentences::{self, Labels};
use crate::clock::Timestamp;
use crate::credential::Credential;
use crate::member::{CredentialStanding, CredentialState, Member, Name, WaitCode, Waiting};
use crate::policy::expiring::SOON_MS;
use crate::rotation::{PersistOutcome, Role};
use crate::source::{SourceState, Sources};

/// Whether a manager works, and what stands in its way.
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
    since: UtcMillis,
    affects_tokens: bool,
}

impl Health {
    /// The health of a manager that was opened at `opened_at`, and whose task is dead if it has a
    /// `stalled_since`.
    pub fn of(
        member: &Member,
        sources: &Sources,
        opened_at: Timestamp,
        stalled_since: Option<Timestamp>,
        calendar: Calendar<'_>,
    ) -> Self {
        let labels = |place| sources.label(place).map(str::to_owned);
        let token = member.token(calendar.now());
        let examination = Examination {
            member,
            sources: sources.states(),
            credentials: member.credentials(),
            opened_at,
            stalled_since,
            is_without_token: token.is_none(),
            calendar,
            labels: &labels,
            problems: Vec::new(),
        };
        let problems = examination.problems();
        Self {
            live: stalled_since.is_none(),
            ready: token.is_some(),
            degraded: !problems.is_empty(),
            problems,
            token_runway_ms: token.map_or(0, |token| millis(token.runway(calendar.now()))),
        }
    }
}

/// A look at everything that may be wrong, the most urgent first.
struct Examination<'a> {
    member: &'a Member,
    sources: Vec<SourceState>,
    credentials: Vec<CredentialState>,
    opened_at: Timestamp,
    stalled_since: Option<Timestamp>,
    is_without_token: bool,
    calendar: Calendar<'a>,
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

    /// Tokens are affected by what keeps `getToken()` from being served now.
    fn add(&mut self, code: &'static str, since: Timestamp, affects_tokens: bool, message: String) {
        let since = self.calendar.utc(since);
        self.problems.push(Problem { code, message, since, affects_tokens });
    }

    fn add_expiry(&mut self, code: &'static str, since: i64, message: String) {
        let since = UtcMillis(since);
        self.problems.push(Problem { code, message, since, affects_tokens: false });
    }

    fn thread(&mut self) {
        if let Some(since) = self.stalled_since {
            let message = "The native thread has not run although it was due: tokens are not refreshed. Restart the \
                 process if this continues.";
            self.add("thread-stalled", since, self.is_without_token, message.to_owned());
        }
    }

    fn token(&mut self) {
        let refresh = self.member.refresh();
        if let Some(since) = refresh.without_token_since().map(|since| since.max(self.opened_at)) {
            let pending = self.sources.iter().filter(|source| source.is_pending);
            let pending = pending.map(|source| {
                let entry = sentences::entry(source.place, self.labels);
                format!(" The source of {entry} has not been read yet.")
            });
            let message = "No token is held: getToken() waits or rejects.".to_owned();
            let message = message + &pending.collect::<String>();
            self.add("no-token", since, true, message);
        }
        if let Some(since) = refresh.refused_since(self.calendar.now()) {
            let message = "A resource answers 401 to every token, even to fresh ones: check whether it expects \
                 another audience, scope or issuer. Its 401s no longer drop tokens.";
            self.add("tokens-refused", since, false, message.to_owned());
        }
    }

    fn endpoint(&mut self) {
        let refresh = self.member.refresh();
        if let (Some((failure, _)), Some(since)) = (refresh.last_failure(), refresh.failing_since())
        {
            let message = format!("The token cannot be refreshed: {}", failure.message);
            self.add("refresh-failing", since, self.is_without_token, message);
        }
        if let Some(since) = self.member.degraded_since() {
            let message = "No known credential is accepted any longer. Put an accepted one into a source, or give it \
                 to rotate().";
            self.add("degraded", since, self.is_without_token, message.to_owned());
        }
    }

    /// A candidate that was refused is no longer used. A replaced credential may be dead: where the
    /// provider ends the old secret with the new one, it is so in every rotation.
    fn credentials(&mut self) {
        for state in self.credentials.clone().iter().filter(|state| state.is_in_use) {
            let (Ok(credential), CredentialStanding::Rejected(since)) =
                (&state.credential, state.standing)
            else {
                continue;
            };
            if is_replaced(state) {
                continue;
            }
            let advice = match state.role {
                Some(Role::Active) => {
                    "Give the new secret to rotate(), or put it into the source of this one."
                }
                _ => "Replace it, or remove it from the configuration.",
            };
            let message = format!("The token endpoint rejects the {}. {advice}", named(credential));
            self.add("credential-rejected", since, false, message);
        }
    }

    fn sources(&mut self) {
        for SourceState { problem, throttled, is_covered, .. } in std::mem::take(&mut self.sources)
        {
            if let Some(throttled) = throttled {
                self.add("source-throttled", throttled.since, false, throttled.message);
            }
            let Some(problem) = problem else { continue };
            let code = if problem.is_empty { "source-empty" } else { "source-unreadable" };
            let advice = if is_covered {
                "Its last value stays in use, but would be missing after a restart."
            } else {
                "It is read again automatically."
            };
            let affects = !is_covered && self.is_without_token;
            let message = format!("{} {advice}", problem.message);
            self.add(code, problem.since, affects, message);
        }
    }

    fn custody(&mut self) {
        for failure in &self.member.persist_failures() {
            let code = match failure.outcome {
                PersistOutcome::Impossible => "persist-impossible",
                _ => "persist-failing",
            };
            let mut message = sentences::persist_failure(failure, self.labels);
            message.insert_str(0, "After a restart the new secret would be missing: ");
            self.add(code, failure.since, false, message);
        }
        if let Some((name, since)) = &self.member.unkept() {
            let message = format!(
                "The {} is active, but it has no durable copy and would be missing after a restart. Write it to the \
                 place that the service reads its credentials from.",
                sentences::credential(name)
            );
            self.add("not-persisted", *since, false, message);
        }
    }

    /// A rotation's wait is a problem once somebody has to do something about it.
    fn rotation(&mut self) {
        let Some(rotation) = self.member.latest_rotation() else { return };
        for waiting @ Waiting { since, on } in &rotation.waiting {
            if !waiting.is_alarming(self.member.is_overdue()) {
                continue;
            }
            let code = match on.code() {
                WaitCode::Proof => "awaiting-proof",
                WaitCode::Custody => "awaiting-custody",
                WaitCode::Members => "awaiting-members",
                WaitCode::Persist => "awaiting-sinks",
                WaitCode::Time => continue,
            };
            let message = format!(
                "Rotation {} waits. {}",
                rotation.rotation,
                sentences::waiting(on, self.labels)
            );
            self.add(code, *since, false, message);
        }
    }

    fn expiry(&mut self) {
        let UtcMillis(now) = self.calendar.utc(self.calendar.now());
        let credentials = std::mem::take(&mut self.credentials);
        for state in credentials.iter().filter(|state| state.is_in_use && !is_replaced(state)) {
            let Ok(credential) = &state.credential else { continue };
            let Some(expires_at) = credential.expires_at else { continue };
            let name = named(credential);
            if now >= expires_at {
                let message = format!("The {name} has expired at the provider. Replace it now.");
                self.add_expiry("credential-expired", expires_at, message);
            } else if now >= expires_at - SOON_MS {
                let message =
                    format!("The {name} expires at the provider within a day. Replace it now.");
                self.add_expiry("credential-expiring", expires_at - SOON_MS, message);
            }
        }
    }
}

/// Whether it has a successor, so that nobody has to replace it.
fn is_replaced(state: &CredentialState) -> bool {
    matches!(state.role, Some(Role::Retired | Role::Previous))
}

/// Names a credential without deriving its id, which takes 20 ms.
fn named(credential: &Credential) -> String {
    if credential.has_id() {
        return sentences::credential(&Name::of(credential));
    }
    let label = credential.label.as_ref().map(|label| format!(" \"{label}\"")).unwrap_or_default();
    format!("credential{label} (client id {})", credential.client_id)
}
