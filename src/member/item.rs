//! Something that concerns the record and waits for its turn, or for the ids of credentials.

use std::sync::Arc;

use super::event::Candidate;
use crate::clock::Timestamp;
use crate::credential::Credential;
use crate::rotation::{self, CallerId, Request};
use crate::source::Configured;
use crate::token::FreshToken;
use crate::verdict::{Arrival, Verdict};

/// Something that concerns the record.
#[derive(Debug)]
pub(super) enum Item {
    Configured(Configured),
    Answered(Box<Answered>),
    Asked {
        caller: CallerId,
        request: Request<Candidate>,
    },
    Rotation(rotation::RotationEvent),
    /// What is stored is to be read.
    Load,
}

/// What a token request brought.
#[derive(Debug)]
pub(super) struct Answered {
    pub(super) credential: Arc<Credential>,
    /// The refresh that waits for it.
    pub(super) flight: Option<u64>,
    pub(super) verdict: Arc<Verdict<Arrival>>,
    /// It may wait for an id, and proves nothing of the time since.
    pub(super) arrived_at: Timestamp,
}

impl Item {
    /// What time alone makes due.
    pub(super) const TICK: Self = Self::Rotation(rotation::RotationEvent::Ticked);

    /// The credentials whose ids it needs, but for one that a caller has named.
    pub(super) fn credentials(&self) -> Vec<&Arc<Credential>> {
        match self {
            Self::Configured(configured) => {
                let edges = configured.edges.iter();
                let ends = edges.flat_map(|edge| edge.from.iter().chain([&edge.to]));
                configured.credentials.iter().chain(ends).collect()
            }
            Self::Answered(answered) => vec![&answered.credential],
            Self::Asked { .. } | Self::Rotation(_) | Self::Load => Vec::new(),
        }
    }

    /// The credential whose answer it is.
    pub(super) fn answered(&self) -> Option<&Arc<Credential>> {
        match self {
            Self::Answered(answered) => Some(&answered.credential),
            _ => None,
        }
    }

    /// Whether it is the first reading of the sources, a token, or nothing.
    pub(super) fn is_uneventful(&self) -> bool {
        match self {
            Self::Configured(configured) => configured.edges.iter().all(|edge| edge.is_start),
            Self::Answered(answered) => answered.token_alone().is_some(),
            Self::Rotation(event) => matches!(event, rotation::RotationEvent::Ticked),
            Self::Asked { .. } => false,
            Self::Load => true,
        }
    }

    /// Whether a later one changes nothing.
    pub(super) fn covers(&self, later: &Self) -> bool {
        use rotation::RotationEvent::Ticked;
        match (self, later) {
            (Self::Configured(known), Self::Configured(read)) => {
                read.edges.is_empty() && yield_the_same(known, read)
            }
            (Self::Rotation(Ticked), Self::Rotation(Ticked)) => true,
            _ => false,
        }
    }

    /// Whether an earlier one tells nothing beside it.
    pub(super) fn supersedes(&self, earlier: &Self) -> bool {
        match (self, earlier) {
            (Self::Answered(latest), Self::Answered(earlier)) => latest.supersedes(earlier),
            _ => false,
        }
    }
}

impl Answered {
    /// The token, where one came and nobody asked for a check of it.
    fn token_alone(&self) -> Option<&FreshToken> {
        match &*self.verdict {
            Verdict::Accepted(Arrival { token, verify: None, .. }) => Some(token),
            _ => None,
        }
    }

    /// Whether an earlier one of the same credential has nothing to tell beside it.
    fn supersedes(&self, before: &Self) -> bool {
        let Some((token, old)) = self.token_alone().zip(before.token_alone()) else {
            return false;
        };
        // When the last of them expires is when the credential may be revoked.
        self.credential.is_same_as(&before.credential) && old.expires_at <= token.expires_at
    }
}

fn yield_the_same(one: &Configured, other: &Configured) -> bool {
    let is_described_alike = |(one, other): (&Arc<Credential>, &Arc<Credential>)| {
        one.is_same_as(other) && one.label == other.label && one.expires_at == other.expires_at
    };
    one.entries == other.entries
        && one.credentials.len() == other.credentials.len()
        && one.credentials.iter().zip(&other.credentials).all(is_described_alike)
}
