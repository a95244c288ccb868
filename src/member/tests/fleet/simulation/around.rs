//! What one process of a fleet has around it.

use std::sync::Arc;
use std::time::Duration;

use super::outside::{Fault, Happening, Outside};
use crate::credential::Credential;
use crate::member::tests::peripherals::{
    Clientele, Delay, Delivery, Machine, Passage, PersistPlaces, PlaceWrite, Process, SourceReader,
    StepTaken, StoreAccess, StoreFate, TokenEndpoint, TokenRequest, Witness, WriteEnd,
};
use crate::member::tests::simulation::Key;
use crate::member::tests::world::{rejected, throttled, transient};
use crate::member::{Answer, Chance, Denial, MemberEffect, MemberEvent, MemberNotice, What};
use crate::refresh::{TokenRefusal, WaiterId};
use crate::rotation::{CallerId, PersistOutcome, Record, Transition};
use crate::secret::Secret;
use crate::source::{Configured, CredentialText, EntryPlace, Reading};
use crate::store::Operation;
use crate::token::{Grant, HeldToken};
use crate::verdict::{Verdict, Verify};

/// The surroundings of the process at a place.
pub(super) struct Around<'a> {
    pub(super) outside: &'a mut Outside,
    pub(super) place: usize,
}

impl Around<'_> {
    fn number(&self) -> u64 {
        self.outside.nodes[self.place].number
    }

    fn note(&mut self, what: std::fmt::Arguments<'_>) {
        let place = self.place;
        self.outside.note(format_args!("{place}: {what}"));
    }
}

impl Machine for Around<'_> {
    fn chance(&mut self) -> &mut dyn Chance {
        &mut self.outside.nodes[self.place].chance
    }

    fn dies_before(&mut self, _: &MemberEffect) -> bool {
        self.outside.suffers(Fault::Deaths) && self.outside.random.below(20_000) < 10
    }

    fn deliver(&mut self, _: &Process, after: Duration, delivery: Delivery) {
        let happening = Happening::Delivery(self.place, self.number(), delivery);
        self.outside.later(after, happening);
    }
}

impl TokenEndpoint for Around<'_> {
    fn sends(&mut self, process: &Process, credential: &Arc<Credential>) -> Passage {
        self.outside.check_request(self.place, process, credential);
        self.outside.figures.requests += 1;
        let takes = self.outside.random.millis(300);
        let until_judged = takes.mul_f64(self.outside.random.0.f64());
        self.note(format_args!("request with {:?}", Key::of(credential)));
        Passage { until_judged, answer: Delay::After(takes) }
    }

    fn answers(&mut self, _: &Process, sent: &TokenRequest) -> (Verdict, Option<Verify>) {
        let (key, life) = (Key::of(&sent.credential), self.outside.regime.life);
        let now = self.outside.now;
        if self.outside.is_endpoint_down {
            let wait = Duration::from_secs(self.outside.random.below(30));
            let verdict =
                if self.outside.random.percent(30) { throttled(wait) } else { transient() };
            return (verdict, None);
        }
        if !self.outside.provider.accepts(key, now) {
            self.note(format_args!("{key:?} is rejected"));
            self.outside.notes_rejection(key);
            return (rejected(), None);
        }
        let text = self.outside.provider.issue(key, now + life, now);
        self.outside.figures.grants += 1;
        self.outside.accepted.insert(key.id(), now);
        self.note(format_args!("{key:?} is accepted: {text}"));
        let access_token = Secret::new(text);
        let grant = Grant { access_token, lifetime: life, refresh_in: None, scope: None };
        let verify = sent.verify.then(|| {
            let fails = !self.outside.is_calm && self.outside.random.percent(20);
            if fails { Verify::Failed } else { Verify::Passed }
        });
        if verify == Some(Verify::Passed) {
            self.outside.passed.insert(key.id());
        }
        (Verdict::Accepted(grant), verify)
    }
}

impl StoreAccess for Around<'_> {
    fn operates(&mut self, process: &Process, operation: &Operation) -> (StoreFate, Delay) {
        let outside = &mut *self.outside;
        if !outside.reaches_store(self.place) {
            // Nobody says so, or somebody does at once.
            let told = if outside.random.percent(50) { Delay::AtOnce } else { Delay::Withheld };
            return (StoreFate::Failed, told);
        }
        if outside.is_traced && !matches!(operation, Operation::Beat(_)) {
            let (place, asked) = (self.place, format!("{operation:?}"));
            outside.note(format_args!("{place}: asks {asked:.200}"));
        }
        let faults = if outside.suffers(Fault::Operations) { 30 } else { 0 };
        let fate = match outside.random.below(1000) {
            draw if draw < faults => StoreFate::Failed,
            draw if draw < faults * 2 => StoreFate::AnswerLost,
            _ => StoreFate::Stored,
        };
        if fate != StoreFate::Stored {
            outside.trouble();
        }
        if fate != StoreFate::Failed
            && let Operation::Write(write, fresh) = operation
        {
            outside.check_write(process, write, fresh.as_ref());
        }
        let slow = if outside.suffers(Fault::Operations) { 400 } else { 60 };
        let told = if outside.regime.is_slow {
            Delay::After(outside.random.millis(slow))
        } else {
            Delay::AtOnce
        };
        (fate, told)
    }
}

impl PersistPlaces for Around<'_> {
    fn begins(&mut self, process: &Process, write: &PlaceWrite) -> Option<WriteEnd> {
        let key = Key::of(&write.credential);
        let outside = &mut *self.outside;
        outside.figures.writes += 1;
        let wanted = process.member.record().map(Record::to_persist);
        assert_eq!(wanted, Some(key.id()), "a secret is kept that is not to be");
        outside.note(format_args!("{}: writes {key:?} back", self.place));
        let (at, outcome) = match outside.random.below(100) {
            _ if outside.is_calm => (Delay::AtOnce, PersistOutcome::Done),
            0..5 => (Delay::Withheld, PersistOutcome::Failed),
            5..20 => (Delay::After(outside.random.millis(20_000)), PersistOutcome::Failed),
            _ => (Delay::After(outside.random.millis(5_000)), PersistOutcome::Done),
        };
        Some(WriteEnd { at, outcome, message: None })
    }

    fn tries(&mut self, _: EntryPlace) -> Option<bool> {
        Some(false)
    }

    fn replaces_variables(&mut self, _: EntryPlace, _: &Credential) {}
}

impl SourceReader for Around<'_> {
    fn reads(&mut self) -> (Vec<Option<Reading>>, Duration) {
        let text = |key: &Key| CredentialText {
            label: None,
            client_id: key.client_id().to_owned(),
            client_secret: Secret::new(key.secret()),
            expires_at: None,
        };
        let list: Vec<_> = self.outside.nodes[self.place].configured.iter().map(text).collect();
        let found = if list.is_empty() { Reading::Empty } else { Reading::Credentials { list } };
        let takes = if self.outside.regime.is_slow { 200 } else { 1 };
        (vec![Some(found)], self.outside.random.millis(takes))
    }

    fn configures(&mut self, _: &Process, configured: &Configured) {
        for edge in configured.edges.iter().filter(|edge| !edge.is_start) {
            let key = Key::of(&edge.to);
            self.outside.trouble();
            self.outside.named(key);
        }
    }
}

impl Clientele for Around<'_> {
    fn publishes(&mut self, process: &Process, token: &Arc<HeldToken>) {
        self.outside.check_published(self.place, process, token);
    }

    fn settles(&mut self, process: &Process, waiter: WaiterId, outcome: Result<(), TokenRefusal>) {
        self.outside.nodes[self.place].waiters.remove(&waiter).expect("it waits");
        if outcome.is_err() {
            self.note(format_args!("a call is refused: {outcome:?}"));
            self.outside.figures.refusals += 1;
            self.outside.check_refusal(self.place, process);
        }
    }

    fn is_answered(&mut self, _: &Process, caller: CallerId, outcome: Result<Answer, Denial>) {
        self.note(format_args!("caller {caller} is answered {outcome:?}"));
        let known = self.outside.nodes[self.place].callers.remove(&caller);
        assert!(known.is_some(), "a caller is answered once");
    }

    fn hears(&mut self, _: &Process, notice: MemberNotice) {
        let MemberNotice::Rotation(change) = notice else { return };
        let What::Moved(transition, why) = change.what else { return };
        self.note(format_args!("{transition:?} {why:?}"));
        match transition {
            Transition::Promoted | Transition::Substituted => self.outside.figures.rotations += 1,
            Transition::Retired => self.outside.figures.retirements += 1,
            _ => {}
        }
    }
}

impl Witness for Around<'_> {
    fn tells(&mut self, event: &MemberEvent) {
        let is_worth_telling = !matches!(event, MemberEvent::Ticked | MemberEvent::Hinted(_));
        if self.outside.is_traced && is_worth_telling {
            let told = format!("{event:?}");
            self.note(format_args!("{told:.160}"));
        }
    }

    fn sees(&mut self, process: &Process, step: &StepTaken<'_>) {
        self.outside.check_step(self.place, process, step);
    }
}
