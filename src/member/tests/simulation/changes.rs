//! What must hold of every change of the record.

use std::collections::BTreeSet;

use super::outside::Outside;
use super::{MINUTE, SECOND};
use crate::credential::CredentialId;
use crate::member::tests::peripherals::{Process, StepTaken};
use crate::member::*;
use crate::rotation::{PhaseName, Record, Retired, Transition};

fn moves(effects: &[MemberEffect]) -> Vec<Transition> {
    let moved = |effect: &MemberEffect| match effect {
        MemberEffect::Notify(MemberNotice::Rotation(change)) => match change.what {
            What::Moved(transition, _) => Some(transition),
            _ => None,
        },
        _ => None,
    };
    effects.iter().filter_map(moved).collect()
}

impl Outside {
    /// One step: what became of the record, and whether that was right.
    pub(super) fn check_step(&mut self, process: &Process, step: &StepTaken<'_>) {
        let before = step.before.as_ref();
        let Some(after) = process.member.record().cloned() else { return };
        if before == Some(&after) {
            return;
        }
        let Record { version, active, phase, standby, quarantined, retired, waiting, .. } = &after;
        self.note(format_args!(
            "record {version:?}: active {active:?}, {phase:?}, waiting {waiting:?}, standby \
             {standby:?}, quarantined {quarantined:?}, retired {retired:?}"
        ));
        self.history.memory.reads(before, &after, self.now);
        let was = self.history.last_version.replace(after.version);
        if let Some(was) = was.filter(|was| was.incarnation == after.version.incarnation) {
            assert!(was.epoch <= after.version.epoch, "I4: the epoch fell");
            let is_other = was.epoch == after.version.epoch && was.nonce != after.version.nonce;
            assert!(!is_other, "I4: two records of one epoch");
        }
        Self::check_roles(&after);
        let retired = |record: &Record| -> BTreeSet<CredentialId> {
            record.retired.iter().map(|it: &Retired| it.credential).collect()
        };
        let (now, new) = (self.now, retired(&after));
        for id in before.map(retired).unwrap_or_default().difference(&new) {
            let was_cleared =
                !self.history.retired.contains(id) || after.retired.len() >= Record::MOST_RETIRED;
            assert!(was_cleared, "I2: a retirement was forgotten without a reason");
        }
        let Some(before) = before else {
            let is_named = |id: &CredentialId| {
                self.history.named.contains_key(id) || after.waiting == Some(*id)
            };
            let new = new.into_iter().filter(|id| !is_named(id)).collect::<Vec<_>>();
            self.history.retired.extend(new);
            return;
        };
        let just_named: BTreeSet<_> = self
            .history
            .named
            .iter()
            .filter(|(_, at)| **at + 10 * SECOND >= now)
            .map(|(id, _)| *id)
            .collect();
        let new: Vec<_> = new.difference(&retired(before)).copied().collect();
        self.history.retired.extend(new.into_iter().filter(|id| !just_named.contains(id)));
        let moves = moves(step.effects);
        if !step.is_stored {
            return;
        }
        self.check_phase(process, before, &after, &moves);
        self.check_active(before, &after, &moves);
    }

    fn check_roles(record: &Record) {
        let mut all = vec![record.active];
        all.extend(record.standby.iter());
        all.extend(record.quarantined.iter().map(|it| it.credential));
        all.extend(record.retired.iter().map(|it| it.credential));
        all.extend(record.staged().map(|it| it.next));
        all.extend(record.open_overlap().map(|it| it.previous));
        let unique: BTreeSet<_> = all.iter().collect();
        assert_eq!(unique.len(), all.len(), "a credential has two roles: {record:#?}");
    }

    fn check_phase(
        &self,
        process: &Process,
        before: &Record,
        after: &Record,
        moves: &[Transition],
    ) {
        let (from, to) = (PhaseName::of(Some(before)), PhaseName::of(Some(after)));
        match moves {
            [] => assert_eq!(from, to, "a phase changed without a transition"),
            [one] => assert!(one.allows(from, to), "{one:?} does not lead from {from:?} to {to:?}"),
            _ => {}
        }
        let epoch = |record: &Record| record.open_overlap().map(|overlap| overlap.epoch);
        if epoch(before).is_some() && epoch(before) != epoch(after) {
            assert!(
                moves.iter().any(|it| it.may_end_overlap_of(before)),
                "I12: {moves:?} ended an overlap"
            );
        }
        if let (Some(was), Some(is)) = (before.staged(), after.staged())
            && was.rotation != is.rotation
        {
            assert!(after.past(&was.rotation).is_some(), "I11: a rotation was forgotten");
        }
        for one in moves {
            match one {
                Transition::CandidateRejected => self.check_rejected(process, before),
                Transition::Degraded => self.check_degraded(before, after),
                Transition::Substituted | Transition::FellBack => {
                    let denied = self.history.denied.get(&before.active);
                    assert!(denied.is_some(), "{one:?} although the active one was not rejected");
                }
                _ => {}
            }
        }
    }

    fn check_rejected(&self, process: &Process, before: &Record) {
        let staged = before.staged().expect("only a staged one is rejected");
        let denied = self.history.denials(staged.next, self.now).iter();
        let staged_at = process.member.own_time(staged.at);
        let since: Vec<_> = denied.filter(|at| **at + 5 * SECOND >= staged_at).collect();
        let span = since.last().zip(since.first()).map(|(last, first)| last.since(**first));
        assert!(
            since.len() >= 3 && span >= Some(5 * SECOND),
            "I10: a candidate was given up after {since:?}"
        );
    }

    pub(super) fn check_retired(&self, process: &Process, before: &Record) {
        let overlap = before.open_overlap().expect("what is previous is so in an overlap");
        let is_due = self.now >= process.member.own_time(overlap.retire_not_before);
        let is_asked = self.history.retire_asked_at.is_some_and(|at| at + 16 * MINUTE >= self.now);
        assert!(is_due || is_asked, "I12: retired before its time");
        if before.staged().is_some_and(|staged| staged.compromised) {
            return;
        }
        let proof = self.history.accepted.get(&before.active);
        let is_fresh = proof.is_some_and(|(at, _)| *at + MINUTE + 5 * SECOND >= self.now);
        let is_denied = self.history.denied.contains_key(&before.active) && !is_fresh;
        assert!(
            is_fresh && !is_denied,
            "I6: retired although the active one is not proved: {proof:?}"
        );
    }

    fn check_degraded(&self, before: &Record, after: &Record) {
        let mut all = vec![before.active];
        let next = after.staged().map(|staged| staged.next);
        all.extend(after.fallbacks().filter(|one| Some(*one) != next));
        for id in all {
            let is_held = self.configured.iter().any(|key| key.id() == id);
            let is_accepted = !self.history.denied.contains_key(&id) && is_held;
            assert!(!is_accepted, "Degraded although {id} was not rejected: {after:#?}");
        }
    }

    fn check_active(&self, before: &Record, after: &Record, moves: &[Transition]) {
        let changed = u64::from(before.active != after.active);
        assert_eq!(after.generation, before.generation + changed, "a generation for each change");
        if changed == 0 {
            return;
        }
        let proof = self.history.accepted.get(&after.active);
        assert!(proof.is_some(), "I7: active without a proof: {moves:?}");
    }
}
