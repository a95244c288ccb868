//! The event `rotation`: a change of the credentials.

use serde::Serialize;

use super::credential::CredentialName;
use super::instant::{Calendar, UtcMillis};
use super::rotation::phase;
use super::sentences::{self, Labels};
use crate::clock::Timestamp;
use crate::error::Failure;
use crate::member::{Change, Member, NamedMembers, What, Why};
use crate::rotation::{MemberId, Missing, Transition};

/// A change of the credentials, or something that people should know of them.
#[derive(Debug, Clone, Serialize)]
#[serde(rename_all = "camelCase")]
#[expect(missing_docs, reason = "the fields are those of index.d.ts, which documents them")]
pub struct ChangeMessage {
    pub change: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub rotation_id: Option<String>,
    pub from: &'static str,
    pub to: &'static str,
    pub generation: u64,
    pub active: Option<CredentialName>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub previous: Option<CredentialName>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub next: Option<CredentialName>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub retire_not_before: Option<UtcMillis>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub safe_to_revoke_at: Option<UtcMillis>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub missing: Option<MissingMessage>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub reason: Option<&'static str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub error: Option<Failure>,
    pub message: String,
}

impl ChangeMessage {
    /// A change as the member tells it.
    pub fn of(
        change: &Change,
        member: &Member,
        labels: Labels<'_>,
        calendar: Calendar<'_>,
    ) -> Self {
        let utc = |at: Timestamp| calendar.utc(at);
        let (word, reason, missing) = match &change.what {
            What::Moved(transition, why) => (moved(*transition), why.map(self::why), None),
            What::AwaitsCustody => ("awaiting-custody", None, None),
            What::NotPersisted => ("not-persisted", None, None),
            What::Overdue(missing, named) => {
                ("overdue", None, Some(MissingMessage::of(missing, named, member)))
            }
            What::CompromisedIgnored => ("compromised-ignored", None, None),
        };
        Self {
            change: word,
            rotation_id: change.rotation.as_ref().map(ToString::to_string),
            from: phase(change.from),
            to: phase(change.to),
            generation: change.generation,
            active: change.active.as_ref().map(Into::into),
            previous: change.previous.as_ref().map(Into::into),
            next: change.next.as_ref().map(Into::into),
            retire_not_before: change.retire_not_before.map(utc),
            safe_to_revoke_at: change.safe_to_revoke_at.map(utc),
            missing,
            reason,
            error: change.failure.clone(),
            message: sentences::change(change, labels),
        }
    }
}

/// What stands between the previous credential and its retirement.
#[derive(Debug, Clone, Serialize)]
#[expect(missing_docs, reason = "the fields are those of index.d.ts, which documents them")]
pub struct MissingMessage {
    pub proof: bool,
    pub members: u32,
    pub acks: Vec<String>,
    pub holders: Vec<String>,
    /// The places that were not written, by the positions of their entries.
    pub sinks: Vec<usize>,
    pub custody: bool,
}

impl MissingMessage {
    /// What is missing; `member` knows the entries of the places.
    pub fn of(missing: &Missing, named: &NamedMembers, member: &Member) -> Self {
        let ids =
            |members: &[MemberId]| members.iter().map(|it| format!("{:016x}", it.0)).collect();
        let places = missing.targets.iter().filter_map(|slot| member.place_of(*slot));
        Self {
            proof: missing.proof,
            members: missing.members(),
            acks: ids(&named.behind),
            holders: ids(&named.without),
            sinks: places.map(|place| place.index).collect(),
            custody: missing.custody,
        }
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
