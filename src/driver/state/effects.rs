//! Performs the effects of a step that take no time, and queues the others as errands.

use super::{REMEMBERED_TOKENS, State};
use crate::api::{CredentialMessage, Message};
use crate::clock::Timestamp;
use crate::credential::Credential;
use crate::driver::errand::Errand;
use crate::member::{MemberEffect, MemberEvent};
use crate::persist::PersistTarget;
use crate::rotation::PersistOutcome;
use crate::source::EntryPlace;

impl State {
    /// Performs an effect, or queues it; returns what the member is to be told at once.
    pub(super) fn perform(&mut self, effect: MemberEffect, now: Timestamp) -> Option<MemberEvent> {
        match effect {
            MemberEffect::Request { request, credential, verify } => {
                self.errands.push_back(Errand::Request { request, credential, verify });
            }
            MemberEffect::Identify(credential) => {
                self.errands.push_back(Errand::Identify(credential));
            }
            MemberEffect::ReadSources => self.read_again(now),
            MemberEffect::Store { id, operation } => {
                // In this process the store replies at once.
                if let Some(store) = &self.store {
                    return Some(MemberEvent::Stored { id, result: Ok(store.answer(&operation)) });
                }
                self.errands.push_back(Errand::Operate { id, operation: Box::new(operation) });
            }
            MemberEffect::Publish(token) => {
                self.issued.push_front(token.text.clone());
                self.issued.truncate(REMEMBERED_TOKENS);
                self.handles.hand_out();
            }
            MemberEffect::Withdraw => self.handles.withdraw(),
            MemberEffect::Settle { waiter, outcome } => self.settle(waiter, outcome),
            MemberEffect::Persist {
                write,
                place,
                target: PersistTarget::Js { index },
                credential,
            } => {
                return self.persist(write, place, index, &credential);
            }
            MemberEffect::Persist { write, target, credential, .. } => {
                self.errands.push_back(Errand::Persist { write, target, credential });
            }
            MemberEffect::AbortPersist { write } => self.abort_persist(write),
            MemberEffect::TryPersist { place, target } => {
                self.errands.push_back(Errand::TryPersist { place, target });
            }
            MemberEffect::ReplaceVariables { place, credential } => {
                self.replace_variables(place, &credential);
                self.sources.written();
                self.read_again(now);
            }
            MemberEffect::Answer { caller, outcome } => self.answer(caller, outcome, now),
            MemberEffect::Notify(notice) => self.notice(notice, now),
        }
        None
    }

    /// Has a persist function keep a credential; nobody does if its handle is closed.
    fn persist(
        &mut self,
        write: u64,
        place: EntryPlace,
        index: usize,
        credential: &Credential,
    ) -> Option<MemberEvent> {
        let owner = place.owner;
        if !self.handles.is_open(owner) {
            return Some(nobody_persists(write));
        }
        self.persisting.give(write, owner);
        let credential = CredentialMessage::of(credential);
        self.handles.tell(owner, &Message::Persist { handle: owner, index, write, credential });
        None
    }

    /// Has a persist function give up; a write to a file cannot be stopped.
    fn abort_persist(&self, write: u64) {
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

    /// Nobody waits for the persist targets of a handle that is closed.
    pub(super) fn abandon_persists(&mut self, owner: u64, now: Timestamp) {
        for write in self.persisting.take_all(owner) {
            self.step(nobody_persists(write), now);
        }
    }
}

fn nobody_persists(write: u64) -> MemberEvent {
    let message = Some("the manager that it belongs to was closed".to_owned());
    MemberEvent::Persisted { write, outcome: PersistOutcome::Impossible, message }
}
