//! How a process uses its store.

use super::{Delay, Delivery, Process, StoreFate, StoreOperation, Surroundings};
use crate::member::{MemberEvent, Stored};

impl Process {
    /// One operation whose outcome the member waits for; the answer may be lost or late.
    pub(super) fn operate(
        &self,
        operation: StoreOperation<'_>,
        around: &mut impl Surroundings,
    ) -> Option<MemberEvent> {
        let (fate, told) = around.operates(self, operation);
        let applied = if fate == StoreFate::Failed { None } else { self.apply(operation) };
        let stored = applied.filter(|_| fate == StoreFate::Stored).unwrap_or(Stored::Unknown);
        match told {
            Delay::AtOnce => return Some(MemberEvent::Stored(stored)),
            Delay::After(takes) => around.deliver(self, takes, Delivery::Stored(stored)),
            Delay::Withheld => {}
        }
        None
    }

    /// A deletion: nobody waits for its outcome.
    pub(super) fn delete(&self, operation: StoreOperation<'_>, around: &mut impl Surroundings) {
        let (fate, _) = around.operates(self, operation);
        if fate != StoreFate::Failed {
            self.apply(operation);
        }
    }

    /// Has the store do it; returns what it says, which of a deletion is nothing.
    fn apply(&self, operation: StoreOperation<'_>) -> Option<Stored> {
        match operation {
            StoreOperation::Load => Some(Stored::Loaded(Box::new(self.store.load()))),
            StoreOperation::Write(write, fresh) => Some(match self.store.write(write, fresh) {
                Ok(written) => Stored::Written { serial: written.serial },
                Err(_) => Stored::Refused,
            }),
            StoreOperation::WriteToken(token) => Some(match self.store.put_token(token) {
                Ok(serial) => Stored::Written { serial: Some(serial) },
                Err(_) => Stored::Refused,
            }),
            StoreOperation::Forget(serial) => {
                self.store.invalidate(serial);
                None
            }
            StoreOperation::ForgetTokensOf(credential) => {
                self.store.drop_tokens(credential);
                None
            }
        }
    }
}
