//! How a member stands to the lease of its fleet, and what waits for it.

use std::sync::Arc;
use std::time::Duration;

use super::operations::Purpose;
use crate::clock::Timestamp;
use crate::credential::Credential;
use crate::store::Operation;

/// How this member stands to the lease of its fleet, and what waits for it.
#[derive(Debug)]
pub(super) struct LeaseHold {
    pub(super) state: LeaseState,
    /// Names the holder; new whenever the lease is wanted anew.
    pub(super) nonce: u64,
    /// The request that the refresh waits for.
    pub(super) flight: Option<Flight>,
    /// What the credential lifecycle wants presented.
    pub(super) probes: Vec<Arc<Credential>>,
    /// How often somebody else had it since it is wanted.
    pub(super) refusals: u32,
    /// When the request of the refresh goes out all the same.
    pub(super) alone_at: Option<Timestamp>,
    /// That time has come, and what is stored is read first.
    pub(super) is_alone: bool,
}

/// A request that the refresh waits for.
#[derive(Debug)]
pub(super) struct Flight {
    pub(super) flight: u64,
    pub(super) credential: Arc<Credential>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum LeaseState {
    /// It is not wanted.
    Free,
    /// It is asked for at that time; none: it is being asked for.
    Wanted(Option<Timestamp>),
    /// It is here, and is renewed at that time; none: it is being renewed.
    Held {
        renewal: Option<Timestamp>,
        /// What is stored was read since it was acquired.
        has_read: bool,
    },
}

impl LeaseHold {
    /// The time between two renewals: two of them may be lost.
    pub(super) const RENEWAL: Duration = Duration::from_millis(800);
    /// The time between the first two attempts to acquire it; then twice as long, and so on.
    pub(super) const GAP: Duration = Duration::from_millis(100);
    /// Members that cannot reach the store are kept apart by this at most.
    pub(super) const JITTER: Duration = Duration::from_secs(2);
    /// Callers that wait so long see the end of a dead holder's lease.
    pub(super) const PATIENT: Duration = Duration::from_secs(4);

    pub(super) fn new() -> Self {
        Self {
            state: LeaseState::Free,
            nonce: 0,
            flight: None,
            probes: Vec::new(),
            refusals: 0,
            alone_at: None,
            is_alone: false,
        }
    }

    /// Whether requests may be sent.
    pub(super) fn is_held(&self) -> bool {
        matches!(self.state, LeaseState::Held { has_read: true, .. })
    }

    /// Whether a request waits for it.
    pub(super) fn is_awaited(&self) -> bool {
        self.flight.is_some() || !self.probes.is_empty()
    }

    /// The credentials whose requests wait for it.
    pub(super) fn awaiting(&self) -> impl Iterator<Item = &Arc<Credential>> {
        self.probes.iter().chain(self.flight.iter().map(|it| &it.credential))
    }

    /// The thread that asked is gone, and so is whatever waited.
    pub(super) fn lose(&mut self) {
        *self = Self::new();
    }

    pub(super) fn wait(&mut self, credential: &Arc<Credential>, flight: Option<u64>) {
        let credential = Arc::clone(credential);
        match flight {
            Some(flight) => self.flight = Some(Flight { flight, credential }),
            None if self.probes.contains(&credential) => {}
            None => self.probes.push(credential),
        }
    }

    /// It was acquired, and what is stored is read next.
    pub(super) fn acquire(&mut self, now: Timestamp) {
        self.refusals = 0;
        self.state = LeaseState::Held { renewal: Some(now + Self::RENEWAL), has_read: false };
    }

    /// Somebody else has it, or the store did not say; it is asked for again at that time.
    pub(super) fn want(&mut self, again_at: Timestamp) {
        self.state = LeaseState::Wanted(Some(again_at));
    }

    /// When the store is to be asked for it.
    pub(super) fn asks_at(&self) -> Option<Timestamp> {
        match self.state {
            LeaseState::Free => None,
            LeaseState::Wanted(at) | LeaseState::Held { renewal: at, .. } => at,
        }
    }

    /// What the store is asked for now, if anything is due.
    pub(super) fn take_due(&mut self, now: Timestamp) -> Option<(Purpose, Operation)> {
        match &mut self.state {
            LeaseState::Free => None,
            LeaseState::Wanted(at) => {
                at.take_if(|at| *at <= now)?;
                Some((Purpose::Lease(self.nonce), Operation::Acquire(self.nonce)))
            }
            LeaseState::Held { renewal, .. } => {
                renewal.take_if(|at| *at <= now)?;
                Some((Purpose::Renewal(self.nonce), Operation::Renew(self.nonce)))
            }
        }
    }
}
