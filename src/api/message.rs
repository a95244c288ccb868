//! What the native part tells an environment.

use serde::Serialize;

use super::credential::CredentialMessage;
use super::error::ErrorMessage;
use super::event::EventMessage;
use super::handle::HandleId;
use super::instant::Calendar;
use super::rotation::{PreparationMessage, RotationMessage};
use super::sentences::Labels;
use crate::member::{Answer, Denial, Member};
use crate::refresh::{TokenRefusal, WaiterId};
use crate::rotation::CallerId;
use crate::secret::{Secret, serialize_exposed};

/// A message to the environment of some handles.
#[derive(Debug, Clone, Serialize)]
#[serde(tag = "type", rename_all = "kebab-case")]
pub enum Message {
    /// A waiting call has its answer.
    Settled {
        /// Which call.
        waiter: WaiterId,
        /// Why there is no token; absent when there is one.
        #[serde(skip_serializing_if = "Option::is_none")]
        error: Option<ErrorMessage>,
    },
    /// A caller of a rotation has its answer.
    Answered {
        /// Which caller.
        caller: CallerId,
        /// Where the rotation stands, unless something else was asked for.
        #[serde(skip_serializing_if = "Option::is_none")]
        rotation: Option<Box<RotationMessage>>,
        /// The fleet is ready for a change at the provider; only for those who asked for that.
        #[serde(skip_serializing_if = "Option::is_none")]
        preparation: Option<PreparationMessage>,
        /// Why it does not get what it wanted.
        #[serde(skip_serializing_if = "Option::is_none")]
        error: Option<ErrorMessage>,
    },
    /// Something has happened: does anybody listen?
    Audience {
        /// The handles whose listeners are meant.
        handles: Vec<HandleId>,
    },
    /// A persist function is to keep a credential.
    Persist {
        /// The handle that the persist target belongs to.
        handle: HandleId,
        /// The persist target's index among the persist functions of the handle.
        index: usize,
        /// Names the write.
        write: u64,
        /// What is kept.
        credential: CredentialMessage,
    },
    /// A persist function has taken too long and is to give up.
    AbortPersist {
        /// The handle that the persist target belongs to.
        handle: HandleId,
        /// The number of the write.
        write: u64,
    },
    /// The credential of an entry that reads environment variables was replaced.
    #[serde(rename_all = "camelCase")]
    Environment {
        /// The handle that the entry belongs to.
        handle: HandleId,
        /// Its position in the list of credentials.
        entry: usize,
        /// The new client id.
        client_id: String,
        /// The new secret.
        #[serde(serialize_with = "serialize_exposed")]
        client_secret: Secret,
    },
    /// The file in front of an entry's variables holds a credential that was accepted, and the
    /// variables hold another one.
    StaleVariables {
        /// The handle that the entry belongs to.
        handle: HandleId,
        /// Its position in the list of credentials.
        entry: usize,
    },
    /// Something happened that people may want to know of.
    Event(EventMessage),
    /// The handle's JavaScript sources are to be read.
    #[serde(rename_all = "camelCase")]
    Read {
        /// Which handle.
        handle: HandleId,
        /// No function is called.
        variables_only: bool,
    },
}

impl Message {
    /// The end of a wait for a token.
    pub fn settled(waiter: WaiterId, outcome: Result<(), TokenRefusal>) -> Self {
        Self::Settled { waiter, error: outcome.err().map(ErrorMessage::from) }
    }

    /// The end of a wait for a rotation.
    pub fn answered(
        caller: CallerId,
        outcome: Result<Answer, Denial>,
        member: &Member,
        labels: Labels<'_>,
        calendar: Calendar<'_>,
    ) -> Self {
        let (mut rotation, mut preparation, mut error) = (None, None, None);
        match outcome {
            Ok(Answer::Rotation(snapshot)) => {
                rotation = Some(Box::new(RotationMessage::of(&snapshot, labels, calendar)));
            }
            Ok(Answer::Prepared { safe_until, custody }) => {
                preparation = Some(PreparationMessage::new(safe_until, custody, calendar));
            }
            Ok(Answer::Cancelled) => {}
            Err(denial) => {
                error = Some(ErrorMessage::of_denial(&denial, member, labels, calendar));
            }
        }
        Self::Answered { caller, rotation, preparation, error }
    }
}
