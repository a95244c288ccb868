//! Sentences for people: what happened, with which credential, and what to do.
//!
//! A sentence names an instant by the member of the payload that holds it, between two marks: each
//! environment shows it in its own time zone. The mark is a control character, which no text of
//! others contains.

use crate::member::{Change, Name, PersistFailure, WaitsOn, What, Why};
use crate::rotation::{Missing, PersistOutcome, Transition};
use crate::source::EntryPlace;

/// Stands before and after the name of an instant.
const MARK: char = '\u{1}';

/// The label of an entry, where it has one.
pub(super) type Labels<'a> = &'a dyn Fn(EntryPlace) -> Option<String>;

/// An instant of the payload.
fn instant(member: &str) -> String {
    format!("{MARK}{member}{MARK}")
}

/// A credential, as people may read of it.
pub(super) fn credential(name: &Name) -> String {
    let Name { id, label, client_id } = name;
    let client =
        if client_id.is_empty() { String::new() } else { format!("client id {client_id}, ") };
    let label = label.as_ref().map(|label| format!(" \"{label}\"")).unwrap_or_default();
    format!("credential{label} ({client}id {id})")
}

/// An entry of the list of credentials.
pub(super) fn entry(place: EntryPlace, labels: Labels<'_>) -> String {
    let label = labels(place).map(|label| format!(" (\"{label}\")")).unwrap_or_default();
    format!("credentials[{}]{label}", place.index)
}

/// Why a place was not written, and what to do.
pub(super) fn persist_failure(failure: &PersistFailure, labels: Labels<'_>) -> String {
    let entry = entry(failure.place, labels);
    let advice = match failure.outcome {
        PersistOutcome::Impossible => {
            "It is not tried again automatically: repair the place that it writes to, then call rotate() with the \
             same secret, or write the credential there yourself."
        }
        _ if failure.is_hanging => "It is tried again when this attempt has settled.",
        PersistOutcome::Failed | PersistOutcome::Done => "It is tried again every 10 s.",
    };
    let reason = if failure.message.is_empty() { "no reason is known" } else { &failure.message };
    format!("persist of {entry} failed: {reason}. {advice}")
}

fn persist_failures(failures: &[PersistFailure], labels: Labels<'_>) -> String {
    failures.iter().flat_map(|failure| [" ".to_owned(), persist_failure(failure, labels)]).collect()
}

/// What a rotation waits for, and what to do.
pub(super) fn waiting(on: &WaitsOn, labels: Labels<'_>) -> String {
    match on {
        WaitsOn::Proof { credential, failure } => {
            let name = self::credential(credential);
            match failure {
                Some(failure) => format!(
                    "The token endpoint has not accepted {name} yet: {} It is tried again.",
                    failure.message
                ),
                None => format!("A token request with {name} is under way."),
            }
        }
        WaitsOn::Custody { failures } if failures.is_empty() => {
            "A durable copy of the new credential is being written.".to_owned()
        }
        WaitsOn::Custody { failures } => format!(
            "The new credential is accepted, but it has no durable copy.{} It takes over as soon as it is written, \
             or as soon as the active one is rejected.",
            persist_failures(failures, labels)
        ),
        WaitsOn::Members { count: 0 } => {
            "The list of the fleet's members is not complete yet.".to_owned()
        }
        WaitsOn::Members { count: 1 } => {
            "One member of the fleet does not have the active credential yet.".to_owned()
        }
        WaitsOn::Members { count } => {
            format!("{count} members of the fleet do not have the active credential yet.")
        }
        WaitsOn::Persist { failures } if failures.is_empty() => {
            "The active credential is being persisted.".to_owned()
        }
        WaitsOn::Persist { failures } => format!(
            "The previous credential stays until the active one is persisted.{}",
            persist_failures(failures, labels)
        ),
        WaitsOn::Time(_) => {
            "The overlap continues until retireNotBefore; nothing is wrong.".to_owned()
        }
    }
}

/// What stands between the previous credential and its retirement.
fn missing(missing: &Missing) -> Vec<String> {
    let mut reasons = Vec::new();
    if missing.proof {
        reasons.push("the active credential was not accepted in the last minute".to_owned());
    }
    if missing.table {
        reasons.push("the list of members is not complete yet".to_owned());
    }
    if missing.members() > 0 {
        reasons.push(match missing.members() {
            1 => "one member does not have the active credential".to_owned(),
            members => format!("{members} members do not have the active credential"),
        });
    }
    if !missing.targets.is_empty() {
        reasons.push(match missing.targets.len() {
            1 => "one persist has not succeeded yet".to_owned(),
            persists => format!("{persists} persists have not succeeded yet"),
        });
    }
    if missing.custody {
        reasons.push("the active credential has no durable copy".to_owned());
    }
    reasons
}

/// Why the previous credential cannot be retired, and what to do.
pub(super) fn blocked(what: &Missing) -> String {
    format!(
        "The previous credential is still needed: {}. Wait, or use force if only members or persists are missing.",
        missing(what).join("; ")
    )
}

/// What a change of the credentials means, and what to do.
pub(super) fn change(change: &Change, labels: Labels<'_>) -> String {
    let name =
        |name: &Option<Name>| name.as_ref().map_or_else(|| "the credential".to_owned(), credential);
    let (active, next, previous) =
        (name(&change.active), name(&change.next), name(&change.previous));
    let said = change.failure.as_ref().map(|it| format!(" {}", it.message)).unwrap_or_default();
    let persists = persist_failures(&change.persist_failures, labels);
    match &change.what {
        What::Moved(transition, why) => match transition {
            Transition::Started => {
                format!("The {active} was accepted, and tokens are fetched with it.")
            }
            Transition::Prepared => format!(
                "A fresh token is held, and nobody presents the {active}: its secret may be replaced at the provider \
                 now. Then give the new one to rotate(), or call cancel() if nothing was replaced."
            ),
            Transition::PreparationEnded => format!(
                "The preparation is over, and the {active} is presented again. If its secret was replaced at the \
                 provider meanwhile, give the new one to rotate() now."
            ),
            Transition::Staged => {
                format!("The {next} is being proved; the {active} stays active until then.")
            }
            Transition::Promoted => format!(
                "The {active} is active. The {previous} stays a fallback until {}: do not revoke it at the provider \
                 before {}.",
                instant("retireNotBefore"),
                instant("safeToRevokeAt")
            ),
            Transition::PromotedAfterLeak => format!(
                "The {active} is active. The previous credential has leaked, and was retired together with its \
                 tokens: revoke both at the provider now."
            ),
            Transition::CandidateRejected => format!(
                "The {next} was not accepted and is given up; the {active} stays active. Check the new secret, and \
                 rotate again.{said}"
            ),
            Transition::AwaitingProof => format!(
                "The {next} is neither accepted nor rejected yet, and is tried again; the {active} stays \
                 active.{said}"
            ),
            Transition::CandidateWithdrawn => format!("{}{said}", withdrawn(&next, &active, *why)),
            Transition::Substituted => format!(
                "The active credential was rejected, or no instance holds it any longer, so the {active} has taken \
                 over. Find out what happened to the other credential, and replace it."
            ),
            Transition::FellBack => format!(
                "The new credential was rejected soon after its promotion, and the {active} has taken over again. \
                 Check the new one at the provider, and rotate again."
            ),
            Transition::RolledBack => format!(
                "The {active} is active again, because a rollback was requested. The {previous} is its fallback \
                 until {}.",
                instant("retireNotBefore")
            ),
            Transition::Abandoned => format!(
                "No live instance holds the new credential any longer, so the {active} has taken over. Add the new \
                 credential to the instances' configuration, and rotate again."
            ),
            Transition::Retired => format!(
                "The {previous} is retired and is no longer presented. It may be revoked at the provider from {} \
                 on.",
                instant("safeToRevokeAt")
            ),
            Transition::Overdue => format!("The {previous} cannot be retired yet."),
            Transition::Degraded => {
                "No known credential is accepted any longer. The held token is used until it \
                 expires. Put an accepted credential into a source, or give it to rotate()."
                    .to_owned()
            }
            Transition::Recovered => {
                format!("The {active} is accepted again, and tokens are fetched with it.")
            }
        },
        What::AwaitsCustody => format!(
            "The {next} is accepted, but it has no durable copy, so the {active} stays active.{persists} If the \
             active secret is already dead, the new one takes over at once. Keep the new secret at hand until then."
        ),
        What::NotPersisted => format!(
            "The {active} is active, but it has no durable copy and is lost when this process ends.{persists} Before \
             that, write it to the place that the service reads its credentials from."
        ),
        What::Overdue(what, _) => format!(
            "The {previous} should be retired by now, but cannot be: {}.{persists} Repair that, or call retireNow({{ \
             force: true }}), which does not wait for members and persists.",
            missing(what).join("; ")
        ),
        What::CompromisedIgnored => format!(
            "A source has brought back the {next}, which was retired because it had leaked. It is ignored. Remove it \
             from the source."
        ),
    }
}

/// Why a candidate was given up without having been rejected.
fn withdrawn(next: &str, active: &str, why: Option<Why>) -> String {
    match why {
        Some(Why::NoCustody) => format!(
            "The {next} was accepted, but got no durable copy. The {active} still works and stays active; the new \
             one stays a fallback in memory. Repair persist, and rotate again."
        ),
        Some(Why::RetireBlocked) => format!(
            "The {next} was accepted, but the fallback of the previous rotation could not be retired in time. The \
             {next} stays a fallback; rotate again when that overlap is over."
        ),
        Some(Why::Superseded) => format!(
            "Another rotation has taken the place of the rotation to the {next}. The {active} stays active until the \
             new candidate is proved."
        ),
        Some(Why::Withdrawn) => {
            format!("The source of the {next} yields the {active} again, which stays active.")
        }
        Some(Why::CallerLeft) => format!(
            "Nobody waits for the {next} any longer, and no source yields it; the {active} stays active. Rotate \
             again to try it once more."
        ),
        Some(Why::NotHeld) => format!(
            "No live instance holds the {next} any longer; the {active} stays active. Rotate again."
        ),
        Some(Why::Deadline | Why::Rejected) | None => format!(
            "The {next} could not be proved within 10 minutes; the {active} stays active. Rotate again when the \
             token endpoint works."
        ),
    }
}
