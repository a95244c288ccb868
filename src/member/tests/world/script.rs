//! Surroundings that a scenario scripts by hand, and what they have seen.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use crate::clock::Timestamp;
use crate::credential::Credential;
use crate::member::tests::peripherals::{
    Clientele, Delay, Delivery, Machine, Passage, PersistPlaces, PlaceWrite, Process, SourceReader,
    StoreAccess, StoreFate, TokenEndpoint, TokenRequest, Witness, WriteEnd,
};
use crate::member::{Answer, Chance, Denial, MemberEffect, MemberNotice};
use crate::refresh::{TokenRefusal, WaiterId};
use crate::rotation::{CallerId, PersistOutcome};
use crate::source::{EntryPlace, Reading};
use crate::store::Operation;
use crate::token::HeldToken;
use crate::verdict::{Verdict, Verify};

type Endpoint = Box<dyn FnMut(&Credential, Timestamp) -> Verdict>;

/// What becomes of each effect, and what became of those so far.
pub(crate) struct Script {
    pub(crate) dice: Dice,
    pub(crate) endpoint: Endpoint,
    /// What a request with a candidate's token brings.
    pub(crate) verified: Verify,
    /// What becomes of the next write of the record.
    pub(crate) next_write: StoreFate,
    pub(crate) store: StoreState,
    pub(crate) sink_outcome: PersistOutcome,
    pub(crate) sink_message: Option<String>,
    /// Whether a write to a place takes until [`World::end_sinks`](super::World::end_sinks).
    pub(crate) delays_sinks: bool,
    /// Whether ids are derived as soon as they are asked for.
    pub(crate) derives_ids: bool,
    /// How many effects the process performs before it dies; none: it lives.
    pub(crate) dies_after: Option<usize>,

    pub(crate) fetches: Vec<(Timestamp, String)>,
    pub(crate) operations: Vec<Operation>,
    pub(crate) settled: Vec<(Timestamp, WaiterId, Result<(), TokenRefusal>)>,
    pub(crate) answers: BTreeMap<CallerId, Result<Answer, Denial>>,
    pub(crate) notices: Vec<MemberNotice>,
    pub(crate) written: Vec<(Timestamp, EntryPlace, String)>,
    pub(crate) variables: Vec<(EntryPlace, String)>,
    /// Writes that were to be given up.
    pub(crate) aborted: Vec<u64>,
    pub(crate) rereads: usize,
    /// Ids that are asked for and not derived yet.
    pub(super) underived: Vec<Arc<Credential>>,
    /// Writes to places that have no end yet.
    pub(super) unended: Vec<PlaceWrite>,
}

/// How the store is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum StoreState {
    Well,
    /// Writes of tokens have no outcome yet.
    DelaysTokens,
    /// Members are not named yet.
    DelaysNames,
    /// Nothing has an outcome yet.
    Silent,
    /// Deletions fail, and nothing else does.
    KeepsAll,
    /// It is out of reach.
    Down,
}

/// Chance with a fixed ratio, so that instants can be foretold.
#[derive(Clone)]
pub(crate) struct Dice {
    pub(crate) ratio: f64,
    random: fastrand::Rng,
}

impl Dice {
    /// The same with numbers that no other member draws.
    pub(crate) fn of_member(&self, place: usize) -> Self {
        Self { ratio: self.ratio, random: fastrand::Rng::with_seed(place as u64 + 2) }
    }
}

impl Script {
    /// Everything works, and nothing is delayed.
    pub(super) fn new(endpoint: impl FnMut(&Credential, Timestamp) -> Verdict + 'static) -> Self {
        Self {
            dice: Dice { ratio: 0.0, random: fastrand::Rng::with_seed(1) },
            endpoint: Box::new(endpoint),
            verified: Verify::Passed,
            next_write: StoreFate::Stored,
            store: StoreState::Well,
            sink_outcome: PersistOutcome::Done,
            sink_message: None,
            delays_sinks: false,
            derives_ids: true,
            dies_after: None,
            fetches: Vec::new(),
            operations: Vec::new(),
            settled: Vec::new(),
            answers: BTreeMap::new(),
            notices: Vec::new(),
            written: Vec::new(),
            variables: Vec::new(),
            aborted: Vec::new(),
            rereads: 0,
            underived: Vec::new(),
            unended: Vec::new(),
        }
    }
}

impl Script {
    /// How often the store was asked for this since the last time that a scenario wanted to know.
    pub(crate) fn asked_of_store(&mut self, wanted: &Operation) -> usize {
        let asked = std::mem::take(&mut self.operations);
        asked.iter().filter(|operation| *operation == wanted).count()
    }
}

impl Chance for Dice {
    fn bits(&mut self) -> u64 {
        self.random.u64(..)
    }

    fn ratio(&mut self) -> f64 {
        self.ratio
    }
}

impl Machine for Script {
    fn chance(&mut self) -> &mut dyn Chance {
        &mut self.dice
    }

    fn dies_before(&mut self, _: &MemberEffect) -> bool {
        match &mut self.dies_after {
            Some(0) => true,
            Some(left) => {
                *left -= 1;
                false
            }
            None => false,
        }
    }

    fn deliver(&mut self, _: &Process, _: Duration, delivery: Delivery) {
        unreachable!("{delivery:?}: a scenario delivers by hand");
    }

    fn derives(&mut self, credential: &Arc<Credential>) -> Delay {
        if self.derives_ids {
            return Delay::AtOnce;
        }
        self.underived.push(Arc::clone(credential));
        Delay::Withheld
    }
}

impl TokenEndpoint for Script {
    fn sends(&mut self, process: &Process, credential: &Arc<Credential>) -> Passage {
        self.fetches.push((process.now(), credential.client_secret.expose().to_owned()));
        // The world answers the oldest request once its latency has passed.
        Passage { until_judged: Duration::ZERO, answer: Delay::Withheld }
    }

    fn answers(&mut self, process: &Process, sent: &TokenRequest) -> (Verdict, Option<Verify>) {
        let verdict = (self.endpoint)(&sent.credential, process.now());
        let is_accepted = matches!(verdict, Verdict::Accepted(_));
        let verify = (sent.verify && is_accepted).then_some(self.verified);
        (verdict, verify)
    }
}

impl StoreAccess for Script {
    fn operates(&mut self, _: &Process, operation: &Operation) -> (StoreFate, Delay) {
        self.operations.push(operation.clone());
        match operation {
            _ if self.store == StoreState::Down => (StoreFate::Failed, Delay::AtOnce),
            _ if self.store == StoreState::Silent => (StoreFate::Failed, Delay::Withheld),
            Operation::Invalidate(_) if self.store == StoreState::KeepsAll => {
                (StoreFate::Failed, Delay::AtOnce)
            }
            Operation::Write(..) => {
                let fate = std::mem::replace(&mut self.next_write, StoreFate::Stored);
                (fate, Delay::AtOnce)
            }
            Operation::Members if self.store == StoreState::DelaysNames => {
                (StoreFate::Failed, Delay::Withheld)
            }
            Operation::PutToken(_) if self.store == StoreState::DelaysTokens => {
                (StoreFate::Failed, Delay::Withheld)
            }
            _ => (StoreFate::Stored, Delay::AtOnce),
        }
    }
}

impl PersistPlaces for Script {
    fn begins(&mut self, process: &Process, write: &PlaceWrite) -> Option<WriteEnd> {
        let secret = write.credential.client_secret.expose().to_owned();
        self.written.push((process.now(), write.place, secret));
        if self.delays_sinks {
            self.unended.push(write.clone());
            return None;
        }
        let (outcome, message) = (self.sink_outcome, self.sink_message.clone());
        Some(WriteEnd { at: Delay::AtOnce, outcome, message })
    }

    fn aborts(&mut self, write: u64) {
        self.aborted.push(write);
    }

    fn tries(&mut self, _: EntryPlace) -> Option<bool> {
        (!self.delays_sinks).then_some(self.sink_outcome == PersistOutcome::Done)
    }

    fn replaces_variables(&mut self, place: EntryPlace, credential: &Credential) {
        self.variables.push((place, credential.client_secret.expose().to_owned()));
    }
}

impl SourceReader for Script {
    fn is_asked_to_read(&mut self) -> bool {
        self.rereads += 1;
        // A scenario says itself what is read, and when.
        false
    }

    fn reads(&mut self) -> (Vec<Option<Reading>>, Duration) {
        unreachable!("a scenario reads by hand")
    }
}

impl Clientele for Script {
    fn publishes(&mut self, process: &Process, token: &Arc<HeldToken>) {
        let record = process.member.record();
        let known = record.zip(token.made_with.id());
        let is_leaked = known.is_some_and(|(record, id)| !record.may_use_token_of(id));
        assert!(!is_leaked, "a token of a credential that has leaked is handed out");
    }

    fn settles(&mut self, process: &Process, waiter: WaiterId, outcome: Result<(), TokenRefusal>) {
        self.settled.push((process.now(), waiter, outcome));
    }

    fn is_answered(&mut self, _: &Process, caller: CallerId, outcome: Result<Answer, Denial>) {
        assert!(self.answers.insert(caller, outcome).is_none(), "a caller is answered once");
    }

    fn hears(&mut self, _: &Process, notice: MemberNotice) {
        self.notices.push(notice);
    }
}

impl Witness for Script {
    fn sees_rest(&mut self, process: &Process) {
        if let Some(token) = &process.handed_out {
            assert!(process.now() < token.usable_until, "a token past its time is handed out");
        }
    }
}
