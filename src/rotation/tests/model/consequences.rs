//! What follows from a move.

use std::collections::{BTreeMap, BTreeSet};
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
        state.give_lease_up();
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
            Move::Refresh(peer) => self.refresh(peer)?,
            Move::Edge(peer, to) => {
                self.left.edges -= 1;
                let member = &mut self.peers[peer];
                let from = member.configured.first().copied();
                member.configured = vec![to];
                member.held.insert(to);
                member.buried.remove(&to);
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
                self.crash(peer);
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
            Move::Offer(peer) => self.offer(peer)?,
            Move::Redeploy(peer) => {
                self.left.redeploys -= 1;
                self.crash(peer);
                self.shelf.forget(peer);
                self.lease.take_if(|lease| lease.holder == peer);
                self.peers[peer].configured = vec![D];
                self.restart(peer);
            }
            Move::Failover => self.fail_over()?,
            Move::Flush => self.flush(),
            Move::Lapse => {
                self.left.lapses -= 1;
                (self.has_lapsed, self.lease) = (true, None);
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
    pub(super) fn tell(&mut self, peer: usize, event: &RotationEvent) {
        interpreter::tell(self, peer, event);
    }

    fn answer_unclear(&mut self, peer: usize, credential: CredentialId) {
        // What is due anyway happens with any answer.
        let mut quiet = self.clone();
        quiet.peers[peer].probing.remove(&credential);
        quiet.tell(peer, &RotationEvent::Ticked);
        self.answer(peer, credential, unclear());
        let known = |state: &Self| {
            let record = state.shelf.record.as_ref();
            record.map(|record| (record.active, record.generation, record.phase.clone()))
        };
        let is_same = known(self) == known(&quiet);
        self.blame(Fault::I18, !is_same);
    }

    fn call(&mut self, peer: usize, rotate: Rotate) {
        let member = &mut self.peers[peer];
        member.held.extend(rotate.candidate);
        member.buried.retain(|one| Some(*one) != rotate.candidate);
        self.tell(peer, &RotationEvent::Asked { caller: 1, request: Request::Rotate(rotate) });
    }

    /// The token lifecycle of the member presents the active credential, if it has reason to.
    fn refresh(&mut self, peer: usize) -> Option<()> {
        let member = &self.peers[peer];
        let record = member.record.as_ref()?;
        let active = record.active;
        let is_due = member.token.is_none_or(|token| {
            token.credential != active || token.expires_at <= Self::NOW + Self::LONG
        });
        let may_ask = record.may_present(active) && self.held(peer).contains(&active);
        if !is_due || !may_ask || member.probing.contains(&active) {
            return None;
        }
        self.probes(peer, active);
        Some(())
    }

    /// The member offers what the record has never seen to a fleet that has nothing left.
    fn offer(&mut self, peer: usize) -> Option<()> {
        let member = &self.peers[peer];
        let record = member.record.clone()?;
        let mut configured = member.configured.iter().copied();
        let unknown = configured.find(|one| record.role(*one) == Role::Unknown)?;
        let may_present = self.held(peer).contains(&unknown);
        if !may_present || !is_forsaken(&record, &self.view(peer), Self::NOW) {
            return None;
        }
        self.tell(peer, &RotationEvent::Changed { from: None, to: unknown });
        Some(())
    }

    fn crash(&mut self, peer: usize) {
        let Peer { configured, members, .. } = &self.peers[peer];
        let members = MemberTable { rows: BTreeMap::new(), ..members.clone() };
        self.peers[peer] = Peer {
            is_alive: false,
            record: None,
            configured: configured.clone(),
            held: BTreeSet::new(),
            ledger: Ledger::default(),
            token: None,
            members,
            probing: BTreeSet::new(),
            callers: Vec::new(),
            buried: BTreeSet::new(),
        };
    }

    fn restart(&mut self, peer: usize) {
        let member = &mut self.peers[peer];
        member.is_alive = true;
        member.held = member.configured.iter().copied().collect();
    }

    fn answer(&mut self, peer: usize, credential: CredentialId, verdict: Verdict<Evidence>) {
        let Peer { probing, ledger, record, .. } = &mut self.peers[peer];
        probing.remove(&credential);
        ledger.note(credential, &verdict, record.as_ref(), &RotationPolicy::default(), Self::NOW);
        match verdict {
            Verdict::Accepted(_) => {
                ledger.clear_noted(credential);
                self.shelf.note(credential, true, Self::NOW);
            }
            Verdict::Rejected(_) => {
                self.shelf.note(credential, false, Self::NOW);
                ledger.note_row(credential, self.shelf.rejections[&credential]);
            }
            _ => {}
        }
        self.tell(peer, &RotationEvent::Answered { credential, verdict: verdict.into() });
    }

    fn pass(&mut self, by: Duration) {
        self.each_time(&mut |time| *time = *time - by);
        // The lease of whoever is gone, or has stopped asking, ends.
        self.lease.take_if(|lease| {
            let holder = &self.peers[lease.holder];
            !holder.is_alive || holder.probing.is_empty()
        });
        // A driver hands no expired token out, and forgets it.
        self.shelf.token = self.shelf.token.filter(|token| token.expires_at > Self::NOW);
    }
}
