//! One manager's task on the driver's thread: performs what was decided, reports what came of it.

use std::collections::HashMap;
use std::future::{Future, pending, poll_fn};
use std::pin::{Pin, pin};
use std::sync::Arc;

use tokio::task::spawn_blocking;

use super::clients::Clients;
use super::files;
use super::manager::{Delivery, Manager, Parked, Todo};
use crate::client::{Attempt, HttpClient};
use crate::clock::{Clock, Sleep, Timestamp};
use crate::credential::Credential;
use crate::error::{Code, Failure};
use crate::source::{FileReading, Place};
use crate::verdict::Verdict;

type Work<T> = Pin<Box<dyn Future<Output = T> + Send>>;

/// Serves a manager until the supervisor drops it.
pub(super) async fn run(manager: Arc<Manager>, clients: Arc<Clients>) {
    let clock = Arc::clone(&manager.clock);
    if let Some(at) = manager.restart_at() {
        let pause = clock.sleep_until(at);
        manager.rest();
        pause.await;
        manager.restart();
    }
    Task { manager, clients, clock, client: None, fetch: None, files: None, delivery: None }
        .run()
        .await;
}

/// What a task waited for.
enum Step {
    Changed,
    Answered(u64, Attempt),
    FilesRead(HashMap<Place, FileReading>),
    Delivered,
    TimeHasCome,
}

/// What is under way for a manager; at most one of each.
struct Task {
    manager: Arc<Manager>,
    clients: Arc<Clients>,
    clock: Arc<dyn Clock>,
    /// Kept for the sake of its connections.
    client: Option<Arc<HttpClient>>,
    fetch: Option<Work<(u64, Attempt)>>,
    files: Option<Work<HashMap<Place, FileReading>>>,
    delivery: Option<Work<()>>,
}

impl Task {
    async fn run(mut self) {
        let mut undelivered = Vec::new();
        loop {
            for todo in self.manager.take_todo() {
                match todo {
                    Todo::Fetch { flight, credential } => self.fetch(flight, credential),
                    Todo::ReadFiles(places) => {
                        let read = spawn_blocking(|| files::read(places));
                        self.files = Some(Box::pin(async { read.await.unwrap_or_default() }));
                    }
                    Todo::Deliver(delivery) => undelivered.push(delivery),
                }
            }
            if self.delivery.is_none() {
                self.deliver(std::mem::take(&mut undelivered));
            }
            let alarm = sleep(&*self.clock, self.manager.wake_at());
            let is_parking =
                self.files.is_none() && self.delivery.is_none() && undelivered.is_empty();
            let parked = is_parking.then_some(Parked { is_fetching: self.fetch.is_some() });
            match self.next(alarm, parked).await {
                Step::Changed => {}
                Step::Answered(flight, attempt) => {
                    self.fetch = None;
                    self.manager.answered(flight, attempt);
                }
                Step::FilesRead(readings) => {
                    self.files = None;
                    self.manager.files_read(readings);
                }
                Step::Delivered => self.delivery = None,
                Step::TimeHasCome => self.manager.tick(),
            }
        }
    }

    /// Waits for the next thing to happen.
    async fn next(&mut self, alarm: Sleep, parked: Option<Parked>) -> Step {
        let mut next = pin!(async {
            tokio::select! {
                () = self.manager.changed.notified() => Step::Changed,
                (flight, attempt) = or_never(&mut self.fetch) => Step::Answered(flight, attempt),
                readings = or_never(&mut self.files) => Step::FilesRead(readings),
                () = or_never(&mut self.delivery) => Step::Delivered,
                () = alarm => Step::TimeHasCome,
            }
        });
        // It counts as busy while it is polled, for then it may have seen what nobody else sees any more.
        poll_fn(|context| {
            self.manager.unpark();
            let step = next.as_mut().poll(context);
            if step.is_pending() {
                self.manager.park(parked);
            }
            step
        })
        .await
    }

    /// Sends a request; an older one that is still under way is given up.
    fn fetch(&mut self, flight: u64, credential: Arc<Credential>) {
        let (manager, clock) = (Arc::clone(&self.manager), Arc::clone(&self.clock));
        let client = match &self.client {
            Some(client) => Ok(Arc::clone(client)),
            None => self.clients.get(&manager.transport),
        };
        self.fetch = Some(match client {
            Ok(client) => {
                self.client = Some(Arc::clone(&client));
                Box::pin(async move {
                    (flight, client.fetch(&manager.endpoint, &credential, &*clock).await)
                })
            }
            // A client that cannot be made is an answer, too: it is told, and tried again later.
            Err(error) => {
                let failure = Failure::new(Code::Misconfigured, error.to_string());
                let verdict = Verdict::Misconfigured(failure);
                Box::pin(async move { (flight, Attempt { sent_at: clock.now(), verdict }) })
            }
        });
    }

    /// Tells what happened, in order.
    fn deliver(&mut self, deliveries: Vec<Delivery>) {
        let is_quick = deliveries
            .iter()
            .all(|delivery| delivery.occurrence.credential().is_none_or(Credential::has_id));
        let manager = Arc::clone(&self.manager);
        let deliver = move || deliveries.iter().for_each(|delivery| manager.deliver(delivery));
        if is_quick {
            deliver();
        } else {
            // Deriving an id takes 20 ms of CPU time: not on the thread that refreshes.
            let delivered = spawn_blocking(deliver);
            self.delivery = Some(Box::pin(async { drop(delivered.await) }));
        }
    }
}

async fn or_never<T>(work: &mut Option<Work<T>>) -> T {
    match work {
        Some(work) => work.await,
        None => pending().await,
    }
}

fn sleep(clock: &dyn Clock, until: Option<Timestamp>) -> Sleep {
    until.map_or_else(|| Box::pin(pending()) as Sleep, |at| clock.sleep_until(at))
}
