//! Performs the effects of a step that take no time, and queues the others as errands.

use super::{REMEMBERED_TOKENS, State};
use crate::api::{CredentialMessage, Message};
use crate::clock::Timestamp;
use crate::credential::Credential;
use crate::driver::errand::Errand;
use crate::member::{Effect, Event, Stored};
use crate::rotation::SinkOutcome;
use crate::sink::Target;
use crate::source::EntryPlace;

impl State {
    /// Performs an effect, or queues it; returns what the member is to be told at once.
    pub(super) fn perform(&mut self, effect: Effect, now: Timestamp) -> Option<Event> {
        match effect {
            Effect::Request { request, credential, verify } => {
                self.errands.push_back(Errand::Request { request, credential, verify });
            }
            Effect::Identify(credential) => self.errands.push_back(Errand::Identify(credential)),
            Effect::ReadSources => self.read_again(now),
            Effect::Load => {
                let snapshot = Box::new(self.store.load());
                return Some(Event::Stored(Stored::Loaded(snapshot)));
            }
            Effect::Write(write, fresh) => {
                let written = self.store.write(&write, fresh.as_ref());
                let stored = written.map(|written| Stored::Written { serial: written.serial });
                return Some(Event::Stored(stored.unwrap_or(Stored::Refused)));
            }
            Effect::WriteToken(token) => {
                let stored = self.store.put_token(&token);
                let stored = stored.map(|serial| Stored::Written { serial: Some(serial) });
                return Some(Event::Stored(stored.unwrap_or(Stored::Refused)));
            }
            Effect::Forget(serial) => {
                self.store.invalidate(serial);
            }
            Effect::ForgetTokensOf(credential) => {
                self.store.drop_tokens(credential);
            }
            Effect::Publish(token) => {
                self.issued.push_front(token.text.clone());
                self.issued.truncate(REMEMBERED_TOKENS);
                self.handles.hand_out();
            }
            Effect::Withdraw => self.handles.withdraw(),
            Effect::Settle { waiter, outcome } => self.settle(waiter, outcome),
            Effect::WriteSink { write, place, target: Target::Js { index }, credential } => {
                return self.persist(write, place, index, &credential);
            }
            Effect::WriteSink { write, target, credential, .. } => {
                self.errands.push_back(Errand::WriteSink { write, target, credential });
            }
            Effect::AbortSink { write } => self.abort_sink(write),
            Effect::TrySink { place, target } => {
                self.errands.push_back(Errand::TrySink { place, target });
            }
            Effect::ReplaceVariables { place, credential } => {
                self.replace_variables(place, &credential);
                self.sources.written();
                self.read_again(now);
            }
            Effect::Answer { caller, outcome } => self.answer(caller, outcome, now),
            Effect::Notify(notice) => self.notice(notice, now),
        }
        None
    }

    /// Has a JavaScript sink keep a credential; nobody does if its handle is closed.
    fn persist(
        &mut self,
        write: u64,
        place: EntryPlace,
        index: usize,
        credential: &Credential,
    ) -> Option<Event> {
        let owner = place.owner;
        if !self.handles.is_open(owner) {
            return Some(nobody_persists(write));
        }
        self.persisting.give(write, owner);
        let credential = CredentialMessage::of(credential);
        self.handles.tell(owner, &Message::Persist { handle: owner, index, write, credential });
        None
    }

    /// Has a JavaScript sink give up; a write to a file cannot be stopped.
    fn abort_sink(&self, write: u64) {
        if let Some(owner) = self.persisting.owner(write) {
            self.handles.tell(owner, &Message::AbortPersist { handle: owner, write });
        }
    }

    fn replace_variables(&self, place: EntryPlace, credential: &Credential) {
        let message = Message::Environment {
            handle: place.owner,
            entry: place.index,
            client_id: credential.client_id.clone(),
            client_secret: credential.client_secret.clone(),
        };
        self.handles.tell(place.owner, &message);
    }

    /// Nobody waits for the sinks of a handle that is closed.
    pub(super) fn abandon_sinks(&mut self, owner: u64, now: Timestamp) {
        for write in self.persisting.take_all(owner) {
            self.step(nobody_persists(write), now);
        }
    }
}

fn nobody_persists(write: u64) -> Event {
    let message = Some("the manager that it belongs to was closed".to_owned());
    Event::SinkWritten { write, outcome: SinkOutcome::Impossible, message }
}
