//! One manager's task on the driver's thread: performs what was decided, reports what came of it.

use std::collections::{BTreeSet, HashMap};
use std::future::{Future, pending, poll_fn};
use std::pin::{Pin, pin};
use std::sync::Arc;

use tokio::task::JoinSet;
use url::Url;

use super::clients::Clients;
use super::errand::{Errand, finished};
use super::manager::{Manager, ManagerId};
use super::persist::Report;
use super::queue::Urgency;
use super::registry::Registry;
use super::service::Service;
use super::shared::SharedStore;
use super::stores::Stores;
use super::workers::Workers;
use crate::client::{Attempt, HttpClient};
use crate::clock::{Clock, Sleep, Timestamp};
use crate::credential::Credential;
use crate::error::{Code, Failure};
use crate::member::MemberEvent;
use crate::source::{FileReading, Place};
use crate::verdict::Verdict;

type Spawned<T> = Pin<Box<dyn Future<Output = T> + Send>>;

/// Serves a manager until the supervisor drops it.
pub(super) async fn run(
    id: ManagerId,
    manager: Arc<Manager>,
    registry: Arc<Registry>,
    (clients, stores): (Arc<Clients>, Arc<Stores>),
) {
    let clock = Arc::clone(manager.clock());
    if let Some(at) = manager.restart_at() {
        wait(by(&manager), clock.sleep_until(at), || manager.serve(Service::rest)).await;
        manager.restart();
    }
    let open = |(settings, name)| {
        SharedStore::new(stores.open(settings, name, &clock), Arc::clone(&clock))
    };
    let task = Task {
        store: manager.store().map(open),
        id,
        manager,
        workers: Arc::clone(registry.workers()),
        registry,
        clients,
        clock,
        client: None,
        requests: JoinSet::new(),
        derivations: JoinSet::new(),
        work: JoinSet::new(),
        readings: JoinSet::new(),
        being_read: BTreeSet::new(),
        naming: None,
    };
    task.run().await;
}

/// What a task has waited for.
enum Wakening {
    Changed,
    /// An errand has come to its end.
    Done(MemberEvent),
    Read(Place, FileReading),
    /// The news can go on.
    Named,
    TimeHasCome,
}

/// What is under way for a manager; at most one reading of each place.
struct Task {
    id: ManagerId,
    manager: Arc<Manager>,
    workers: Arc<Workers>,
    /// Knows the secrets of all managers: what an endpoint says may hold any of them.
    registry: Arc<Registry>,
    clients: Arc<Clients>,
    clock: Arc<dyn Clock>,
    /// What it shares with other processes, if it does.
    store: Option<SharedStore>,
    /// Kept for the sake of its TLS sessions.
    client: Option<Arc<HttpClient>>,
    requests: JoinSet<MemberEvent>,
    derivations: JoinSet<()>,
    /// Writes of files, and trials whether they could be written.
    work: JoinSet<MemberEvent>,
    readings: JoinSet<(Place, FileReading)>,
    /// Places whose readings have not ended. None of them is read a second time meanwhile.
    being_read: BTreeSet<Place>,
    /// Derives the id of a credential that the news wait for.
    naming: Option<Spawned<()>>,
}

impl Task {
    async fn run(mut self) {
        loop {
            for errand in self.manager.take_errands() {
                self.begin(errand);
            }
            if self.manager.is_closed()
                && let Some(store) = self.store.take()
            {
                return store.end(&*self.clock).await;
            }
            if self.naming.is_none() {
                self.tell_news();
            }
            let alarm = sleep(&*self.clock, self.manager.sleep());
            match self.next(alarm).await {
                Wakening::Changed => {}
                Wakening::Done(event) => self.manager.report(event),
                Wakening::Read(place, reading) => {
                    self.being_read.remove(&place);
                    self.manager.files_read(HashMap::from([(place, reading)]));
                }
                Wakening::Named => self.naming = None,
                Wakening::TimeHasCome => self.manager.tick(),
            }
        }
    }

    fn begin(&mut self, errand: Errand) {
        let (id, workers) = (self.id, Arc::clone(&self.workers));
        match errand {
            Errand::Request { request, credential, verify } => {
                self.request(request, credential, verify);
            }
            Errand::Identify(credential) => {
                self.derivations.spawn(async move {
                    workers.name(id, Urgency::Unawaited, credential).await;
                });
            }
            Errand::Persist { write, target, credential } => {
                self.work.spawn(async move {
                    let Report { outcome, message } = workers.write(id, target, credential).await;
                    MemberEvent::Persisted { write, outcome, message }
                });
            }
            Errand::TryPersist { place, target } => {
                self.work.spawn(async move {
                    let is_writable = workers.try_persist(id, target).await;
                    MemberEvent::PersistTried { place, is_writable }
                });
            }
            Errand::Operate { id, operation } => {
                if let Some(store) = &mut self.store {
                    store.begin(id, operation);
                }
            }
            Errand::ReadFiles(places) => self.read(places),
        }
    }

    /// Waits for the next thing to happen.
    async fn next(&mut self, alarm: Sleep) -> Wakening {
        let is_fetching = !self.requests.is_empty();
        let is_working =
            self.naming.is_some() || !self.derivations.is_empty() || !self.work.is_empty();
        let manager = &self.manager;
        let next = async {
            tokio::select! {
                () = manager.changed() => Wakening::Changed,
                Some(answered) = self.requests.join_next() => Wakening::Done(finished(answered)),
                Some(_) = self.derivations.join_next() => Wakening::Done(MemberEvent::Identified),
                Some(done) = self.work.join_next() => Wakening::Done(finished(done)),
                event = told(&mut self.store) => Wakening::Done(event),
                Some(Ok((place, reading))) = self.readings.join_next() => Wakening::Read(place, reading),
                () = or_never(&mut self.naming) => Wakening::Named,
                () = alarm => Wakening::TimeHasCome,
            }
        };
        let park = || {
            // News and ids wait for the work under way, which ends by itself.
            if !is_working {
                manager.serve(|service| service.park(is_fetching));
            }
        };
        wait(by(manager), next, park).await
    }

    /// Sends a request, and tries its token where that is wanted.
    fn request(&mut self, request: u64, credential: Arc<Credential>, verify: Option<Url>) {
        let (manager, registry) = (Arc::clone(&self.manager), Arc::clone(&self.registry));
        let clock = Arc::clone(&self.clock);
        let client = match &self.client {
            Some(client) => Ok(Arc::clone(client)),
            None => self.clients.get(manager.transport()),
        };
        match client {
            Ok(client) => {
                self.client = Some(Arc::clone(&client));
                self.requests.spawn(async move {
                    let send = async {
                        let Attempt { sent_at, verdict } = client
                            .fetch(manager.endpoint(), &credential, &*registry, &*clock)
                            .await;
                        let verify = match (&verdict, verify) {
                            (Verdict::Accepted(grant), Some(url)) => {
                                Some(client.verify(&url, &grant.access_token, &*clock).await)
                            }
                            _ => None,
                        };
                        MemberEvent::Answered { request, sent_at, verdict, verify }
                    };
                    // The manager's task sees the time that this one has seen only after this.
                    wait(by(&manager), send, || manager.serve(|service| service.park(true))).await
                });
            }
            // A client that cannot be made counts as an answer: it is told, and tried again later.
            Err(error) => {
                let failure = Failure::new(Code::Misconfigured, error.to_string());
                let verdict = Verdict::Misconfigured(failure);
                let sent_at = clock.now();
                let event = MemberEvent::Answered { request, sent_at, verdict, verify: None };
                self.requests.spawn(async move { event });
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

/// How a manager's task says what it is doing.
fn by(manager: &Manager) -> impl Fn(&dyn Fn(&mut Service)) {
    |say| manager.serve(say)
}

/// Waits for something, and calls `park` whenever there is nothing to do but wait.
///
/// The task counts as busy while it is polled: it may have seen what nobody else sees any more.
pub(super) async fn wait<T>(
    serve: impl Fn(&dyn Fn(&mut Service)),
    what: impl Future<Output = T>,
    park: impl Fn(),
) -> T {
    let mut what = pin!(what);
    poll_fn(|context| {
        serve(&Service::stir);
        let result = what.as_mut().poll(context);
        if result.is_pending() {
            park();
        }
        result
    })
    .await
}

async fn told(store: &mut Option<SharedStore>) -> MemberEvent {
    match store {
        Some(store) => store.next().await,
        None => pending().await,
    }
}

async fn or_never<T>(work: &mut Option<Spawned<T>>) -> T {
    match work {
        Some(work) => work.await,
        None => pending().await,
    }
}

pub(super) fn sleep(clock: &dyn Clock, until: Option<Timestamp>) -> Sleep {
    until.map_or_else(|| Box::pin(pending()) as Sleep, |at| clock.sleep_until(at))
}
