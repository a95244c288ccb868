//! One member, its store, a scripted endpoint, and the time between them.

use std::collections::{BTreeMap, VecDeque};
use std::sync::Arc;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use crate::clock::Timestamp;
use crate::clock::{Clock, Sleep};
use crate::credential::{Credential, CredentialId};
use crate::error::Code;
use crate::error::Failure;
use crate::member::*;
use crate::policy::Policy;
use crate::policy::tests::DEFAULT;
use crate::refresh::{Refusal, Wait, WaiterId};
use crate::rotation;
use crate::rotation::CallerId;
use crate::rotation::{PhaseName, Role, SinkOutcome};
use crate::secret::Secret;
use crate::source::{CredentialText, EntryPlace, EntrySpec, Reading, SourceSpec, Sources};
use crate::store::MemoryStore;
use crate::token::Grant;
use crate::token::HeldToken;
use crate::verdict::{Verdict, Verify};

pub(super) type Endpoint = Box<dyn FnMut(&Credential, Timestamp) -> Verdict>;

pub(super) const SECOND: Duration = Duration::from_secs(1);
pub(super) const MINUTE: Duration = Duration::from_mins(1);
pub(super) const HOUR: Duration = Duration::from_hours(1);
pub(super) const START: Timestamp = Timestamp::from_millis(1_000_000);

/// The hands of the world's clock.
#[derive(Debug)]
pub(super) struct Hands(Mutex<Timestamp>);

impl Hands {
    pub(super) fn at(now: Timestamp) -> Arc<Self> {
        Arc::new(Self(Mutex::new(now)))
    }

    pub(super) fn set(&self, now: Timestamp) {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner) = now;
    }
}

impl Clock for Hands {
    fn now(&self) -> Timestamp {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn utc_millis(&self, at: Timestamp) -> i64 {
        i64::try_from(at.since(Timestamp::default()).as_millis()).unwrap_or(i64::MAX)
    }

    fn sleep_until(&self, _: Timestamp) -> Sleep {
        unreachable!("nobody sleeps in virtual time")
    }
}

/// Chance with a fixed ratio, so that instants can be foretold.
#[derive(Clone)]
pub(super) struct Dice {
    pub(super) ratio: f64,
    random: fastrand::Rng,
}

impl Chance for Dice {
    fn bits(&mut self) -> u64 {
        self.random.u64(..)
    }

    fn ratio(&mut self) -> f64 {
        self.ratio
    }
}

/// A token request under way.
#[derive(Debug, Clone)]
pub(super) struct UnderWay {
    pub(super) request: u64,
    pub(super) credential: Arc<Credential>,
    pub(super) sent_at: Timestamp,
    pub(super) verify: bool,
}

/// What becomes of a write.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Fate {
    Stored,
    Failed,
    AnswerLost,
}

pub(super) struct World {
    pub(super) member: Member,
    pub(super) store: MemoryStore,
    pub(super) now: Timestamp,
    pub(super) latency: Duration,
    pub(super) endpoint: Endpoint,
    pub(super) under_way: Vec<UnderWay>,
    pub(super) handed_out: Option<Arc<HeldToken>>,
    pub(super) fetches: Vec<(Timestamp, String)>,
    pub(super) settled: Vec<(Timestamp, WaiterId, Result<(), Refusal>)>,
    pub(super) answers: BTreeMap<CallerId, Result<Answer, Denial>>,
    pub(super) notices: Vec<Notice>,
    pub(super) written: Vec<(Timestamp, EntryPlace, String)>,
    pub(super) variables: Vec<(EntryPlace, String)>,
    pub(super) rereads: usize,
    /// What becomes of the next write of the record.
    pub(super) next_write: Fate,
    /// Whether writes of tokens have no outcome yet.
    pub(super) delays_tokens: bool,
    pub(super) dice: Dice,
    /// What a request with a candidate's token brings.
    pub(super) verified: Verify,
    pub(super) sink_outcome: SinkOutcome,
    pub(super) sink_message: Option<String>,
    /// Whether ids are derived as soon as they are asked for.
    pub(super) derives_ids: bool,
    underived: Vec<Arc<Credential>>,
    /// Whether a write to a sink takes until [`World::end_sinks`].
    pub(super) delays_sinks: bool,
    writes: Vec<u64>,
    /// Writes that were to be given up.
    pub(super) aborted: Vec<u64>,
    hands: Arc<Hands>,
    sources: Sources,
    next_caller: CallerId,
}

impl World {
    pub(super) fn new(
        policy: Policy,
        endpoint: impl FnMut(&Credential, Timestamp) -> Verdict + 'static,
    ) -> Self {
        let source = SourceSpec::Js { index: 0 };
        let list = EntrySpec {
            label: None,
            optional: true,
            expires_at: None,
            has_variables: true,
            persist: None,
            source,
        };
        Self::with_entries(policy, vec![list], endpoint)
    }

    /// One into which nobody looks.
    pub(super) fn unobserved(
        endpoint: impl FnMut(&Credential, Timestamp) -> Verdict + 'static,
    ) -> Self {
        let member = Member::new(DEFAULT);
        Self { member, ..Self::new(DEFAULT, endpoint) }
    }

    /// One whose entries are these, each read by a function of its own.
    pub(super) fn with_entries(
        policy: Policy,
        entries: Vec<EntrySpec>,
        endpoint: impl FnMut(&Credential, Timestamp) -> Verdict + 'static,
    ) -> Self {
        let hands = Hands::at(START);
        let mut sources = Sources::new(SECOND, 10 * SECOND);
        // A pair reads two.
        let silent = entries.iter().flat_map(|_| [None, None]).collect();
        sources.add(OWNER, entries, silent);
        let dice = Dice { ratio: 0.0, random: fastrand::Rng::with_seed(1) };
        let mut member = Member::new(policy);
        member.step(Event::Observed, START, &mut dice.clone());
        Self {
            member,
            store: MemoryStore::for_process(Arc::clone(&hands) as Arc<dyn Clock>),
            now: START,
            latency: Duration::from_millis(50),
            endpoint: Box::new(endpoint),
            under_way: Vec::new(),
            handed_out: None,
            fetches: Vec::new(),
            settled: Vec::new(),
            answers: BTreeMap::new(),
            notices: Vec::new(),
            written: Vec::new(),
            variables: Vec::new(),
            rereads: 0,
            next_write: Fate::Stored,
            delays_tokens: false,
            dice,
            verified: Verify::Passed,
            sink_outcome: SinkOutcome::Done,
            sink_message: None,
            derives_ids: true,
            underived: Vec::new(),
            delays_sinks: false,
            writes: Vec::new(),
            aborted: Vec::new(),
            hands,
            sources,
            next_caller: 0,
        }
    }

    pub(super) fn with(mut self, secrets: &[&str]) -> Self {
        self.configure(secrets);
        self
    }

    /// The only entry yields these.
    pub(super) fn configure(&mut self, secrets: &[&str]) {
        self.configure_each(&[secrets]);
    }

    /// Each entry yields these.
    pub(super) fn configure_each(&mut self, entries: &[&[&str]]) {
        let text = |secret: &&str| CredentialText {
            label: None,
            client_id: "app".into(),
            client_secret: Secret::new(*secret),
            expires_at: None,
        };
        let reading = |secrets: &&[&str]| match secrets.len() {
            0 => Some(Reading::Empty),
            _ => Some(Reading::Credentials { list: secrets.iter().map(text).collect() }),
        };
        self.sources.begin(self.now);
        self.sources.javascript_read(OWNER, entries.iter().map(reading).collect());
        let (configured, _) = self.sources.finish(self.now);
        self.tell(Event::Configured { configured, is_followed: false });
    }

    /// The handle of this entry is closed; others yield what it yielded.
    pub(super) fn drop_entry(&mut self, index: usize) {
        self.sources.begin(self.now);
        let (mut configured, _) = self.sources.finish(self.now);
        configured.entries.retain(|entry| entry.place.index != index);
        self.tell(Event::Configured { configured, is_followed: false });
    }

    /// The only entry consists of two variables, which yield this.
    pub(super) fn configure_pair(&mut self, secret: &str) {
        let text = |value: &str| Some(Reading::Text { value: Secret::new(value) });
        self.sources.begin(self.now);
        self.sources.javascript_read(OWNER, vec![text("app"), text(secret)]);
        let (configured, _) = self.sources.finish(self.now);
        self.tell(Event::Configured { configured, is_followed: false });
    }

    pub(super) fn tell(&mut self, event: Event) {
        self.hands.set(self.now);
        let effects = self.member.step(event, self.now, &mut self.dice);
        self.perform_all(effects);
        self.check();
    }

    pub(super) fn perform_all(&mut self, effects: Vec<Effect>) {
        let mut effects = VecDeque::from(effects);
        let mut performed = 0;
        while let Some(effect) = effects.pop_front() {
            performed += 1;
            assert!(performed < 1_000, "one event has no end of effects");
            if let Some(event) = self.perform(effect) {
                effects.extend(self.member.step(event, self.now, &mut self.dice));
            }
        }
    }

    /// Performs an effect; answers what the member is to be told of it at once.
    fn perform(&mut self, effect: Effect) -> Option<Event> {
        match effect {
            Effect::Request { request, credential, verify } => {
                let is_same = |it: &UnderWay| it.credential.is_same_as(&credential);
                assert!(!self.under_way.iter().any(is_same), "two requests with one credential");
                self.fetches.push((self.now, credential.client_secret.expose().to_owned()));
                let (sent_at, verify) = (self.now, verify.is_some());
                self.under_way.push(UnderWay { request, credential, sent_at, verify });
            }
            Effect::Identify(credential) if !self.derives_ids => self.underived.push(credential),
            Effect::Identify(credential) => {
                credential.kept_id();
                return Some(Event::Identified);
            }
            Effect::ReadSources => self.rereads += 1,
            Effect::Load => {
                return Some(Event::Stored(Stored::Loaded(Box::new(self.store.load()))));
            }
            Effect::Write(write, fresh) if self.next_write != Fate::Stored => {
                if std::mem::replace(&mut self.next_write, Fate::Stored) == Fate::AnswerLost {
                    self.store.write(&write, fresh.as_ref()).unwrap();
                }
                return Some(Event::Stored(Stored::Unknown));
            }
            Effect::Write(write, fresh) => {
                let written = self.store.write(&write, fresh.as_ref());
                return Some(Event::Stored(match written {
                    Ok(written) => Stored::Written { serial: written.serial },
                    Err(_) => Stored::Refused,
                }));
            }
            Effect::WriteToken(_) if self.delays_tokens => {}
            Effect::WriteToken(token) => {
                return Some(Event::Stored(match self.store.put_token(&token) {
                    Ok(serial) => Stored::Written { serial: Some(serial) },
                    Err(_) => Stored::Refused,
                }));
            }
            Effect::Forget(serial) => drop(self.store.invalidate(serial)),
            Effect::ForgetTokensOf(id) => drop(self.store.drop_tokens(id)),
            Effect::Publish(token) => self.handed_out = Some(token),
            Effect::Withdraw => self.handed_out = None,
            Effect::Settle { waiter, outcome } => self.settled.push((self.now, waiter, outcome)),
            Effect::WriteSink { write, place, credential, .. } => {
                let secret = credential.client_secret.expose().to_owned();
                self.written.push((self.now, place, secret));
                if self.delays_sinks {
                    self.writes.push(write);
                    return None;
                }
                let (outcome, message) = (self.sink_outcome, self.sink_message.clone());
                return Some(Event::SinkWritten { write, outcome, message });
            }
            Effect::AbortSink { write } => self.aborted.push(write),
            Effect::TrySink { .. } if self.delays_sinks => {}
            Effect::TrySink { place, .. } => {
                let is_writable = self.sink_outcome == SinkOutcome::Done;
                return Some(Event::SinkTried { place, is_writable });
            }
            Effect::ReplaceVariables { place, credential } => {
                self.variables.push((place, credential.client_secret.expose().to_owned()));
            }
            Effect::Answer { caller, outcome } => {
                assert!(
                    self.answers.insert(caller, outcome).is_none(),
                    "a caller is answered once"
                );
            }
            Effect::Notify(notice) => self.notices.push(notice),
        }
        None
    }

    /// The invariants that hold after every step.
    fn check(&self) {
        if let Some(token) = &self.handed_out {
            assert!(self.now < token.usable_until, "a token past its time is handed out");
        }
        let held = self.member.token(self.now).map(|token| token.serial);
        assert_eq!(held, self.handed_out.as_ref().map(|token| token.serial));
        let wake_at = self.member.wake_at(self.now);
        assert!(wake_at.is_none_or(|at| at > self.now), "a tick would be due again at once");
    }

    /// Lets time pass, stopping at everything that is due.
    pub(super) fn pass(&mut self, duration: Duration) {
        let end = self.now + duration;
        let mut spins = 0;
        loop {
            spins += 1;
            assert!(spins < 20_000, "it does not come to rest");
            let answer_at = self.under_way.first().map(|it| it.sent_at + self.latency);
            let next = [answer_at, self.member.wake_at(self.now)].into_iter().flatten().min();
            let Some(next) = next.filter(|next| *next <= end) else { break };
            self.now = self.now.max(next);
            if answer_at.is_some_and(|at| at <= self.now) {
                self.answer();
            } else {
                self.tell(Event::Ticked);
            }
        }
        self.now = end;
        self.tell(Event::Ticked);
    }

    /// The endpoint answers the oldest request.
    fn answer(&mut self) {
        let UnderWay { request, credential, sent_at, verify } = self.under_way.remove(0);
        let verdict = (self.endpoint)(&credential, self.now);
        let is_accepted = matches!(verdict, Verdict::Accepted(_));
        let verify = (verify && is_accepted).then_some(self.verified);
        self.tell(Event::Answered { request, sent_at, verdict, verify });
    }

    pub(super) fn want(&mut self, waiter: WaiterId) {
        self.want_for(waiter, Duration::ZERO);
    }

    pub(super) fn want_for(&mut self, waiter: WaiterId, min_validity: Duration) {
        let deadline = self.now + Duration::from_secs(5);
        self.tell(Event::Wanted(Wait { waiter, min_validity, deadline, for_readiness: false }));
    }

    pub(super) fn outcome(&self, waiter: WaiterId) -> Option<&Result<(), Refusal>> {
        self.settled.iter().find(|(_, id, _)| *id == waiter).map(|(_, _, outcome)| outcome)
    }

    /// Asks something, to wait five minutes at most.
    pub(super) fn ask(&mut self, ask: impl Into<Ask>) -> CallerId {
        let ask = ask.into();
        self.next_caller += 1;
        let (caller, deadline) = (self.next_caller, Some(self.now + 5 * MINUTE));
        self.tell(Event::Asked { caller, ask, deadline });
        caller
    }

    /// The ids that were asked for are known at last.
    pub(super) fn derive_ids(&mut self) {
        self.derives_ids = true;
        for credential in self.underived.drain(..) {
            credential.kept_id();
        }
        self.tell(Event::Identified);
    }

    /// The writes to sinks that are under way come to an end.
    pub(super) fn end_sinks(&mut self) {
        let outcome = self.sink_outcome;
        for write in std::mem::take(&mut self.writes) {
            self.tell(Event::SinkWritten { write, outcome, message: None });
        }
    }

    pub(super) fn rotate_to_of(&mut self, client: &str, secret: &str) -> CallerId {
        self.rotate_with(secret, |ask| {
            if let Request::Rotate(Rotate { candidate: Some(candidate), .. }) = ask {
                candidate.client_id = Some(client.to_owned());
            }
        })
    }

    pub(super) fn rotate_to(&mut self, secret: &str) -> CallerId {
        self.ask(rotate(Some(secret)))
    }

    pub(super) fn rotate_with(
        &mut self,
        secret: &str,
        change: impl Fn(&mut Request<Candidate>),
    ) -> CallerId {
        let mut ask = rotate(Some(secret));
        change(&mut ask);
        self.ask(ask)
    }

    /// A request with its token has to be answered.
    pub(super) fn rotate_verified(&mut self, secret: &str) -> CallerId {
        self.ask(verified(rotate(Some(secret))))
    }

    /// How far the rotation was that a caller was told of.
    pub(super) fn rotated(&self, caller: CallerId) -> Option<Phase> {
        match self.answers.get(&caller) {
            Some(Ok(Answer::Rotation(snapshot))) => Some(snapshot.phase),
            _ => None,
        }
    }

    /// Why a caller was refused.
    pub(super) fn refusal(&self, caller: CallerId) -> Option<&rotation::Refusal> {
        match self.answers.get(&caller) {
            Some(Err(Denial { reason: Reason::Refused(refusal, _), .. })) => Some(refusal),
            _ => None,
        }
    }

    pub(super) fn phase(&self) -> PhaseName {
        self.member.phase()
    }

    pub(super) fn role(&self, secret: &str) -> Role {
        self.member.record().map_or(Role::Unknown, |record| record.role(id_of(secret)))
    }

    pub(super) fn secrets_tried(&self) -> Vec<&str> {
        self.fetches.iter().map(|(_, secret)| secret.as_str()).collect()
    }

    pub(super) fn serial(&self) -> Option<u64> {
        self.handed_out.as_ref().map(|token| token.serial)
    }

    /// The secret that the token was obtained with.
    pub(super) fn secret_in_use(&self) -> Option<&str> {
        self.handed_out.as_ref().map(|token| token.credential.client_secret.expose())
    }
}

/// The id of a secret of the usual client.
pub(super) fn id_of(secret: &str) -> CredentialId {
    Credential::new(None, "app".into(), Secret::new(secret)).kept_id()
}

/// One with a token made with the first of these secrets; all of them are accepted.
pub(super) fn with_token(secrets: &'static [&'static str]) -> World {
    let mut world = World::new(DEFAULT, accepts(secrets)).with(&secrets[..1]);
    world.pass(MINUTE);
    world
}

/// To rotate to a secret, or to what the sources yield.
pub(super) fn rotate(secret: Option<&str>) -> Request<Candidate> {
    let candidate = secret.map(|secret| Candidate {
        label: None,
        client_id: None,
        client_secret: Secret::new(secret),
        expires_at: None,
    });
    Request::Rotate(Rotate {
        candidate,
        rotation: None,
        supersede: false,
        compromised: false,
        verify: None,
    })
}

/// A request with the candidate's token has to be answered.
pub(super) fn verified(mut ask: Request<Candidate>) -> Request<Candidate> {
    if let Request::Rotate(Rotate { verify, .. }) = &mut ask {
        *verify = Some("https://resource.example/me".parse().unwrap());
    }
    ask
}

/// Whose the entries are.
pub(super) const OWNER: u64 = 7;

pub(super) fn granted(lifetime: Duration) -> Verdict {
    let access_token = Secret::new("token");
    Verdict::Accepted(Grant { access_token, lifetime, refresh_in: None, scope: None })
}

pub(super) fn with_scope(scope: &str) -> Verdict {
    let (access_token, scope) = (Secret::new("token"), Some(scope.to_owned()));
    Verdict::Accepted(Grant { access_token, lifetime: HOUR, refresh_in: None, scope })
}

pub(super) fn rejected() -> Verdict {
    Verdict::Rejected(Failure::new(Code::CredentialRejected, "rejected"))
}

pub(super) fn refused() -> Verdict {
    let failure = Failure::new(Code::CredentialRejected, "refused");
    Verdict::Refused(Failure { retryable: true, ..failure })
}

pub(super) fn transient() -> Verdict {
    Verdict::Transient(Failure::new(Code::Endpoint, "down"))
}

pub(super) fn misconfigured() -> Verdict {
    Verdict::Misconfigured(Failure::new(Code::Misconfigured, "invalid_scope"))
}

pub(super) fn ambiguous() -> Verdict {
    Verdict::Ambiguous(Failure::new(Code::Misconfigured, "invalid_request"))
}

pub(super) fn throttled(retry_after: Duration) -> Verdict {
    let failure = Failure::new(Code::Throttled, "slow down");
    Verdict::Throttled(Failure { retry_after: Some(retry_after), ..failure })
}

pub(super) fn accepts(
    secrets: &'static [&'static str],
) -> impl Fn(&Credential, Timestamp) -> Verdict {
    move |credential, _| {
        if secrets.contains(&credential.client_secret.expose()) {
            granted(HOUR)
        } else {
            rejected()
        }
    }
}

/// Answers with these verdicts in turn, then with hour-long tokens.
pub(super) fn script(verdicts: Vec<Verdict>) -> impl FnMut(&Credential, Timestamp) -> Verdict {
    let mut verdicts = VecDeque::from(verdicts);
    move |_, _| verdicts.pop_front().unwrap_or_else(|| granted(HOUR))
}
