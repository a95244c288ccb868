//! What was seen of one process, which what comes later is held against.

use std::collections::{BTreeMap, BTreeSet, VecDeque};

use super::memory::Memory;
use super::places::Place;
use super::provider::Key;
use super::{MINUTE, SECOND};
use crate::clock::Timestamp;
use crate::credential::CredentialId;
use crate::member::Ask;
use crate::member::tests::peripherals::Process;
use crate::rotation::{Record, Request, Role, Version};
use crate::verdict::Verdict;

/// What one process has seen.
#[derive(Debug, Default)]
pub(super) struct History {
    /// When a credential was last accepted, and when the token of that ends.
    pub(super) accepted: BTreeMap<CredentialId, (Timestamp, Timestamp)>,
    /// When it was not, since it was last accepted.
    pub(super) denied: BTreeMap<CredentialId, Vec<Timestamp>>,
    /// The same up to when it was accepted: what was decided before may be written after that.
    pardoned: BTreeMap<CredentialId, (Timestamp, Vec<Timestamp>)>,
    pub(super) refused: BTreeSet<CredentialId>,
    /// Read as retired, and not named since.
    pub(super) retired: BTreeSet<CredentialId>,
    pub(super) named: BTreeMap<CredentialId, Timestamp>,
    pub(super) last_serial: u64,
    pub(super) last_version: Option<Version>,
    pub(super) sends: VecDeque<(Timestamp, CredentialId)>,
    pub(super) rejections: VecDeque<(Timestamp, CredentialId)>,
    /// What gives a reason for more requests.
    pub(super) stimuli: VecDeque<Timestamp>,
    pub(super) retire_asked_at: Option<Timestamp>,
    /// When somebody last left who had asked for a preparation.
    pub(super) unprepared_at: Timestamp,
    pub(super) edited_at: Timestamp,
    pub(super) invalidated: Option<String>,
    pub(super) memory: Memory,
    /// When a place was last written, or could be again.
    pub(super) written_at: Timestamp,
}

impl History {
    pub(super) fn end_of_process(&mut self, now: Timestamp) {
        let edited_at = self.edited_at;
        let stimuli = std::mem::take(&mut self.stimuli);
        let sends = std::mem::take(&mut self.sends);
        let rejections = std::mem::take(&mut self.rejections);
        *self = Self { sends, rejections, stimuli, edited_at, ..Self::default() };
        self.memory.loses_token(now);
    }

    pub(super) fn stimulus(&mut self, now: Timestamp) {
        self.stimuli.push_back(now);
    }

    pub(super) fn edited(&mut self, now: Timestamp) {
        self.edited_at = now;
    }

    pub(super) fn retire_asked(&mut self, now: Timestamp) {
        self.retire_asked_at = Some(now);
    }

    pub(super) fn leaves(&mut self, ask: &Ask, now: Timestamp) {
        if matches!(ask, Ask::Request(Request::Prepare { .. })) {
            self.unprepared_at = now;
        }
    }

    pub(super) fn invalidates(&mut self, text: &str) {
        self.invalidated = Some(text.to_owned());
    }

    /// An edge or a rotation names a credential, which clears its retirement.
    pub(super) fn named(
        &mut self,
        key: Key,
        is_start: bool,
        record: Option<&Record>,
        now: Timestamp,
    ) {
        let is_known = record.is_some_and(|record| record.role(key.id()) == Role::Retired);
        if !is_start || !is_known {
            self.retired.remove(&key.id());
            self.named.insert(key.id(), now);
        }
    }

    /// When a credential was not accepted, as far as that counts for what is written now.
    pub(super) fn denials(&self, id: CredentialId, now: Timestamp) -> &[Timestamp] {
        let pardoned = self.pardoned.get(&id).filter(|(at, _)| *at + SECOND >= now);
        let denied = self.denied.get(&id).or(pardoned.map(|(_, denied)| denied));
        denied.map_or(&[], Vec::as_slice)
    }

    /// Whether the record's rules find this narrower than what the active credential had.
    pub(super) fn would_narrow(&self, key: Key, record: Option<&Record>) -> bool {
        let Some(record) = record else { return false };
        let is_active_well = !self.denied.contains_key(&record.active);
        let is_candidate = match record.role(key.id()) {
            Role::Next => true,
            // Withdrawn before its answer.
            Role::Unknown => is_active_well,
            Role::Quarantined => {
                let known = record.quarantined.iter().find(|known| known.credential == key.id());
                is_active_well && known.is_some_and(|known| !known.was_active)
            }
            _ => false,
        };
        is_candidate && record.scope.as_deref() == Some("a b")
    }

    pub(super) fn answered(
        &mut self,
        key: Key,
        verdict: &Verdict,
        (is_unfit, has_failed): (bool, bool),
        now: Timestamp,
    ) {
        let id = key.id();
        match verdict {
            // One that is unusable on arrival proves nothing.
            Verdict::Accepted(grant) if !is_unfit && grant.lifetime < 4 * SECOND => {}
            Verdict::Accepted(grant) if !is_unfit => {
                self.accepted.insert(id, (now, now + grant.lifetime));
                if let Some(denied) = self.denied.remove(&id) {
                    self.pardoned.insert(id, (now, denied));
                }
                // The endpoint answers: the bare 401s of the others were meant.
                for other in std::mem::take(&mut self.refused) {
                    if other != id {
                        self.denied.entry(other).or_default().push(now);
                    }
                }
            }
            Verdict::Refused(_) | Verdict::Ambiguous(_) => {
                self.denied.entry(id).or_default().push(now);
                self.refused.insert(id);
            }
            // verify.url may be out of order: that says nothing.
            Verdict::Accepted(_) if has_failed => {}
            Verdict::Accepted(_) | Verdict::Rejected(_) => {
                self.denied.entry(id).or_default().push(now);
                self.rejections.push_back((now, id));
            }
            _ => {}
        }
    }

    pub(super) fn may_be_accepted(&mut self, key: Key, verdict: &Verdict, now: Timestamp) {
        if let Verdict::Accepted(grant) = verdict {
            self.accepted.insert(key.id(), (now, now + grant.lifetime));
        }
    }

    /// After a promotion with custody the active credential is there again after a restart.
    pub(super) fn recovers(&self, process: &Process, places: &[Place]) {
        let Some(record) = process.member.record() else { return };
        let Some(overlap) = record.overlap() else { return };
        let promoted_at = process.member.own_time(overlap.retire_not_before);
        if !process.member.keeps_active() || self.edited_at + 2 * MINUTE * 60 > promoted_at {
            return;
        }
        let is_there = |place: &Place| place.content.iter().any(|key| key.id() == record.active);
        assert!(places.iter().any(is_there), "I21: what was promoted is lost with its process");
    }

    pub(super) fn window(&mut self, now: Timestamp) {
        let from = now - MINUTE;
        let is_old = |at: &Timestamp| *at < from;
        while self.stimuli.front().is_some_and(is_old) {
            self.stimuli.pop_front();
        }
        while self.sends.front().is_some_and(|(at, _)| is_old(at)) {
            self.sends.pop_front();
        }
        while self.rejections.front().is_some_and(|(at, _)| is_old(at)) {
            self.rejections.pop_front();
        }
    }
}
