//! The moves, and which of them are possible.

use super::fleet::State;
use crate::credential::CredentialId;
use crate::rotation::tests::world::{A, B, C, D};

/// What may happen next.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(super) enum Move {
    /// The member reads record, token and members, says that it did, and looks at them.
    Beat(usize),
    /// The member looks at the time.
    Tick(usize),
    /// The endpoint answers a probe truly.
    Answer(usize, CredentialId),
    /// The endpoint answers a probe with something that says nothing.
    AnswerUnclear(usize, CredentialId),
    /// The member's token lifecycle presents the active credential.
    Refresh(usize),
    /// A source of the member changes.
    Edge(usize, CredentialId),
    /// A caller of the member hands B over.
    Call(usize),
    /// A caller of the member says that the active credential has leaked, and hands B over.
    Leak(usize),
    /// A caller of the member wants to prepare.
    Prepare(usize),
    /// A caller of the member hands D over, whatever is open.
    Supersede(usize),
    /// The member dies.
    Crash(usize),
    /// It starts again with what its sources yield now.
    Restart(usize),
    /// It starts again with its first configuration.
    RestartStale(usize),
    /// A secret dies.
    Die(CredentialId),
    /// The member offers what it is configured with, and the record has never seen.
    Offer(usize),
    /// The member ends as it should, and starts again with D alone.
    Redeploy(usize),
    /// The store loses its latest write.
    Failover,
    /// The store loses everything.
    Flush,
    /// The lease ends although its holder has a request under way.
    Lapse,
    /// Time passes: a few seconds, or longer than an overlap.
    Pass(bool),
}

impl State {
    pub(super) fn moves(&self, moves: &mut Vec<Move>) {
        for (index, peer) in self.peers.iter().enumerate() {
            if !peer.is_alive {
                moves.extend([Move::Restart(index), Move::RestartStale(index)]);
                continue;
            }
            moves.push(Move::Beat(index));
            for credential in &peer.probing {
                moves.push(Move::Answer(index, *credential));
                if self.left.unclear > 0 {
                    moves.push(Move::AnswerUnclear(index, *credential));
                }
            }
            if peer.record.is_none() {
                // It has just started: nothing can be asked of it before its first reading.
                continue;
            }
            moves.extend([Move::Tick(index), Move::Refresh(index), Move::Offer(index)]);
            if self.left.redeploys > 0 && peer.configured != [D] {
                moves.push(Move::Redeploy(index));
            }
            if self.left.edges > 0 {
                let others = [A, B, C].into_iter().filter(|one| peer.configured != [*one]);
                moves.extend(others.map(|one| Move::Edge(index, one)));
            }
            if self.left.calls > 0 {
                moves.push(Move::Call(index));
            }
            if self.left.operators > 0 {
                moves.extend([Move::Leak(index), Move::Prepare(index)]);
            }
            if self.left.supersedes > 0 {
                moves.push(Move::Supersede(index));
            }
            if self.left.crashes > 0 {
                moves.push(Move::Crash(index));
            }
        }
        if self.left.deaths > 0 {
            let alive = [A, B].into_iter().filter(|one| !self.died.contains_key(one));
            moves.extend(alive.map(Move::Die));
        }
        if self.left.failovers > 0 && self.before.is_some() {
            moves.push(Move::Failover);
        }
        if self.left.flushes > 0 {
            moves.push(Move::Flush);
        }
        if self.left.lapses > 0 && self.lease.is_some() {
            moves.push(Move::Lapse);
        }
        if self.left.pauses > 0 {
            moves.push(Move::Pass(false));
        }
        // No request takes so long.
        if self.peers.iter().all(|peer| peer.probing.is_empty()) {
            moves.push(Move::Pass(true));
        }
    }
}
