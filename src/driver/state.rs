//! What a manager knows, and what follows when something happens: its member, its sources, its
//! handles.
//!
//! All of it is done under the manager's lock. What must be seen at once (the shared words, a
//! caller's answer) is done here; what takes time becomes an errand of the manager's task.

mod callers;
mod effects;
mod notices;
mod readings;
mod signers;
mod snapshots;
mod tenure;

use std::collections::VecDeque;
use std::sync::Arc;

use super::borrower::Borrower;
use super::errand::Errand;
use super::handles::Handles;
use super::news::News;
use super::owned::OwnedNumbers;
use super::service::Service;
use crate::api::{Calendar, Message, Settings};
use crate::clock::{Clock, Timestamp};
use crate::credential::Credential;
use crate::member::{Chance, Member, MemberEffect, MemberEvent};
use crate::policy::expiring::ExpiryWarnings;
use crate::rotation::MemberId;
use crate::secret::Secret;
use crate::source::{EntryPlace, Sources};
use crate::store::MemoryStore;

/// How many tokens are remembered: the held one, and its predecessor, which may still be valid.
const REMEMBERED_TOKENS: usize = 2;

/// The state of one manager.
pub(super) struct State {
    member: Member,
    /// In this process; none: it is shared with others, and takes its time.
    store: Option<MemoryStore>,
    clock: Arc<dyn Clock>,
    sources: Sources,
    handles: Handles,
    /// Callers that wait for a token.
    waiting: OwnedNumbers,
    /// Callers that have asked for something of the credential lifecycle.
    asking: OwnedNumbers,
    /// Writes of persist functions that are under way.
    persisting: OwnedNumbers,
    warnings: ExpiryWarnings,
    /// The latest tokens, so that none of them is shown when the endpoint quotes it.
    issued: VecDeque<Secret>,
    opened_at: Timestamp,
    /// Signers that sign with the credentials.
    borrowers: Vec<Borrower>,
    errands: VecDeque<Errand>,
    news: News,
    service: Service,
}

impl State {
    pub(super) fn new(settings: &Settings, clock: &Arc<dyn Clock>) -> Self {
        let policy = &settings.policy;
        let is_alone = settings.store.is_none();
        let member = if is_alone {
            Member::new(policy.clone())
        } else {
            Member::in_fleet(policy.clone(), MemberId(Luck.bits()))
        };
        Self {
            member,
            store: is_alone.then(|| MemoryStore::for_process(Arc::clone(clock))),
            clock: Arc::clone(clock),
            sources: Sources::new(policy.source_patience(), settings.source_poll),
            handles: Handles::default(),
            waiting: OwnedNumbers::default(),
            asking: OwnedNumbers::default(),
            persisting: OwnedNumbers::default(),
            warnings: ExpiryWarnings::default(),
            issued: VecDeque::new(),
            opened_at: clock.now(),
            borrowers: Vec::new(),
            errands: VecDeque::new(),
            news: News::default(),
            service: Service::default(),
        }
    }

    /// Has the member take a step, and does what it decided.
    fn step(&mut self, event: MemberEvent, now: Timestamp) {
        let mut effects = self.decide(event, now);
        while let Some(effect) = effects.pop_front() {
            if let Some(event) = self.perform(effect, now) {
                effects.extend(self.decide(event, now));
            }
        }
        self.warnings.watch(self.member.held());
        self.show_keys(now);
    }

    fn decide(&mut self, event: MemberEvent, now: Timestamp) -> VecDeque<MemberEffect> {
        let effects = self.member.step(event, now, &mut Luck);
        // Before whoever waits for the token is answered, who may have nothing else to do and end
        // the process.
        self.tell_stale_variables(now);
        effects.into()
    }

    /// Tells whose environment variables are older than the file in front of them, once a token was
    /// made with it.
    fn tell_stale_variables(&mut self, now: Timestamp) {
        let Some(token) = self.member.token(now) else { return };
        let Some(credential) = token.made_with.here() else { return };
        for EntryPlace { owner, index } in self.sources.take_stale(credential) {
            self.handles.tell(owner, &Message::StaleVariables { handle: owner, entry: index });
        }
    }

    /// What the task has to do now.
    pub(super) fn take_errands(&mut self) -> VecDeque<Errand> {
        self.service.begin();
        std::mem::take(&mut self.errands)
    }

    /// How the manager is served by its task.
    pub(super) fn service(&mut self) -> &mut Service {
        &mut self.service
    }

    /// Tells the environments what happened; returns the credential whose id must be derived for
    /// more.
    pub(super) fn tell_news(&mut self) -> Option<Arc<Credential>> {
        self.news.tell(&self.handles)
    }

    fn label(&self, place: EntryPlace) -> Option<String> {
        self.sources.label(place).map(str::to_owned)
    }

    fn calendar(&self, now: Timestamp) -> Calendar<'_> {
        Calendar::new(now, &*self.clock)
    }
}

/// Real chance; nothing secret depends on it.
struct Luck;

impl Chance for Luck {
    fn bits(&mut self) -> u64 {
        fastrand::u64(..)
    }
}
