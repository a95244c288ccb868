//! The open handles of a manager: their environments, and the words that say which token is held.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::sync::atomic::{AtomicI32, Ordering};

use super::listener::{Listener, NO_TOKEN, Word};
use crate::api::{EventMessage, HandleId, Message};

/// The open handles, in the order in which they were opened. Every word holds the same stamp.
#[derive(Default)]
pub(super) struct Handles {
    open: BTreeMap<HandleId, Ends>,
    stamp: i32,
}

/// Both ends of a handle: who is told, and what is read without a call.
struct Ends {
    listener: Arc<dyn Listener>,
    word: Box<dyn Word>,
}

impl Handles {
    pub(super) fn open(&mut self, id: HandleId, listener: Arc<dyn Listener>, word: Box<dyn Word>) {
        word.store(self.stamp);
        self.open.insert(id, Ends { listener, word });
    }

    pub(super) fn close(&mut self, id: HandleId) {
        if let Some(handle) = self.open.remove(&id) {
            handle.word.store(NO_TOKEN);
        }
    }

    pub(super) fn is_empty(&self) -> bool {
        self.open.is_empty()
    }

    pub(super) fn is_open(&self, id: HandleId) -> bool {
        self.open.contains_key(&id)
    }

    /// A new token is handed out. The member holds it already: who reads the new word finds it
    /// there.
    pub(super) fn hand_out(&mut self) {
        self.publish(next_stamp());
    }

    /// No token is handed out any more.
    pub(super) fn withdraw(&mut self) {
        self.publish(NO_TOKEN);
    }

    fn publish(&mut self, stamp: i32) {
        self.stamp = stamp;
        self.open.values().for_each(|handle| handle.word.store(stamp));
    }

    /// Tells the environment of one handle, unless that is closed.
    pub(super) fn tell(&self, id: HandleId, message: &Message) {
        if let Some(handle) = self.open.get(&id) {
            handle.listener.tell(message);
        }
    }

    /// Tells an event to each environment once; with an owner only to that handle's.
    pub(super) fn tell_event(&self, event: &EventMessage, owner: Option<HandleId>) {
        for (listener, mut handles) in self.environments() {
            if let Some(owner) = owner {
                handles.retain(|handle| *handle == owner);
            }
            if !handles.is_empty() {
                listener.tell(&Message::Event(EventMessage { handles, ..event.clone() }));
            }
        }
    }

    /// Asks each environment whether anybody listens; returns the handles that were asked.
    pub(super) fn ask_for_listeners(&self) -> BTreeSet<HandleId> {
        for (listener, handles) in self.environments() {
            listener.tell(&Message::Audience { handles });
        }
        self.open.keys().copied().collect()
    }

    /// Each environment once, with its handles.
    fn environments(&self) -> Vec<(&Arc<dyn Listener>, Vec<HandleId>)> {
        let mut environments: Vec<(&Arc<dyn Listener>, Vec<HandleId>)> = Vec::new();
        for (id, handle) in &self.open {
            let known =
                environments.iter_mut().find(|(listener, _)| listener.id() == handle.listener.id());
            match known {
                Some((_, handles)) => handles.push(*id),
                None => environments.push((&handle.listener, vec![*id])),
            }
        }
        environments
    }
}

/// A stamp that no token of this process had before, so that no handle ever sees the stamp of a
/// token that it cached earlier.
fn next_stamp() -> i32 {
    static LAST: AtomicI32 = AtomicI32::new(NO_TOKEN);
    let next = |last: i32| if last == i32::MAX { NO_TOKEN + 1 } else { last + 1 };
    let update = |last| Some(next(last));
    LAST.fetch_update(Ordering::Relaxed, Ordering::Relaxed, update).map_or(NO_TOKEN + 1, next)
}
