//! What a token endpoint grants, and the token that is held because of it.

use std::ops::Deref;
use std::sync::Arc;
use std::time::Duration;

use crate::clock::Timestamp;
use crate::credential::{Credential, CredentialId};
use crate::error::{Code, Failure};
use crate::secret::Secret;

/// A usable answer of the token endpoint (RFC 6749 §5.1).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Grant {
    /// A token that may stand in an `Authorization: Bearer` header (RFC 6750 §2.1).
    pub access_token: Secret,
    /// How long it lives, counted from the moment the request was sent.
    pub lifetime: Duration,
    /// When the endpoint wants to be asked again, where it says so (`refresh_in`).
    pub refresh_in: Option<Duration>,
    /// The granted scope, where it differs from the one asked for.
    pub scope: Option<String>,
}

/// Names one token among all that were ever shared: a number at random, which whoever fetched it has
/// drawn.
///
/// A serial does not: a store that was emptied counts from the beginning.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct TokenId(pub u64);

/// A token as it came, with the instants of its life in order.
#[derive(Debug, Clone)]
pub struct FreshToken {
    /// Which one it is.
    pub id: TokenId,
    /// The token.
    pub text: Secret,
    /// What it was obtained with.
    pub made_with: Maker,
    /// When the request for it was sent: its life is counted from here, to be safe.
    pub issued_at: Timestamp,
    /// When the answer with it came.
    pub received_at: Timestamp,
    /// When it expires, as the endpoint says or by `max_token_age`.
    pub expires_at: Timestamp,
    /// When its soft window begins.
    pub soft_at: Timestamp,
    /// When the next token is fetched, if nothing happens before.
    pub refresh_at: Timestamp,
    /// Until when it is handed out: its expiry less the margin.
    pub usable_until: Timestamp,
}

/// What a token was obtained with.
#[derive(Debug, Clone)]
pub enum Maker {
    /// A credential that is here.
    Here(Arc<Credential>),
    /// One that only other members of the fleet hold.
    Elsewhere(CredentialId),
}

/// The token that is handed out.
#[derive(Debug, Clone)]
pub struct HeldToken {
    /// +1 with every token of this logical client.
    pub serial: u64,
    /// The token itself.
    pub token: Arc<FreshToken>,
}

impl Deref for HeldToken {
    type Target = FreshToken;

    fn deref(&self) -> &FreshToken {
        &self.token
    }
}

impl Maker {
    /// The credential, where it is here.
    pub fn here(&self) -> Option<&Arc<Credential>> {
        match self {
            Self::Here(credential) => Some(credential),
            Self::Elsewhere(_) => None,
        }
    }

    /// Its id, unless nobody has needed that yet.
    pub fn id(&self) -> Option<CredentialId> {
        match self {
            Self::Here(credential) => credential.has_id().then(|| credential.id()),
            Self::Elsewhere(id) => Some(*id),
        }
    }

    /// Whether both are the same credential, as far as that is known.
    pub fn is_same_as(&self, other: &Self) -> bool {
        match (self, other) {
            (Self::Here(one), Self::Here(other)) => one.is_same_as(other),
            _ => self.id().is_some() && self.id() == other.id(),
        }
    }
}

impl FreshToken {
    /// How long it may still be handed out.
    pub fn runway(&self, now: Timestamp) -> Duration {
        self.usable_until.since(now)
    }

    /// How long it could be handed out, counted from when it came.
    pub fn usable_life(&self) -> Duration {
        self.usable_until.since(self.received_at)
    }
}

/// Why a token that came is of no use.
pub fn unusable_on_arrival(
    grant: &Grant,
    life: Duration,
    now: Timestamp,
    sent_at: Timestamp,
) -> Failure {
    Failure::new(
        Code::Misconfigured,
        format!(
            "The token endpoint's token cannot be used: it lives {} ms, {} ms of them passed while it was fetched, \
             and the rest lies within the expiry margin. Ask for longer-lived tokens, or lower expiryMarginMs or \
             raise maxTokenAgeMs (here the life used is {} ms).",
            grant.lifetime.as_millis(),
            now.since(sent_at).as_millis(),
            life.as_millis(),
        ),
    )
}
