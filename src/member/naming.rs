//! How members are named that keep the previous credential from being retired.
//!
//! Everything else goes by the number of members. Names are asked for when people are told that
//! somebody is in the way.

use super::laggards::Naming;
use super::notices::Context;
use super::operations::Purpose;
use super::parts::Member;
use super::step::MemberStep;
use super::work::Pending;
use crate::rotation::{
    self, Barrier, MemberId, MemberRow, Missing, PhaseName, Record, Refusal, RotationNotice,
};
use crate::store::{Operation, Reply, Unavailable};

impl MemberStep<'_> {
    /// Tells that a retirement is blocked, once the members in the way are known by name, or at
    /// once if there are none or nobody can be asked.
    pub(super) fn tell_of_laggards(&mut self, naming: Naming) {
        let member = &*self.member;
        let is_in_reach = member.membership.is_some() && !member.shared.is_out();
        if !naming.missing().is_of_members() || !is_in_reach || member.work.is_storing() {
            return self.tell_named(naming);
        }
        let id = self.ask_store(Purpose::Work, Operation::Members);
        self.member.work.begin(id, Pending::Naming(naming));
    }

    /// The members were asked for.
    pub(super) fn has_named(&mut self, naming: Naming, result: Result<Reply, Unavailable>) {
        match result {
            Ok(Reply::Members(members)) => {
                let Member { laggards, shared, .. } = &mut *self.member;
                laggards.replace(shared.record().and_then(Record::open_overlap), members);
            }
            // It shows whether the store is out of reach.
            _ => self.member.work.read_first(),
        }
        self.tell_named(naming);
    }

    fn tell_named(&mut self, naming: Naming) {
        match naming {
            Naming::Call(caller, missing) => {
                self.settle(caller, Err(Refusal::RetireBlocked(missing)));
            }
            Naming::Notice(missing) => {
                let from = PhaseName::of(self.member.record());
                self.tell(&RotationNotice::Overdue(missing), Context { from, was: None });
            }
        }
    }
}

impl Member {
    /// So many members are named at most.
    pub const MOST_NAMED: usize = 32;

    /// The members that had not seen the open overlap's promotion when they were named.
    pub fn behind(&self) -> Vec<MemberId> {
        self.laggards(Barrier::is_behind)
    }

    /// The members that did not hold the credential that the end of the open overlap waits for.
    pub fn without(&self) -> Vec<MemberId> {
        self.laggards(Barrier::is_without)
    }

    /// Both, unless some have followed since.
    pub(super) fn named_laggards(&self, missing: &Missing) -> Vec<MemberId> {
        let named = self.laggards(|barrier, row| barrier.is_behind(row) || barrier.is_without(row));
        let (least, most) = (missing.acks.max(missing.holders), missing.acks + missing.holders);
        let is_as_many = u32::try_from(named.len()).is_ok_and(|it| (least..=most).contains(&it));
        if is_as_many { named } else { Vec::new() }
    }

    fn laggards(&self, is_in_the_way: fn(&Barrier, &MemberRow) -> bool) -> Vec<MemberId> {
        let known = self.record().and_then(|record| {
            let overlap = record.open_overlap()?;
            let barrier = rotation::barrier(record, &self.view(), overlap)?;
            Some((barrier, self.laggards.of(overlap)?))
        });
        let Some((barrier, members)) = known else { return Vec::new() };
        let rows = members.rows.iter().filter(|(_, row)| is_in_the_way(&barrier, row));
        rows.map(|(id, _)| *id).take(Self::MOST_NAMED).collect()
    }
}
