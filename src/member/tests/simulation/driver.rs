//! What the driver does for a member, and how it may fail.

use std::sync::Arc;
use std::time::Duration;

use super::places::{self, Mood};
use super::process::{Happening, SECOND, Sent, Sim};
use super::provider::Key;
use crate::credential::Credential;
use crate::member::tests::world::OWNER;
use crate::member::*;
use crate::rotation;
use crate::rotation::CallerId;
use crate::rotation::SinkOutcome;
use crate::source::EntryPlace;
use crate::store::MemoryStore;

impl Sim {
    /// Performs an effect; answers what the member is to be told of it at once.
    pub(super) fn perform(&mut self, effect: Effect) -> Option<Event> {
        match effect {
            Effect::Request { request, credential, verify } => {
                self.check_request(&credential);
                let slow = if self.random.percent(5) { 20_000 } else { 400 };
                let takes = self.random.millis(slow);
                let judged_at = self.now + takes.mul_f64(self.random.0.f64());
                self.counts.requests += 1;
                self.note(format_args!("request with {:?}", Key::of(&credential)));
                let (at, verify) = (self.now, verify.is_some());
                self.sent.insert(request, Sent { credential, at, judged_at, verify });
                self.later(takes, Happening::Answer(request));
            }
            Effect::Identify(credential) => {
                if self.regime.is_slow {
                    let takes = Duration::from_millis(20) + self.random.millis(500);
                    self.later(takes, Happening::Identified(credential));
                } else {
                    credential.kept_id();
                    return Some(Event::Identified);
                }
            }
            Effect::ReadSources => self.read(),
            Effect::Load => return self.operate(|store| Stored::Loaded(Box::new(store.load()))),
            Effect::Write(write, fresh) => {
                self.check_write(&write, fresh.as_ref());
                return self.operate(move |store| match store.write(&write, fresh.as_ref()) {
                    Ok(written) => Stored::Written { serial: written.serial },
                    Err(_) => Stored::Refused,
                });
            }
            Effect::WriteToken(token) => {
                return self.operate(move |store| match store.put_token(&token) {
                    Ok(serial) => Stored::Written { serial: Some(serial) },
                    Err(_) => Stored::Refused,
                });
            }
            Effect::Forget(serial) => drop(self.store.invalidate(serial)),
            Effect::ForgetTokensOf(id) => {
                if self.random.below(1000) >= self.regime.store_faults {
                    self.store.drop_tokens(id);
                }
            }
            Effect::Publish(token) => {
                self.check_published(&token);
                self.handed_out = Some(token);
            }
            Effect::Withdraw => {
                self.handed_out = None;
                self.checks.memory.loses_token(self.now);
            }
            Effect::Settle { waiter, outcome } => {
                let wait = self.waiters.remove(&waiter);
                let (deadline, min_validity) = wait.expect("who is settled still waits");
                self.check_settled(min_validity, outcome.as_ref().err());
                if min_validity == Duration::ZERO {
                    let waited = (self.now + 5 * SECOND).since(deadline);
                    self.check_forgotten(waited, outcome.as_ref().err());
                }
            }
            Effect::WriteSink { write, place, credential, .. } => {
                self.write_sink(write, place, credential);
            }
            // Functions of the users' take no notice.
            Effect::AbortSink { .. } => {}
            Effect::TrySink { place, .. } => {
                let is_writable = self.places[place.index].mood == Mood::Well;
                return Some(Event::SinkTried { place, is_writable });
            }
            Effect::ReplaceVariables { place, credential } => {
                if self.places[place.index].is_environment {
                    self.places[place.index].variables = Some(Key::of(&credential));
                    self.sources.written();
                    self.read();
                }
            }
            Effect::Answer { caller, outcome } => self.caller_answered(caller, &outcome),
            Effect::Notify(notice) => {
                self.checks.memory.note(&notice, self.now);
                self.counts.note(&notice);
            }
        }
        None
    }

    /// One operation of the store: it may fail, or its answer be lost or late.
    fn operate(&mut self, operation: impl FnOnce(&MemoryStore) -> Stored) -> Option<Event> {
        let faults = self.regime.store_faults;
        let draw = self.random.below(1000);
        let stored = if draw < faults {
            None
        } else {
            if draw >= 1000 - faults / 2 {
                self.write_as_another();
            }
            Some(operation(&self.store))
        };
        let is_lost = stored.is_none() || (faults..faults * 2).contains(&draw);
        if is_lost {
            self.counts.store_faults += 1;
            self.trouble();
        }
        let stored = stored.filter(|_| !is_lost).unwrap_or(Stored::Unknown);
        if self.regime.is_slow && self.random.percent(50) {
            let takes = self.random.millis(200);
            self.later(takes, Happening::Stored(stored));
            return None;
        }
        Some(Event::Stored(stored))
    }

    /// Another process writes the same once more: what this one has read is old.
    fn write_as_another(&mut self) {
        let Some(record) = self.store.load().record else { return };
        self.counts.others += 1;
        let expect = Some(record.version);
        let mut record = record;
        record.version.epoch += 1;
        record.version.nonce = self.random.bits();
        let token = rotation::TokenChange::Keep;
        let write = rotation::Write { expect, record, token, barrier: None };
        self.store.write(&write, None).unwrap();
    }

    fn write_sink(&mut self, write: u64, place: EntryPlace, credential: Arc<Credential>) {
        self.counts.sink_writes += 1;
        let is_faulty = self.random.percent(self.regime.sink_faults);
        let outcome = match self.places[place.index].mood {
            Mood::Hanging => {
                let is_known = |(_, known, other): &(u64, EntryPlace, Arc<Credential>)| {
                    *known == place && other.is_same_as(&credential)
                };
                assert!(!self.hung.iter().any(is_known), "a place is written twice at a time");
                self.counts.hung_writes += 1;
                self.hung.push((write, place, credential));
                return;
            }
            Mood::ReadOnly => SinkOutcome::Impossible,
            Mood::Failing => SinkOutcome::Failed,
            Mood::Well if is_faulty => SinkOutcome::Failed,
            Mood::Well => SinkOutcome::Done,
        };
        if outcome == SinkOutcome::Failed {
            self.counts.failed_writes += 1;
        }
        let takes = self.random.millis(1000);
        self.later(takes, Happening::Sink { write, place, credential, outcome });
    }

    /// A place is in another mood: what hangs there comes to an end, most of it.
    pub(super) fn change_mood(&mut self, place: usize, mood: Mood) {
        self.places[place].mood = mood;
        self.checks.written_at = self.now;
        let hung = std::mem::take(&mut self.hung);
        let (here, others) = hung.into_iter().partition(|(_, of, _)| of.index == place);
        self.hung = others;
        for (write, place, credential) in here {
            let outcome = match self.random.below(10) {
                0..7 if mood == Mood::Well => SinkOutcome::Done,
                0..9 => SinkOutcome::Failed,
                _ => {
                    self.hung.push((write, place, credential));
                    continue;
                }
            };
            let takes = self.random.millis(3000);
            self.later(takes, Happening::Sink { write, place, credential, outcome });
        }
    }

    fn caller_answered(&mut self, caller: CallerId, outcome: &Result<Answer, Denial>) {
        let Some((deadline, ask, key)) = self.callers.remove(&caller) else {
            panic!("caller {caller} is answered twice, or has left");
        };
        self.note(format_args!("caller {caller} is answered {outcome:?}"));
        let is_late = self.now > deadline && self.troubled_at < deadline;
        assert!(!is_late, "a caller is answered after its deadline");
        self.counts.answered(outcome);
        self.check_answer(&ask, key, outcome);
        if let (Ok(Answer::Prepared { .. }), Some(next)) = (outcome, key) {
            self.regenerate(next);
        }
    }

    pub(super) fn read(&mut self) {
        if self.sources.begin(self.now).is_some() {
            // What is read may be told much later.
            self.seen = places::readings(&self.places);
            let takes = if self.regime.is_slow { self.random.millis(300) } else { Duration::ZERO };
            self.later(takes, Happening::ReadingEnds);
        }
    }

    pub(super) fn end_reading(&mut self) {
        self.sources.javascript_read(OWNER, std::mem::take(&mut self.seen));
        let (configured, _) = self.sources.finish(self.now);
        let is_followed = self.sources.take_again();
        let keys: Vec<Key> = configured.credentials.iter().map(|it| Key::of(it)).collect();
        for edge in &configured.edges {
            self.trouble();
            self.checks.named(Key::of(&edge.to), edge.is_start, self.member.record(), self.now);
            self.note(format_args!("edge to {:?} start {}", Key::of(&edge.to), edge.is_start));
        }
        if keys != self.configured {
            self.trouble();
            self.note(format_args!("sources yield {keys:?}"));
            self.configured = keys;
        }
        self.tell(Event::Configured { configured, is_followed });
        if is_followed {
            self.read();
        }
    }

    pub(super) fn sink_written(
        &mut self,
        write: u64,
        place: EntryPlace,
        credential: &Arc<Credential>,
        outcome: SinkOutcome,
    ) {
        self.counts.late_writes += u64::from(
            outcome == SinkOutcome::Done
                && self.member.record().is_some_and(|it| it.to_write_back() != credential.id()),
        );
        if outcome == SinkOutcome::Done {
            self.checks.written_at = self.now;
            let written = &mut self.places[place.index];
            written.content = vec![Key::of(credential)];
            if written.is_environment {
                written.variables = Some(Key::of(credential));
            }
            self.sources.written();
        }
        self.note(format_args!("sink {} {:?}: {outcome:?}", place.index, Key::of(credential)));
        self.tell(Event::SinkWritten { write, outcome, message: None });
    }
}
