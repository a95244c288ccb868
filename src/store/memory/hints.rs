//! Delivers hints at each write to every subscriber.

use std::collections::VecDeque;
use std::future::{Future, poll_fn};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, Weak};
use std::task::{Context, Poll, Waker};

use crate::store::interface::Hints;
use crate::store::operation::Unavailable;

/// The hints of a [`MemoryStore`](super::MemoryStore).
#[derive(Debug, Default)]
pub struct MemoryHints {
    inbox: Arc<Mutex<Inbox>>,
}

#[derive(Debug, Default)]
struct Inbox {
    epochs: VecDeque<u64>,
    waker: Option<Waker>,
}

impl MemoryHints {
    const MOST: usize = 16;

    /// The next epoch, if there is one already.
    pub fn try_next(&mut self) -> Option<u64> {
        self.lock().epochs.pop_front()
    }

    fn poll_next(&mut self, context: &Context<'_>) -> Poll<u64> {
        let mut inbox = self.lock();
        if let Some(epoch) = inbox.epochs.pop_front() {
            return Poll::Ready(epoch);
        }
        inbox.waker = Some(context.waker().clone());
        Poll::Pending
    }

    fn lock(&self) -> MutexGuard<'_, Inbox> {
        self.inbox.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Hints for MemoryHints {
    fn next(&mut self) -> impl Future<Output = Result<u64, Unavailable>> + Send {
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
    pub(super) fn announce(&mut self, epoch: u64) -> Vec<Waker> {
        let mut waiting = Vec::new();
        self.0.retain(|subscriber| {
            let Some(inbox) = subscriber.upgrade() else { return false };
            let mut inbox = inbox.lock().unwrap_or_else(PoisonError::into_inner);
            if inbox.epochs.len() == MemoryHints::MOST {
                inbox.epochs.pop_front();
            }
            inbox.epochs.push_back(epoch);
            waiting.extend(inbox.waker.take());
            true
        });
        waiting
    }
}
