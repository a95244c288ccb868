//! Events: what happened, and how it becomes what JavaScript hears.

use std::sync::Arc;

use serde::Serialize;

use super::change::ChangeMessage;
use super::credential::CredentialName;
use super::handle::HandleId;
use super::instant::{Calendar, UtcMillis, millis};
use super::sentences::Labels;
use crate::credential::Credential;
use crate::error::Failure;
use crate::member::{Member, MemberNotice};
use crate::policy::expiring::ExpiryWarning;
use crate::refresh::{self, Retirement};
use crate::rotation::PersistOutcome;
use crate::source::{Owner, SourceChange, SourceNotice};

/// An event, for all handles of one manager in one environment.
#[derive(Debug, Clone, Serialize)]
pub struct EventMessage {
    /// The handles, in the order in which they were opened.
    pub handles: Vec<HandleId>,
    /// +1 with every event of the manager.
    pub seq: u64,
    /// When it happened.
    pub at: UtcMillis,
    /// What happened.
    #[serde(flatten)]
    pub event: ApiEvent,
}

/// What happened. No secret and no token is in it.
#[derive(Debug, Clone, Serialize)]
#[serde(
    tag = "event",
    content = "payload",
    rename_all = "kebab-case",
    rename_all_fields = "camelCase"
)]
#[expect(missing_docs, reason = "the fields are those of index.d.ts, which documents them")]
pub enum ApiEvent {
    Token {
        serial: u64,
        #[serde(flatten)]
        credential: CredentialName,
        issued_at: UtcMillis,
        expires_at: UtcMillis,
        refresh_at: UtcMillis,
    },
    TokenRetired {
        serial: u64,
        reason: Retirement,
    },
    CredentialRejected {
        #[serde(flatten)]
        credential: CredentialName,
        error: Failure,
    },
    RefreshFailed {
        error: Failure,
        next_attempt_at: UtcMillis,
        runway_ms: u64,
    },
    InvalidateIgnored {
        serial: u64,
        retry_after_ms: u64,
    },
    Source {
        entry: usize,
        #[serde(skip_serializing_if = "Option::is_none")]
        label: Option<String>,
        #[serde(flatten)]
        change: SourceChanged,
    },
    ThreadRestarted {},
    KeyAdded {
        key: String,
    },
    KeyRetired {
        key: String,
    },
    KeyUnreadable {
        key: String,
        message: String,
    },
    Rotation(Box<ChangeMessage>),
    Persisted {
        entry: usize,
        outcome: &'static str,
        #[serde(flatten)]
        credential: CredentialName,
        #[serde(skip_serializing_if = "Option::is_none")]
        message: Option<String>,
    },
    CredentialExpiring {
        #[serde(flatten)]
        credential: CredentialName,
        expires_at: UtcMillis,
        days_left: u32,
    },
}

impl ApiEvent {
    /// The name of the credential that it is about, where it names one.
    fn credential_mut(&mut self) -> Option<&mut CredentialName> {
        match self {
            Self::Token { credential, .. }
            | Self::CredentialRejected { credential, .. }
            | Self::Persisted { credential, .. }
            | Self::CredentialExpiring { credential, .. } => Some(credential),
            Self::TokenRetired { .. }
            | Self::RefreshFailed { .. }
            | Self::InvalidateIgnored { .. }
            | Self::Source { .. }
            | Self::ThreadRestarted {}
            | Self::KeyAdded { .. }
            | Self::KeyRetired { .. }
            | Self::KeyUnreadable { .. }
            | Self::Rotation(_) => None,
        }
    }
}

/// What a source did.
#[derive(Debug, Clone, Serialize)]
#[serde(tag = "change", rename_all = "kebab-case")]
pub enum SourceChanged {
    /// It yields another credential than before.
    Changed,
    /// It yields nothing any more.
    Emptied,
    /// It could not be read.
    Unreadable {
        /// Why it could not be read.
        message: String,
    },
    /// It changes so often that only some changes are taken up.
    Throttled {
        /// What to do.
        message: String,
    },
}

impl From<SourceChange> for SourceChanged {
    fn from(change: SourceChange) -> Self {
        match change {
            SourceChange::Changed => Self::Changed,
            SourceChange::Emptied => Self::Emptied,
            SourceChange::Unreadable(message) => Self::Unreadable { message },
            SourceChange::Throttled(message) => Self::Throttled { message },
        }
    }
}

/// An event that nobody has heard yet. The id of the credential that it names may still be unknown.
#[derive(Debug)]
pub struct UntoldEvent {
    event: ApiEvent,
    /// The credential that the event names.
    credential: Option<Arc<Credential>>,
    owner: Option<HandleId>,
}

impl UntoldEvent {
    /// What a member tells.
    pub fn of_notice(
        notice: MemberNotice,
        member: &Member,
        labels: Labels<'_>,
        calendar: Calendar<'_>,
    ) -> Self {
        match notice {
            MemberNotice::Token(notice) => Self::of_token(notice, calendar),
            MemberNotice::CredentialRejected { credential, failure } => {
                Self::naming(credential, |name| ApiEvent::CredentialRejected {
                    credential: name,
                    error: failure,
                })
            }
            MemberNotice::Rotation(change) => {
                let change = ChangeMessage::of(&change, member, labels, calendar);
                Self::anonymous(ApiEvent::Rotation(Box::new(change)))
            }
            MemberNotice::Persisted { place, credential, outcome, message } => {
                let told = Self::naming(credential, |name| ApiEvent::Persisted {
                    entry: place.index,
                    outcome: self::outcome(outcome),
                    credential: name,
                    message,
                });
                Self { owner: Some(place.owner), ..told }
            }
        }
    }

    fn of_token(notice: refresh::RefreshNotice, calendar: Calendar<'_>) -> Self {
        match notice {
            refresh::RefreshNotice::Token(token) => {
                let event = ApiEvent::Token {
                    serial: token.serial,
                    credential: CredentialName::of_maker(&token.made_with),
                    issued_at: calendar.utc(token.issued_at),
                    expires_at: calendar.utc(token.expires_at),
                    refresh_at: calendar.utc(token.refresh_at),
                };
                Self { event, credential: token.made_with.here().cloned(), owner: None }
            }
            refresh::RefreshNotice::TokenRetired { serial, reason } => {
                Self::anonymous(ApiEvent::TokenRetired { serial, reason })
            }
            refresh::RefreshNotice::RefreshFailed { failure, next_attempt, runway } => {
                Self::anonymous(ApiEvent::RefreshFailed {
                    error: failure,
                    next_attempt_at: calendar.utc(next_attempt),
                    runway_ms: millis(runway),
                })
            }
            refresh::RefreshNotice::InvalidateIgnored { serial, retry_after } => {
                let retry_after_ms = millis(retry_after);
                Self::anonymous(ApiEvent::InvalidateIgnored { serial, retry_after_ms })
            }
            refresh::RefreshNotice::ThreadRestarted => {
                Self::anonymous(ApiEvent::ThreadRestarted {})
            }
        }
    }

    /// What a source of one handle did; the event is for that handle alone.
    pub fn of_source(owner: Owner, notice: SourceNotice) -> Self {
        let SourceNotice { entry, label, change } = notice;
        let event = ApiEvent::Source { entry, label, change: change.into() };
        Self { owner: Some(owner), ..Self::anonymous(event) }
    }

    /// A credential expires soon.
    pub fn of_expiry(warning: ExpiryWarning) -> Self {
        let ExpiryWarning { credential, expires_at, days_left } = warning;
        Self::naming(credential, |name| ApiEvent::CredentialExpiring {
            credential: name,
            expires_at: UtcMillis(expires_at),
            days_left,
        })
    }

    fn naming(credential: Arc<Credential>, event: impl FnOnce(CredentialName) -> ApiEvent) -> Self {
        let event = event(CredentialName::of(&credential));
        Self { event, credential: Some(credential), owner: None }
    }

    fn anonymous(event: ApiEvent) -> Self {
        Self { event, credential: None, owner: None }
    }

    /// The credential whose id has to be derived before this can be told.
    pub fn unnamed(&self) -> Option<&Arc<Credential>> {
        self.credential.as_ref().filter(|credential| !credential.has_id())
    }

    /// The only handle that hears it; every handle does if there is none.
    pub fn owner(&self) -> Option<HandleId> {
        self.owner
    }

    /// The event, with the id of its credential where that is known by now.
    pub fn into_event(self) -> ApiEvent {
        let mut event = self.event;
        if let Some((name, credential)) = event.credential_mut().zip(self.credential) {
            *name = CredentialName::of(&credential);
        }
        event
    }
}

fn outcome(outcome: PersistOutcome) -> &'static str {
    match outcome {
        PersistOutcome::Done => "done",
        PersistOutcome::Failed => "failed",
        PersistOutcome::Impossible => "impossible",
    }
}

/// What a persist function says of its write: `done`, `impossible`, or else `failed`.
pub fn persist_outcome(word: &str) -> PersistOutcome {
    match word {
        "done" => PersistOutcome::Done,
        "impossible" => PersistOutcome::Impossible,
        _ => PersistOutcome::Failed,
    }
}
