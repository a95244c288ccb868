//! What this member knows of what a fleet shares: the record, and the token without its text.

use std::collections::BTreeSet;

use crate::clock::{StoreTime, Timestamp};
use crate::credential::CredentialId;
use crate::rotation::{Census, Fleet, MemberId, Phase, Record, Role, Token};

/// What the store holds, as it was last read or written here.
#[derive(Debug, Default)]
pub(super) struct Shared {
    record: Option<Record>,
    /// When this member saw the active credential become active.
    active_since: Timestamp,
    token: Option<Token>,
    /// The store's count of tokens.
    serial: u64,
    /// None: one process shares nothing.
    fleet: Option<Fleet>,
    /// Nobody asks the endpoint before that.
    cool_down: Option<StoreTime>,
    /// When the store is read again, because it could not be reached.
    retry_at: Option<Timestamp>,
    /// Retired in a record that was lost: not presented here until somebody names it.
    buried: BTreeSet<CredentialId>,
    /// The record is about to be told of it as a candidate.
    offered: Option<CredentialId>,
    /// The store could not be read, and has given no answer since.
    is_out: bool,
    /// A preparation has come to its end while the store was out of reach.
    has_lapsed: bool,
}

impl Shared {
    pub(super) fn record(&self) -> Option<&Record> {
        self.record.as_ref()
    }

    pub(super) fn fleet(&self) -> Option<&Fleet> {
        self.fleet.as_ref()
    }

    /// The token that is shared.
    pub(super) fn token(&self) -> Option<Token> {
        self.token
    }

    /// The store's count of tokens, as last read.
    pub(super) fn serial(&self) -> u64 {
        self.serial
    }

    /// When this member saw the active credential become active.
    pub(super) fn active_since(&self) -> Timestamp {
        self.active_since
    }

    /// Another record is stored; returns the one before.
    pub(super) fn replace_record(
        &mut self,
        record: Option<Record>,
        now: Timestamp,
    ) -> Option<Record> {
        let was = std::mem::replace(&mut self.record, record);
        if let Some(record) = &self.record {
            // From now on the record tells, also when somebody names it again.
            self.buried.retain(|id| record.role(*id) != Role::Retired);
        }
        let active = |record: Option<&Record>| record.map(|record| record.active);
        if active(was.as_ref()) != active(self.record.as_ref()) {
            self.active_since = now;
        }
        was
    }

    /// A token was stored from here.
    pub(super) fn share(&mut self, token: Token) {
        self.serial = token.serial;
        self.token = Some(token);
    }

    /// The store's token and its count of tokens were read.
    pub(super) fn replace_token(&mut self, token: Option<Token>, serial: u64) {
        (self.token, self.serial) = (token, serial);
    }

    /// The members were counted; returns whether they are others than before.
    pub(super) fn replace_census(&mut self, me: MemberId, census: Option<Census>) -> bool {
        let fleet = census.map(|census| Fleet { me: Some(me), census, sealed: BTreeSet::new() });
        let was = std::mem::replace(&mut self.fleet, fleet);
        was != self.fleet
    }

    /// Nobody asks the endpoint before that.
    pub(super) fn pause(&mut self, until: Option<StoreTime>) {
        self.cool_down = until;
    }

    /// Until when nobody asks the endpoint, if that is not over.
    pub(super) fn cool_down(&self, now: StoreTime) -> Option<StoreTime> {
        self.cool_down.filter(|until| *until > now)
    }

    /// No token is shared any more.
    pub(super) fn forget_token(&mut self) {
        self.token = None;
    }

    /// These are not presented here any more, whatever is stored.
    pub(super) fn bury(&mut self, retired: impl IntoIterator<Item = CredentialId>) {
        self.buried.extend(retired);
    }

    /// The record is to take this one up as a candidate, though no source yields it.
    pub(super) fn offer(&mut self, credential: CredentialId) {
        self.offered = Some(credential);
    }

    /// What was offered, until the record knows it.
    pub(super) fn offered(&self) -> Option<CredentialId> {
        let is_known = |id| self.record.as_ref().is_some_and(|it| it.role(id) != Role::Unknown);
        self.offered.filter(|id| !is_known(*id))
    }

    pub(super) fn unbury(&mut self, credential: CredentialId) {
        self.buried.remove(&credential);
    }

    pub(super) fn is_buried(&self, credential: CredentialId) -> bool {
        self.buried.contains(&credential)
    }

    /// The store could not be read; it is tried again at that time.
    pub(super) fn retry(&mut self, at: Timestamp) {
        self.retry_at = Some(at);
        self.is_out = true;
    }

    /// The store has given an answer.
    pub(super) fn is_reached(&mut self) {
        (self.is_out, self.has_lapsed) = (false, false);
    }

    /// Whether the store is out of reach.
    pub(super) fn is_out(&self) -> bool {
        self.is_out
    }

    /// A preparation ends with its deadline and with its token, also where that cannot be stored.
    pub(super) fn lapse(&mut self, has_token: bool, now: StoreTime) {
        if let Some(Phase::Prepared(prepared)) = self.record.as_ref().map(|record| &record.phase) {
            self.has_lapsed |= self.is_out && (prepared.deadline <= now || !has_token);
        }
    }

    pub(super) fn has_lapsed(&self) -> bool {
        self.has_lapsed
    }

    /// It is read without waiting for that.
    pub(super) fn retry_no_more(&mut self) {
        self.retry_at = None;
    }

    pub(super) fn retry_at(&self) -> Option<Timestamp> {
        self.retry_at
    }

    /// Whether the store is to be read again now; once.
    pub(super) fn is_retry_due(&mut self, now: Timestamp) -> bool {
        self.retry_at.take_if(|at| *at <= now).is_some()
    }
}
