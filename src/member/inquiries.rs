//! How the store is asked: by a number, until a deadline.

use std::time::Duration;

use super::effect::MemberEffect;
use super::operations::{Operations, Purpose};
use super::parts::Member;
use super::step::MemberStep;
use crate::clock::Timestamp;
use crate::store::{Operation, Unavailable};

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
        self.member.operations.begin(id, purpose, self.now, deadline);
        self.effects.push(MemberEffect::Store { id, operation });
    }

    /// What has taken too long counts as unanswered: the store may be down.
    pub(super) fn give_up_operations(&mut self) {
        for id in self.member.operations.overdue(self.now) {
            self.stored(id, Err(Unavailable::late()));
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
