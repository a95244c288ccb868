//! What can be asked of the credential lifecycle.

use std::time::Duration;

use url::Url;

use super::history::RotationId;
use crate::credential::CredentialId;

/// Something that a caller asks of the credential lifecycle.
///
/// `C` is how the candidate of a rotation is named: by its secret until its id is known, then by
/// its id. See [`Request::map_candidate`].
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub enum Request<C = CredentialId> {
    /// To make a credential the active one.
    Rotate(Rotate<C>),
    /// To have a token that lives long enough, and nobody who presents the active credential.
    Prepare {
        /// How long the token has to live at least.
        min_runway: Duration,
    },
    /// To end the preparation.
    CancelPreparation,
    /// To make the credential that this rotation replaced the active one again.
    RollBack(RotationId),
    /// To end the overlap of a rotation now.
    Retire {
        /// The rotation that opened the overlap.
        rotation: RotationId,
        /// Whether the overlap ends even though members or persist targets are missing.
        force: bool,
    },
}

/// See [`Request::Rotate`].
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Rotate<C = CredentialId> {
    /// What is to become active; none: the first configured credential that is not in use.
    pub candidate: Option<C>,
    /// The idempotency key; none: made from the candidate.
    pub rotation: Option<RotationId>,
    /// Whether it takes the place of the rotation that is open.
    pub supersede: bool,
    /// Whether the active credential has leaked.
    pub compromised: bool,
    /// A request that the candidate's token has to pass before the candidate counts as proved.
    pub verify: Option<Url>,
}

impl<C> Default for Rotate<C> {
    fn default() -> Self {
        Self { candidate: None, rotation: None, supersede: false, compromised: false, verify: None }
    }
}

impl<C> Request<C> {
    /// The same request with its candidate named in another way; none if `name` returns none.
    pub fn map_candidate<D>(self, name: impl FnOnce(C) -> Option<D>) -> Option<Request<D>> {
        Some(match self {
            Self::Rotate(Rotate { candidate, rotation, supersede, compromised, verify }) => {
                let candidate = match candidate {
                    Some(candidate) => Some(name(candidate)?),
                    None => None,
                };
                Request::Rotate(Rotate { candidate, rotation, supersede, compromised, verify })
            }
            Self::Prepare { min_runway } => Request::Prepare { min_runway },
            Self::CancelPreparation => Request::CancelPreparation,
            Self::RollBack(rotation) => Request::RollBack(rotation),
            Self::Retire { rotation, force } => Request::Retire { rotation, force },
        })
    }

    /// The rotation that the request names.
    pub fn rotation(&self) -> Option<&RotationId> {
        match self {
            Self::Rotate(rotate) => rotate.rotation.as_ref(),
            Self::RollBack(rotation) | Self::Retire { rotation, .. } => Some(rotation),
            Self::Prepare { .. } | Self::CancelPreparation => None,
        }
    }
}
