//! The way to the store: operations fail, lose their answers or are late.

use super::outside::Outside;
use crate::member::tests::peripherals::{Delay, Process, StoreAccess, StoreFate};
use crate::store::Operation;

impl StoreAccess for Outside {
    fn operates(&mut self, process: &Process, operation: &Operation) -> (StoreFate, Delay) {
        let faults = self.regime.store_faults;
        if let Operation::Write(write, fresh) = operation {
            self.check_write(process, write, fresh.as_ref());
        }
        if self.is_store_down {
            return (StoreFate::Failed, Delay::AtOnce);
        }
        let draw = self.random.below(1000);
        let fate = match draw {
            _ if draw < faults => StoreFate::Failed,
            _ if draw < faults * 2 => StoreFate::AnswerLost,
            _ => StoreFate::Stored,
        };
        if fate != StoreFate::Stored {
            self.counts.store_faults += 1;
            self.trouble();
        }
        if self.regime.is_slow && self.random.percent(50) {
            return (fate, Delay::After(self.random.millis(200)));
        }
        (fate, Delay::AtOnce)
    }
}
