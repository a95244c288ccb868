//! The callers of a member that have no outcome yet.

use std::collections::BTreeMap;
use std::sync::Arc;

use url::Url;

use super::event::{Candidate, Until};
use crate::clock::Timestamp;
use crate::credential::{Credential, CredentialId};
use crate::rotation::{Awaited, CallerId, KeptCaller, Request, RotationId};

/// Who waits, how long, and for what.
#[derive(Debug, Default)]
pub(super) struct Calls {
    open: BTreeMap<CallerId, Open>,
    /// Those that the credential lifecycle has kept waiting.
    kept: Vec<KeptCaller>,
    watches: Vec<Watch>,
    /// Those that want what the sources yield from now on.
    awaiting_sources: Vec<(CallerId, Request<Candidate>)>,
}

/// A caller that has no outcome yet.
#[derive(Debug, Default)]
pub(super) struct Open {
    pub(super) deadline: Option<Timestamp>,
    /// The rotation that it is about, once that is known.
    pub(super) rotation: Option<RotationId>,
    /// What it wants to rotate to.
    pub(super) candidate: Option<Arc<Credential>>,
    /// Where the candidate's token is to be tried.
    pub(super) verify: Option<Url>,
    pub(super) is_rotate: bool,
    /// The files that a rotation would write were tried on its behalf; they are not tried again.
    pub(super) is_tried: bool,
}

/// Somebody who waits until a rotation has come so far.
#[derive(Debug)]
pub(super) struct Watch {
    pub(super) caller: CallerId,
    pub(super) rotation: RotationId,
    pub(super) until: Until,
}

impl Open {
    /// A caller that asks for this.
    pub(super) fn of(request: &Request<Candidate>, deadline: Option<Timestamp>) -> Self {
        let rotation = request.rotation().cloned();
        match request {
            Request::Rotate(rotate) => {
                let verify = rotate.verify.clone();
                Self { deadline, rotation, verify, is_rotate: true, ..Self::default() }
            }
            _ => Self { deadline, rotation, ..Self::default() },
        }
    }
}

impl Calls {
    pub(super) fn open(&mut self, caller: CallerId, open: Open) {
        self.open.insert(caller, open);
    }

    pub(super) fn get(&self, caller: CallerId) -> Option<&Open> {
        self.open.get(&caller)
    }

    pub(super) fn get_mut(&mut self, caller: CallerId) -> Option<&mut Open> {
        self.open.get_mut(&caller)
    }

    /// The caller has its outcome.
    pub(super) fn close(&mut self, caller: CallerId) -> Option<Open> {
        self.kept.retain(|known| known.id != caller);
        self.open.remove(&caller)
    }

    /// The caller no longer waits; returns what it was kept for, if it was.
    pub(super) fn leave(&mut self, caller: CallerId) -> Option<KeptCaller> {
        self.open.remove(&caller);
        self.watches.retain(|watch| watch.caller != caller);
        self.awaiting_sources.retain(|(waiting, _)| *waiting != caller);
        let known = self.kept.iter().position(|known| known.id == caller)?;
        Some(self.kept.remove(known))
    }

    /// When the first caller has waited long enough.
    pub(super) fn deadline(&self) -> Option<Timestamp> {
        self.open.values().filter_map(|open| open.deadline).min()
    }

    /// The callers that have waited long enough.
    pub(super) fn overdue(&self, now: Timestamp) -> Vec<CallerId> {
        let is_due = |open: &Open| open.deadline.is_some_and(|at| at <= now);
        self.open.iter().filter(|(_, open)| is_due(open)).map(|(id, _)| *id).collect()
    }

    /// The candidates that callers named, whether or not they are taken up already.
    pub(super) fn asked_for(&self) -> impl Iterator<Item = CredentialId> {
        let candidates = self.open.values().filter_map(|open| open.candidate.as_ref());
        candidates.filter(|credential| credential.has_id()).map(|credential| credential.id())
    }

    /// Those that the credential lifecycle has kept waiting.
    pub(super) fn kept(&self) -> &[KeptCaller] {
        &self.kept
    }

    /// The candidates whose promotion a kept caller waits for.
    pub(super) fn awaited(&self) -> impl Iterator<Item = CredentialId> {
        self.kept.iter().filter_map(|caller| match &caller.awaits {
            Awaited::Promotion { candidate, .. } => Some(*candidate),
            _ => None,
        })
    }

    /// The caller waits, as the credential lifecycle says.
    pub(super) fn keep(&mut self, caller: KeptCaller) {
        let Some(open) = self.open.get_mut(&caller.id) else { return };
        if let Awaited::Promotion { rotation, .. } = &caller.awaits {
            open.rotation = Some(rotation.clone());
        }
        self.kept.retain(|known| known.id != caller.id);
        self.kept.push(caller);
    }

    /// Where an open caller wants the token of this candidate tried.
    pub(super) fn verify_url(&self, credential: &Credential) -> Option<&Url> {
        let mut wanted = self.open.values().filter(|open| {
            open.candidate.as_ref().is_some_and(|candidate| candidate.is_same_as(credential))
        });
        wanted.find_map(|open| open.verify.as_ref())
    }

    /// The caller's request is understood once the sources have been read.
    pub(super) fn await_sources(&mut self, caller: CallerId, request: Request<Candidate>) {
        self.awaiting_sources.push((caller, request));
    }

    /// The sources were read: whoever waited for that goes on.
    pub(super) fn sources_read(&mut self) -> Vec<(CallerId, Request<Candidate>)> {
        std::mem::take(&mut self.awaiting_sources)
    }

    pub(super) fn watch(&mut self, watch: Watch) {
        self.watches.push(watch);
    }

    pub(super) fn take_watches(&mut self) -> Vec<Watch> {
        std::mem::take(&mut self.watches)
    }
}
