//! The way to the store: operations fail, lose their answers or are late.

use super::outside::Outside;
use crate::member::Chance;
use crate::member::tests::peripherals::{Delay, Process, StoreAccess, StoreFate, StoreOperation};
use crate::rotation::{TokenChange, Write};

impl StoreAccess for Outside {
    fn operates(&mut self, process: &Process, operation: StoreOperation<'_>) -> (StoreFate, Delay) {
        let faults = self.regime.store_faults;
        match operation {
            StoreOperation::Forget(_) => return (StoreFate::Stored, Delay::AtOnce),
            StoreOperation::ForgetTokensOf(_) => {
                let is_faulty = self.random.below(1000) < faults;
                let fate = if is_faulty { StoreFate::Failed } else { StoreFate::Stored };
                return (fate, Delay::AtOnce);
            }
            StoreOperation::Write(write, fresh) => self.check_write(process, write, fresh),
            StoreOperation::Load | StoreOperation::WriteToken(_) => {}
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
        record.version.epoch += 1;
        record.version.nonce = self.random.bits();
        let write = Write { expect, record, token: TokenChange::Keep, barrier: None };
        process.store.write(&write, None).unwrap();
    }
}
