//! What a manager knows, and what follows when something happens: its machine, its sources, its handles.
//!
//! All of it is done under the manager's lock. What must be seen at once (the shared words, a
//! caller's answer) is done here; what takes time is queued for the manager's task.

use std::collections::{BTreeMap, BTreeSet, HashMap, VecDeque};
use std::sync::Arc;
use std::sync::atomic::{AtomicI32, Ordering};

use url::Url;

use super::activity::Doing;
use super::audience::Audience;
use super::expiring::Expiring;
use super::listener::{Listener, NO_TOKEN, Word};
use super::message::{CredentialMessage, ErrorMessage, EventMessage, HandleId, Message};
use super::occurrence::Occurrence;
use super::pulse::Pulse;
use super::report;
use super::settings::Settings;
use super::wording;
use crate::clock::{Clock, Timestamp};
use crate::credential::Credential;
use crate::member::{Answer, Chance, Denial, Effect, Event, Member, Notice, Stored, What};
use crate::refresh::{Refusal, WaiterId};
use crate::rotation::{CallerId, SinkOutcome};
use crate::secret::Secret;
use crate::sink::Target;
use crate::source::{EntryPlace, Extent, Place, Requests, Sources};
use crate::store::MemoryStore;

/// The held token and its predecessor, which may still be valid.
const REMEMBERED_TOKENS: usize = 2;

/// Something for the manager's task to do.
#[derive(Debug)]
pub(super) enum Todo {
    /// Send a token request, and try its token there.
    Request { request: u64, credential: Arc<Credential>, verify: Option<Url> },
    /// Derive the credential's id.
    Identify(Arc<Credential>),
    /// Write a credential to a file.
    WriteSink { write: u64, target: Target, credential: Arc<Credential> },
    /// See whether a file could be written.
    TrySink { place: EntryPlace, target: Target },
    /// Read files.
    ReadFiles(BTreeSet<Place>),
}

/// What is told in the order in which it happened: an answer comes after the events that led to it.
#[derive(Debug)]
enum News {
    /// To every environment.
    Event { seq: u64, at: Timestamp, occurrence: Occurrence },
    /// To the handle that asked.
    Answer(HandleId, Message),
}

impl News {
    /// The credential whose id is to be derived before this can be told.
    fn unnamed(&self) -> Option<&Arc<Credential>> {
        match self {
            Self::Event { occurrence, .. } => {
                occurrence.credential().filter(|credential| !credential.has_id())
            }
            Self::Answer(..) => None,
        }
    }
}

pub(super) struct State {
    pub(super) member: Member,
    store: MemoryStore,
    clock: Arc<dyn Clock>,
    pub(super) sources: Sources,
    pub(super) handles: BTreeMap<HandleId, Handle>,
    pub(super) waiting: HashMap<WaiterId, HandleId>,
    /// Who asked something of the credential lifecycle.
    pub(super) asking: HashMap<CallerId, HandleId>,
    /// JavaScript sinks at work, by the number of the write.
    pub(super) persisting: HashMap<u64, HandleId>,
    pub(super) expiring: Expiring,
    /// The latest tokens, so that none of them is shown when the endpoint quotes it.
    pub(super) issued: VecDeque<Secret>,
    pub(super) stamp: i32,
    seq: u64,
    pub(super) opened_at: Timestamp,
    pub(super) pulse: Pulse,
    pub(super) todo: VecDeque<Todo>,
    news: VecDeque<News>,
    audience: Audience,
    /// Its task died; another one takes over at this time.
    pub(super) restart_at: Option<Timestamp>,
    pub(super) doing: Doing,
    pub(super) panic_wanted: bool,
}

pub(super) struct Handle {
    pub(super) listener: Arc<dyn Listener>,
    pub(super) word: Box<dyn Word>,
}

impl State {
    pub(super) fn new(settings: &Settings, clock: &Arc<dyn Clock>) -> Self {
        Self {
            member: Member::new(settings.policy.clone()),
            store: MemoryStore::for_process(Arc::clone(clock)),
            clock: Arc::clone(clock),
            // Half of a caller's patience: what the others yield still serves it.
            sources: Sources::new(settings.policy.acquire_timeout / 2, settings.source_poll),
            handles: BTreeMap::new(),
            waiting: HashMap::new(),
            asking: HashMap::new(),
            persisting: HashMap::new(),
            expiring: Expiring::default(),
            issued: VecDeque::new(),
            stamp: NO_TOKEN,
            seq: 0,
            opened_at: clock.now(),
            pulse: Pulse::default(),
            todo: VecDeque::new(),
            news: VecDeque::new(),
            audience: Audience::default(),
            restart_at: None,
            doing: Doing::Behind,
            panic_wanted: false,
        }
    }

    /// Has the member take a step, and does what it decided.
    pub(super) fn step(&mut self, event: Event, now: Timestamp) {
        let mut effects = self.decide(event, now);
        while let Some(effect) = effects.pop_front() {
            if let Some(event) = self.perform(effect, now) {
                effects.extend(self.decide(event, now));
            }
        }
        self.expiring.watch(self.member.held());
    }

    fn decide(&mut self, event: Event, now: Timestamp) -> VecDeque<Effect> {
        let effects = self.member.step(event, now, &mut Luck);
        // Before whoever waits for the token is answered, who may have nothing else to do and end the process.
        self.tell_stale_variables(now);
        effects.into()
    }

    /// Tells whose environment variables are older than the file in front of them, once a token was made with it.
    fn tell_stale_variables(&mut self, now: Timestamp) {
        let Some(token) = self.member.token(now) else { return };
        for EntryPlace { owner, index } in self.sources.take_stale(&token.credential) {
            if let Some(handle) = self.handles.get(&owner) {
                handle.listener.tell(&Message::StaleVariables { handle: owner, entry: index });
            }
        }
    }

    /// Performs an effect, or queues it; answers what the member is to be told at once.
    fn perform(&mut self, effect: Effect, now: Timestamp) -> Option<Event> {
        match effect {
            Effect::Request { request, credential, verify } => {
                self.todo.push_back(Todo::Request { request, credential, verify });
            }
            Effect::Identify(credential) => self.todo.push_back(Todo::Identify(credential)),
            Effect::ReadSources => self.read_again(now),
            Effect::Load => {
                let snapshot = Box::new(self.store.load());
                return Some(Event::Stored(Stored::Loaded(snapshot)));
            }
            Effect::Write(write, fresh) => {
                let written = self.store.write(&write, fresh.as_ref());
                let stored = written.map(|written| Stored::Written { serial: written.serial });
                return Some(Event::Stored(stored.unwrap_or(Stored::Refused)));
            }
            Effect::WriteToken(token) => {
                let stored = self.store.put_token(&token);
                let stored = stored.map(|serial| Stored::Written { serial: Some(serial) });
                return Some(Event::Stored(stored.unwrap_or(Stored::Refused)));
            }
            Effect::Forget(serial) => {
                self.store.invalidate(serial);
            }
            Effect::ForgetTokensOf(credential) => {
                self.store.drop_tokens(credential);
            }
            Effect::Publish(token) => {
                self.issued.push_front(token.text.clone());
                self.issued.truncate(REMEMBERED_TOKENS);
                self.publish(next_stamp());
            }
            Effect::Withdraw => self.publish(NO_TOKEN),
            Effect::Settle { waiter, outcome } => self.settle(waiter, outcome),
            Effect::WriteSink { write, place, target: Target::Js { index }, credential } => {
                return self.persist(write, place, index, &credential);
            }
            Effect::WriteSink { write, target, credential, .. } => {
                self.todo.push_back(Todo::WriteSink { write, target, credential });
            }
            Effect::AbortSink { write } => self.abort_sink(write),
            Effect::TrySink { place, target } => {
                self.todo.push_back(Todo::TrySink { place, target });
            }
            Effect::ReplaceVariables { place, credential } => {
                self.replace_variables(place, &credential);
                self.sources.written();
                self.read_again(now);
            }
            Effect::Answer { caller, outcome } => self.answer(caller, outcome),
            Effect::Notify(notice) => self.tell(notice, now),
        }
        None
    }

    /// Has a JavaScript sink keep a credential; nobody does where its handle is gone.
    fn persist(
        &mut self,
        write: u64,
        place: EntryPlace,
        index: usize,
        credential: &Credential,
    ) -> Option<Event> {
        let Some(handle) = self.handles.get(&place.owner) else {
            return Some(Self::nobody_persists(write));
        };
        let credential = CredentialMessage::of(credential);
        self.persisting.insert(write, place.owner);
        handle.listener.tell(&Message::Persist { handle: place.owner, index, write, credential });
        None
    }

    /// Has a JavaScript sink give up; what writes a file cannot be stopped.
    fn abort_sink(&self, write: u64) {
        let owner = self.persisting.get(&write);
        if let Some((owner, handle)) = owner.and_then(|it| Some((it, self.handles.get(it)?))) {
            handle.listener.tell(&Message::AbortPersist { handle: *owner, write });
        }
    }

    /// A sink was written, or not.
    pub(super) fn sink_written(
        &mut self,
        write: u64,
        outcome: SinkOutcome,
        message: Option<String>,
        now: Timestamp,
    ) {
        self.persisting.remove(&write);
        if outcome == SinkOutcome::Done {
            self.sources.written();
        }
        self.step(Event::SinkWritten { write, outcome, message }, now);
    }

    fn nobody_persists(write: u64) -> Event {
        let message = Some("the manager that it belongs to was closed".to_owned());
        Event::SinkWritten { write, outcome: SinkOutcome::Impossible, message }
    }

    /// Nobody waits for the sinks of a handle that is gone.
    pub(super) fn abandon_sinks(&mut self, owner: HandleId, now: Timestamp) {
        let lost = self.persisting.extract_if(|_, of| *of == owner).map(|(write, _)| write);
        for write in lost.collect::<Vec<_>>() {
            self.step(Self::nobody_persists(write), now);
        }
    }

    fn replace_variables(&self, place: EntryPlace, credential: &Credential) {
        if let Some(handle) = self.handles.get(&place.owner) {
            handle.listener.tell(&Message::Environment {
                handle: place.owner,
                entry: place.index,
                client_id: credential.client_id.clone(),
                client_secret: credential.client_secret.clone(),
            });
        }
    }

    /// Queues the answer to whoever asked something of the credential lifecycle.
    fn answer(&mut self, caller: CallerId, outcome: Result<Answer, Denial>) {
        let Some(owner) = self.asking.remove(&caller) else { return };
        let clock = &*self.clock;
        let labels = |place| self.sources.label(place).map(str::to_owned);
        let (mut rotation, mut preparation, mut error) = (None, None, None);
        match outcome {
            Ok(Answer::Rotation(snapshot)) => {
                rotation = Some(Box::new(report::rotation(&snapshot, &labels, clock)));
            }
            Ok(Answer::Prepared { safe_until, custody }) => {
                preparation = Some(report::preparation(safe_until, custody, clock));
            }
            Ok(Answer::Cancelled) => {}
            Err(denial) => error = Some(report::denial(&denial, &self.member, &labels, clock)),
        }
        let answer = Message::Answered { caller, rotation, preparation, error };
        self.news.push_back(News::Answer(owner, answer));
    }

    /// Queues what a member has to tell.
    fn tell(&mut self, notice: Notice, now: Timestamp) {
        let occurrence = match notice {
            Notice::Token(notice) => Occurrence::Notice(notice),
            Notice::CredentialRejected { credential, failure } => {
                Occurrence::Rejected { credential, failure }
            }
            Notice::Rotation(change) => {
                let missing = match &change.what {
                    What::Overdue(missing) => Some(report::missing(missing, &self.member)),
                    _ => None,
                };
                let labels = |place| self.sources.label(place).map(str::to_owned);
                let message = wording::change(&change, &labels);
                Occurrence::Rotation { change, missing, message }
            }
            Notice::Persisted { place, credential, outcome, message } => Occurrence::Persisted {
                owner: place.owner,
                entry: place.index,
                credential,
                outcome,
                message,
            },
        };
        self.note(now, occurrence);
    }

    /// Tells of credentials that expire soon.
    pub(super) fn tell_expiring(&mut self, now: Timestamp) {
        let utc = self.clock.utc_millis(now);
        for (credential, expires_at, days_left) in self.expiring.take_due(utc) {
            self.note(now, Occurrence::Expiring { credential, expires_at, days_left });
        }
    }

    /// Reads all sources; a reading that is under way is followed by another.
    pub(super) fn read_again(&mut self, now: Timestamp) {
        let requests = self.sources.begin(now);
        self.read(requests, now);
    }

    /// Passes on which files and functions are to be read.
    pub(super) fn read(&mut self, requests: Option<Requests>, now: Timestamp) {
        let Some(requests) = requests else { return };
        if !requests.places.is_empty() {
            self.todo.push_back(Todo::ReadFiles(requests.places));
        }
        for owner in requests.owners {
            if let Some(handle) = self.handles.get(&owner) {
                let variables_only = requests.extent == Extent::Cheap;
                handle.listener.tell(&Message::Read { handle: owner, variables_only });
            }
        }
        self.finish_reading_if_complete(now);
    }

    /// Has the machine know what was read, if every source has answered or has had its time.
    pub(super) fn finish_reading_if_complete(&mut self, now: Timestamp) {
        if self.sources.is_complete(now) {
            self.finish_reading(now);
        }
    }

    /// The same at once; who is silent counts as silent.
    pub(super) fn finish_reading(&mut self, now: Timestamp) {
        let (configured, notices) = self.sources.finish(now);
        for (owner, notice) in notices {
            self.note(now, Occurrence::Source { owner, notice });
        }
        let is_followed = self.sources.take_again();
        self.step(Event::Configured { configured, is_followed }, now);
        if is_followed {
            self.read_again(now);
        }
    }

    /// The machine holds the token already; whoever reads the new word finds it there.
    fn publish(&mut self, stamp: i32) {
        self.stamp = stamp;
        self.handles.values().for_each(|handle| handle.word.store(stamp));
    }

    /// Gives a caller its answer.
    pub(super) fn settle(&mut self, waiter: WaiterId, outcome: Result<(), Refusal>) {
        let handle = self.waiting.remove(&waiter).and_then(|id| self.handles.get(&id));
        if let Some(handle) = handle {
            let error = outcome.err().map(ErrorMessage::from);
            handle.listener.tell(&Message::Settled { waiter, error });
        }
    }

    /// Queues an event.
    fn note(&mut self, at: Timestamp, occurrence: Occurrence) {
        self.seq += 1;
        self.news.push_back(News::Event { seq: self.seq, at, occurrence });
    }

    /// Tells the news in order, up to the first whose credential's id is not derived yet: that credential, if somebody
    /// listens.
    pub(super) fn tell_news(&mut self) -> Option<Arc<Credential>> {
        while let Some(news) = self.news.pop_front() {
            let unnamed = news.unnamed().map(Arc::clone);
            if unnamed.is_none() {
                self.pass_on(news);
                continue;
            }
            self.news.push_front(news);
            if self.audience.is_present() {
                return unnamed;
            }
            self.look_for_listeners();
            return None;
        }
        // What was asked about has been told meanwhile.
        self.audience.is_told();
        None
    }

    fn look_for_listeners(&mut self) {
        if self.audience.is_asked() {
            return;
        }
        for (listener, handles) in self.environments() {
            listener.tell(&Message::Audience { handles });
        }
        let silent = self.handles.keys().copied().collect();
        self.audience = Audience::Asked { silent, seq: self.seq };
    }

    /// Whether it is not known yet if anybody hears what has happened.
    pub(super) fn looks_for_listeners(&self) -> bool {
        self.audience.is_asked()
    }

    /// Somebody listens from now on.
    pub(super) fn is_listened_to(&mut self, now: Timestamp) {
        self.audience = Audience::Present;
        self.step(Event::Observed, now);
    }

    /// Nobody listens by way of this handle.
    pub(super) fn is_ignored_by(&mut self, handle: HandleId) {
        if let Some(unheard) = self.audience.lacks(handle) {
            self.news.retain(|news| !matches!(news, News::Event { seq, .. } if *seq <= unheard));
        }
    }

    fn pass_on(&self, news: News) {
        match news {
            News::Event { seq, at, occurrence } => {
                let event = occurrence.describe(&*self.clock);
                let at = self.clock.utc_millis(at);
                for (listener, mut handles) in self.environments() {
                    if let Some(owner) = occurrence.owner() {
                        handles.retain(|handle| *handle == owner);
                    }
                    if !handles.is_empty() {
                        let event = event.clone();
                        listener.tell(&Message::Event(EventMessage { handles, seq, at, event }));
                    }
                }
            }
            News::Answer(owner, answer) => {
                if let Some(handle) = self.handles.get(&owner) {
                    handle.listener.tell(&answer);
                }
            }
        }
    }

    /// Each environment once, with its handles.
    fn environments(&self) -> Vec<(&Arc<dyn Listener>, Vec<HandleId>)> {
        let mut environments: Vec<(&Arc<dyn Listener>, Vec<HandleId>)> = Vec::new();
        for (id, handle) in &self.handles {
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

/// Chance in earnest; nothing that is secret comes of it.
struct Luck;

impl Chance for Luck {
    fn bits(&mut self) -> u64 {
        fastrand::u64(..)
    }
}

/// Process-wide and growing, so that no handle ever sees the stamp of a token it cached before.
fn next_stamp() -> i32 {
    static LAST: AtomicI32 = AtomicI32::new(NO_TOKEN);
    let next = |last: i32| if last == i32::MAX { NO_TOKEN + 1 } else { last + 1 };
    let update = |last| Some(next(last));
    LAST.fetch_update(Ordering::Relaxed, Ordering::Relaxed, update).map_or(NO_TOKEN + 1, next)
}
