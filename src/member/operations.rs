//! The store operations that are under way, and what each of them is for.

use std::collections::BTreeMap;
use std::time::Duration;

use super::effect::MemberEffect;
use super::parts::Member;
use super::step::MemberStep;
use crate::clock::Timestamp;
use crate::credential::CredentialId;
use crate::store::{Operation, Unavailable};

/// What was asked of the store and not answered yet, by its number.
#[derive(Debug, Default)]
pub(super) struct Operations {
    under_way: BTreeMap<u64, UnderWay>,
    last: u64,
}

/// An operation under way.
#[derive(Debug)]
pub(super) struct UnderWay {
    pub(super) purpose: Purpose,
    pub(super) asked_at: Timestamp,
    /// No answer counts after it; none: the store is this process's own, and answers at once.
    deadline: Option<Timestamp>,
}

/// Who waits for what comes of an operation.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Purpose {
    /// The work that concerns the record.
    Work,
    /// A deletion is owed.
    Deletion,
    /// This member says that it lives.
    Beat,
    /// This member wants the lease under that number.
    Lease(u64),
    /// This member wants to keep the lease of that number.
    Renewal(u64),
    /// A rejection of this credential is noted for the fleet.
    Rejection(CredentialId),
    /// Nobody waits for it.
    Note,
}

impl Operations {
    /// How long a shared store may take.
    const LONGEST: Duration = Duration::from_millis(250);
    /// However little is left of a token.
    const SHORTEST: Duration = Duration::from_millis(20);

    /// The number of a new operation.
    pub(super) fn number(&mut self) -> u64 {
        self.last += 1;
        self.last
    }

    /// An operation has ended, unless nobody waits for it any more.
    pub(super) fn end(&mut self, id: u64) -> Option<UnderWay> {
        self.under_way.remove(&id)
    }

    /// When the first of them has taken too long.
    pub(super) fn deadline(&self) -> Option<Timestamp> {
        self.under_way.values().filter_map(|it| it.deadline).min()
    }

    /// Those that have taken too long.
    fn overdue(&self, now: Timestamp) -> Vec<u64> {
        let is_due = |it: &UnderWay| it.deadline.is_some_and(|at| at <= now);
        self.under_way.iter().filter(|(_, it)| is_due(it)).map(|(id, _)| *id).collect()
    }

    /// Nobody hears of them any more.
    pub(super) fn lose(&mut self) {
        self.under_way.clear();
    }
}

impl MemberStep<'_> {
    /// Has the store perform an operation; returns its number.
    pub(super) fn ask_store(&mut self, purpose: Purpose, operation: Operation) -> u64 {
        let id = self.member.operations.number();
        self.ask_store_as(id, purpose, operation);
        id
    }

    /// The same under a number that was drawn before.
    pub(super) fn ask_store_as(&mut self, id: u64, purpose: Purpose, operation: Operation) {
        let deadline = self.member.store_patience(self.now).map(|patience| self.now + patience);
        let under_way = UnderWay { purpose, asked_at: self.now, deadline };
        self.member.operations.under_way.insert(id, under_way);
        self.effects.push(MemberEffect::Store { id, operation });
    }

    /// What has taken too long counts as unanswered: the store may be down.
    pub(super) fn give_up_operations(&mut self) {
        for id in self.member.operations.overdue(self.now) {
            let reason = "it did not answer in time".to_owned();
            self.stored(id, Err(Unavailable { reason }));
        }
    }
}

impl Member {
    /// How long the store may take, so that a refresh goes on in time without it; none where nothing
    /// is shared.
    fn store_patience(&self, now: Timestamp) -> Option<Duration> {
        self.membership.as_ref()?;
        let part = self.token(now).map(|held| held.runway(now) / 8);
        let clamped = part.map(|part| part.clamp(Operations::SHORTEST, Operations::LONGEST));
        Some(clamped.unwrap_or(Operations::LONGEST))
    }
}
