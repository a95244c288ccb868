//! Callers: those that wait for a token, and those that ask for something of the credential
//! lifecycle.

use std::time::Duration;

use super::State;
use crate::api::{HandleId, Message};
use crate::clock::Timestamp;
use crate::member::{Answer, Ask, Denial, MemberEvent};
use crate::refresh::{TokenRefusal, TokenWait, WaiterId};
use crate::rotation::CallerId;
use crate::token::HeldToken;

impl State {
    /// The token that may be handed out now.
    pub(in crate::driver) fn token(&self, now: Timestamp) -> Option<&HeldToken> {
        self.member.token(now).map(|token| &**token)
    }

    /// Has a caller of this handle wait for a token.
    pub(in crate::driver) fn wait(&mut self, handle: HandleId, wait: TokenWait, now: Timestamp) {
        self.waiting.give(wait.waiter, handle);
        self.step(MemberEvent::Wanted(wait), now);
    }

    /// A caller of this handle no longer waits for a token.
    pub(in crate::driver) fn cancel(&mut self, handle: HandleId, waiter: WaiterId, now: Timestamp) {
        if self.waiting.take_from(waiter, handle) {
            self.step(MemberEvent::Cancelled(waiter), now);
        }
    }

    /// Gives a caller that waits for a token its answer.
    pub(super) fn settle(&mut self, waiter: WaiterId, outcome: Result<(), TokenRefusal>) {
        if let Some(owner) = self.waiting.take(waiter) {
            self.handles.tell(owner, &Message::settled(waiter, outcome));
        }
    }

    /// A resource answered 401 to this token; returns whether it was dropped because of that.
    pub(in crate::driver) fn invalidate(&mut self, token: &str, now: Timestamp) -> bool {
        let held = self.member.token(now).filter(|held| held.text.expose() == token);
        let Some(serial) = held.map(|held| held.serial) else { return false };
        self.step(MemberEvent::Invalidated(serial), now);
        self.member.token(now).is_none_or(|held| held.serial != serial)
    }

    /// A caller of this handle asks for something of the credential lifecycle.
    pub(in crate::driver) fn ask(
        &mut self,
        handle: HandleId,
        caller: CallerId,
        ask: Ask,
        patience: Option<Duration>,
        now: Timestamp,
    ) {
        self.asking.give(caller, handle);
        let deadline = patience.map(|patience| now + patience);
        self.step(MemberEvent::Asked { caller, ask, deadline }, now);
    }

    /// A caller of this handle no longer waits for what it asked for.
    pub(in crate::driver) fn leave(&mut self, handle: HandleId, caller: CallerId, now: Timestamp) {
        if self.asking.take_from(caller, handle) {
            self.step(MemberEvent::Left(caller), now);
        }
    }

    /// Queues the answer for whoever asked.
    pub(super) fn answer(
        &mut self,
        caller: CallerId,
        outcome: Result<Answer, Denial>,
        now: Timestamp,
    ) {
        let Some(owner) = self.asking.take(caller) else { return };
        let labels = |place| self.label(place);
        let calendar = self.calendar(now);
        let answer = Message::answered(caller, outcome, &self.member, &labels, calendar);
        self.news.answer(owner, answer);
    }

    /// Everybody that called through this handle leaves, as it closes.
    pub(super) fn dismiss_callers(&mut self, handle: HandleId, now: Timestamp) {
        for waiter in self.waiting.of(handle) {
            self.step(MemberEvent::Cancelled(waiter), now);
            self.settle(waiter, Err(TokenRefusal::Closed));
        }
        for caller in self.asking.take_all(handle) {
            self.step(MemberEvent::Left(caller), now);
        }
    }
}
