//! What must hold between two steps, when every effect has been performed.

use std::collections::BTreeMap;
use std::time::Duration;

use super::history::History;
use super::outside::Outside;
use super::provider::{Key, Kind};
use super::{MINUTE, SECOND};
use crate::clock::Timestamp;
use crate::credential::CredentialId;
use crate::member::tests::peripherals::Process;
use crate::member::*;
use crate::rotation::{self, PhaseName, Role};

impl Outside {
    /// Between two steps, when every effect has been performed.
    pub(super) fn check_rest(&mut self, process: &Process) {
        self.check_deadlines(process);
        self.check_storms();
        self.check_health(process);
    }

    fn check_deadlines(&self, process: &Process) {
        let is_overdue = |at: &Timestamp| *at + SECOND < self.now;
        assert!(!self.waiters.values().any(|(at, _)| is_overdue(at)), "a waiter is forgotten");
        let overdue = |(at, _, _): &(Timestamp, Ask, Option<Key>)| is_overdue(at);
        assert!(!self.callers.values().any(overdue), "a caller is forgotten: {:?}", self.callers);
        let Some(record) = process.member.record() else { return };
        let deadline = match &record.phase {
            rotation::Phase::Prepared(prepared) => prepared.deadline,
            // The active credential is asked once more before a proved one is given up.
            rotation::Phase::Staged(staged) => staged.deadline + 30 * SECOND,
            rotation::Phase::Overlap(overlap) => overlap.deadline,
            _ => return,
        };
        let deadline = process.member.own_time(deadline);
        let is_troubled = self.is_store_down || self.troubled_at + 6 * MINUTE >= deadline;
        // What was blocked until now takes its course: a proof that is fresh enough comes first.
        let is_troubled = is_troubled || self.history.written_at + MINUTE >= self.now;
        if deadline + SECOND < self.now && !is_troubled {
            let sinks = record.targets.values();
            let is_kept = record.persisted(&process.member.view(), record.active)
                != Persisted::Impossible
                || process.member.keeps_active();
            let is_blocked = record.overlap().is_some()
                && (!is_kept
                    || sinks
                        .into_iter()
                        .any(|it| matches!(it, rotation::TargetState::Pending { .. })));
            let is_denied = self.history.denied.contains_key(&record.active);
            assert!(is_blocked || is_denied, "I13: a phase outlives its deadline");
        }
    }

    fn check_storms(&mut self) {
        self.history.window(self.now);
        let reasons = self.history.stimuli.len();
        let History { sends, rejections, .. } = &self.history;
        assert!(sends.len() <= 70 + 10 * reasons, "I10: {} requests in a minute", sends.len());
        let mut each: BTreeMap<CredentialId, usize> = BTreeMap::new();
        for (_, id) in rejections {
            *each.entry(*id).or_default() += 1;
        }
        let most = each.values().max().copied().unwrap_or_default();
        assert!(most <= 12 + 4 * reasons, "I10: {most} rejections of one credential in a minute");
    }

    /// Whether a credential is held that the provider has accepted all the while.
    pub(super) fn good(&self, process: &Process) -> Option<(Key, CredentialId, Option<Role>)> {
        self.configured.iter().find_map(|key| {
            let role = process.member.record().map(|record| record.role(key.id()));
            let is_accepted = self.provider.accepts(*key, self.troubled_at)
                && self.provider.accepts(*key, self.now);
            // It was asked that its tokens pass a check, and they do not.
            let is_unfit =
                role == Some(Role::Next) && matches!(self.provider.kind(*key), Kind::Unfit(_));
            let is_good = is_accepted && !is_unfit && role != Some(Role::Retired);
            is_good.then(|| (*key, key.id(), role))
        })
    }

    fn check_health(&self, process: &Process) {
        const PATIENCE: Duration = Duration::from_secs(380);
        if self.troubled_at + PATIENCE < self.now && process.handed_out.is_none() {
            let good = self.good(process);
            assert!(good.is_none(), "I1: no token although {good:?} is accepted and held");
        }
    }

    /// All faults have ended long ago.
    pub(super) fn check_settled_down(&self, process: &Process) {
        let phase = PhaseName::of(process.member.record());
        let is_impossible = process.member.record().is_some_and(|record| {
            record.overlap().is_some()
                && record.targets.values().any(|sink| *sink == rotation::TargetState::Impossible)
                && !process.member.keeps_active()
        });
        if self.good(process).is_some() {
            assert!(process.handed_out.is_some(), "I5: no token comes back");
            assert!(phase == PhaseName::Stable || is_impossible, "I5: it stays {phase:?}");
        } else {
            assert!(
                matches!(phase, PhaseName::Degraded | PhaseName::Starting | PhaseName::Stable)
                    || is_impossible,
                "I5: it stays {phase:?}"
            );
        }
    }
}
