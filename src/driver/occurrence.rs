//! Something that happened, on its way to becoming an event.

use std::sync::Arc;

use super::message::{CredentialName, Event, HandleId, MissingMessage, SourceChanged, millis};
use super::report;
use crate::clock::Clock;
use crate::credential::Credential;
use crate::error::Failure;
use crate::member::Change;
use crate::refresh::Notice;
use crate::rotation::SinkOutcome;
use crate::source::{SourceChange, SourceNotice};

/// What happened, before anyone has computed a credential's public id.
#[derive(Debug)]
pub(super) enum Occurrence {
    /// The token lifecycle has something to tell.
    Notice(Notice),
    /// The endpoint stopped accepting a credential.
    Rejected { credential: Arc<Credential>, failure: Failure },
    /// The credential lifecycle has something to tell.
    Rotation { change: Box<Change>, missing: Option<MissingMessage>, message: String },
    /// A sink of one handle was written, or not.
    Persisted {
        owner: HandleId,
        entry: usize,
        credential: Arc<Credential>,
        outcome: SinkOutcome,
        message: Option<String>,
    },
    /// A credential expires soon.
    Expiring { credential: Arc<Credential>, expires_at: i64, days_left: u32 },
    /// A source of one handle has.
    Source { owner: HandleId, notice: SourceNotice },
}

impl Occurrence {
    /// The credential that the event will name.
    pub(super) fn credential(&self) -> Option<&Arc<Credential>> {
        match self {
            Self::Notice(Notice::Token(token)) => Some(&token.credential),
            Self::Rejected { credential, .. }
            | Self::Persisted { credential, .. }
            | Self::Expiring { credential, .. } => Some(credential),
            Self::Notice(_) | Self::Rotation { .. } | Self::Source { .. } => None,
        }
    }

    /// The event, as JavaScript sees it.
    pub(super) fn describe(&self, clock: &dyn Clock) -> Event {
        match self {
            Self::Notice(Notice::Token(token)) => Event::Token {
                serial: token.serial,
                credential: CredentialName::of(&token.credential),
                issued_at: clock.utc_millis(token.issued_at),
                expires_at: clock.utc_millis(token.expires_at),
                refresh_at: clock.utc_millis(token.refresh_at),
            },
            Self::Notice(Notice::TokenRetired { serial, reason }) => {
                Event::TokenRetired { serial: *serial, reason: *reason }
            }
            Self::Rejected { credential, failure } => Event::CredentialRejected {
                credential: CredentialName::of(credential),
                error: failure.clone(),
            },
            Self::Rotation { change, missing, message } => {
                let (missing, message) = (missing.clone(), message.clone());
                Event::Rotation(Box::new(report::change(change, missing, message, clock)))
            }
            Self::Persisted { entry, credential, outcome, message, .. } => Event::Persisted {
                entry: *entry,
                outcome: report::outcome(*outcome),
                credential: CredentialName::of(credential),
                message: message.clone(),
            },
            Self::Expiring { credential, expires_at, days_left } => Event::CredentialExpiring {
                credential: CredentialName::of(credential),
                expires_at: *expires_at,
                days_left: *days_left,
            },
            Self::Notice(Notice::RefreshFailed { failure, next_attempt, runway }) => {
                Event::RefreshFailed {
                    error: failure.clone(),
                    next_attempt_at: clock.utc_millis(*next_attempt),
                    runway_ms: millis(*runway),
                }
            }
            Self::Notice(Notice::InvalidateIgnored { serial, retry_after }) => {
                Event::InvalidateIgnored { serial: *serial, retry_after_ms: millis(*retry_after) }
            }
            Self::Notice(Notice::ThreadRestarted) => Event::ThreadRestarted {},
            Self::Source { notice, .. } => Event::Source {
                entry: notice.entry,
                label: notice.label.clone(),
                change: match &notice.change {
                    SourceChange::Changed => SourceChanged::Changed,
                    SourceChange::Emptied => SourceChanged::Emptied,
                    SourceChange::Unreadable(message) => {
                        SourceChanged::Unreadable { message: message.clone() }
                    }
                    SourceChange::Throttled(message) => {
                        SourceChanged::Throttled { message: message.clone() }
                    }
                },
            },
        }
    }

    /// The handle it concerns alone, if it does.
    pub(super) fn owner(&self) -> Option<HandleId> {
        match self {
            Self::Source { owner, .. } | Self::Persisted { owner, .. } => Some(*owner),
            Self::Notice(_)
            | Self::Rejected { .. }
            | Self::Rotation { .. }
            | Self::Expiring { .. } => None,
        }
    }
}

impl CredentialName {
    /// Names a credential; its id, if that is derived.
    pub(super) fn of(credential: &Credential) -> Self {
        Self {
            credential_id: credential.has_id().then(|| credential.id().to_string()),
            label: credential.label.clone(),
            client_id: credential.client_id.clone(),
        }
    }
}
