//! What follows from a move.

use std::time::Duration;

use super::fault::Fault;
use super::fleet::{Peer, State};
use super::moves::Move;
use crate::credential::CredentialId;
use crate::rotation::tests::ground::Ground;
use crate::rotation::tests::interpreter;
use crate::rotation::tests::verdicts::{accepted, rejected, unclear};
use crate::rotation::tests::world::{A, B, D};
use crate::rotation::*;
use crate::verdict::Verdict;

impl State {
    const SHORT: Duration = Duration::from_secs(5);
    const LONG: Duration = Duration::from_mins(10);

    pub(super) fn after(&self, next: Move) -> Option<Self> {
        let mut state = self.clone();
        state.apply(next)?;
        state.normalise();
        (state != *self).then_some(state)
    }

    fn apply(&mut self, next: Move) -> Option<()> {
        match next {
            Move::Beat(peer) => self.beat(peer),
            Move::Tick(peer) => self.tell(peer, &RotationEvent::Ticked),
            Move::Answer(peer, credential) => {
                let verdict = if self.is_accepted(credential) {
                    let expires_at = Self::NOW + Self::LIFE;
                    let soft_at = Self::NOW + Self::LIFE / 2;
                    Verdict::Accepted(accepted(expires_at, soft_at))
                } else {
                    rejected()
                };
                self.answer(peer, credential, verdict);
            }
            Move::AnswerUnclear(peer, credential) => {
                self.left.unclear -= 1;
                self.answer_unclear(peer, credential);
            }
            Move::Refresh(peer) => {
                let member = &self.peers[peer];
                let record = member.record.as_ref()?;
                let is_due = member.token.is_none_or(|token| {
                    token.credential != record.active || token.expires_at <= Self::NOW + Self::LONG
                });
                if !is_due
                    || !record.may_present(record.active)
                    || !member.held.contains(&record.active)
                {
                    return None;
                }
                let active = record.active;
                self.probes(peer, active);
            }
            Move::Edge(peer, to) => {
                self.left.edges -= 1;
                let member = &mut self.peers[peer];
                let from = member.configured.first().copied();
                member.configured = vec![to];
                member.held.insert(to);
                self.tell(peer, &RotationEvent::Changed { from, to });
            }
            Move::Call(peer) => {
                self.left.calls -= 1;
                let rotate = Rotate { candidate: Some(B), ..Rotate::default() };
                self.call(peer, rotate);
            }
            Move::Leak(peer) => {
                self.left.operators -= 1;
                let rotate = Rotate { candidate: Some(B), compromised: true, ..Rotate::default() };
                self.call(peer, rotate);
            }
            Move::Supersede(peer) => {
                self.left.supersedes -= 1;
                let rotate = Rotate { candidate: Some(D), supersede: true, ..Rotate::default() };
                self.call(peer, rotate);
            }
            Move::Prepare(peer) => {
                self.left.operators -= 1;
                let request = Request::Prepare { min_runway: Duration::from_mins(1) };
                self.tell(peer, &RotationEvent::Asked { caller: 1, request });
            }
            Move::Crash(peer) => {
                self.left.crashes -= 1;
                let member = &mut self.peers[peer];
                member.is_alive = false;
                member.record = None;
                member.held.clear();
                member.ledger = Ledger::default();
                member.token = None;
                member.probing.clear();
                member.callers.clear();
                member.members.rows.clear();
            }
            Move::Restart(peer) => self.restart(peer),
            Move::RestartStale(peer) => {
                if self.peers[peer].configured == [A] {
                    return None;
                }
                self.peers[peer].configured = vec![A];
                self.restart(peer);
            }
            Move::Die(credential) => {
                self.left.deaths -= 1;
                self.died.insert(credential, Self::NOW);
            }
            Move::Failover => {
                self.left.failovers -= 1;
                let (record, token) = self.before.take()?;
                self.shelf.record = Some(record);
                self.shelf.token = token;
            }
            Move::Pass(true) => {
                self.cut_off()?;
                self.pass(Self::LONG);
            }
            Move::Pass(false) => {
                self.left.pauses -= 1;
                self.pass(Self::SHORT);
            }
        }
        Some(())
    }

    /// A member acts on what it has read.
    fn tell(&mut self, peer: usize, event: &RotationEvent) {
        interpreter::tell(self, peer, event);
    }

    fn answer_unclear(&mut self, peer: usize, credential: CredentialId) {
        // What is due anyway happens with any answer.
        let mut quiet = self.clone();
        quiet.peers[peer].probing.remove(&credential);
        quiet.tell(peer, &RotationEvent::Ticked);
        self.answer(peer, credential, unclear());
        let (stored, quiet) = (self.shelf.record(), quiet.shelf.record());
        let is_same = stored.active == quiet.active
            && stored.generation == quiet.generation
            && stored.phase == quiet.phase;
        self.blame(Fault::I18, !is_same);
    }

    fn call(&mut self, peer: usize, rotate: Rotate) {
        self.peers[peer].held.extend(rotate.candidate);
        self.tell(peer, &RotationEvent::Asked { caller: 1, request: Request::Rotate(rotate) });
    }

    fn restart(&mut self, peer: usize) {
        let member = &mut self.peers[peer];
        member.is_alive = true;
        member.held = member.configured.iter().copied().collect();
    }

    fn beat(&mut self, peer: usize) {
        let is_start = self.peers[peer].record.is_none();
        let stored = self.shelf.record().version;
        let known = self.peers[peer].record.as_ref().filter(|record| {
            record.version.incarnation == stored.incarnation && record.version.epoch > stored.epoch
        });
        // Read-repair: what this member has seen is newer than what the store still has.
        if let Some(known) = known {
            self.shelf.record = Some(known.clone());
            self.before = None;
        }
        let seen = self.peers[peer].record.as_ref().map_or(0, |record| record.version.epoch);
        self.blame(Fault::I4, self.shelf.record().version.epoch < seen);
        let member = &mut self.peers[peer];
        self.shelf.acknowledge(peer, &member.held);
        member.record.clone_from(&self.shelf.record);
        member.token = self.shelf.token;
        member.members = self.shelf.members().clone();
        match member.configured.first().copied().filter(|_| is_start) {
            Some(first) => self.tell(peer, &RotationEvent::Started(first)),
            None => self.tell(peer, &RotationEvent::Ticked),
        }
    }

    fn answer(&mut self, peer: usize, credential: CredentialId, verdict: Verdict<Evidence>) {
        let Peer { probing, ledger, record, .. } = &mut self.peers[peer];
        probing.remove(&credential);
        ledger.note(credential, &verdict, record.as_ref(), &RotationPolicy::default(), Self::NOW);
        self.tell(peer, &RotationEvent::Answered { credential, verdict: verdict.into() });
    }

    /// Whoever has not read the latest record for so long is cut off, and not live for the others.
    fn cut_off(&mut self) -> Option<()> {
        let stored = self.shelf.record().version;
        for (index, peer) in self.peers.iter_mut().enumerate() {
            let read = peer.record.as_ref().map(|record| record.version);
            if peer.is_alive && read == Some(stored) {
                peer.token = self.shelf.token;
            } else {
                if peer.is_alive {
                    self.left.naps = self.left.naps.checked_sub(1)?;
                }
                self.shelf.forget(index);
            }
        }
        for peer in self.peers.iter_mut().filter(|peer| peer.is_alive) {
            if peer.record.as_ref().is_some_and(|record| record.version == stored) {
                peer.members = self.shelf.members().clone();
            }
        }
        Some(())
    }

    fn pass(&mut self, by: Duration) {
        self.each_time(&mut |time| *time = *time - by);
        // A driver hands no expired token out, and forgets it.
        self.shelf.token = self.shelf.token.filter(|token| token.expires_at > Self::NOW);
    }
}
