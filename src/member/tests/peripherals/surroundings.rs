//! What a process has around it, one small trait for each peripheral.
//!
//! Where a method is given the process, it may look at its member, its store and its clock.

use std::sync::Arc;
use std::time::Duration;

use super::{Process, TokenRequest};
use crate::credential::Credential;
use crate::member::{Answer, Chance, Denial, MemberEffect, MemberEvent, MemberNotice};
use crate::refresh::{TokenRefusal, WaiterId};
use crate::rotation::{CallerId, PersistOutcome, Record};
use crate::source::{Configured, EntryPlace, Reading};
use crate::store::{Operation, Reply, Unavailable};
use crate::token::HeldToken;
use crate::verdict::{Verdict, Verify};

/// Everything that a process has around it.
pub(crate) trait Surroundings:
    Machine + TokenEndpoint + StoreAccess + PersistPlaces + SourceReader + Clientele + Witness
{
}

impl<T> Surroundings for T where
    T: Machine + TokenEndpoint + StoreAccess + PersistPlaces + SourceReader + Clientele + Witness
{
}

/// When the process is told of something.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Delay {
    /// Before anything else happens.
    AtOnce,
    /// After so long, through [`Machine::deliver`].
    After(Duration),
    /// Not by itself: the surroundings tell it when they like, or never.
    Withheld,
}

/// What reaches a process later, for [`Process::receive`].
#[derive(Debug)]
pub(crate) enum Delivery {
    /// The endpoint answers the request of this number.
    Answer(u64),
    Identified(Arc<Credential>),
    Stored(u64, Result<Reply, Unavailable>),
    Written(PlaceWrite, PersistOutcome, Option<String>),
    ReadingEnds,
}

/// The machine that a process runs on.
pub(crate) trait Machine {
    /// What the member draws from.
    fn chance(&mut self) -> &mut dyn Chance;

    /// Whether the process dies now, with this effect and all behind it unperformed.
    fn dies_before(&mut self, _: &MemberEffect) -> bool {
        false
    }

    /// Keeps something for the process until its time has come.
    fn deliver(&mut self, process: &Process, after: Duration, delivery: Delivery);

    /// How long the derivation of an id takes.
    fn derives(&mut self, _: &Arc<Credential>) -> Delay {
        Delay::AtOnce
    }
}

/// How long a token request takes.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Passage {
    pub(crate) until_judged: Duration,
    pub(crate) answer: Delay,
}

/// The provider: who answers token requests.
pub(crate) trait TokenEndpoint {
    /// A request is sent with this credential.
    fn sends(&mut self, process: &Process, credential: &Arc<Credential>) -> Passage;

    /// What comes back, and what the request with the new token brought.
    fn answers(&mut self, process: &Process, sent: &TokenRequest) -> (Verdict, Option<Verify>);
}

/// What becomes of a store operation.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum StoreFate {
    Stored,
    /// It does not take place, and the process is told nothing certain.
    Failed,
    /// It takes place, and the process is told nothing certain.
    AnswerLost,
}

/// The way to the store, which may be shared; the store itself is the production one.
pub(crate) trait StoreAccess {
    /// What becomes of this operation, and when the process is told.
    fn operates(&mut self, process: &Process, operation: &Operation) -> (StoreFate, Delay);
}

/// A write of a credential to a place under way.
#[derive(Debug, Clone)]
pub(crate) struct PlaceWrite {
    pub(crate) write: u64,
    pub(crate) place: EntryPlace,
    pub(crate) credential: Arc<Credential>,
}

/// What becomes of a write to a place.
#[derive(Debug, Clone)]
pub(crate) struct WriteEnd {
    pub(crate) at: Delay,
    pub(crate) outcome: PersistOutcome,
    pub(crate) message: Option<String>,
}

/// Where credentials are written to.
pub(crate) trait PersistPlaces {
    /// A write begins; one without an end stays with the surroundings.
    fn begins(&mut self, process: &Process, write: &PlaceWrite) -> Option<WriteEnd>;

    /// A write has come to its end.
    fn ends(&mut self, _: &Process, _: &PlaceWrite, _: PersistOutcome) {}

    /// The member gives a write up.
    fn aborts(&mut self, _: u64) {}

    /// Whether the place can be written; none: that is never told.
    fn tries(&mut self, place: EntryPlace) -> Option<bool>;

    /// The environment variables of an entry get another value.
    fn replaces_variables(&mut self, place: EntryPlace, credential: &Credential);
}

/// Who reads the sources; which reading follows which is decided by the production code.
pub(crate) trait SourceReader {
    /// The member wants a reading: whether the process begins one.
    fn is_asked_to_read(&mut self) -> bool {
        true
    }

    /// What is found at this moment, and how long it takes to tell.
    fn reads(&mut self) -> (Vec<Option<Reading>>, Duration);

    /// A reading ends with this.
    fn configures(&mut self, _: &Process, _: &Configured) {}
}

/// Those who call, and those who listen.
pub(crate) trait Clientele {
    /// A token is handed out instead of the one that the process still hands out.
    fn publishes(&mut self, _: &Process, _: &Arc<HeldToken>) {}

    /// No token is handed out any more.
    fn withdraws(&mut self, _: &Process) {}

    /// A caller who waits for a token is told.
    fn settles(&mut self, process: &Process, waiter: WaiterId, outcome: Result<(), TokenRefusal>);

    /// A caller of the credential lifecycle is told.
    fn is_answered(&mut self, process: &Process, caller: CallerId, outcome: Result<Answer, Denial>);

    /// Whoever listens is told.
    fn hears(&mut self, process: &Process, notice: MemberNotice);
}

/// One step of a member.
#[derive(Debug)]
pub(crate) struct StepTaken<'a> {
    /// The record before it.
    pub(crate) before: Option<Record>,
    /// The store has just taken what the member wanted to write.
    pub(crate) is_stored: bool,
    pub(crate) effects: &'a [MemberEffect],
}

/// Who checks what the member does.
pub(crate) trait Witness {
    /// The member is about to be told this.
    fn tells(&mut self, _: &MemberEvent) {}

    /// The member has taken a step.
    fn sees(&mut self, _: &Process, _: &StepTaken<'_>) {}

    /// Every effect has been performed.
    fn sees_rest(&mut self, _: &Process) {}
}
