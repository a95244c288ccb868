//! One member of a fleet, or the only one: what it holds, knows and asks for.
//!
//! It puts the two lifecycles together. [`crate::refresh`] decides when a token is fetched and who is
//! told; [`crate::rotation`] decides with which credential, and what becomes of the record. Every answer
//! of the token endpoint is told to both: first it is noted of the credential, then of the token.
//!
//! Pure: no clock, no randomness, no I/O. The driver performs the effects in their order and reports.

mod answering;
mod asking;
mod change;
mod course;
mod effect;
mod event;
mod identity;
mod keyring;
mod offer;
mod report;
mod requests;
mod standing;
mod storing;
mod trials;
mod waiting;
mod writing;

#[cfg(test)]
mod tests;

use std::collections::{BTreeMap, VecDeque};
use std::sync::Arc;
use std::time::Duration;

use url::Url;

use crate::clock::Timestamp;
use crate::credential::{Credential, CredentialId};
use crate::error::Failure;
use crate::policy::Policy;
use crate::refresh::{self, Refresh};
use crate::rotation::{self, CallerId, Ledger, Overlap, Record, View};
use crate::source::{Configured, EntryPlace, Yielded};
use crate::token::{FreshToken, HeldToken};
use asking::{Open, Watch};
pub use change::{Change, What};
use course::{Item, Todo};
pub use effect::{Answer, Custody, Denial, Effect, Notice, Reason};
pub use event::{Ask, Candidate, Event, Stored, Until};
use keyring::Keyring;
pub use keyring::Name;
pub use report::{Phase, Snapshot};
use requests::Requests;
pub use rotation::{About, Moved, Persisted, Request, Rotate, RotationId, Why};
pub use standing::{CredentialState, Standing};
use storing::Pending;
use trials::Trials;
use waiting::Waits;
pub use waiting::{WaitCode, Waiting, WaitsOn};
pub use writing::SinkFailure;

/// Chance, which a member takes from its driver: a function of nothing but the seed in tests.
pub trait Chance {
    /// 64 random bits.
    fn bits(&mut self) -> u64;

    /// Uniform in `0.0..1.0`.
    fn ratio(&mut self) -> f64 {
        // 32 bits are fine enough for jitter, and a double holds them exactly.
        let upper = u32::try_from(self.bits() >> 32).unwrap_or(u32::MAX);
        f64::from(upper) / (f64::from(u32::MAX) + 1.0)
    }
}

/// One member: its token, its credentials, its view of the record.
///
/// **Calls.** [`Member::step`] with everything that happens, in the order in which it happened, then the
/// effects in their order. A store operation is the last effect of a step; until its outcome is reported
/// as [`Event::Stored`], what concerns the record waits. [`Member::wake_at`] says when
/// [`Event::Ticked`] is due; a tick that comes early or twice changes nothing.
///
/// **Guarantees.** Those of [`Refresh`] and of [`rotation::step`]. A step is taken once the store has the
/// write, never before; one whose outcome is unknown is taken again on what is stored by then. At most
/// one request with each credential is under way.
#[derive(Debug)]
pub struct Member {
    policy: Policy,
    refresh: Refresh,
    record: Option<Record>,
    view: View,
    keyring: Keyring,
    requests: Requests,
    /// The latest token of each credential, which its promotion shares.
    obtained: BTreeMap<CredentialId, Arc<FreshToken>>,
    /// What the endpoint said last of each credential that it does not accept.
    failures: BTreeMap<CredentialId, Failure>,
    doubt: Option<Doubt>,
    /// Why the latest request with what was active then brought no token.
    no_token: Option<(CredentialId, Failure)>,
    /// What each entry of the configuration yields.
    entries: Vec<Yielded>,
    /// What the sources yield; the first token is fetched before the ids are known.
    configured: Vec<Arc<Credential>>,
    /// The same as far as it is taken up.
    taken_up: Vec<Arc<Credential>>,
    unreadable: Option<Failure>,
    awaits_sources: bool,
    /// Somebody looks, or something has happened that ids are needed for.
    wants_ids: bool,
    /// The latest overlaps that have ended, the latest last.
    ended: Vec<Overlap>,
    /// Rotations that were asked for when their candidates were active already, the latest last.
    already_active: Vec<(RotationId, CredentialId)>,
    /// Where the tokens of candidates are to be tried, also after their callers have been answered: one that
    /// was refused there does not take over a little later because the endpoint accepts it.
    verifications: BTreeMap<CredentialId, Url>,
    /// Callers of rotations that have no answer yet.
    open: BTreeMap<CallerId, Open>,
    watches: Vec<Watch>,
    /// They want what the sources yield from now on.
    awaiting_sources: Vec<(CallerId, Request<Candidate>)>,
    /// What concerns the record and is not taken up yet, in order.
    queue: VecDeque<Item>,
    /// What is left of the step that is being performed.
    todo: VecDeque<Todo>,
    /// The credential whose answer is being taken up, and when that came; whoever named it may have left.
    taken_in: Option<(CredentialId, Timestamp)>,
    pending: Option<Pending>,
    retry_at: Option<Timestamp>,
    /// When the credential lifecycle took its latest step.
    stepped_at: Timestamp,
    /// When the active credential became it, as far as was seen here.
    active_since: Timestamp,
    sinks: writing::Sinks,
    /// What the open rotation waits for.
    waits: Waits,
    /// Files that are being tried on behalf of those who prepare a rotation.
    trials: Trials,
    /// What was written to the environment variables of an entry.
    replaced: BTreeMap<EntryPlace, CredentialId>,
    /// The token that a resource did not accept last.
    invalidated: Option<Arc<FreshToken>>,
    /// The store's count of tokens, as last read.
    store_serial: u64,
    closed: bool,
}

impl Member {
    /// A store that cannot be reached is asked again after so long.
    const STORE_PATIENCE: Duration = Duration::from_secs(1);

    /// A member that knows no credential and no record yet.
    pub fn new(policy: Policy) -> Self {
        let view = View {
            policy: rotation::Policy { overlap: policy.overlap, propagation: policy.propagation },
            ..View::default()
        };
        Self {
            policy,
            refresh: Refresh::new(),
            record: None,
            view,
            keyring: Keyring::default(),
            requests: Requests::default(),
            obtained: BTreeMap::new(),
            failures: BTreeMap::new(),
            doubt: None,
            no_token: None,
            entries: Vec::new(),
            configured: Vec::new(),
            taken_up: Vec::new(),
            unreadable: None,
            awaits_sources: true,
            wants_ids: false,
            ended: Vec::new(),
            already_active: Vec::new(),
            verifications: BTreeMap::new(),
            open: BTreeMap::new(),
            watches: Vec::new(),
            awaiting_sources: Vec::new(),
            queue: VecDeque::new(),
            todo: VecDeque::new(),
            taken_in: None,
            pending: None,
            retry_at: None,
            stepped_at: Timestamp::default(),
            active_since: Timestamp::default(),
            sinks: writing::Sinks::default(),
            waits: Waits::default(),
            trials: Trials::default(),
            replaced: BTreeMap::new(),
            invalidated: None,
            store_serial: 0,
            closed: false,
        }
    }

    /// The token that may be handed out at `now`.
    pub fn token(&self, now: Timestamp) -> Option<&Arc<HeldToken>> {
        self.refresh.token(now)
    }

    /// The token lifecycle, to look at.
    pub fn refresh(&self) -> &Refresh {
        &self.refresh
    }

    /// The record as this member knows it.
    pub fn record(&self) -> Option<&Record> {
        self.record.as_ref()
    }

    /// What the endpoint's answers say of each credential.
    pub fn ledger(&self) -> &Ledger {
        &self.view.ledger
    }

    /// Why a required source yields nothing, if one does.
    pub fn unreadable_source(&self) -> Option<&Failure> {
        self.unreadable.as_ref()
    }

    /// When [`Event::Ticked`] is due.
    pub fn wake_at(&self, now: Timestamp) -> Option<Timestamp> {
        if self.closed {
            return None;
        }
        let deadlines = self.open.values().filter_map(|open| open.deadline);
        let (writes, trials) = (self.sinks.deadline(), self.trials.deadline());
        [self.refresh.wake_at(), self.rotation_wake_at(now), self.retry_at, writes, trials]
            .into_iter()
            .flatten()
            .chain(deadlines)
            .min()
    }

    /// When the credential lifecycle goes on by itself; not while it waits for something else.
    fn rotation_wake_at(&self, now: Timestamp) -> Option<Timestamp> {
        if self.pending.is_some() || !self.queue.is_empty() || self.keyring.is_empty() {
            return None;
        }
        let (record, view) = (self.record.as_ref(), &self.view);
        // What became due since the latest step is due, whatever came first.
        let missed =
            (self.stepped_at < now).then(|| rotation::wake_at(record, view, self.stepped_at));
        rotation::wake_at(record, view, now).into_iter().chain(missed.flatten()).min()
    }

    /// Moves the member on.
    pub fn step(&mut self, event: Event, now: Timestamp, chance: &mut dyn Chance) -> Vec<Effect> {
        let mut step = Step { member: self, now, chance, effects: Vec::new() };
        step.take(event);
        // What is sent or told in a step does not come after a write that may forbid it.
        let operations = |effect: &mut Effect| {
            matches!(effect, Effect::Load | Effect::Write(..) | Effect::WriteToken(_))
        };
        let last: Vec<Effect> = step.effects.extract_if(.., operations).collect();
        step.effects.extend(last);
        step.effects
    }
}

/// Why the candidate is neither proved nor rejected, as far as the latest answer says.
#[derive(Debug)]
struct Doubt {
    credential: CredentialId,
    failure: Failure,
    /// People know already.
    is_told: bool,
}

/// One step of a member, with what it wants done so far.
struct Step<'a> {
    member: &'a mut Member,
    now: Timestamp,
    chance: &'a mut dyn Chance,
    effects: Vec<Effect>,
}

impl Step<'_> {
    fn take(&mut self, event: Event) {
        if self.member.closed {
            if let Event::Wanted(wait) = event {
                self.tell_refresh(refresh::Event::Wanted(wait));
            }
            return;
        }
        match event {
            Event::Wanted(wait) => self.tell_refresh(refresh::Event::Wanted(wait)),
            Event::Cancelled(waiter) => self.tell_refresh(refresh::Event::Cancelled(waiter)),
            Event::Invalidated(serial) => self.invalidate(serial),
            Event::Configured { configured, is_followed } => {
                self.configure(configured, is_followed);
            }
            Event::Answered { request, sent_at, verdict, verify } => {
                self.answered(request, sent_at, verdict, verify);
            }
            Event::Asked { caller, ask, deadline } => self.asked(caller, ask, deadline),
            Event::Left(caller) => self.left(caller),
            Event::SinkWritten { write, outcome, message } => {
                self.sink_written(write, outcome, message);
            }
            Event::SinkTried { place, is_writable } => self.sink_tried(place, is_writable),
            Event::Stored(stored) => self.stored(stored),
            Event::Reloaded => self.member.view.ledger.forget_patience(),
            Event::Observed => self.member.wants_ids = true,
            Event::Identified | Event::Ticked => {}
            Event::Restarted => self.restart(),
            Event::Closed => {
                self.member.closed = true;
                self.tell_refresh(refresh::Event::Closed);
                return;
            }
        }
        self.tick();
        self.go_on();
        if self.member.refresh.wake_at().is_some_and(|at| at <= self.now) {
            self.tell_refresh(refresh::Event::Ticked);
            self.update_offer();
        }
    }

    /// What time alone makes due.
    fn tick(&mut self) {
        let now = self.now;
        self.expire_callers();
        self.expire_writes();
        self.expire_trials();
        if self.member.retry_at.take_if(|at| *at <= now).is_some() {
            self.effects.push(Effect::Load);
        }
    }

    fn configure(&mut self, configured: Configured, is_followed: bool) {
        let member = &mut *self.member;
        member.configured.clone_from(&configured.credentials);
        member.unreadable.clone_from(&configured.unreadable);
        member.awaits_sources = configured.pending || is_followed;
        member.enqueue(Item::Configured(configured));
        if !is_followed {
            for (caller, request) in std::mem::take(&mut member.awaiting_sources) {
                member.queue.push_back(Item::Asked { caller, request });
            }
        }
    }

    /// A resource does not accept the token: it goes, here and in the store.
    fn invalidate(&mut self, serial: u64) {
        let held = self.member.refresh.token(self.now).map(Arc::clone);
        self.tell_refresh(refresh::Event::Invalidated(serial));
        let left = self.member.refresh.token(self.now).map(|held| held.serial);
        let Some(held) = held.filter(|held| held.serial == serial && left != Some(serial)) else {
            return;
        };
        self.member.invalidated = Some(Arc::clone(&held.token));
        self.effects.push(Effect::Forget(self.member.serial_in_store(&held)));
        self.token_is_gone();
    }

    /// No token is shared any more, which may end a preparation.
    fn token_is_gone(&mut self) {
        self.member.view.token = None;
        self.member.enqueue(Item::Rotation(rotation::Event::Ticked));
    }

    fn restart(&mut self) {
        self.member.requests.clear();
        self.member.keyring.ask_again();
        self.member.sinks.lose_files();
        self.member.show_writes();
        self.member.trials.lose();
        self.member.view.probing.clear();
        self.tell_refresh(refresh::Event::Restarted);
        self.member.enqueue(Item::Rotation(rotation::Event::Ticked));
    }
}
