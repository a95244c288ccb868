//! What callers of the credential lifecycle want, and what they are told.

use super::{MINUTE, World};
use crate::member::{Answer, Ask, Candidate, Denial, MemberEvent, Progress, Reason};
use crate::rotation::{self, CallerId, Request, Rotate};
use crate::secret::Secret;

impl World {
    /// Asks something, to wait five minutes at most.
    pub(crate) fn ask(&mut self, ask: impl Into<Ask>) -> CallerId {
        let ask = ask.into();
        let (caller, deadline) = (self.next_caller(), Some(self.now + 5 * MINUTE));
        self.tell(MemberEvent::Asked { caller, ask, deadline });
        caller
    }

    pub(crate) fn rotate_to(&mut self, secret: &str) -> CallerId {
        self.ask(rotate(Some(secret)))
    }

    pub(crate) fn rotate_to_of(&mut self, client: &str, secret: &str) -> CallerId {
        self.rotate_with(secret, |ask| {
            if let Request::Rotate(Rotate { candidate: Some(candidate), .. }) = ask {
                candidate.client_id = Some(client.to_owned());
            }
        })
    }

    pub(crate) fn rotate_with(
        &mut self,
        secret: &str,
        change: impl Fn(&mut Request<Candidate>),
    ) -> CallerId {
        let mut ask = rotate(Some(secret));
        change(&mut ask);
        self.ask(ask)
    }

    /// A request with its token has to be answered.
    pub(crate) fn rotate_verified(&mut self, secret: &str) -> CallerId {
        self.ask(verified(rotate(Some(secret))))
    }

    /// How far the rotation was that a caller was told of.
    pub(crate) fn rotated(&self, caller: CallerId) -> Option<Progress> {
        match self.script.answers.get(&caller) {
            Some(Ok(Answer::Rotation(snapshot))) => Some(snapshot.phase),
            _ => None,
        }
    }

    /// Why a caller was refused.
    pub(crate) fn refusal(&self, caller: CallerId) -> Option<&rotation::Refusal> {
        match self.script.answers.get(&caller) {
            Some(Err(Denial { reason: Reason::Refused(refusal, _), .. })) => Some(refusal),
            _ => None,
        }
    }
}

/// To rotate to a secret, or to what the sources yield.
pub(crate) fn rotate(secret: Option<&str>) -> Request<Candidate> {
    let candidate = secret.map(|secret| Candidate {
        label: None,
        client_id: None,
        client_secret: Secret::new(secret),
        expires_at: None,
    });
    Request::Rotate(Rotate {
        candidate,
        rotation: None,
        supersede: false,
        compromised: false,
        verify: None,
    })
}

/// A request with the candidate's token has to be answered.
pub(crate) fn verified(mut ask: Request<Candidate>) -> Request<Candidate> {
    if let Request::Rotate(Rotate { verify, .. }) = &mut ask {
        *verify = Some("https://resource.example/me".parse().unwrap());
    }
    ask
}
