//! Why a caller of a rotation does not get what it wanted, and what to do next.

use super::change::MissingMessage;
use super::error::{ErrorMessage, RotationDetails};
use super::instant::{Calendar, millis};
use super::sentences::{self, Labels};
use crate::error::{Code, Failure};
use crate::member::{Denial, Member, PersistFailure, Reason, Waiting, WaitsOn};
use crate::rotation::Refusal;

impl ErrorMessage {
    /// The error for a caller that was denied.
    pub fn of_denial(
        denial: &Denial,
        member: &Member,
        labels: Labels<'_>,
        calendar: Calendar<'_>,
    ) -> Self {
        let mut details = RotationDetails {
            rotation_id: denial.rotation.as_ref().map(ToString::to_string),
            ..RotationDetails::default()
        };
        match &denial.reason {
            Reason::TimedOut { is_rotate, waiting } => {
                let details = Some(Box::new(details));
                Self { details, ..timed_out(*is_rotate, waiting, labels) }
            }
            Reason::NoFleet => {
                let details = Some(Box::new(details));
                Self { details, ..Self::new(Code::NoFleet, NO_FLEET) }
            }
            Reason::Refused(refusal, failure) => {
                if let Refusal::RetireBlocked(missing) = &**refusal {
                    details.missing = Some(MissingMessage::of(missing, &denial.named, member));
                }
                refused(refusal, failure.as_deref(), details, member, calendar)
            }
        }
    }
}

fn refused(
    refusal: &Refusal,
    failure: Option<&Failure>,
    mut details: RotationDetails,
    member: &Member,
    calendar: Calendar<'_>,
) -> ErrorMessage {
    let mut lifetime_ms = None;
    match refusal {
        Refusal::CandidateRejected(id)
        | Refusal::CandidateUnverified(id)
        | Refusal::NoCustody(id) => details.credential_id = Some(id.to_string()),
        Refusal::NoCandidate(ids) => {
            details.looked_at = Some(ids.iter().map(ToString::to_string).collect());
        }
        Refusal::LifetimeTooShort { safe_until } => {
            let safe_until = member.own_time(*safe_until);
            details.safe_until = Some(calendar.utc(safe_until));
            lifetime_ms = Some(millis(safe_until.since(calendar.now())));
        }
        Refusal::RetireBlocked(_)
        | Refusal::Conflict
        | Refusal::Degraded
        | Refusal::TokenUnavailable => {}
    }
    ErrorMessage {
        lifetime_ms,
        cause: failure.cloned().map(Box::new),
        details: Some(Box::new(details)),
        ..ErrorMessage::new(refusal.code(), story(refusal, member, calendar) + &said(failure))
    }
}

/// What the endpoint said, to stand behind what it led to.
fn said(failure: Option<&Failure>) -> String {
    failure.map(|failure| format!(" {}", failure.message)).unwrap_or_default()
}

const NO_FLEET: &str = "Processes share nothing here, so there is no fleet to wait for. Each process rotates by \
     itself: wait for 'persisted' or 'retired' in each of them.";

fn timed_out(is_rotate: bool, waiting: &[Waiting], labels: Labels<'_>) -> ErrorMessage {
    let story = if is_rotate {
        "The rotation did not finish within deadlineMs. It continues if another caller waits, a source yields the \
         credential, or the active one is rejected: see rotation(), or call rotate() again."
    } else {
        "The credential was not accepted in time. The rotation continues: see rotation()."
    };
    let reasons = waiting.iter().map(|it| format!(" {}", sentences::waiting(&it.on, labels)));
    let cause = waiting.iter().find_map(|it| cause(&it.on, labels));
    ErrorMessage {
        cause: cause.map(Box::new),
        ..ErrorMessage::new(Code::RotationTimeout, story.to_owned() + &reasons.collect::<String>())
    }
}

/// The error that a wait would become.
fn cause(on: &WaitsOn, labels: Labels<'_>) -> Option<Failure> {
    match on {
        WaitsOn::Proof { failure, .. } => failure.clone(),
        WaitsOn::Custody { failures } => {
            let failure = failures.first().map(|failure| persist_failed(failure, labels));
            let story = sentences::waiting(on, labels);
            Some(Failure::new(Code::NoCustody, story).caused_by(failure))
        }
        WaitsOn::Persist { failures } => failures.first().map(|it| persist_failed(it, labels)),
        WaitsOn::Members { .. } | WaitsOn::Time(_) => None,
    }
}

fn persist_failed(failure: &PersistFailure, labels: Labels<'_>) -> Failure {
    Failure::new(Code::PersistFailed, sentences::persist_failure(failure, labels))
}

fn story(refusal: &Refusal, member: &Member, calendar: Calendar<'_>) -> String {
    match refusal {
        Refusal::CandidateRejected(id) => format!(
            "The credential {id} was not accepted, and nothing has changed: check it and rotate again."
        ),
        Refusal::CandidateUnverified(id) => format!(
            "The credential {id} could not be proved in time or was withdrawn, and nothing has changed. Rotate again \
             when the token endpoint works."
        ),
        Refusal::Conflict => {
            "Another rotation is open, has taken this one's place, or has undone it. Wait until it is over, or \
             rotate with supersede: true."
                .to_owned()
        }
        Refusal::NoCandidate(looked_at) if looked_at.is_empty() => {
            "There is no other credential: the overlap is over, or none is configured. Call rotate() with clientId \
             and clientSecret."
                .to_owned()
        }
        Refusal::NoCandidate(looked_at) => format!(
            "There is no credential to rotate to: all {} configured credentials are active, previous or retired. \
             Give clientSecret, or configure the new one.",
            looked_at.len()
        ),
        Refusal::NoCustody(id) => format!(
            "The credential {id} was accepted, but it has no durable copy. The active one still works; the new one \
             stays a fallback in memory. Repair or configure persist, and rotate again."
        ),
        Refusal::RetireBlocked(missing) => sentences::blocked(missing),
        Refusal::Degraded => "No known credential is accepted. Rotate to an accepted one.".to_owned(),
        Refusal::TokenUnavailable => {
            "No fresh token could be fetched, and nothing has changed.".to_owned()
        }
        Refusal::LifetimeTooShort { safe_until } => format!(
            "A fresh token lives shorter than minRunwayMs: it would bridge {} ms. Ask for less.",
            millis(member.own_time(*safe_until).since(calendar.now()))
        ),
    }
}
