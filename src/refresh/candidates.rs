//! The known credentials, in the order in which they are tried.

use std::sync::Arc;

use serde::Serialize;

use crate::clock::Timestamp;
use crate::credential::Credential;

/// What this process knows of a credential, from the endpoint's own answers.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Usability {
    /// Never tried, or never answered.
    Unknown,
    /// The last answer was a token.
    Accepted,
    /// The last answer was a rejection.
    Rejected,
}

#[derive(Debug)]
struct Candidate {
    credential: Arc<Credential>,
    usability: Usability,
    /// Until then the provider may not know it yet, and a rejection does not count.
    settles_at: Option<Timestamp>,
    /// It was rejected before that, and deserves another try.
    rejected_early: bool,
}

/// The known credentials, and which of them works.
#[derive(Debug, Default)]
pub struct Candidates {
    list: Vec<Candidate>,
    /// The one that works; it is tried first until it is rejected.
    preferred: Option<Arc<Credential>>,
}

impl Candidates {
    /// Whether no credential is known.
    pub fn is_empty(&self) -> bool {
        self.list.is_empty()
    }

    /// Every credential with what is known of it, in the order of the configuration.
    pub fn iter(&self) -> impl Iterator<Item = (&Arc<Credential>, Usability)> {
        self.list.iter().map(|candidate| (&candidate.credential, candidate.usability))
    }

    /// Takes over a new configuration; what is known of a credential that stays is kept.
    ///
    /// Answers whether it brought a credential that was not known. The new list's order then counts
    /// again, so that a changed secret is tried before the one it replaces.
    pub(super) fn replace(
        &mut self,
        credentials: Vec<Arc<Credential>>,
        settles_at: Option<Timestamp>,
    ) -> bool {
        let mut known = std::mem::take(&mut self.list);
        let mut brought_new = false;
        self.list = credentials
            .into_iter()
            .map(|credential| {
                let same = known.iter().position(|old| old.credential.is_same_as(&credential));
                if let Some(index) = same {
                    return Candidate { credential, ..known.swap_remove(index) };
                }
                brought_new = true;
                let usability = Usability::Unknown;
                Candidate { credential, usability, settles_at, rejected_early: false }
            })
            .collect();
        if brought_new {
            self.preferred = None;
        }
        brought_new
    }

    /// Whether the first one in line has never been answered.
    pub(super) fn first_is_untried(&self) -> bool {
        self.in_order().first().is_some_and(|first| self.usability(first) == Usability::Unknown)
    }

    /// The one that works, then the list without the rejected, then the rejected.
    pub(super) fn in_order(&self) -> Vec<Arc<Credential>> {
        let mut order: Vec<&Candidate> = self.list.iter().collect();
        order.sort_by_key(|candidate| {
            let is_preferred = self
                .preferred
                .as_ref()
                .is_some_and(|known| known.is_same_as(&candidate.credential));
            (candidate.usability == Usability::Rejected, !is_preferred)
        });
        order.into_iter().map(|candidate| Arc::clone(&candidate.credential)).collect()
    }

    pub(super) fn accept(&mut self, credential: &Credential) {
        if let Some(candidate) = self.find(credential) {
            candidate.usability = Usability::Accepted;
            candidate.settles_at = None;
        }
    }

    /// From now on this one is tried first.
    pub(super) fn prefer(&mut self, credential: &Arc<Credential>) {
        self.preferred = Some(Arc::clone(credential));
    }

    /// Notes a rejection; answers whether that is news.
    pub(super) fn reject(&mut self, credential: &Arc<Credential>, now: Timestamp) -> bool {
        if self.preferred.as_ref().is_some_and(|known| known.is_same_as(credential)) {
            self.preferred = None;
        }
        let Some(candidate) = self.find(credential) else {
            return false;
        };
        if candidate.settles_at.is_some_and(|at| now < at) {
            candidate.rejected_early = true;
            return false;
        }
        candidate.settles_at = None;
        std::mem::replace(&mut candidate.usability, Usability::Rejected) != Usability::Rejected
    }

    /// When a credential that was rejected too early to count is worth another try.
    pub(super) fn recheck_at(&self) -> Option<Timestamp> {
        let early = self.list.iter().filter(|candidate| candidate.rejected_early);
        early.filter_map(|candidate| candidate.settles_at).min()
    }

    /// Lets the list's order count again, for the sake of those that were rejected too early.
    pub(super) fn recheck(&mut self) {
        self.preferred = None;
        for candidate in self.list.iter_mut().filter(|candidate| candidate.rejected_early) {
            candidate.rejected_early = false;
            candidate.settles_at = None;
        }
    }

    fn usability(&self, credential: &Credential) -> Usability {
        let found = self.list.iter().find(|known| known.credential.is_same_as(credential));
        found.map_or(Usability::Unknown, |known| known.usability)
    }

    fn find(&mut self, credential: &Credential) -> Option<&mut Candidate> {
        self.list.iter_mut().find(|known| known.credential.is_same_as(credential))
    }
}
