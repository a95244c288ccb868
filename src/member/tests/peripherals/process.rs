//! A process, and what it holds.

use std::collections::{BTreeMap, VecDeque};
use std::sync::Arc;

use super::Hands;
use crate::clock::{Clock, Timestamp};
use crate::credential::Credential;
use crate::member::{Member, MemberEffect};
use crate::source::{Owner, Reading, Sources};
use crate::store::MemoryStore;
use crate::token::HeldToken;

/// One member, and what its process holds besides.
pub(crate) struct Process {
    pub(crate) member: Member,
    /// Its clones are the same store for others.
    pub(crate) store: MemoryStore,
    pub(crate) sources: Sources,
    /// The requests that have no answer yet, by their numbers: the oldest first.
    pub(crate) under_way: BTreeMap<u64, TokenRequest>,
    pub(crate) handed_out: Option<Arc<HeldToken>>,
    clock: Arc<Hands>,
    pub(super) effects: VecDeque<MemberEffect>,
    /// What the reading under way has found.
    pub(super) found: Vec<Option<Reading>>,
}

/// A token request under way.
#[derive(Debug, Clone)]
pub(crate) struct TokenRequest {
    pub(crate) request: u64,
    pub(crate) credential: Arc<Credential>,
    pub(crate) sent_at: Timestamp,
    /// When the endpoint makes up its mind.
    pub(crate) judged_at: Timestamp,
    /// Whether its token is to be tried.
    pub(crate) verify: bool,
}

impl Process {
    /// The owner of all entries.
    pub(crate) const OWNER: Owner = 7;

    pub(crate) fn new(
        member: Member,
        store: MemoryStore,
        sources: Sources,
        clock: Arc<Hands>,
    ) -> Self {
        Self {
            member,
            store,
            sources,
            under_way: BTreeMap::new(),
            handed_out: None,
            clock,
            effects: VecDeque::new(),
            found: Vec::new(),
        }
    }

    /// What its clock says.
    pub(crate) fn now(&self) -> Timestamp {
        self.clock.now()
    }

    /// When it wants to be told that time has passed, by its own clock.
    pub(crate) fn wake_at(&self) -> Option<Timestamp> {
        self.member.wake_at(self.now())
    }

    /// What holds whenever every effect has been performed.
    pub(super) fn check_rest(&self) {
        let now = self.now();
        let held = self.member.token(now).map(|held| held.serial);
        let handed_out = self.handed_out.as_ref().map(|held| held.serial);
        assert_eq!(held, handed_out, "two opinions of a token");
        let wake_at = self.member.wake_at(now);
        assert!(wake_at.is_none_or(|at| at > now), "a tick would be due again at once");
    }
}
