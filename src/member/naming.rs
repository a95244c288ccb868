//! How members are named that keep the previous credential from being retired.
//!
//! Everything else goes by the number of members. Names are asked for when people are told that
//! somebody is in the way, and nothing but those people waits for them.

use super::calls::Open;
use super::laggards::Naming;
use super::named::NamedMembers;
use super::notices::Context;
use super::operations::Purpose;
use super::parts::Member;
use super::step::MemberStep;
use super::waiting::WaitCode;
use crate::rotation::{self, CallerId, MemberTable, Missing, PhaseName, Refusal, RotationNotice};
use crate::store::{Operation, Reply, Unavailable};

impl MemberStep<'_> {
    /// A caller is told that a retirement is blocked, and by whom.
    pub(super) fn tell_blocked(&mut self, caller: CallerId, open: Open, missing: Missing) {
        let naming = Naming::Call(caller, open, missing);
        if self.can_name(naming.missing()) {
            self.name(naming);
        } else {
            self.tell_named(naming, &NamedMembers::default());
        }
    }

    /// People are told that a retirement is overdue, and because of whom, unless they know.
    pub(super) fn tell_overdue(&mut self, missing: &Missing) {
        let naming = Naming::Notice(missing.clone());
        if !self.can_name(missing) {
            return self.tell_named(naming, &NamedMembers::default());
        }
        let Member { laggards, shared, .. } = &mut *self.member;
        if shared.fleet().is_some_and(|fleet| laggards.is_to_look(&fleet.census, self.now)) {
            self.name(naming);
        }
    }

    /// The store has named the members, or has not.
    pub(super) fn has_named(&mut self, result: Result<Reply, Unavailable>) {
        let named = if let Ok(Reply::Members(members)) = result {
            self.member.laggards_in(&members)
        } else {
            self.member.laggards.look_again();
            NamedMembers::default()
        };
        for naming in self.member.laggards.take() {
            self.tell_named(naming, &named);
        }
    }

    fn can_name(&self, missing: &Missing) -> bool {
        let Member { membership, shared, .. } = &*self.member;
        missing.members() > 0 && membership.is_some() && !shared.is_out()
    }

    fn name(&mut self, naming: Naming) {
        if self.member.laggards.wait(naming) {
            self.ask_store(Purpose::Naming, Operation::Members);
        }
    }

    fn tell_named(&mut self, naming: Naming, named: &NamedMembers) {
        match naming {
            Naming::Call(caller, open, missing) => {
                let outcome = Err(Refusal::RetireBlocked(missing));
                self.answer(caller, open, outcome, named.clone());
            }
            Naming::Notice(missing) => {
                if self.member.is_news(WaitCode::Persist, Some((&missing, named))) {
                    let from = PhaseName::of(self.member.record());
                    let notice = RotationNotice::Overdue(missing);
                    self.tell(&notice, named, Context { from, was: None });
                }
            }
        }
    }
}

impl Naming {
    fn missing(&self) -> &Missing {
        let (Self::Call(.., missing) | Self::Notice(missing)) = self;
        missing
    }
}

impl Member {
    /// Those of the members that the end of the open overlap waits for.
    fn laggards_in(&self, members: &MemberTable) -> NamedMembers {
        let barrier = self
            .record()
            .and_then(|record| rotation::barrier(record, &self.view(), record.open_overlap()?));
        barrier.map_or_else(NamedMembers::default, |it| NamedMembers::of(&it, members))
    }
}
