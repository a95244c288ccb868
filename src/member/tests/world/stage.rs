//! One process in virtual time, and what a scenario does to it.

use std::sync::Arc;
use std::time::Duration;

use super::{MINUTE, SECOND, START, Script, accepts};
use crate::clock::{Clock, Timestamp};
use crate::credential::{Credential, CredentialId};
use crate::member::tests::peripherals::{Delivery, Died, Hands, Process};
use crate::member::{Member, MemberEffect, MemberEvent};
use crate::persist::PersistTarget;
use crate::policy::Policy;
use crate::policy::tests::DEFAULT;
use crate::refresh::{TokenRefusal, TokenWait, WaiterId};
use crate::rotation::{CallerId, PhaseName, Role};
use crate::secret::Secret;
use crate::source::{CredentialText, EntrySpec, Reading, SourceSpec, Sources};
use crate::store::MemoryStore;
use crate::verdict::Verdict;

/// A process, its script, and the time.
pub(crate) struct World {
    pub(crate) process: Process,
    pub(crate) script: Script,
    pub(crate) now: Timestamp,
    /// How long the endpoint takes for an answer.
    pub(crate) latency: Duration,
    /// Whether the process has lived through everything so far.
    pub(crate) is_alive: bool,
    hands: Arc<Hands>,
    last_caller: CallerId,
}

impl World {
    pub(crate) fn new(
        policy: Policy,
        endpoint: impl FnMut(&Credential, Timestamp) -> Verdict + 'static,
    ) -> Self {
        Self::with_entries(policy, vec![entry(0, None)], endpoint)
    }

    /// One into which nobody looks.
    pub(crate) fn unobserved(
        endpoint: impl FnMut(&Credential, Timestamp) -> Verdict + 'static,
    ) -> Self {
        let mut world = Self::new(DEFAULT, endpoint);
        world.process.member = Member::new(DEFAULT);
        world
    }

    /// One whose entries are these, each read by a function of its own.
    pub(crate) fn with_entries(
        policy: Policy,
        entries: Vec<EntrySpec>,
        endpoint: impl FnMut(&Credential, Timestamp) -> Verdict + 'static,
    ) -> Self {
        let hands = Hands::at(START);
        let store = MemoryStore::for_process(Arc::clone(&hands) as Arc<dyn Clock>);
        let mut sources = Sources::new(SECOND, 10 * SECOND);
        // A pair reads two.
        let silent = entries.iter().flat_map(|_| [None, None]).collect();
        sources.add(Process::OWNER, entries, silent);
        let script = Script::new(endpoint);
        let mut member = Member::new(policy);
        member.step(MemberEvent::Observed, START, &mut script.dice.clone());
        Self {
            process: Process::new(member, store, sources, Arc::clone(&hands)),
            script,
            now: START,
            latency: Duration::from_millis(50),
            is_alive: true,
            hands,
            last_caller: 0,
        }
    }

    /// The same over this store, which others may share, with a clock of its own.
    pub(crate) fn over(mut self, store: MemoryStore, now: Timestamp) -> Self {
        self.process.store = store;
        self.advance_to(now);
        self
    }

    pub(crate) fn with(mut self, secrets: &[&str]) -> Self {
        self.configure(secrets);
        self
    }

    /// The only entry yields these.
    pub(crate) fn configure(&mut self, secrets: &[&str]) {
        self.configure_of("app", secrets);
    }

    /// The only entry yields these of another client.
    pub(crate) fn configure_of(&mut self, client: &str, secrets: &[&str]) {
        self.read(vec![Some(reading(client, secrets))]);
    }

    /// Each entry yields these.
    pub(crate) fn configure_each(&mut self, entries: &[&[&str]]) {
        self.read(entries.iter().map(|secrets| Some(reading("app", secrets))).collect());
    }

    /// The only entry consists of two variables, which yield this.
    pub(crate) fn configure_pair(&mut self, secret: &str) {
        let text = |value: &str| Some(Reading::Text { value: Secret::new(value) });
        self.read(vec![text("app"), text(secret)]);
    }

    fn read(&mut self, found: Vec<Option<Reading>>) {
        self.perform(|process, script| process.configure(found, script));
    }

    /// The handle of this entry is closed; others yield what it yielded.
    pub(crate) fn drop_entry(&mut self, index: usize) {
        self.process.sources.begin(self.now);
        let (mut configured, _) = self.process.sources.finish(self.now);
        configured.entries.retain(|entry| entry.place.index != index);
        self.tell(MemberEvent::Configured { configured, is_followed: false });
    }

    pub(crate) fn tell(&mut self, event: MemberEvent) {
        self.perform(|process, script| process.tell(event, script));
    }

    pub(crate) fn perform_all(&mut self, effects: Vec<MemberEffect>) {
        self.perform(|process, script| process.perform_all(effects, script));
    }

    /// The driver loses its thread, and with it the requests under way.
    pub(crate) fn restart(&mut self) {
        self.perform(Process::restart);
    }

    fn receive(&mut self, delivery: Delivery) {
        self.perform(|process, script| process.receive(delivery, script));
    }

    /// Nothing reaches a process that has died.
    fn perform(&mut self, happening: impl FnOnce(&mut Process, &mut Script) -> Result<(), Died>) {
        if self.is_alive {
            self.hands.set(self.now);
            self.is_alive = happening(&mut self.process, &mut self.script).is_ok();
        }
    }

    /// Lets time pass, stopping at everything that is due.
    pub(crate) fn pass(&mut self, duration: Duration) {
        let end = self.now + duration;
        let mut spins = 0;
        loop {
            spins += 1;
            assert!(spins < 20_000, "it does not come to rest");
            let Some(next) = self.next_at().filter(|next| *next <= end) else { break };
            self.advance_to(self.now.max(next));
            self.take_next();
        }
        self.advance_to(end);
        self.tell(MemberEvent::Ticked);
    }

    /// Its clock goes on, and nothing happens.
    pub(crate) fn advance_to(&mut self, now: Timestamp) {
        self.now = now;
        self.hands.set(now);
    }

    /// When the endpoint answers, or the member wants to be woken.
    pub(crate) fn next_at(&self) -> Option<Timestamp> {
        if !self.is_alive {
            return None;
        }
        let wake_at = self.process.member.wake_at(self.now);
        [self.answer_at(), wake_at].into_iter().flatten().min()
    }

    /// What is due happens.
    pub(crate) fn take_next(&mut self) {
        match self.process.under_way.keys().next() {
            Some(oldest) if self.answer_at().is_some_and(|at| at <= self.now) => {
                self.receive(Delivery::Answer(*oldest));
            }
            _ => self.tell(MemberEvent::Ticked),
        }
    }

    fn answer_at(&self) -> Option<Timestamp> {
        self.process.under_way.values().next().map(|oldest| oldest.sent_at + self.latency)
    }

    /// The ids that were asked for are known at last.
    pub(crate) fn derive_ids(&mut self) {
        self.script.derives_ids = true;
        for credential in self.script.underived.drain(..) {
            credential.kept_id();
        }
        self.tell(MemberEvent::Identified);
    }

    /// The writes to places that are under way come to an end.
    pub(crate) fn end_sinks(&mut self) {
        let outcome = self.script.sink_outcome;
        for write in std::mem::take(&mut self.script.unended) {
            self.receive(Delivery::Written(write, outcome, None));
        }
    }

    pub(crate) fn want(&mut self, waiter: WaiterId) {
        self.want_for(waiter, Duration::ZERO);
    }

    pub(crate) fn want_for(&mut self, waiter: WaiterId, min_validity: Duration) {
        let deadline = self.now + Duration::from_secs(5);
        self.tell(MemberEvent::Wanted(TokenWait {
            waiter,
            min_validity,
            deadline,
            for_readiness: false,
        }));
    }

    pub(crate) fn outcome(&self, waiter: WaiterId) -> Option<&Result<(), TokenRefusal>> {
        let settled = self.script.settled.iter().find(|(_, id, _)| *id == waiter);
        settled.map(|(_, _, outcome)| outcome)
    }

    pub(super) fn next_caller(&mut self) -> CallerId {
        self.last_caller += 1;
        self.last_caller
    }

    pub(crate) fn member(&self) -> &Member {
        &self.process.member
    }

    pub(crate) fn phase(&self) -> PhaseName {
        self.member().phase()
    }

    pub(crate) fn role(&self, secret: &str) -> Role {
        self.member().record().map_or(Role::Unknown, |record| record.role(id_of(secret)))
    }

    pub(crate) fn secrets_tried(&self) -> Vec<&str> {
        self.script.fetches.iter().map(|(_, secret)| secret.as_str()).collect()
    }

    /// Whether a token is handed out.
    pub(crate) fn has_token(&self) -> bool {
        self.process.handed_out.is_some()
    }

    pub(crate) fn serial(&self) -> Option<u64> {
        self.process.handed_out.as_ref().map(|token| token.serial)
    }

    /// The secret that the token was obtained with.
    pub(crate) fn secret_in_use(&self) -> Option<&str> {
        let token = self.process.handed_out.as_ref();
        token.and_then(|token| Some(token.made_with.here()?.client_secret.expose()))
    }
}

/// What an entry yields that has these secrets.
fn reading(client: &str, secrets: &[&str]) -> Reading {
    let text = |secret: &&str| CredentialText {
        label: None,
        client_id: client.into(),
        client_secret: Secret::new(*secret),
        expires_at: None,
    };
    match secrets.len() {
        0 => Reading::Empty,
        _ => Reading::Credentials { list: secrets.iter().map(text).collect() },
    }
}

/// The id of a secret of the usual client.
pub(crate) fn id_of(secret: &str) -> CredentialId {
    Credential::new(None, "app".into(), Secret::new(secret)).kept_id()
}

/// One with a token made with the first of these secrets; all of them are accepted.
pub(crate) fn with_token(secrets: &'static [&'static str]) -> World {
    let mut world = World::new(DEFAULT, accepts(secrets)).with(&secrets[..1]);
    world.pass(MINUTE);
    world
}

/// An entry that a function reads, and where it is persisted to.
pub(crate) fn entry(index: usize, persist: Option<PersistTarget>) -> EntrySpec {
    let source = SourceSpec::Js { index };
    EntrySpec {
        label: None,
        optional: true,
        expires_at: None,
        has_variables: true,
        persist,
        source,
    }
}
