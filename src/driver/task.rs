//! One manager's task on the driver's thread: performs what was decided, reports what came of it.

use std::collections::{BTreeSet, HashMap};
use std::future::{Future, pending, poll_fn};
use std::pin::{Pin, pin};
use std::sync::Arc;

use tokio::task::JoinSet;

use super::clients::Clients;
use super::manager::Manager;
use super::state::{Delivery, Todo};
use super::workers::Workers;
use crate::client::{Attempt, HttpClient};
use crate::clock::{Clock, Sleep, Timestamp};
use crate::credential::Credential;
use crate::error::{Code, Failure};
use crate::secret::Secret;
use crate::source::{FileReading, Place};
use crate::verdict::Verdict;

type Work<T> = Pin<Box<dyn Future<Output = T> + Send>>;

/// Serves a manager until the supervisor drops it.
pub(super) async fn run(manager: Arc<Manager>, clients: Arc<Clients>, workers: Arc<Workers>) {
    let clock = Arc::clone(&manager.clock);
    if let Some(at) = manager.restart_at() {
        wait(&manager, clock.sleep_until(at), || manager.rest()).await;
        manager.restart();
    }
    let task = Task {
        manager,
        clients,
        workers,
        clock,
        client: None,
        fetch: None,
        readings: JoinSet::new(),
        being_read: BTreeSet::new(),
        delivery: None,
    };
    task.run().await;
}

/// What a task waited for.
enum Step {
    Changed,
    Answered(u64, Attempt),
    Read(Place, FileReading),
    Delivered,
    TimeHasCome,
}

/// What is under way for a manager; at most one request, one delivery, and one reading of each place.
struct Task {
    manager: Arc<Manager>,
    clients: Arc<Clients>,
    workers: Arc<Workers>,
    clock: Arc<dyn Clock>,
    /// Kept for the sake of its TLS sessions.
    client: Option<Arc<HttpClient>>,
    fetch: Option<Work<(u64, Attempt)>>,
    readings: JoinSet<(Place, FileReading)>,
    /// A file that hangs is not read a second time meanwhile.
    being_read: BTreeSet<Place>,
    delivery: Option<Work<()>>,
}

impl Task {
    async fn run(mut self) {
        let mut undelivered = Vec::new();
        loop {
            for todo in self.manager.take_todo() {
                match todo {
                    Todo::Fetch { flight, credential, issued } => {
                        self.fetch(flight, credential, issued);
                    }
                    Todo::ReadFiles(places) => self.read(places),
                    Todo::Deliver(delivery) => undelivered.push(delivery),
                }
            }
            if self.delivery.is_none() {
                self.deliver(std::mem::take(&mut undelivered));
            }
            let alarm = sleep(&*self.clock, self.manager.wake_at());
            match self.next(alarm).await {
                Step::Changed => {}
                Step::Answered(flight, attempt) => {
                    self.fetch = None;
                    self.manager.answered(flight, attempt);
                }
                Step::Read(place, reading) => {
                    self.being_read.remove(&place);
                    self.manager.files_read(HashMap::from([(place, reading)]));
                }
                Step::Delivered => self.delivery = None,
                Step::TimeHasCome => self.manager.tick(),
            }
        }
    }

    /// Waits for the next thing to happen.
    async fn next(&mut self, alarm: Sleep) -> Step {
        let (is_fetching, is_delivering) = (self.fetch.is_some(), self.delivery.is_some());
        let manager = &self.manager;
        let next = async {
            tokio::select! {
                () = manager.changed.notified() => Step::Changed,
                (flight, attempt) = or_never(&mut self.fetch) => Step::Answered(flight, attempt),
                Some(Ok((place, reading))) = self.readings.join_next() => Step::Read(place, reading),
                () = or_never(&mut self.delivery) => Step::Delivered,
                () = alarm => Step::TimeHasCome,
            }
        };
        let park = || {
            // What is still to be told waits for the delivery under way.
            if !is_delivering {
                manager.park(is_fetching);
            }
        };
        wait(manager, next, park).await
    }

    /// Sends a request; an older one that is still under way is given up.
    fn fetch(&mut self, flight: u64, credential: Arc<Credential>, issued: Vec<Secret>) {
        let (manager, clock) = (Arc::clone(&self.manager), Arc::clone(&self.clock));
        let client = match &self.client {
            Some(client) => Ok(Arc::clone(client)),
            None => self.clients.get(&manager.transport),
        };
        self.fetch = Some(match client {
            Ok(client) => {
                self.client = Some(Arc::clone(&client));
                Box::pin(async move {
                    let attempt =
                        client.fetch(&manager.endpoint, &credential, &issued, &*clock).await;
                    (flight, attempt)
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

    /// Reads each place on its own: one that hangs does not hold the others up.
    fn read(&mut self, places: BTreeSet<Place>) {
        for place in places {
            if self.being_read.insert(place.clone()) {
                let workers = Arc::clone(&self.workers);
                self.readings.spawn(async move { (place.clone(), workers.read(place).await) });
            }
        }
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
            let workers = Arc::clone(&self.workers);
            self.delivery = Some(Box::pin(async move { workers.name(deliver).await }));
        }
    }
}

/// Waits for something, and calls `park` whenever there is nothing to do but wait.
///
/// The task counts as busy while it is polled: it may have seen what nobody else sees any more.
async fn wait<T>(manager: &Manager, what: impl Future<Output = T>, park: impl Fn()) -> T {
    let mut what = pin!(what);
    poll_fn(|context| {
        manager.stir();
        let result = what.as_mut().poll(context);
        if result.is_pending() {
            park();
        }
        result
    })
    .await
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
