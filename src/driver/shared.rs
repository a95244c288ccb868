//! A manager's use of a store that it shares with other processes: operations under way, and hints.

use std::sync::Arc;
use std::time::Duration;

use tokio::sync::mpsc;
use tokio::task::{JoinHandle, JoinSet};

use super::errand::finished;
use crate::clock::Clock;
use crate::member::MemberEvent;
use crate::redis::RedisStore;
use crate::store::{Hints, Operation, Store};

/// Whoever may not listen tries again after that. Until then beats tell of changes.
const RESUBSCRIBE: Duration = Duration::from_secs(1);

/// How long whoever leaves waits for the store to hear of it.
const FAREWELL: Duration = Duration::from_millis(500);

/// A store, what is asked of it, and what it announces.
pub(super) struct SharedStore {
    store: Arc<RedisStore>,
    operations: JoinSet<MemberEvent>,
    announced: mpsc::UnboundedReceiver<MemberEvent>,
    listener: JoinHandle<()>,
}

impl SharedStore {
    /// Listens to a store from now on.
    pub(super) fn new(store: RedisStore, clock: Arc<dyn Clock>) -> Self {
        let store = Arc::new(store);
        let (announce, announced) = mpsc::unbounded_channel();
        let listener = tokio::spawn(listen(Arc::clone(&store), clock, announce));
        Self { store, operations: JoinSet::new(), announced, listener }
    }

    /// Begins an operation. The member knows how long it waits for that.
    pub(super) fn begin(&mut self, id: u64, operation: Box<Operation>) {
        let store = Arc::clone(&self.store);
        self.operations.spawn(async move {
            MemberEvent::Stored { id, result: store.perform(&operation).await }
        });
    }

    /// Waits for the next reply or hint. Dropping the future loses none.
    pub(super) async fn next(&mut self) -> MemberEvent {
        tokio::select! {
            Some(replied) = self.operations.join_next() => finished(replied),
            Some(hinted) = self.announced.recv() => hinted,
            else => std::future::pending().await,
        }
    }

    /// Waits until what was begun has come to an end, but not for long.
    pub(super) async fn end(mut self, clock: &dyn Clock) {
        let ended = async { while self.operations.join_next().await.is_some() {} };
        tokio::select! {
            () = ended => {}
            () = clock.sleep_until(clock.now() + FAREWELL) => {}
        }
    }
}

impl Drop for SharedStore {
    fn drop(&mut self) {
        self.listener.abort();
    }
}

/// Passes on what a store announces, for as long as somebody hears it.
async fn listen(
    store: Arc<RedisStore>,
    clock: Arc<dyn Clock>,
    announce: mpsc::UnboundedSender<MemberEvent>,
) {
    loop {
        if let Ok(mut hints) = store.subscribe().await {
            while let Ok(hint) = hints.next().await {
                if announce.send(MemberEvent::Hinted(hint)).is_err() {
                    return;
                }
            }
        }
        clock.sleep_until(clock.now() + RESUBSCRIBE).await;
    }
}
