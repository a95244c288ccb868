//! Delivers hints at each write to every subscriber.

use std::collections::VecDeque;
use std::future::{Future, poll_fn};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, Weak};
use std::task::{Context, Poll, Waker};

use crate::store::interface::{Hint, Hints};
use crate::store::operation::Unavailable;

/// The hints of a [`MemoryStore`](super::MemoryStore).
#[derive(Debug, Default)]
pub struct MemoryHints {
    inbox: Arc<Mutex<Inbox>>,
}

#[derive(Debug, Default)]
struct Inbox {
    unread: VecDeque<Hint>,
    waker: Option<Waker>,
}

impl MemoryHints {
    const MOST: usize = 16;

    /// The next hint, if there is one already.
    pub fn try_next(&mut self) -> Option<Hint> {
        self.lock().unread.pop_front()
    }

    fn poll_next(&mut self, context: &Context<'_>) -> Poll<Hint> {
        let mut inbox = self.lock();
        if let Some(hint) = inbox.unread.pop_front() {
            return Poll::Ready(hint);
        }
        inbox.waker = Some(context.waker().clone());
        Poll::Pending
    }

    fn lock(&self) -> MutexGuard<'_, Inbox> {
        self.inbox.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Hints for MemoryHints {
    fn next(&mut self) -> impl Future<Output = Result<Hint, Unavailable>> + Send {
        poll_fn(|context| self.poll_next(context).map(Ok))
    }
}

/// Every subscriber that still exists.
#[derive(Default)]
pub(super) struct Subscribers(Vec<Weak<Mutex<Inbox>>>);

impl Subscribers {
    pub(super) fn add(&mut self) -> MemoryHints {
        let hints = MemoryHints::default();
        self.0.push(Arc::downgrade(&hints.inbox));
        hints
    }

    #[cfg(test)]
    pub(super) fn count(&self) -> usize {
        self.0.len()
    }

    /// Leaves a hint for every subscriber. Returns the wakers to call once nothing is locked.
    pub(super) fn announce(&mut self, hint: Hint) -> Vec<Waker> {
        let mut waiting = Vec::new();
        self.0.retain(|subscriber| {
            let Some(inbox) = subscriber.upgrade() else { return false };
            let mut inbox = inbox.lock().unwrap_or_else(PoisonError::into_inner);
            if inbox.unread.len() == MemoryHints::MOST {
                inbox.unread.pop_front();
            }
            inbox.unread.push_back(hint);
            waiting.extend(inbox.waker.take());
            true
        });
        waiting
    }
}
