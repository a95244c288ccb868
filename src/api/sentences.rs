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
            "It is not tried again by itself: mend the place that it writes to, then call rotate() with the same secret, or \
             write the credential there yourself."
        }
        _ if failure.is_hanging => "It is tried again when this attempt has ended.",
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
                    "The token endpoint has to accept {name}, and has not yet: {} It is tried again.",
                    failure.message
                ),
                None => format!("The token endpoint is being asked with {name}."),
            }
        }
        WaitsOn::Custody { failures } if failures.is_empty() => {
            "The new credential is being written to where it outlives this process.".to_owned()
        }
        WaitsOn::Custody { failures } => format!(
            "The new credential is accepted, but nothing keeps it beyond this process.{} It takes over as soon as it \
             is written, or as soon as the active one is rejected.",
            persist_failures(failures, labels)
        ),
        WaitsOn::Members { members } if members.is_empty() => {
            "The list of the fleet's members is too young to be relied upon.".to_owned()
        }
        WaitsOn::Members { members } => {
            let ids: Vec<String> = members.iter().map(|it| format!("{:016x}", it.0)).collect();
            format!(
                "These members of the fleet do not have the active credential yet: {}.",
                ids.join(", ")
            )
        }
        WaitsOn::Persist { failures } if failures.is_empty() => {
            "The active credential is being written back.".to_owned()
        }
        WaitsOn::Persist { failures } => format!(
            "The previous credential stays until the active one is written back.{}",
            persist_failures(failures, labels)
        ),
        WaitsOn::Time(_) => {
            "The overlap goes on until its time has come; nothing is wrong.".to_owned()
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
        reasons.push("the list of members is too young to be relied upon".to_owned());
    }
    if !missing.acks.is_empty() || !missing.holders.is_empty() {
        let members = missing.acks.len().max(missing.holders.len());
        reasons.push(match members {
            1 => "one member does not have the active credential".to_owned(),
            members => format!("{members} members do not have the active credential"),
        });
    }
    if !missing.targets.is_empty() {
        reasons.push(match missing.targets.len() {
            1 => "one place was not written yet".to_owned(),
            places => format!("{places} places were not written yet"),
        });
    }
    if missing.custody {
        reasons.push("nothing keeps the active credential beyond this process".to_owned());
    }
    reasons
}

/// Why the previous credential cannot be retired, and what to do.
pub(super) fn blocked(what: &Missing) -> String {
    format!(
        "The previous credential is still needed: {}. Wait, or use force where members or places are missing.",
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
    let sinks = persist_failures(&change.persist_failures, labels);
    match &change.what {
        What::Moved(transition, why) => match transition {
            Transition::Started => format!("The {active} was accepted, and tokens are fetched with it."),
            Transition::Prepared => format!(
                "A fresh token is held, and nobody presents the {active}: its secret may be replaced at the provider \
                 now. Then give the new one to rotate(), or call cancel() if nothing was replaced."
            ),
            Transition::PreparationEnded => format!(
                "The preparation is over, and the {active} is presented again. If its secret was replaced at the \
                 provider meanwhile, give the new one to rotate() now."
            ),
            Transition::Staged => {
                format!("The {next} is being proved; the {active} stays active until it is.")
            }
            Transition::Promoted => format!(
                "The {active} is active. The {previous} stays a fallback until {}: do not revoke it at the provider \
                 before {}.",
                instant("retireNotBefore"),
                instant("safeToRevokeAt")
            ),
            Transition::PromotedAfterLeak => format!(
                "The {active} is active. What was active before has leaked, and was retired with its tokens: revoke \
                 both at the provider now."
            ),
            Transition::CandidateRejected => format!(
                "The {next} was not accepted and is given up; the {active} is active as before. Check the new secret, \
                 and rotate again.{said}"
            ),
            Transition::AwaitingProof => format!(
                "The {next} is neither accepted nor rejected yet, and is tried again; the {active} is active as \
                 before.{said}"
            ),
            Transition::CandidateWithdrawn => format!("{}{said}", withdrawn(&next, &active, *why)),
            Transition::Substituted => format!(
                "What was active was rejected, or no instance holds it any more; the {active} has taken over. Find out \
                 what happened to the other one, and replace it."
            ),
            Transition::FellBack => format!(
                "The new credential was rejected soon after its promotion, and the {active} has taken over again. \
                 Check the new one at the provider, and rotate again."
            ),
            Transition::RolledBack => format!(
                "The {active} is active again, as was asked for. The {previous} is its fallback until {}.",
                instant("retireNotBefore")
            ),
            Transition::Abandoned => format!(
                "No live instance holds the new credential any more, and the {active} has taken over again. Bring the \
                 new one to the instances' configuration, and rotate again."
            ),
            Transition::Retired => format!(
                "The {previous} is retired and is not presented any more. It may be revoked at the provider from {} on.",
                instant("safeToRevokeAt")
            ),
            Transition::Overdue => format!("The {previous} cannot be retired yet."),
            Transition::Degraded => "No known credential is accepted any more. The token that is held serves to its end. \
                 Put an accepted one into a source, or give it to rotate()."
                .to_owned(),
            Transition::Recovered => format!("The {active} is accepted again, and tokens are fetched with it."),
        },
        What::AwaitsCustody => format!(
            "The {next} is accepted, but nothing keeps it beyond this process, so the {active} stays active.{sinks} \
             If the active secret is dead already, the new one takes over at once. Keep the new one at hand until then."
        ),
        What::NotPersisted => format!(
            "The {active} is active, but nothing keeps it beyond this process, and it is lost with it.{sinks} Write it to \
             where the service reads its credentials from, before this process ends."
        ),
        What::Overdue(what) => format!(
            "The {previous} should be retired by now, and cannot be: {}.{sinks} Mend that, or call retireNow({{ force: \
             true }}) to go without members and places.",
            missing(what).join("; ")
        ),
        What::CompromisedIgnored => format!(
            "A source has brought back the {next}, which was retired because it had leaked; it is ignored. Take it out \
             of the source."
        ),
    }
}

/// Why a candidate was given up without having been rejected.
fn withdrawn(next: &str, active: &str, why: Option<Why>) -> String {
    match why {
        Some(Why::NoCustody) => format!(
            "The {next} was accepted, but nothing kept it beyond this process; the {active} still works and stays \
             active, and the new one stays a fallback in memory. Mend persist, and rotate again."
        ),
        Some(Why::RetireBlocked) => format!(
            "The {next} was accepted, but the fallback of the rotation before could not be retired in time. It stays a \
             fallback; rotate again when that overlap is over."
        ),
        Some(Why::Superseded) => format!(
            "Another rotation has taken the place of the one to the {next}; the {active} stays active until it is proved."
        ),
        Some(Why::Withdrawn) => {
            format!("The source of the {next} yields the {active} again, which stays active.")
        }
        Some(Why::CallerLeft) => format!(
            "Nobody waits for the {next} any more, and no source yields it; the {active} stays active. Rotate again to \
             try it once more."
        ),
        Some(Why::NotHeld) => format!(
            "No live instance holds the {next} any more; the {active} stays active. Rotate again."
        ),
        Some(Why::Deadline | Why::Rejected) | None => format!(
            "Nothing has proved the {next} within 10 minutes; the {active} stays active. Rotate again when the token \
             endpoint answers."
        ),
    }
}
