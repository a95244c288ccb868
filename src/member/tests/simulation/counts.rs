//! What a simulation came across.

use std::ops::AddAssign;

use crate::member::{Answer, Denial, Notice, What};
use crate::rotation::Transition;

macro_rules! counts {
    ($($name:ident)*) => {
        #[derive(Debug, Default, Clone, Copy)]
        pub(super) struct Counts {
            $(pub(super) $name: u64,)*
        }

        impl AddAssign for Counts {
            fn add_assign(&mut self, other: Self) {
                $(self.$name += other.$name;)*
            }
        }
    };
}

counts! {
    steps requests faults crashes restarts suspensions store_faults others sink_writes failed_writes hung_writes late_writes refusals
    started prepared staged promoted leaked rejected withdrawn substituted fell_back rolled_back retired
    overdue degraded recovered
    answers denials
}

impl Counts {
    pub(super) fn note(&mut self, notice: &Notice) {
        let Notice::Rotation(change) = notice else { return };
        let What::Moved(transition, _) = change.what else { return };
        *match transition {
            Transition::T0 => &mut self.started,
            Transition::T1 => &mut self.prepared,
            Transition::T3 => &mut self.staged,
            Transition::T4 => &mut self.promoted,
            Transition::T4c => &mut self.leaked,
            Transition::T5 => &mut self.rejected,
            Transition::T7 => &mut self.withdrawn,
            Transition::T8 => &mut self.substituted,
            Transition::T9 => &mut self.fell_back,
            Transition::T10 => &mut self.rolled_back,
            Transition::T12 => &mut self.retired,
            Transition::T13 => &mut self.overdue,
            Transition::T14 => &mut self.degraded,
            Transition::T15 => &mut self.recovered,
            Transition::T2 | Transition::T6 | Transition::T11 => return,
        } += 1;
    }

    pub(super) fn answered(&mut self, outcome: &Result<Answer, Denial>) {
        *if outcome.is_ok() { &mut self.answers } else { &mut self.denials } += 1;
    }

    /// Rotations that came to an end: promoted or properly refused.
    pub(super) fn completed(&self) -> u64 {
        self.promoted + self.leaked + self.rejected + self.withdrawn
    }
}
