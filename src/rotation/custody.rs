//! Who keeps a credential beyond the process that proved it.

use super::record::Record;
use super::target::{TargetId, TargetState};
use super::view::View;
use crate::credential::CredentialId;

/// Whether a promoted credential has been persisted.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Persisted {
    /// There is nowhere to write to.
    None,
    /// Not everywhere yet.
    Pending,
    /// Wherever it is possible.
    Done,
    /// It is not possible anywhere.
    Impossible,
}

impl Record {
    /// Whether something beyond the memory of one process keeps a credential, which is the active
    /// or the next one: the store where it lies sealed, another live member, a source here, or a
    /// persist target.
    ///
    /// `process.env` is never custody, so no driver lists such a persist target as acknowledged for
    /// this.
    pub fn is_kept(&self, view: &View, credential: CredentialId) -> bool {
        let is_sealed = view.fleet.as_ref().is_some_and(|fleet| fleet.sealed.contains(&credential));
        // An administrator's source is gone with its command.
        let is_service = view.fleet.as_ref().is_none_or(|fleet| fleet.me.is_some());
        let is_yielded =
            view.configured.contains(&credential) && !view.fleeting.contains(&credential);
        is_sealed
            || view.is_held_elsewhere(credential)
            || is_service && is_yielded
            || self.is_written(view, credential)
    }

    /// Whether a place has acknowledged a credential, which is the active or the next one.
    pub(super) fn is_written(&self, view: &View, credential: CredentialId) -> bool {
        self.target_states(view, credential).any(|(_, state)| state == TargetState::Done)
    }

    /// How far each place is with a credential, which is the active or the next one.
    pub fn target_states<'a>(
        &'a self,
        view: &'a View,
        credential: CredentialId,
    ) -> impl Iterator<Item = (TargetId, TargetState)> + 'a {
        let recorded = self.targets_of(credential).iter();
        let files = view.files.iter().filter(move |((_, of), _)| *of == credential);
        let recorded = recorded.map(|(target, state)| (*target, *state));
        recorded.chain(files.map(|((target, _), state)| (*target, *state)))
    }

    /// In one process a promotion is not refused for want of a place to keep the credential.
    pub(super) fn is_in_custody(&self, view: &View, credential: CredentialId) -> bool {
        self.is_kept(view, credential) || view.fleet.is_none() && !self.awaits_targets(view)
    }

    /// Whether a persist target that can be written before the promotion may still be.
    fn awaits_targets(&self, view: &View) -> bool {
        let is_open = |target| self.targets.get(target).is_none_or(|state| state.due().is_some());
        view.targets.iter().any(|spec| !spec.at_retirement && is_open(&spec.target))
    }

    /// Whether no persist target is left that may yet keep the next credential at its first
    /// attempt.
    pub(super) fn has_tried_targets(&self, view: &View) -> bool {
        let next = self.to_persist();
        let is_tried = |target| {
            let mut states = self.target_states(view, next);
            states.any(|(one, state)| one == target && state.was_tried())
        };
        view.targets.iter().all(|spec| spec.at_retirement || is_tried(spec.target))
    }

    /// Whether the sources have brought already what takes the active credential's place: nobody is
    /// to write the active one over that.
    pub fn is_succeeded(&self, view: &View) -> bool {
        let successors = self.waiting.into_iter().chain(self.staged().map(|staged| staged.next));
        successors.filter(|one| *one != self.active).any(|one| view.is_yielded(one))
    }

    /// Whether a credential, which is the active or the next one, has been persisted.
    pub fn persisted(&self, view: &View, credential: CredentialId) -> Persisted {
        let mut persisted = Persisted::None;
        for (_, state) in self.target_states(view, credential) {
            persisted = match (persisted, state) {
                (Persisted::Pending, _) => Persisted::Pending,
                (_, state) if state.due().is_some() => Persisted::Pending,
                (_, TargetState::Done) | (Persisted::Done, _) => Persisted::Done,
                _ => Persisted::Impossible,
            };
        }
        persisted
    }
}
