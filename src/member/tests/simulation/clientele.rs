//! Those who call the process, and what they are told.

use std::sync::Arc;
use std::time::Duration;

use super::SECOND;
use super::outside::Outside;
use crate::member::tests::peripherals::{Clientele, Process};
use crate::member::{Answer, Denial, MemberNotice};
use crate::refresh::{TokenRefusal, WaiterId};
use crate::rotation::CallerId;
use crate::token::HeldToken;

impl Clientele for Outside {
    fn publishes(&mut self, process: &Process, token: &Arc<HeldToken>) {
        self.check_published(process, token);
    }

    fn withdraws(&mut self, _: &Process) {
        self.history.memory.loses_token(self.now);
    }

    fn settles(&mut self, process: &Process, waiter: WaiterId, outcome: Result<(), TokenRefusal>) {
        let wait = self.waiters.remove(&waiter);
        let (deadline, min_validity) = wait.expect("who is settled still waits");
        let refusal = outcome.as_ref().err();
        self.check_settled(process, min_validity, refusal);
        if min_validity == Duration::ZERO {
            let since_asked = (self.now + 5 * SECOND).since(deadline);
            self.check_forgotten(process, since_asked, refusal);
        }
    }

    fn is_answered(
        &mut self,
        process: &Process,
        caller: CallerId,
        outcome: Result<Answer, Denial>,
    ) {
        let Some((deadline, ask, key)) = self.callers.remove(&caller) else {
            panic!("caller {caller} is answered twice, or has left");
        };
        self.note(format_args!("caller {caller} is answered {outcome:?}"));
        let is_late = self.now > deadline && self.troubled_at < deadline;
        assert!(!is_late, "a caller is answered after its deadline");
        self.counts.answered(&outcome);
        self.check_answer(process, &ask, key, &outcome);
        if let (Ok(Answer::Prepared { .. }), Some(next)) = (outcome, key) {
            self.regenerate(next);
        }
    }

    fn hears(&mut self, _: &Process, notice: MemberNotice) {
        self.counts.note(&notice);
    }
}
