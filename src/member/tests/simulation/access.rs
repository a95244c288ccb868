//! The way to the store: operations fail, lose their answers or are late.

use super::outside::Outside;
use crate::member::Chance;
use crate::member::tests::peripherals::{Delay, Process, StoreAccess, StoreFate};
use crate::rotation::{TokenChange, Write};
use crate::store::{Operation, Reply};

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
        if draw >= 1000 - faults / 2 {
            self.write_as_another(process);
        }
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

impl Outside {
    /// Another process writes the same once more: what this one has read is old.
    fn write_as_another(&mut self, process: &Process) {
        let Some(mut record) = process.store.load().record else { return };
        self.counts.others += 1;
        let expect = Some(record.version);
        record.lineage.follow(record.version.nonce);
        record.version.epoch += 1;
        record.version.nonce = self.random.bits();
        let write = Write { expect, record, token: TokenChange::Keep, barrier: None };
        let replied = process.store.answer(&Operation::Write(Box::new(write), None));
        assert!(matches!(replied, Reply::Written(_)), "{replied:?}");
    }
}
