//! Events and answers on their way to the environments.

use std::collections::VecDeque;
use std::sync::Arc;

use super::audience::Audience;
use super::handles::Handles;
use crate::api::{EventMessage, HandleId, Message, UntoldEvent, UtcMillis};
use crate::credential::Credential;

/// What is told in the order in which it happened: an answer comes after the events that led to it.
#[derive(Debug, Default)]
pub(super) struct News {
    queue: VecDeque<NewsItem>,
    audience: Audience,
    /// The number of the latest event.
    seq: u64,
}

#[derive(Debug)]
enum NewsItem {
    Event {
        seq: u64,
        at: UtcMillis,
        event: UntoldEvent,
    },
    /// For the handle that asked.
    Answer(HandleId, Message),
}

impl News {
    /// Queues an event.
    pub(super) fn note(&mut self, at: UtcMillis, event: UntoldEvent) {
        self.seq += 1;
        self.queue.push_back(NewsItem::Event { seq: self.seq, at, event });
    }

    /// Queues an answer.
    pub(super) fn answer(&mut self, owner: HandleId, answer: Message) {
        self.queue.push_back(NewsItem::Answer(owner, answer));
    }

    /// Tells the news in order, up to the first that names a credential whose id is not derived
    /// yet.
    ///
    /// Returns that credential if somebody listens. Without listeners its id is not worth 20 ms of
    /// a processor.
    pub(super) fn tell(&mut self, handles: &Handles) -> Option<Arc<Credential>> {
        while let Some(item) = self.queue.pop_front() {
            let unnamed = item.unnamed().map(Arc::clone);
            if unnamed.is_none() {
                item.pass_on(handles);
                continue;
            }
            self.queue.push_front(item);
            if self.audience.is_present() {
                return unnamed;
            }
            if !self.audience.is_asked() {
                let silent = handles.ask_for_listeners();
                self.audience = Audience::Asked { silent, seq: self.seq };
            }
            return None;
        }
        // What was asked about has been told meanwhile.
        self.audience.is_told();
        None
    }

    /// Whether it is not known yet if anybody hears what has happened.
    pub(super) fn looks_for_listeners(&self) -> bool {
        self.audience.is_asked()
    }

    /// Somebody listens from now on.
    pub(super) fn is_listened_to(&mut self) {
        self.audience = Audience::Present;
    }

    /// Nobody listens by way of this handle.
    pub(super) fn is_ignored_by(&mut self, handle: HandleId) {
        if let Some(unheard) = self.audience.lacks(handle) {
            let is_heard =
                |it: &NewsItem| !matches!(it, NewsItem::Event { seq, .. } if *seq <= unheard);
            self.queue.retain(is_heard);
        }
    }
}

impl NewsItem {
    /// The credential whose id has to be derived before this can be told.
    fn unnamed(&self) -> Option<&Arc<Credential>> {
        match self {
            Self::Event { event, .. } => event.unnamed(),
            Self::Answer(..) => None,
        }
    }

    fn pass_on(self, handles: &Handles) {
        match self {
            Self::Event { seq, at, event } => {
                let owner = event.owner();
                let event = event.into_event();
                handles.tell_event(&EventMessage { handles: Vec::new(), seq, at, event }, owner);
            }
            Self::Answer(owner, answer) => handles.tell(owner, &answer),
        }
    }
}
