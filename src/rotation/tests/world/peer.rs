//! A member of a scenario.

use crate::clock::StoreTime;
use crate::credential::CredentialId;
use crate::rotation::*;

/// One member: what it has read, and what it knows besides.
pub(crate) struct Peer {
    pub(crate) view: View,
    pub(crate) record: Option<Record>,
    pub(crate) is_alive: bool,
    /// It reads nothing until it is woken.
    pub(crate) is_asleep: bool,
    pub(super) probes: Vec<(StoreTime, CredentialId)>,
}

impl Peer {
    /// A member that starts now.
    pub(super) fn new(configured: &[CredentialId]) -> Self {
        let view = View {
            configured: configured.to_vec(),
            held: configured.iter().copied().collect(),
            ..View::default()
        };
        Self { view, record: None, is_alive: true, is_asleep: false, probes: Vec::new() }
    }

    pub(super) fn is_awake(&self) -> bool {
        self.is_alive && !self.is_asleep
    }

    /// When something is due of it.
    pub(super) fn next_due(&self, now: StoreTime) -> Option<StoreTime> {
        let wake_at = wake_at(self.record.as_ref(), &self.view, now);
        self.probes.iter().map(|(at, _)| *at).chain(wake_at).min()
    }

    /// Takes the next probe that has its answer by now.
    pub(super) fn take_probe(&mut self, now: StoreTime) -> Option<CredentialId> {
        let index = self.probes.iter().position(|(at, _)| *at <= now)?;
        let (_, credential) = self.probes.remove(index);
        self.view.probing.remove(&credential);
        Some(credential)
    }
}
