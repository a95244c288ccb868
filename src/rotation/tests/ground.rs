//! What the interpreter of effects works on.

use super::shelf::Shelf;
use crate::clock::StoreTime;
use crate::credential::CredentialId;
use crate::rotation::*;

/// Members, and all that they have around them: a scenario scripts it by hand, and the model check
/// tries every course of it. Members are named by their places.
pub(super) trait Ground {
    fn now(&self) -> StoreTime;

    /// The store that the members share.
    fn shelf(&mut self) -> &mut Shelf;

    /// The record as the member has read it last.
    fn last_read(&self, peer: usize) -> Option<&Record>;

    /// What else the member knows, with a nonce that no record has.
    fn view(&mut self, peer: usize) -> View;

    /// The callers of the member that wait.
    fn callers(&mut self, peer: usize) -> &mut Vec<KeptCaller>;

    /// The member sends a token request; its answer comes later.
    fn probes(&mut self, peer: usize, credential: CredentialId);

    /// The member persists a credential; returns what the member is told of it at once.
    fn persists(
        &mut self,
        peer: usize,
        target: TargetId,
        credential: CredentialId,
    ) -> Option<PersistOutcome>;

    /// A caller is told, and waits no longer.
    fn is_answered(&mut self, _caller: CallerId, _outcome: Result<Settled, Refusal>) {}

    /// Whoever listens is told.
    fn hears(&mut self, _notice: RotationNotice) {}

    /// A step has taken these rows of the table: it has not lost.
    fn takes(&mut self, _transitions: &[Transition]) {}

    /// The store has taken the write of a step, and was like `before` until then. The effects of
    /// the step follow.
    fn writes(&mut self, peer: usize, before: &Shelf, done: &RotationStep);

    /// The store has taken a token of the member's.
    fn serves(&mut self, peer: usize, before: Option<Token>);

    /// The store has refused the write of a step, so that nothing of it has happened; returns
    /// whether the member takes the step again.
    fn loses(&mut self, peer: usize) -> bool;

    /// Every effect of a step has been performed.
    fn sees_rest(&mut self, _wrote: bool) {}
}
