//! Judges what a move has done by the invariants.

use std::time::Duration;

use super::fault::Fault;
use super::fleet::State;
use crate::credential::CredentialId;
use crate::rotation::tests::ground::Ground;
use crate::rotation::tests::shelf::Shelf;
use crate::rotation::*;

impl State {
    pub(super) fn blame(&mut self, fault: Fault, is_broken: bool) {
        if is_broken {
            self.faults.insert(fault);
        }
    }

    /// Judges a token that the store has taken.
    pub(super) fn judge_token(&mut self, before: Option<Token>) {
        let place = |token: Token| (token.generation, token.serial);
        let has_gone_back = before.is_some() && self.shelf.token.map(place) <= before.map(place);
        self.blame(Fault::I8, has_gone_back);
    }

    /// Judges a write that the store has taken.
    pub(super) fn judge(&mut self, peer: usize, before: &Shelf, done: &RotationStep) {
        let Some(write) = &done.write else { return };
        if write.token != TokenChange::Keep {
            self.judge_token(before.token);
        }
        let (before, after, transitions) = (before.record(), &write.record, &done.transitions);
        self.blame(Fault::I4, after.version.epoch <= before.version.epoch);
        if before.active != after.active {
            let own = matches!(write.token, TokenChange::Replace { credential, .. } if credential == after.active);
            let was_accepted = self.was_accepted_within(after.active, State::PROOF_LIFE);
            self.blame(
                Fault::I7,
                !own || !was_accepted || before.generation + 1 != after.generation,
            );
        }
        let is_retirement = |one: &&Retired| before.role(one.credential) != Role::Retired;
        let retired = after.retired.iter().find(is_retirement).copied();
        let returned = before.staged().is_some_and(
            |staged| matches!(staged.former, Former::Retired(known) if Some(known) == retired),
        );
        if let Some(retired) = retired.filter(|_| !returned) {
            let limit =
                if retired.compromised { State::PROOF_LIFE } else { Duration::from_mins(1) };
            self.blame(Fault::I6, !self.was_accepted_within(after.active, limit));
            let holds = |row: &MemberRow| row.holds.contains(&after.active);
            let overlap = before.open_overlap();
            let knows = |row: &MemberRow| overlap.is_none_or(|open| row.acked >= open.epoch);
            // Under a candidate it is the one that was active until now which everybody must hold.
            let holds = |row: &MemberRow| holds(row) || row.holds.contains(&before.active);
            let is_ready = self.shelf.members().rows.values().all(|row| holds(row) && knows(row));
            let has_leaked = before.staged().is_some_and(|staged| staged.compromised);
            self.blame(Fault::Barrier, !has_leaked && !retired.compromised && !is_ready);
        }
        if let (Some(before), Some(after)) = (before.staged(), after.staged()) {
            let is_first = transitions.first() == Some(&Transition::Staged);
            self.blame(Fault::I11, before.next != after.next && is_first);
        }
        let epoch = |record: &Record| record.open_overlap().map(|overlap| overlap.epoch);
        if epoch(before).is_some() && epoch(before) != epoch(after) {
            let is_end = transitions.first().is_some_and(|first| first.may_end_overlap_of(before));
            self.blame(Fault::I12, !is_end);
        }
        if transitions
            .iter()
            .any(|row| matches!(row, Transition::Promoted | Transition::PromotedAfterLeak))
        {
            // Where the active one is rejected, or nobody holds it, waiting would cost tokens.
            let view = self.view(peer);
            let is_gone =
                view.ledger.rejections(before.active).is_some() || !view.is_held(before.active);
            self.blame(Fault::I21, !is_gone && !self.is_kept(peer, after.active));
        }
    }

    const PROOF_LIFE: Duration = Duration::from_mins(25);

    /// The endpoint accepted it at some moment of that span.
    fn was_accepted_within(&self, credential: CredentialId, span: Duration) -> bool {
        let died = self.died.get(&credential);
        self.is_accepted(credential) || died.is_some_and(|at| State::NOW.since(*at) <= span)
    }

    /// A source yields it, or a member that the fleet counts as live holds it besides this one.
    fn is_kept(&self, peer: usize, credential: CredentialId) -> bool {
        let promoter = MemberId(peer as u64);
        let mut others = self.shelf.members().rows.iter().filter(|(id, _)| **id != promoter);
        self.peers.iter().any(|peer| peer.configured.contains(&credential))
            || others.any(|(_, row)| row.holds.contains(&credential))
    }
}
