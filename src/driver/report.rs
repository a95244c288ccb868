//! What the credential lifecycle tells, in the words that JavaScript sees.

use super::message::{
    ChangeMessage, ErrorMessage, MissingMessage, PreparationMessage, RotationDetails,
    RotationMessage, WaitingMessage, millis,
};
use super::wording::{self, Labels};
use crate::clock::{Clock, Timestamp};
use crate::error::{Code, Failure};
use crate::member::{
    Change, Custody, Denial, Member, Phase, Reason, SinkFailure, Snapshot, WaitCode, Waiting,
    WaitsOn, What, Why,
};
use crate::rotation::{Missing, Persisted, PhaseName, Refusal, SinkOutcome, Transition};

pub(super) fn rotation(
    snapshot: &Snapshot,
    labels: Labels<'_>,
    clock: &dyn Clock,
) -> RotationMessage {
    let utc = |at: Option<Timestamp>| at.map(|at| clock.utc_millis(at));
    RotationMessage {
        rotation_id: snapshot.rotation.to_string(),
        phase: match snapshot.phase {
            Phase::Staged => "staged",
            Phase::Overlap => "overlap",
            Phase::Retired => "retired",
            Phase::RolledBack => "rolled-back",
            Phase::Failed => "failed",
        },
        generation: snapshot.generation,
        candidate: (&snapshot.candidate).into(),
        active: (&snapshot.active).into(),
        previous: snapshot.previous.as_ref().map(Into::into),
        persisted: match snapshot.persisted {
            Persisted::None => "none",
            Persisted::Pending => "pending",
            Persisted::Done => "done",
            Persisted::Impossible => "impossible",
        },
        retire_not_before: utc(snapshot.retire_not_before),
        safe_to_revoke_at: utc(snapshot.safe_to_revoke_at),
        reason: snapshot.reason,
        waiting_for: snapshot.waiting.iter().map(|it| waiting(it, labels, clock)).collect(),
    }
}

fn waiting(waiting: &Waiting, labels: Labels<'_>, clock: &dyn Clock) -> WaitingMessage {
    WaitingMessage {
        code: match waiting.on.code() {
            WaitCode::Proof => "proof",
            WaitCode::Custody => "custody",
            WaitCode::Members => "members",
            WaitCode::Sinks => "sinks",
            WaitCode::Time => "time",
        },
        message: wording::waiting(&waiting.on, labels),
        since: clock.utc_millis(waiting.since),
    }
}

/// This process is ready for a change at the provider.
pub(super) fn preparation(
    safe_until: Timestamp,
    custody: Custody,
    clock: &dyn Clock,
) -> PreparationMessage {
    PreparationMessage {
        safe_until: clock.utc_millis(safe_until),
        custody: match custody {
            Custody::Kept => "kept",
            Custody::Untested => "untested",
            Custody::None => "none",
        },
    }
}

pub(super) fn phase(phase: PhaseName) -> &'static str {
    match phase {
        PhaseName::Starting => "starting",
        PhaseName::Stable => "stable",
        PhaseName::Prepared => "prepared",
        PhaseName::Staged => "staged",
        PhaseName::Overlap => "overlap",
        PhaseName::Degraded => "degraded",
    }
}

pub(super) fn outcome(outcome: SinkOutcome) -> &'static str {
    match outcome {
        SinkOutcome::Done => "done",
        SinkOutcome::Failed => "failed",
        SinkOutcome::Impossible => "impossible",
    }
}

pub(super) fn change(
    change: &Change,
    missing: Option<MissingMessage>,
    message: String,
    clock: &dyn Clock,
) -> ChangeMessage {
    let utc = |at: Option<Timestamp>| at.map(|at| clock.utc_millis(at));
    let (what, reason) = match &change.what {
        What::Moved(transition, why) => (moved(*transition), why.map(self::why)),
        What::AwaitsCustody => ("awaiting-custody", None),
        What::NotPersisted => ("not-persisted", None),
        What::Overdue(_) => ("overdue", None),
        What::CompromisedIgnored => ("compromised-ignored", None),
    };
    ChangeMessage {
        change: what,
        rotation_id: change.rotation.as_ref().map(ToString::to_string),
        from: phase(change.from),
        to: phase(change.to),
        generation: change.generation,
        active: change.active.as_ref().map(Into::into),
        previous: change.previous.as_ref().map(Into::into),
        next: change.next.as_ref().map(Into::into),
        retire_not_before: utc(change.retire_not_before),
        safe_to_revoke_at: utc(change.safe_to_revoke_at),
        missing,
        reason,
        error: change.failure.clone(),
        message,
    }
}

fn why(why: Why) -> &'static str {
    match why {
        Why::Rejected => "rejected",
        Why::Deadline => "deadline",
        Why::NoCustody => "no-custody",
        Why::RetireBlocked => "retire-blocked",
        Why::Superseded => "superseded",
        Why::Withdrawn => "withdrawn",
        Why::CallerLeft => "caller-left",
        Why::NotHeld => "not-held",
    }
}

fn moved(transition: Transition) -> &'static str {
    match transition {
        Transition::Started => "started",
        Transition::Prepared => "prepared",
        Transition::PreparationEnded => "preparation-ended",
        Transition::Staged => "staged",
        Transition::Promoted | Transition::PromotedAfterLeak => "promoted",
        Transition::CandidateRejected => "candidate-rejected",
        Transition::AwaitingProof => "awaiting-proof",
        Transition::CandidateWithdrawn => "candidate-withdrawn",
        Transition::Substituted => "substituted",
        Transition::FellBack => "fell-back",
        Transition::Abandoned => "abandoned",
        Transition::RolledBack => "rolled-back",
        Transition::Retired => "retired",
        Transition::Overdue => "overdue",
        Transition::Degraded => "degraded",
        Transition::Recovered => "recovered",
    }
}

/// What is missing; sinks by the positions of their entries.
pub(super) fn missing(missing: &Missing, member: &Member) -> MissingMessage {
    let ids = |members: &[crate::rotation::MemberId]| {
        members.iter().map(|member| format!("{:016x}", member.0)).collect()
    };
    MissingMessage {
        proof: missing.proof,
        acks: ids(&missing.acks),
        holders: ids(&missing.holders),
        sinks: missing
            .sinks
            .iter()
            .filter_map(|slot| member.place_of(*slot))
            .map(|it| it.index)
            .collect(),
        custody: missing.custody,
    }
}

/// Why a caller does not get what it wanted, and what to do next.
pub(super) fn denial(
    denial: &Denial,
    member: &Member,
    labels: Labels<'_>,
    clock: &dyn Clock,
) -> ErrorMessage {
    let mut details = RotationDetails {
        rotation_id: denial.rotation.as_ref().map(ToString::to_string),
        ..RotationDetails::default()
    };
    let (refusal, failure) = match &denial.reason {
        Reason::TimedOut { is_rotate, waiting } => {
            return ErrorMessage {
                details: Some(Box::new(details)),
                ..timed_out(*is_rotate, waiting, labels)
            };
        }
        Reason::NoFleet => {
            return ErrorMessage {
                details: Some(Box::new(details)),
                ..ErrorMessage::new(Code::NoFleet, NO_FLEET)
            };
        }
        Reason::Refused(refusal, failure) => (&**refusal, failure.as_deref()),
    };
    let life = |safe_until: &Timestamp| safe_until.since(clock.now());
    match refusal {
        Refusal::CandidateRejected(id)
        | Refusal::CandidateUnverified(id)
        | Refusal::NoCustody(id) => details.credential_id = Some(id.to_string()),
        Refusal::NoCandidate(ids) => {
            details.looked_at = Some(ids.iter().map(ToString::to_string).collect());
        }
        Refusal::RetireBlocked(missing) => details.missing = Some(self::missing(missing, member)),
        Refusal::LifetimeTooShort { safe_until } => {
            details.safe_until = Some(clock.utc_millis(*safe_until));
        }
        Refusal::Conflict | Refusal::Degraded | Refusal::TokenUnavailable => {}
    }
    let lifetime_ms = match refusal {
        Refusal::LifetimeTooShort { safe_until } => Some(millis(life(safe_until))),
        _ => None,
    };
    ErrorMessage {
        lifetime_ms,
        cause: failure.cloned().map(Box::new),
        details: Some(Box::new(details)),
        ..ErrorMessage::new(refusal.code(), story(refusal, clock) + &said(failure))
    }
}

/// What the endpoint said, behind what it led to.
fn said(failure: Option<&Failure>) -> String {
    failure.map(|failure| format!(" {}", failure.message)).unwrap_or_default()
}

const NO_FLEET: &str = "Nothing is shared between processes here: there is no fleet to wait for. Each process \
     rotates by itself; wait for 'persisted' or 'retired' in each of them.";

fn timed_out(is_rotate: bool, waiting: &[Waiting], labels: Labels<'_>) -> ErrorMessage {
    let story = if is_rotate {
        "The rotation did not come to its end within deadlineMs. It goes on where another caller waits, a source yields \
         the credential, or the active one is rejected: look at rotation(), or call rotate() again."
    } else {
        "The credential was not accepted in time. It goes on: look at rotation()."
    };
    let reasons = waiting.iter().map(|it| format!(" {}", wording::waiting(&it.on, labels)));
    let cause = waiting.iter().find_map(|it| cause(&it.on, labels));
    ErrorMessage {
        cause: cause.map(Box::new),
        ..ErrorMessage::new(Code::RotationTimeout, story.to_owned() + &reasons.collect::<String>())
    }
}

/// What is waited for, as the error that it would become.
fn cause(on: &WaitsOn, labels: Labels<'_>) -> Option<Failure> {
    match on {
        WaitsOn::Proof { failure, .. } => failure.clone(),
        WaitsOn::Custody { failures } => {
            let failure = failures.first().map(|failure| persist_failed(failure, labels));
            let story = wording::waiting(on, labels);
            Some(Failure::new(Code::NoCustody, story).caused_by(failure))
        }
        WaitsOn::Sinks { failures } => failures.first().map(|it| persist_failed(it, labels)),
        WaitsOn::Members { .. } | WaitsOn::Time(_) => None,
    }
}

fn persist_failed(failure: &SinkFailure, labels: Labels<'_>) -> Failure {
    Failure::new(Code::PersistFailed, wording::sink_failure(failure, labels))
}

fn story(refusal: &Refusal, clock: &dyn Clock) -> String {
    match refusal {
        Refusal::CandidateRejected(id) => format!(
            "The credential {id} was not accepted, and nothing has changed: check it and rotate again."
        ),
        Refusal::CandidateUnverified(id) => format!(
            "The credential {id} could not be proved in time or was withdrawn, and nothing has changed. \
             Rotate again when the token endpoint answers."
        ),
        Refusal::Conflict => {
            "Another rotation is open, has taken this one's place, or has undone it. \
                              Wait for its end, or rotate with supersede: true."
                .to_owned()
        }
        Refusal::NoCandidate(looked_at) if looked_at.is_empty() => {
            "There is no credential to go to: the overlap is over, or none is configured. Call rotate() \
             with clientId and clientSecret."
                .to_owned()
        }
        Refusal::NoCandidate(looked_at) => format!(
            "There is no credential to rotate to: {} configured credentials were looked at, and each is \
             active, previous or retired. Give clientSecret, or configure the new one.",
            looked_at.len()
        ),
        Refusal::NoCustody(id) => format!(
            "The credential {id} was accepted, but nothing keeps it beyond this process. The active one still works; \
             the new one stays a fallback in memory. Mend or configure persist, and rotate again."
        ),
        Refusal::RetireBlocked(missing) => wording::blocked(missing),
        Refusal::Degraded => "No known credential is accepted. Rotate to one that is.".to_owned(),
        Refusal::TokenUnavailable => {
            "No fresh token could be fetched, and nothing has changed.".to_owned()
        }
        Refusal::LifetimeTooShort { safe_until } => format!(
            "A fresh token bridges less than minRunwayMs asks for: tokens would be there for {} ms. \
             Ask for less.",
            millis(safe_until.since(clock.now()))
        ),
    }
}
