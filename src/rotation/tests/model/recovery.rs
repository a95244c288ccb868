//! I1 and I5: whatever has happened, the fleet goes on unaided once it is left alone.

use std::hash::{DefaultHasher, Hash, Hasher};

use super::bounds::Bounds;
use super::fleet::{Peer, State};
use super::moves::Move;
use crate::credential::CredentialId;
use crate::rotation::*;

impl State {
    /// A fleet that is left alone is tried in one of so many states; which is by chance, but always
    /// the same.
    const SAMPLE: u64 = 64;
    const ROUNDS: usize = 8;

    /// Left alone, a fleet with a usable credential has a token, and no phase outlasts its
    /// deadline.
    pub(super) fn recovers(&self) -> bool {
        let mut hasher = DefaultHasher::new();
        self.hash(&mut hasher);
        if !hasher.finish().is_multiple_of(Self::SAMPLE) {
            return true;
        }
        let mut state = self.clone();
        state.left = Bounds { naps: u8::MAX, pauses: u8::MAX, ..Bounds::default() };
        for _ in 0..Self::ROUNDS {
            for _ in 0..4 {
                state.settle();
                state.go(Move::Pass(false));
            }
            state.settle();
            state.go(Move::Pass(true));
        }
        state.settle();
        let Some(record) = &state.shelf.record else {
            // Nobody has a record to write back, and nothing that would make a first one.
            let mut alive = state.peers.iter().filter(|peer| peer.is_alive);
            return !alive.any(|peer| peer.configured.iter().any(|one| state.is_accepted(*one)));
        };
        let alive = state.peers.iter().filter(|peer| peer.is_alive);
        // What a caller has handed over, and the record has never seen, ends with its call.
        let is_usable = |peer: &Peer, one: CredentialId| match record.role(one) {
            Role::Retired => false,
            Role::Unknown => peer.configured.contains(&one),
            _ => true,
        };
        let mut known = alive.flat_map(|peer| {
            let held = peer.held.difference(&peer.buried);
            held.filter(move |one| is_usable(peer, **one))
        });
        let has_token = state.shelf.token.is_some() || !known.any(|one| state.is_accepted(*one));
        let is_at_rest = match &record.phase {
            Phase::Stable | Phase::Degraded { .. } => true,
            Phase::Prepared(_) | Phase::Staged(_) => false,
            // What it waits for is in the hands of people: members without the active
            // credential.
            Phase::Overlap(_) => {
                state.peers.iter().any(|peer| peer.is_alive && !peer.held.contains(&record.active))
                    || !state.is_accepted(record.active)
            }
        };
        let is_alone = state.peers.iter().all(|peer| !peer.is_alive);
        is_alone || has_token && is_at_rest
    }

    /// Everybody reads, asks and is answered until nothing moves.
    fn settle(&mut self) {
        for _ in 0..20 {
            let before = self.clone();
            for index in 0..self.peers.len() {
                if !self.peers[index].is_alive {
                    continue;
                }
                self.go(Move::Beat(index));
                self.go(Move::Offer(index));
                self.go(Move::Refresh(index));
                for credential in self.peers[index].probing.clone() {
                    self.go(Move::Answer(index, credential));
                }
            }
            if *self == before {
                return;
            }
        }
    }

    fn go(&mut self, next: Move) {
        if let Some(state) = self.after(next) {
            *self = state;
        }
    }
}
