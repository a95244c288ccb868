//! Token requests under way, at most one with each credential.

use std::sync::Arc;

use crate::credential::Credential;

#[derive(Debug)]
pub(super) struct UnderWay {
    pub(super) request: u64,
    pub(super) credential: Arc<Credential>,
    /// The refresh that waits for it.
    pub(super) flight: Option<u64>,
}

#[derive(Debug, Default)]
pub(super) struct Requests {
    list: Vec<UnderWay>,
    last: u64,
}

impl Requests {
    /// The number of a new request; none where one with this credential is under way, which will do.
    pub(super) fn start(
        &mut self,
        credential: &Arc<Credential>,
        flight: Option<u64>,
    ) -> Option<u64> {
        if let Some(known) = self.list.iter_mut().find(|it| it.credential.is_same_as(credential)) {
            known.flight = flight.or(known.flight);
            return None;
        }
        self.last += 1;
        let (request, credential) = (self.last, Arc::clone(credential));
        self.list.push(UnderWay { request, credential, flight });
        Some(request)
    }

    pub(super) fn take(&mut self, request: u64) -> Option<UnderWay> {
        let index = self.list.iter().position(|it| it.request == request)?;
        Some(self.list.swap_remove(index))
    }

    pub(super) fn is_empty(&self) -> bool {
        self.list.is_empty()
    }

    pub(super) fn credentials(&self) -> impl Iterator<Item = &Arc<Credential>> {
        self.list.iter().map(|it| &it.credential)
    }

    /// They are lost; their numbers are not used again.
    pub(super) fn clear(&mut self) {
        self.list.clear();
    }
}
