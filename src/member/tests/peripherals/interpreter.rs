//! The interpreter: a process tells its member what happens, and performs what the member wants.

use std::sync::Arc;

use super::{
    Delay, Delivery, PlaceWrite, Process, StepTaken, Surroundings, TokenRequest, WriteEnd,
};
use crate::credential::Credential;
use crate::member::{MemberEffect, MemberEvent};
use crate::rotation::PersistOutcome;
use crate::source::Reading;
use crate::store::Reply;

/// The process died before it had performed everything.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Died;

impl Process {
    /// Tells the member, and performs everything that follows.
    pub(crate) fn tell(
        &mut self,
        event: MemberEvent,
        around: &mut impl Surroundings,
    ) -> Result<(), Died> {
        self.step(event, around);
        self.go_on(around)
    }

    /// Performs the effects of a step that was taken by hand, and everything that follows.
    pub(crate) fn perform_all(
        &mut self,
        effects: Vec<MemberEffect>,
        around: &mut impl Surroundings,
    ) -> Result<(), Died> {
        self.effects.extend(effects);
        self.go_on(around)
    }

    fn go_on(&mut self, around: &mut impl Surroundings) -> Result<(), Died> {
        let mut performed = 0;
        while let Some(effect) = self.effects.pop_front() {
            performed += 1;
            assert!(performed < 1_000, "one event has no end of effects");
            if around.dies_before(&effect) {
                return Err(Died);
            }
            if let Some(event) = self.perform(effect, around) {
                self.step(event, around);
            }
        }
        self.check_rest();
        around.sees_rest(self);
        Ok(())
    }

    /// Takes what was on its way.
    pub(crate) fn receive(
        &mut self,
        delivery: Delivery,
        around: &mut impl Surroundings,
    ) -> Result<(), Died> {
        let event = match delivery {
            Delivery::Answer(request) => {
                let Some(sent) = self.under_way.remove(&request) else { return Ok(()) };
                let (verdict, verify) = around.answers(self, &sent);
                MemberEvent::Answered { request, sent_at: sent.sent_at, verdict, verify }
            }
            Delivery::Identified(credential) => {
                credential.kept_id();
                MemberEvent::Identified
            }
            Delivery::Stored(id, result) => MemberEvent::Stored { id, result },
            Delivery::Written(write, outcome, message) => {
                self.end_write(&write, outcome, message, around)
            }
            Delivery::ReadingEnds => return self.end_reading(around),
        };
        self.tell(event, around)
    }

    /// Begins a reading of the sources, or has one follow the reading under way.
    pub(crate) fn read(&mut self, around: &mut impl Surroundings) {
        if self.sources.begin(self.now()).is_some() {
            // What is read may be told much later.
            let (found, takes) = around.reads();
            self.found = found;
            around.deliver(self, takes, Delivery::ReadingEnds);
        }
    }

    /// The sources are read at once, and yield this.
    pub(crate) fn configure(
        &mut self,
        found: Vec<Option<Reading>>,
        around: &mut impl Surroundings,
    ) -> Result<(), Died> {
        self.sources.begin(self.now());
        self.found = found;
        self.end_reading(around)
    }

    /// The thread dies: what it was doing is lost.
    pub(crate) fn restart(&mut self, around: &mut impl Surroundings) -> Result<(), Died> {
        self.under_way.clear();
        self.tell(MemberEvent::Restarted, around)
    }

    fn step(&mut self, event: MemberEvent, around: &mut impl Surroundings) {
        around.tells(&event);
        let before = self.member.record().cloned();
        let is_stored = matches!(event, MemberEvent::Stored { result: Ok(Reply::Written(_)), .. });
        let effects = self.member.step(event, self.now(), around.chance());
        around.sees(self, &StepTaken { before, is_stored, effects: &effects });
        self.effects.extend(effects);
    }

    /// Performs an effect; returns what the member is to be told of it at once.
    fn perform(
        &mut self,
        effect: MemberEffect,
        around: &mut impl Surroundings,
    ) -> Option<MemberEvent> {
        match effect {
            MemberEffect::Request { request, credential, verify } => {
                self.send(request, credential, verify.is_some(), around);
            }
            MemberEffect::Identify(credential) => match around.derives(&credential) {
                Delay::AtOnce => {
                    credential.kept_id();
                    return Some(MemberEvent::Identified);
                }
                Delay::After(takes) => {
                    around.deliver(self, takes, Delivery::Identified(credential));
                }
                Delay::Withheld => {}
            },
            MemberEffect::ReadSources => {
                if around.is_asked_to_read() {
                    self.read(around);
                }
            }
            MemberEffect::Store { id, operation } => return self.operate(id, &operation, around),
            MemberEffect::Publish(token) => {
                around.publishes(self, &token);
                self.handed_out = Some(token);
            }
            MemberEffect::Withdraw => {
                self.handed_out = None;
                around.withdraws(self);
            }
            MemberEffect::Settle { waiter, outcome } => around.settles(self, waiter, outcome),
            MemberEffect::Persist { write, place, credential, .. } => {
                return self.begin_write(PlaceWrite { write, place, credential }, around);
            }
            MemberEffect::AbortPersist { write } => around.aborts(write),
            MemberEffect::TryPersist { place, .. } => {
                let is_writable = around.tries(place)?;
                return Some(MemberEvent::PersistTried { place, is_writable });
            }
            MemberEffect::ReplaceVariables { place, credential } => {
                around.replaces_variables(place, &credential);
                self.sources.written();
                if around.is_asked_to_read() {
                    self.read(around);
                }
            }
            MemberEffect::Answer { caller, outcome } => around.is_answered(self, caller, outcome),
            MemberEffect::Notify(notice) => around.hears(self, notice),
        }
        None
    }

    fn send(
        &mut self,
        request: u64,
        credential: Arc<Credential>,
        verify: bool,
        around: &mut impl Surroundings,
    ) {
        let is_same = |it: &TokenRequest| it.credential.is_same_as(&credential);
        assert!(!self.under_way.values().any(is_same), "two requests with one credential");
        let passage = around.sends(self, &credential);
        let sent_at = self.now();
        let judged_at = sent_at + passage.until_judged;
        let sent = TokenRequest { request, credential, sent_at, judged_at, verify };
        self.under_way.insert(request, sent);
        match passage.answer {
            Delay::AtOnce => unreachable!("an answer comes later, if not much"),
            Delay::After(takes) => around.deliver(self, takes, Delivery::Answer(request)),
            Delay::Withheld => {}
        }
    }

    fn begin_write(
        &mut self,
        write: PlaceWrite,
        around: &mut impl Surroundings,
    ) -> Option<MemberEvent> {
        let WriteEnd { at, outcome, message } = around.begins(self, &write)?;
        match at {
            Delay::AtOnce => return Some(self.end_write(&write, outcome, message, around)),
            Delay::After(takes) => {
                around.deliver(self, takes, Delivery::Written(write, outcome, message));
            }
            Delay::Withheld => {}
        }
        None
    }

    fn end_write(
        &mut self,
        write: &PlaceWrite,
        outcome: PersistOutcome,
        message: Option<String>,
        around: &mut impl Surroundings,
    ) -> MemberEvent {
        around.ends(self, write, outcome);
        if outcome == PersistOutcome::Done {
            self.sources.written();
        }
        MemberEvent::Persisted { write: write.write, outcome, message }
    }

    fn end_reading(&mut self, around: &mut impl Surroundings) -> Result<(), Died> {
        self.sources.javascript_read(Self::OWNER, std::mem::take(&mut self.found));
        let (configured, _) = self.sources.finish(self.now());
        let is_followed = self.sources.take_again();
        around.configures(self, &configured);
        self.tell(MemberEvent::Configured { configured, is_followed }, around)?;
        if is_followed {
            self.read(around);
        }
        Ok(())
    }
}
