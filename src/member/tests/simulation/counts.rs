//! What a simulation came across.

use std::fmt;
use std::ops::AddAssign;

use crate::member::{Answer, Denial, MemberNotice, What};
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

        impl fmt::Display for Counts {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                write!(f, "completed rotations: {}", self.completed())?;
                $(write!(f, concat!(", ", stringify!($name), ": {}"), self.$name)?;)*
                Ok(())
            }
        }
    };
}

counts! {
    steps requests faults crashes restarts suspensions store_faults outages sink_writes failed_writes hung_writes late_writes refusals
    started prepared staged promoted leaked rejected withdrawn substituted fell_back rolled_back retired
    overdue degraded recovered
    answers denials
}

impl Counts {
    pub(super) fn note(&mut self, notice: &MemberNotice) {
        let MemberNotice::Rotation(change) = notice else { return };
        let What::Moved(transition, _) = change.what else { return };
        *match transition {
            Transition::Started => &mut self.started,
            Transition::Prepared => &mut self.prepared,
            Transition::Staged => &mut self.staged,
            Transition::Promoted => &mut self.promoted,
            Transition::PromotedAfterLeak => &mut self.leaked,
            Transition::CandidateRejected => &mut self.rejected,
            Transition::CandidateWithdrawn => &mut self.withdrawn,
            Transition::Substituted => &mut self.substituted,
            Transition::FellBack => &mut self.fell_back,
            Transition::RolledBack => &mut self.rolled_back,
            Transition::Retired => &mut self.retired,
            Transition::Overdue => &mut self.overdue,
            Transition::Degraded => &mut self.degraded,
            Transition::Recovered => &mut self.recovered,
            Transition::PreparationEnded | Transition::AwaitingProof | Transition::Abandoned => {
                return;
            }
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
