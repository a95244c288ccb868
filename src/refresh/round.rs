//! One refresh: the credentials are tried one after the other until one gives a token.

use std::sync::Arc;

use crate::credential::Credential;
use crate::error::Failure;

/// A refresh under way.
#[derive(Debug)]
pub(super) struct Round {
    current: Arc<Credential>,
    /// What was tried before the current one.
    tried: Vec<Arc<Credential>>,
    /// The first failure: it concerns the credential that was expected to work.
    failure: Option<Failure>,
}

impl Round {
    pub(super) fn start(credentials: &[Arc<Credential>]) -> Option<Self> {
        let current = Arc::clone(credentials.first()?);
        Some(Self { current, tried: Vec::new(), failure: None })
    }

    pub(super) fn current(&self) -> &Arc<Credential> {
        &self.current
    }

    /// Goes on after a rejection, with what may be presented at this moment; the failure when
    /// nothing is left.
    pub(super) fn next(
        self,
        failure: Failure,
        credentials: &[Arc<Credential>],
    ) -> Result<Self, Failure> {
        let Self { current, mut tried, failure: first } = self;
        let first = first.unwrap_or(failure);
        tried.push(current);
        let is_untried = |it: &&Arc<Credential>| !tried.iter().any(|one| one.is_same_as(it));
        match credentials.iter().find(is_untried) {
            Some(next) => Ok(Self { current: Arc::clone(next), tried, failure: Some(first) }),
            None => Err(first),
        }
    }
}
