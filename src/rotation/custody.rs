//! Who keeps a credential beyond the process that proved it.

use super::effect::Persisted;
use super::record::{Record, Sink};
use super::view::View;
use crate::credential::CredentialId;

impl Record {
    /// Whether something beyond the memory of one process keeps a credential, which is the active or the
    /// next one: the store where it lies sealed, another live member, a source here, or a sink.
    ///
    /// `process.env` is never custody, so no driver lists such a sink as acknowledged for this.
    pub fn is_kept(&self, view: &View, credential: CredentialId) -> bool {
        let is_sealed = view.fleet.as_ref().is_some_and(|fleet| fleet.sealed.contains(&credential));
        // An administrator's source is gone with its command.
        let is_service = view.fleet.as_ref().is_none_or(|fleet| fleet.me.is_some());
        let is_yielded =
            view.configured.contains(&credential) && !view.fleeting.contains(&credential);
        is_sealed
            || view.is_held_elsewhere(credential)
            || is_service && is_yielded
            || self.sinks_of(credential).values().any(|sink| *sink == Sink::Done)
    }

    /// Whether the sources have brought already what takes the active credential's place: nobody is to write
    /// the active one over that.
    pub fn is_succeeded(&self, view: &View) -> bool {
        let successors = self.waiting.into_iter().chain(self.staged().map(|staged| staged.next));
        successors.filter(|one| *one != self.active).any(|one| view.is_yielded(one))
    }

    /// Whether a credential, which is the active or the next one, has been written back.
    pub fn persisted(&self, credential: CredentialId) -> Persisted {
        let sinks = self.sinks_of(credential);
        if sinks.is_empty() {
            Persisted::None
        } else if sinks.values().any(|sink| matches!(sink, Sink::Pending { .. })) {
            Persisted::Pending
        } else if sinks.values().any(|sink| *sink == Sink::Done) {
            Persisted::Done
        } else {
            Persisted::Impossible
        }
    }
}
