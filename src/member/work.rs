//! The work of a member: what waits for its turn, what is left to do, and what is under way.
//!
//! What concerns the record is taken up one after the other: a step of the credential lifecycle,
//! its write, its effects.

use std::collections::VecDeque;
use std::sync::Arc;

use super::item::Item;
use crate::clock::StoreTime;
use crate::credential::{Credential, CredentialId};
use crate::rotation::{self, CallerId, Record};
use crate::token::FreshToken;
use crate::verdict::{Arrival, Verdict};

/// The queue, what is left of the item that was taken up last, and what others do meanwhile.
#[derive(Debug, Default)]
pub(super) struct Work {
    /// What concerns the record and is not taken up yet, in order.
    queue: VecDeque<Item>,
    /// What is left of the step that is being performed.
    todo: VecDeque<Todo>,
    /// The store operation under way.
    pending: Option<(u64, Pending)>,
    /// Token requests under way, at most one with each credential.
    requests: Vec<UnderWay>,
    last_request: u64,
    /// The credential whose answer is being taken up, and when that came; whoever named it may have
    /// left.
    taken_in: Option<(CredentialId, StoreTime)>,
    /// Somebody looks, or something has happened that ids are needed for.
    wants_ids: bool,
    /// When the credential lifecycle took its latest step.
    stepped_at: StoreTime,
}

/// What is left to do of what was taken up.
#[derive(Debug)]
pub(super) enum Todo {
    Step(rotation::RotationEvent),
    Effect(rotation::RotationEffect),
    /// The refresh is told what its request brought.
    Conclude {
        flight: u64,
        verdict: Arc<Verdict<Arrival>>,
    },
}

/// What the store operation under way is for.
#[derive(Debug)]
pub(super) enum Pending {
    Write {
        event: rotation::RotationEvent,
        step: Box<rotation::RotationStep>,
        token: Option<Arc<FreshToken>>,
    },
    Token {
        token: Arc<FreshToken>,
        generation: u64,
    },
    Load(rotation::RotationEvent),
    /// The store has lost the record, or its latest writes.
    Repair {
        event: rotation::RotationEvent,
        record: Box<Record>,
    },
}

/// A token request under way.
#[derive(Debug)]
pub(super) struct UnderWay {
    request: u64,
    pub(super) credential: Arc<Credential>,
    /// The refresh that waits for it.
    pub(super) flight: Option<u64>,
}

impl Work {
    /// Queues an item. While nobody needs ids, what waits for them does not add up: the sources
    /// yield the same as before, and the latest token counts.
    pub(super) fn enqueue(&mut self, item: Item, needs_ids: bool) {
        if !needs_ids {
            if self.queue.iter().any(|before| before.covers(&item)) {
                return;
            }
            self.queue.retain(|before| !item.supersedes(before));
        }
        self.queue.push_back(item);
    }

    /// Queues what is taken up whatever else waits.
    pub(super) fn push(&mut self, item: Item) {
        self.queue.push_back(item);
    }

    /// What is stored is read before anything else is taken up, unless it is being read.
    pub(super) fn read_first(&mut self) {
        let is_reading = matches!(self.pending, Some((_, Pending::Load(_))));
        if !is_reading && !matches!(self.queue.front(), Some(Item::Load)) {
            self.queue.push_front(Item::Load);
        }
    }

    /// The same, also if it is being read already.
    pub(super) fn read_again(&mut self) {
        if !matches!(self.queue.front(), Some(Item::Load)) {
            self.queue.push_front(Item::Load);
        }
    }

    /// What is next in line.
    pub(super) fn next_item(&self) -> Option<&Item> {
        self.queue.front()
    }

    pub(super) fn take_item(&mut self) -> Option<Item> {
        self.taken_in = None;
        self.queue.pop_front()
    }

    /// Visits every time that was noted.
    pub(super) fn each_time(&mut self, time: &mut dyn FnMut(&mut StoreTime)) {
        time(&mut self.stepped_at);
        for item in &mut self.queue {
            if let Item::Rotation(rotation::RotationEvent::Answered { verdict, .. }) = item
                && let Verdict::Accepted(evidence) = Arc::make_mut(verdict)
            {
                time(&mut evidence.expires_at);
                time(&mut evidence.soft_at);
            }
        }
    }

    /// The caller no longer wants anything.
    pub(super) fn forget(&mut self, caller: CallerId) {
        self.queue
            .retain(|item| !matches!(item, Item::Asked { caller: other, .. } if *other == caller));
    }

    /// What waits, in order.
    pub(super) fn items(&self) -> impl Iterator<Item = &Item> {
        self.queue.iter()
    }

    /// Whether the record is about to be told that somebody names a credential.
    pub(super) fn names(&self, credential: CredentialId) -> bool {
        let names = |todo: &Todo| matches!(todo, Todo::Step(event) if event.names(credential));
        self.todo.iter().any(names)
    }

    /// Takes the items that are wanted, in order.
    pub(super) fn take_items(&mut self, is_wanted: impl Fn(&Item) -> bool) -> Vec<Item> {
        let (taken, left): (VecDeque<_>, _) =
            std::mem::take(&mut self.queue).into_iter().partition(is_wanted);
        self.queue = left;
        taken.into()
    }

    /// Takes what the refresh is to be told although a store operation is under way.
    pub(super) fn take_conclusions(&mut self) -> Vec<(u64, Arc<Verdict<Arrival>>)> {
        let mut taken = Vec::new();
        for todo in std::mem::take(&mut self.todo) {
            match todo {
                Todo::Conclude { flight, verdict } => taken.push((flight, verdict)),
                todo => self.todo.push_back(todo),
            }
        }
        taken
    }

    /// Queues what the record is to be told of an answer; only the latest of a credential counts.
    pub(super) fn postpone(&mut self, event: rotation::RotationEvent) {
        self.queue.retain(|item| !item.is_postponed_answer_of(&event));
        self.queue.push_back(Item::Rotation(event));
    }

    /// Whether no item waits and no store operation is under way.
    pub(super) fn is_done(&self) -> bool {
        self.pending.is_none() && self.queue.is_empty()
    }

    /// Whether ids are needed for what has happened so far.
    pub(super) fn needs_ids(&self) -> bool {
        self.wants_ids || !self.is_uneventful()
    }

    /// Ids are needed from now on.
    pub(super) fn want_ids(&mut self) {
        self.wants_ids = true;
    }

    /// The credential whose token came first, where nothing else has happened.
    pub(super) fn foreseen(&self) -> Option<&Arc<Credential>> {
        let accepted = self.queue.iter().find_map(Item::answered);
        accepted.filter(|_| self.is_uneventful())
    }

    /// Whether the sources were read for the first time, a token came at most, and nothing else has
    /// happened.
    fn is_uneventful(&self) -> bool {
        let is_configured = |item: &&Item| matches!(item, Item::Configured(_));
        let is_answered = |item: &&Item| matches!(item, Item::Answered(_));
        self.queue.iter().all(Item::is_uneventful)
            && self.queue.iter().filter(is_configured).count() <= 1
            && self.queue.iter().filter(is_answered).count() <= 1
    }

    /// What is to be done next, unless that waits for a store operation.
    pub(super) fn next_todo(&mut self) -> Option<Todo> {
        self.todo.pop_front()
    }

    /// Done after everything that is left.
    pub(super) fn then(&mut self, todo: Todo) {
        self.todo.push_back(todo);
    }

    /// A step is taken, or taken again, before anything that is left.
    pub(super) fn first(&mut self, event: rotation::RotationEvent) {
        self.todo.push_front(Todo::Step(event));
    }

    /// What a step wants done comes before anything that was to be done after it.
    pub(super) fn follow(&mut self, effects: Vec<rotation::RotationEffect>) {
        for effect in effects.into_iter().rev() {
            self.todo.push_front(Todo::Effect(effect));
        }
    }

    /// A store operation of that number begins, and what is left waits for it.
    pub(super) fn begin(&mut self, id: u64, pending: Pending) {
        self.pending = Some((id, pending));
    }

    /// The store operation of that number has ended, if it is the one that is waited for.
    pub(super) fn end(&mut self, id: u64) -> Option<Pending> {
        self.pending.take_if(|(pending, _)| *pending == id).map(|(_, pending)| pending)
    }

    /// The number of the store operation that is waited for.
    pub(super) fn awaited(&self) -> Option<u64> {
        self.pending.as_ref().map(|(id, _)| *id)
    }

    pub(super) fn is_storing(&self) -> bool {
        self.pending.is_some()
    }

    /// Whether a token is handed out as soon as the store has it.
    pub(super) fn awaits_token(&self) -> bool {
        let pending = self.pending.as_ref().map(|(_, pending)| pending);
        matches!(pending, Some(Pending::Token { .. } | Pending::Write { token: Some(_), .. }))
    }

    /// An answer of that credential is being taken up, which came at that time.
    pub(super) fn take_in(&mut self, credential: CredentialId, arrived_at: StoreTime) {
        self.taken_in = Some((credential, arrived_at));
    }

    /// The credential whose answer is being taken up, and when that came.
    pub(super) fn taken_in(&self) -> Option<(CredentialId, StoreTime)> {
        self.taken_in
    }

    /// The number of a new request; none where one with this credential is under way, which will
    /// do.
    pub(super) fn request(
        &mut self,
        credential: &Arc<Credential>,
        flight: Option<u64>,
    ) -> Option<u64> {
        if let Some(known) =
            self.requests.iter_mut().find(|it| it.credential.is_same_as(credential))
        {
            known.flight = flight.or(known.flight);
            return None;
        }
        self.last_request += 1;
        let (request, credential) = (self.last_request, Arc::clone(credential));
        self.requests.push(UnderWay { request, credential, flight });
        Some(request)
    }

    /// The request of that number has come to its end.
    pub(super) fn end_request(&mut self, request: u64) -> Option<UnderWay> {
        let index = self.requests.iter().position(|it| it.request == request)?;
        Some(self.requests.swap_remove(index))
    }

    /// All requests are lost; their numbers are not used again.
    pub(super) fn lose_requests(&mut self) {
        self.requests.clear();
    }

    pub(super) fn has_requests(&self) -> bool {
        !self.requests.is_empty()
    }

    /// The credentials whose answer is not taken up yet.
    pub(super) fn under_way(&self) -> impl Iterator<Item = &Arc<Credential>> {
        let answered = self.queue.iter().filter_map(Item::answered);
        self.requests.iter().map(|it| &it.credential).chain(answered)
    }

    /// When the credential lifecycle took its latest step.
    pub(super) fn stepped_at(&self) -> StoreTime {
        self.stepped_at
    }

    pub(super) fn step_at(&mut self, now: StoreTime) {
        self.stepped_at = now;
    }
}
