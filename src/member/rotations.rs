//! What a member remembers of rotations, which the record does not keep.

use std::collections::BTreeSet;

use super::named::NamedMembers;
use super::waiting::{WaitCode, Waiting, WaitsOn};
use crate::clock::Timestamp;
use crate::credential::CredentialId;
use crate::rotation::{Missing, Overlap, Record, RotationId};

/// Rotations that have ended, and what the open one has waited for so far.
#[derive(Debug, Default)]
pub(super) struct Rotations {
    /// The latest overlaps that have ended, the latest last.
    ended: Vec<Overlap>,
    /// Rotations that were asked for when their candidates were active already, the latest last.
    already_active: Vec<(RotationId, CredentialId)>,
    /// The open rotation.
    open: Option<RotationId>,
    waits: Vec<Waiting>,
    /// What people were told of it; each reason is told once.
    told: BTreeSet<String>,
}

impl Rotations {
    /// Another record is stored. When the previous credential may be revoked is asked for long
    /// after its overlap.
    pub(super) fn remember(&mut self, was: Option<&Record>, now: Option<&Record>) {
        let now = now.and_then(Record::open_overlap);
        let ended = was.and_then(Record::open_overlap);
        let Some(ended) = ended.filter(|it| now.is_none_or(|now| now.epoch != it.epoch)) else {
            return;
        };
        self.ended.retain(|known| known.rotation != ended.rotation);
        self.ended.push(ended.clone());
        let surplus = self.ended.len().saturating_sub(Record::MOST_HISTORY);
        self.ended.drain(..surplus);
    }

    /// The overlap of a rotation, if that has ended.
    pub(super) fn ended(&self, rotation: &RotationId) -> Option<&Overlap> {
        self.ended.iter().find(|ended| ended.rotation == *rotation)
    }

    /// A rotation was asked for whose candidate is active already.
    pub(super) fn note_already_active(&mut self, rotation: RotationId, candidate: CredentialId) {
        self.already_active.push((rotation, candidate));
        let surplus = self.already_active.len().saturating_sub(Record::MOST_HISTORY);
        self.already_active.drain(..surplus);
    }

    /// The candidate of a rotation that was active already.
    pub(super) fn already_active(&self, rotation: &RotationId) -> Option<CredentialId> {
        let known = self.already_active.iter().find(|(known, _)| known == rotation);
        known.map(|(_, candidate)| *candidate)
    }

    /// What the open rotation of that id waits for.
    pub(super) fn waits_of(&self, rotation: &RotationId) -> &[Waiting] {
        if self.open.as_ref() == Some(rotation) { &self.waits } else { &[] }
    }

    /// Whether the open rotation waits for something of that kind.
    pub(super) fn is_waiting(&self, code: WaitCode) -> bool {
        self.waits.iter().any(|it| it.on.code() == code)
    }

    /// The open rotation waits for these from now on; what it waited for already keeps its time.
    pub(super) fn wait(&mut self, open: Option<(RotationId, Vec<WaitsOn>)>, now: Timestamp) {
        let (rotation, waits) = open.unzip();
        if self.open != rotation {
            self.open = rotation;
            self.waits.clear();
            self.told.clear();
        }
        let was = std::mem::take(&mut self.waits);
        let since = |on: &WaitsOn| {
            let same = was.iter().find(|known| known.on.code() == on.code());
            same.map_or(now, |known| known.since)
        };
        let waits = waits.into_iter().flatten();
        self.waits = waits.map(|on| Waiting { since: since(&on), on }).collect();
    }

    /// Whether people were told that the open rotation waits for something of that kind.
    pub(super) fn is_told(&self, code: WaitCode) -> bool {
        self.told.iter().any(|reason| reason.starts_with(&format!("{code:?}")))
    }

    /// Whether nobody was told yet that the open rotation waits for this reason; it counts as told
    /// then.
    pub(super) fn is_news(
        &mut self,
        code: WaitCode,
        missing: Option<(&Missing, &NamedMembers)>,
        failures: &BTreeSet<&str>,
    ) -> bool {
        let missing =
            missing.map(|(missing, named)| (Missing { proof: false, ..missing.clone() }, named));
        self.told.insert(format!("{code:?} {missing:?} {failures:?}"))
    }
}
