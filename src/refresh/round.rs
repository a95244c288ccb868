//! One refresh: the credentials are tried one after the other until one is accepted.

use std::sync::Arc;

use super::candidates::Candidates;
use crate::credential::Credential;
use crate::error::Failure;

/// A refresh under way.
#[derive(Debug)]
pub(super) struct Round {
    current: Arc<Credential>,
    /// What was tried before the current one.
    tried: Vec<Arc<Credential>>,
    refused: Vec<(Arc<Credential>, Failure)>,
    /// The first rejection: it concerns the credential that was expected to work.
    rejected: Option<Failure>,
}

/// A refresh in which no credential was accepted.
#[derive(Debug)]
pub(super) struct Exhausted {
    pub(super) failure: Failure,
    /// Each of them was rejected for certain.
    pub(super) every_one_rejected: bool,
}

impl Round {
    pub(super) fn start(candidates: &Candidates) -> Option<Self> {
        let current = candidates.in_order().into_iter().next()?;
        Some(Self { current, tried: Vec::new(), refused: Vec::new(), rejected: None })
    }

    pub(super) fn current(&self) -> &Arc<Credential> {
        &self.current
    }

    /// Goes on after a certain rejection.
    pub(super) fn rejected(
        mut self,
        failure: Failure,
        candidates: &Candidates,
    ) -> Result<Self, Exhausted> {
        let first = self.rejected.take().unwrap_or(failure);
        self.rejected = Some(first.clone());
        self.next(first, candidates)
    }

    /// Goes on after a refusal that may be the credential's fault or a gateway's.
    pub(super) fn refused(
        mut self,
        failure: Failure,
        candidates: &Candidates,
    ) -> Result<Self, Exhausted> {
        self.refused.push((Arc::clone(&self.current), failure.clone()));
        self.next(failure, candidates)
    }

    /// The accepted credential and the ones that were refused before it.
    pub(super) fn into_accepted(self) -> (Arc<Credential>, Vec<(Arc<Credential>, Failure)>) {
        (self.current, self.refused)
    }

    /// Looks at the candidates of this moment: the configuration may have changed meanwhile.
    fn next(mut self, failure: Failure, candidates: &Candidates) -> Result<Self, Exhausted> {
        self.tried.push(Arc::clone(&self.current));
        let is_untried =
            |it: &Arc<Credential>| !self.tried.iter().any(|tried| tried.is_same_as(it));
        match candidates.in_order().into_iter().find(is_untried) {
            Some(next) => Ok(Self { current: next, ..self }),
            None => Err(Exhausted { failure, every_one_rejected: self.refused.is_empty() }),
        }
    }
}
