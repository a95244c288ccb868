//! One manager's task on the driver's thread: performs what was decided, reports what came of it.

use std::collections::{BTreeSet, HashMap};
use std::future::{Future, pending, poll_fn};
use std::panic::resume_unwind;
use std::pin::{Pin, pin};
use std::sync::Arc;

use tokio::task::{JoinError, JoinSet};
use url::Url;

use super::clients::Clients;
use super::manager::Manager;
use super::queue::Urgency;
use super::sinks::Report;
use super::state::Todo;
use super::workers::Workers;
use super::{Driver, ManagerId};
use crate::client::{Attempt, HttpClient};
use crate::clock::{Clock, Sleep, Timestamp};
use crate::credential::Credential;
use crate::error::{Code, Failure};
use crate::source::{EntryPlace, FileReading, Place};
use crate::verdict::Verdict;

type Work<T> = Pin<Box<dyn Future<Output = T> + Send>>;

/// Serves a manager until the supervisor drops it.
pub(super) async fn run(
    id: ManagerId,
    manager: Arc<Manager>,
    driver: Arc<Driver>,
    clients: Arc<Clients>,
    workers: Arc<Workers>,
) {
    let clock = Arc::clone(&manager.clock);
    if let Some(at) = manager.restart_at() {
        wait(&manager, clock.sleep_until(at), || manager.rest()).await;
        manager.restart();
    }
    let task = Task {
        id,
        manager,
        driver,
        clients,
        workers,
        clock,
        client: None,
        requests: JoinSet::new(),
        derivations: JoinSet::new(),
        writes: JoinSet::new(),
        trials: JoinSet::new(),
        readings: JoinSet::new(),
        being_read: BTreeSet::new(),
        naming: None,
    };
    task.run().await;
}

/// What a task waited for.
enum Step {
    Changed,
    Answered(u64, Attempt),
    Identified,
    Written(u64, Report),
    Tried(EntryPlace, bool),
    Read(Place, FileReading),
    Named,
    TimeHasCome,
}

/// What is under way for a manager; at most one reading of each place.
struct Task {
    id: ManagerId,
    manager: Arc<Manager>,
    /// What an endpoint says may hold secrets of other managers.
    driver: Arc<Driver>,
    clients: Arc<Clients>,
    workers: Arc<Workers>,
    clock: Arc<dyn Clock>,
    /// Kept for the sake of its TLS sessions.
    client: Option<Arc<HttpClient>>,
    requests: JoinSet<(u64, Attempt)>,
    derivations: JoinSet<()>,
    writes: JoinSet<(u64, Report)>,
    trials: JoinSet<(EntryPlace, bool)>,
    readings: JoinSet<(Place, FileReading)>,
    /// None is read a second time meanwhile.
    being_read: BTreeSet<Place>,
    /// The news wait for the id of a credential.
    naming: Option<Work<()>>,
}

impl Task {
    async fn run(mut self) {
        let id = self.id;
        loop {
            for todo in self.manager.take_todo() {
                match todo {
                    Todo::Request { request, credential, verify } => {
                        self.request(request, credential, verify);
                    }
                    Todo::Identify(credential) => {
                        let workers = Arc::clone(&self.workers);
                        self.derivations.spawn(async move {
                            workers.name(id, Urgency::Unawaited, credential).await;
                        });
                    }
                    Todo::WriteSink { write, target, credential } => {
                        let workers = Arc::clone(&self.workers);
                        let report = async move { workers.write(id, target, credential).await };
                        self.writes.spawn(async move { (write, report.await) });
                    }
                    Todo::TrySink { place, target } => {
                        let workers = Arc::clone(&self.workers);
                        let tried = async move { workers.try_sink(id, target).await };
                        self.trials.spawn(async move { (place, tried.await) });
                    }
                    Todo::ReadFiles(places) => self.read(places),
                }
            }
            if self.naming.is_none() {
                self.tell_news();
            }
            let alarm = sleep(&*self.clock, self.manager.wake_at());
            match self.next(alarm).await {
                Step::Changed => {}
                Step::Answered(request, attempt) => self.manager.answered(request, attempt),
                Step::Identified => self.manager.identified(),
                Step::Written(write, Report { outcome, message }) => {
                    self.manager.sink_written(write, outcome, message);
                }
                Step::Tried(place, is_writable) => self.manager.sink_tried(place, is_writable),
                Step::Read(place, reading) => {
                    self.being_read.remove(&place);
                    self.manager.files_read(HashMap::from([(place, reading)]));
                }
                Step::Named => self.naming = None,
                Step::TimeHasCome => self.manager.tick(),
            }
        }
    }

    /// Waits for the next thing to happen.
    async fn next(&mut self, alarm: Sleep) -> Step {
        let is_fetching = !self.requests.is_empty();
        let is_working = self.naming.is_some()
            || !self.derivations.is_empty()
            || !self.writes.is_empty()
            || !self.trials.is_empty();
        let manager = &self.manager;
        let next = async {
            tokio::select! {
                () = manager.changed.notified() => Step::Changed,
                Some(answered) = self.requests.join_next() => {
                    let (request, attempt) = finished(answered);
                    Step::Answered(request, attempt)
                }
                Some(_) = self.derivations.join_next() => Step::Identified,
                Some(written) = self.writes.join_next() => {
                    let (write, report) = finished(written);
                    Step::Written(write, report)
                }
                Some(tried) = self.trials.join_next() => {
                    let (place, is_writable) = finished(tried);
                    Step::Tried(place, is_writable)
                }
                Some(Ok((place, reading))) = self.readings.join_next() => Step::Read(place, reading),
                () = or_never(&mut self.naming) => Step::Named,
                () = alarm => Step::TimeHasCome,
            }
        };
        let park = || {
            // What is still to be told or known waits for the work under way, which ends by itself.
            if !is_working {
                manager.park(is_fetching);
            }
        };
        wait(manager, next, park).await
    }

    /// Sends a request, and tries its token where that is wanted.
    fn request(&mut self, request: u64, credential: Arc<Credential>, verify: Option<Url>) {
        let (manager, driver) = (Arc::clone(&self.manager), Arc::clone(&self.driver));
        let clock = Arc::clone(&self.clock);
        let client = match &self.client {
            Some(client) => Ok(Arc::clone(client)),
            None => self.clients.get(&manager.transport),
        };
        match client {
            Ok(client) => {
                self.client = Some(Arc::clone(&client));
                self.requests.spawn(async move {
                    let send = async {
                        let mut attempt =
                            client.fetch(&manager.endpoint, &credential, &*driver, &*clock).await;
                        if let (Verdict::Accepted(grant), Some(url)) = (&attempt.verdict, verify) {
                            let verify = client.verify(&url, &grant.access_token, &*clock).await;
                            attempt.verify = Some(verify);
                        }
                        (request, attempt)
                    };
                    // What it has seen of the clock is seen by the manager's task only after this.
                    wait(&manager, send, || manager.park(true)).await
                });
            }
            // A client that cannot be made is an answer, too: it is told, and tried again later.
            Err(error) => {
                let failure = Failure::new(Code::Misconfigured, error.to_string());
                let verdict = Verdict::Misconfigured(failure);
                let attempt = Attempt { sent_at: clock.now(), verdict, verify: None };
                self.requests.spawn(async move { (request, attempt) });
            }
        }
    }

    /// Reads each place on its own: one that hangs does not hold the others up.
    fn read(&mut self, places: BTreeSet<Place>) {
        for place in places {
            if self.being_read.insert(place.clone()) {
                let (id, workers) = (self.id, Arc::clone(&self.workers));
                self.readings.spawn(async move { (place.clone(), workers.read(id, place).await) });
            }
        }
    }

    /// Tells what happened, in order.
    fn tell_news(&mut self) {
        if let Some(credential) = self.manager.tell_news() {
            let (id, workers) = (self.id, Arc::clone(&self.workers));
            let name = async move { workers.name(id, Urgency::Awaited, credential).await };
            self.naming = Some(Box::pin(name));
        }
    }
}

/// What a task brought; a panic in it is the manager's own.
fn finished<T>(joined: Result<T, JoinError>) -> T {
    joined.unwrap_or_else(|error| match error.try_into_panic() {
        Ok(panic) => resume_unwind(panic),
        Err(error) => unreachable!("nobody cancels it: {error}"),
    })
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
