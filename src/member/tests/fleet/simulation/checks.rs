//! What must hold of every request, write, token and call of a fleet.

use std::sync::Arc;
use std::time::Duration;

use super::outside::{Fault, Outside};
use crate::clock::Timestamp;
use crate::credential::Credential;
use crate::member::tests::peripherals::{MINUTE, Process, SECOND, StepTaken};
use crate::member::tests::simulation::Key;
use crate::rotation::{Descent, PhaseName, Record, Role, TokenChange, Write};
use crate::store::Fresh;
use crate::token::HeldToken;

/// After so long without trouble nothing of it is left: the slowest probe comes every five minutes.
const PATIENCE: Duration = Duration::from_secs(400);

impl Outside {
    /// A token request: whether it may be sent with this credential at all.
    pub(super) fn check_request(
        &mut self,
        place: usize,
        process: &Process,
        credential: &Arc<Credential>,
    ) {
        let id = Key::of(credential).id();
        let Some(record) = process.member.record() else { return };
        let role = record.role(id);
        let is_retired = self.nodes[place].retired.contains(&id) || role == Role::Retired;
        assert!(!is_retired, "I2: {:?} is retired, presented as {role:?}", Key::of(credential));
        let is_prepared = matches!(PhaseName::of(Some(record)), PhaseName::Prepared);
        assert!(
            !(is_prepared && role == Role::Active && self.reaches_store(place)),
            "the active credential is presented while it may be replaced"
        );
        let held = process.member.token(process.now());
        let is_fresh = held.is_some_and(|held| {
            process.now() < held.refresh_at && held.made_with.id() == Some(record.active)
        });
        let is_quiet = PhaseName::of(Some(record)) == PhaseName::Stable
            && self.nodes[place].waiters.is_empty()
            // A rejected one is probed now and then, whatever is held.
            && process.member.ledger().rejections(id).is_none()
            && self.troubled_at + PATIENCE < self.now;
        assert!(
            !(is_fresh && is_quiet && role == Role::Active),
            "I20: a request with the active credential although a fresh token is held"
        );
    }

    /// A rejection: whether there were too many of them.
    pub(super) fn notes_rejection(&mut self, key: Key) {
        let (now, id) = (self.now, key.id());
        self.figures.rejections += 1;
        self.rejected.push_back((now, id));
        while self.rejected.front().is_some_and(|(at, _)| *at + MINUTE < now) {
            self.rejected.pop_front();
        }
        let count = self.rejected.iter().filter(|(_, it)| *it == id).count();
        // Three to be sure, and as many for a candidate; who cannot reach the store asks alone. In a
        // fleet of one each deploy, and the end of an outage, has it tried again at once.
        let can_all_reach_it = (0..self.nodes.len()).all(|place| self.reaches_store(place));
        let is_alone = self.troubled_at + 2 * MINUTE > now || !can_all_reach_it;
        let most = if is_alone { (12 * self.nodes.len()).max(16) } else { 8 };
        assert!(count <= most, "I10: {key:?} was rejected {count} times in a minute");
    }

    /// A write of the record that is about to be compared, and taken if nobody was faster.
    pub(super) fn check_write(&mut self, process: &Process, write: &Write, fresh: Option<&Fresh>) {
        let Some(stored) = process.store.load().record else { return };
        let is_repair = process.member.record().map(|it| it.version) == Some(write.record.version);
        if Some(stored.version) != write.expect || is_repair {
            return;
        }
        if stored.version.incarnation != write.record.version.incarnation {
            // What was known goes on as another incarnation.
            return;
        }
        assert_eq!(stored.version.epoch + 1, write.record.version.epoch, "I4");
        let changed = u64::from(stored.active != write.record.active);
        assert_eq!(write.record.generation, stored.generation + changed, "one for each change");
        if let TokenChange::Replace { credential, .. } = write.token {
            let text = fresh.map(|fresh| fresh.text.expose());
            let issued = text.and_then(|text| self.provider.issued.get(text));
            let issued = issued.expect("a token that the provider has issued");
            assert_eq!(issued.key.id(), credential, "a token is shared as another's");
            assert!(issued.expires_at > self.now, "I7: a token that has expired");
        }
        let is_with_token = matches!(write.token,
            TokenChange::Replace { credential, .. } if credential == write.record.active);
        assert!(changed == 0 || is_with_token, "I7: active without a token of its own");
        let wanted =
            stored.verified().filter(|(next, _)| changed > 0 && *next == write.record.active);
        if let Some((next, _)) = wanted {
            assert!(self.passed.contains(&next), "promoted although nothing has verified it");
        }
        let retired = |one| write.record.role(one) == Role::Retired;
        let previous = stored.open_overlap().map(|overlap| overlap.previous);
        if previous.is_some_and(retired) {
            self.check_retirement(process, &stored);
        }
    }

    fn check_retirement(&mut self, process: &Process, stored: &Record) {
        let proof = self.accepted.get(&stored.active);
        let is_fresh = proof.is_some_and(|at| *at + 78 * SECOND >= self.now);
        assert!(is_fresh, "I6: retired although the active one is not proved: {proof:?}");
        let overlap = stored.open_overlap().expect("what is previous is so in an overlap");
        let census = process.store.load().census.expect("a fleet");
        let held = census.holders.get(&stored.active).copied().unwrap_or_default();
        let is_behind = census.behind(overlap.epoch) > 0 || held < census.live();
        // The write is compared with the table once more, and refused.
        if !is_behind {
            assert!(
                overlap.retire_not_before <= process.store.load().now + 11 * SECOND,
                "I12: too early, by more than a clock may be wrong"
            );
        }
    }

    /// What a member knows of the record after a step.
    pub(super) fn check_step(&mut self, place: usize, process: &Process, step: &StepTaken<'_>) {
        let Some(after) = process.member.record() else { return };
        if step.before.as_ref() == Some(after) {
            return;
        }
        if let Some(before) = &step.before {
            match before.descent_of(after) {
                Descent::Continuation | Descent::Later => {}
                Descent::Fork => {
                    self.figures.forks += 1;
                    let may_be = self.suffers(Fault::Failovers) || self.suffers(Fault::Flushes);
                    assert!(may_be || self.is_calm, "I4: two records of one lineage");
                }
                Descent::LostWrites | Descent::Earlier => panic!("I4: the epoch fell"),
            }
        }
        let node = &mut self.nodes[place];
        let is_fork = step.before.as_ref().is_some_and(|it| it.descent_of(after) == Descent::Fork);
        for retired in &after.retired {
            node.retired.insert(retired.credential);
        }
        if !is_fork {
            // Another member was told of it, and has cleared it.
            node.retired.retain(|id| after.role(*id) == Role::Retired);
        }
    }

    /// A token is handed out.
    pub(super) fn check_published(&mut self, place: usize, process: &Process, token: &HeldToken) {
        assert!(process.now() < token.usable_until, "I8: a token past its time is handed out");
        let node = &mut self.nodes[place];
        assert!(token.serial >= node.last_serial, "I8: the serial went back");
        node.last_serial = token.serial;
        let text = token.text.expose();
        assert_ne!(node.invalidated.as_deref(), Some(text), "I8: an invalidated token comes back");
        let issued = self.provider.issued.get(text).copied();
        let issued = issued.expect("a token that the provider has issued");
        let made_with = token.made_with.id().expect("ids are known");
        assert_eq!(issued.key.id(), made_with, "it was made with another credential");
        let is_leaked =
            process.member.record().is_some_and(|record| !record.may_use_token_of(made_with));
        assert!(!is_leaked, "a token of a credential that has leaked is handed out");
        // What the clocks differ by is known to within the time that an operation takes.
        let until = token.usable_until - self.nodes[place].ahead;
        assert!(until <= issued.expires_at + SECOND, "it is handed out for too long");
    }

    /// A call is refused: whether the fleet could have had a token.
    pub(super) fn check_refusal(&self, place: usize, process: &Process) {
        assert!(process.member.token(process.now()).is_none(), "I1: a valid token is held");
        if self.troubled_at + PATIENCE > self.now {
            return;
        }
        let good = self.good_at(place, process);
        assert!(good.is_none(), "I1: refused although {good:?} is accepted");
    }

    /// A secret that a place may present, and that is accepted.
    fn good_at(&self, place: usize, process: &Process) -> Option<Key> {
        let is_good = |key: &Key| {
            let role = process.member.record().map(|record| record.role(key.id()));
            self.provider.accepts(*key, self.now) && role != Some(Role::Retired)
        };
        self.nodes[place].configured.iter().copied().find(is_good)
    }

    /// Whether somebody has a secret that is accepted, and that the record knows.
    pub(super) fn has_good(&self, record: &Record) -> bool {
        let is_good = |key: &Key| {
            self.provider.accepts(*key, self.now)
                && !matches!(record.role(key.id()), Role::Retired | Role::Unknown)
        };
        self.nodes.iter().any(|node| node.is_alive && node.configured.iter().any(is_good))
    }

    /// All trouble has ended long ago.
    pub(super) fn check_place_settled(&self, place: usize, process: &Process) {
        let stored = process.store.load();
        let Some(record) = &stored.record else { panic!("I5: there is no record") };
        let held = process.handed_out.as_ref();
        let is_shared = held.map(|held| held.id) == stored.token.as_ref().map(|token| token.id);
        if self.has_good(record) {
            assert!(held.is_some(), "I5: no token comes back at {place}: {record:#?}");
            assert!(is_shared, "I8: place {place} goes its own way");
            let phase = PhaseName::of(Some(record));
            let holds_all = self
                .nodes
                .iter()
                .filter(|node| node.is_alive)
                .all(|node| node.configured.iter().any(|key| key.id() == record.active));
            assert!(
                phase == PhaseName::Stable || phase == PhaseName::Overlap && !holds_all,
                "I13: it stays {phase:?}: {record:#?}"
            );
        }
        assert_eq!(process.member.record(), Some(record), "place {place} has read something else");
    }

    /// Own time of a place as everybody's.
    pub(super) fn global(&self, place: usize, own: Timestamp) -> Timestamp {
        own - self.nodes[place].ahead
    }
}
