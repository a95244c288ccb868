//! Something that happened, on its way to becoming an event.

use super::message::{CredentialName, Event, HandleId, SourceChanged, millis};
use crate::clock::Clock;
use crate::credential::Credential;
use crate::refresh::Notice;
use crate::source::{SourceChange, SourceNotice};

/// What happened, before anyone has computed a credential's public id.
#[derive(Debug)]
pub(super) enum Occurrence {
    /// The machine has something to tell.
    Notice(Notice),
    /// A source of one handle has.
    Source { owner: HandleId, notice: SourceNotice },
}

impl Occurrence {
    /// The credential that the event will name.
    pub(super) fn credential(&self) -> Option<&Credential> {
        match self {
            Self::Notice(Notice::Token(token)) => Some(&token.credential),
            Self::Notice(Notice::CredentialRejected { credential, .. }) => Some(credential),
            Self::Notice(_) | Self::Source { .. } => None,
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
            Self::Notice(Notice::CredentialRejected { credential, failure }) => {
                Event::CredentialRejected {
                    credential: CredentialName::of(credential),
                    error: failure.clone(),
                }
            }
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
                },
            },
        }
    }

    /// The handle it concerns alone, if it does.
    pub(super) fn owner(&self) -> Option<HandleId> {
        match self {
            Self::Source { owner, .. } => Some(*owner),
            Self::Notice(_) => None,
        }
    }
}

impl CredentialName {
    /// Names a credential; takes about 20 ms of CPU time when its id was never asked for.
    pub(super) fn of(credential: &Credential) -> Self {
        Self {
            credential_id: credential.id().to_string(),
            label: credential.label.clone(),
            client_id: credential.client_id.clone(),
        }
    }
}
