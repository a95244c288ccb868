//! What callers ask for, and what they are told.

use super::World;
use crate::credential::CredentialId;
use crate::rotation::*;

impl World {
    /// A caller of member 0 asks for something.
    pub(crate) fn ask(&mut self, request: Request) -> CallerId {
        self.ask_of(0, request)
    }

    pub(crate) fn ask_of(&mut self, peer: usize, request: Request) -> CallerId {
        let id = self.next_caller;
        self.next_caller += 1;
        if let Request::Rotate(Rotate { candidate: Some(candidate), .. }) = &request {
            self.give(peer, *candidate);
        }
        self.tell(peer, RotationEvent::Asked { caller: id, request });
        id
    }

    pub(crate) fn rotate(&mut self, candidate: CredentialId) -> CallerId {
        self.ask(Request::Rotate(Rotate { candidate: Some(candidate), ..Rotate::default() }))
    }

    /// Undoes the rotation whose overlap is open.
    pub(crate) fn roll_back(&mut self) -> CallerId {
        self.ask(Request::RollBack(self.open_rotation()))
    }

    /// Ends the overlap that is open.
    pub(crate) fn retire(&mut self, force: bool) -> CallerId {
        self.ask(Request::Retire { rotation: self.open_rotation(), force })
    }

    /// The rotation whose overlap is open, or one that nobody knows.
    pub(crate) fn open_rotation(&self) -> RotationId {
        let overlap = self.shelf.record.as_ref().and_then(Record::open_overlap);
        overlap.map_or_else(|| RotationId::new("unknown"), |overlap| overlap.rotation.clone())
    }

    /// A caller does not wait any longer.
    pub(crate) fn leave(&mut self, id: CallerId) {
        let callers = &mut self.peers[0].view.callers;
        let index = callers.iter().position(|caller| caller.id == id).expect("it waits");
        let caller = callers.remove(index);
        self.tell(0, RotationEvent::Left(caller));
    }

    pub(crate) fn outcome(&self, caller: CallerId) -> Option<&Result<Settled, Refusal>> {
        self.answers.get(&caller)
    }

    pub(crate) fn code(&self, caller: CallerId) -> Option<&'static str> {
        let refusal = self.outcome(caller)?.as_ref().err()?;
        Some(refusal.code().as_str())
    }

    pub(crate) fn is_active(&self, caller: CallerId) -> bool {
        matches!(self.outcome(caller), Some(Ok(Settled::Active { .. })))
    }
}
