//! How a process uses its store.

use super::{Delay, Delivery, Process, StoreFate, Surroundings};
use crate::member::MemberEvent;
use crate::store::{Operation, Unavailable};

impl Process {
    /// One operation; its reply may be lost or late.
    pub(super) fn operate(
        &self,
        id: u64,
        operation: &Operation,
        around: &mut impl Surroundings,
    ) -> Option<MemberEvent> {
        let (fate, told) = around.operates(self, operation);
        let reply = (fate != StoreFate::Failed).then(|| self.store.answer(operation));
        let known = reply.filter(|_| fate == StoreFate::Stored);
        let result = known.ok_or_else(|| Unavailable { reason: "no answer".to_owned() });
        match told {
            Delay::AtOnce => return Some(MemberEvent::Stored { id, result }),
            Delay::After(takes) => around.deliver(self, takes, Delivery::Stored(id, result)),
            Delay::Withheld => {}
        }
        None
    }
}
