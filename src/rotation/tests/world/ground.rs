//! How a scenario performs what its members want.

use super::World;
use crate::clock::StoreTime;
use crate::credential::CredentialId;
use crate::rotation::tests::ground::Ground;
use crate::rotation::tests::shelf::Shelf;
use crate::rotation::*;

impl Ground for World {
    fn now(&self) -> StoreTime {
        self.now
    }

    fn shelf(&mut self) -> &mut Shelf {
        &mut self.shelf
    }

    fn last_read(&self, peer: usize) -> Option<&Record> {
        self.peers[peer].record.as_ref()
    }

    fn view(&mut self, peer: usize) -> View {
        self.next_nonce += 1;
        let view = &mut self.peers[peer].view;
        view.nonce = self.next_nonce;
        view.clone()
    }

    fn callers(&mut self, peer: usize) -> &mut Vec<KeptCaller> {
        &mut self.peers[peer].view.callers
    }

    fn probes(&mut self, peer: usize, credential: CredentialId) {
        let peer = &mut self.peers[peer];
        peer.view.probing.insert(credential);
        peer.probes.push((self.now + Self::LATENCY, credential));
        self.presented.push((self.now, credential));
    }

    fn persists(
        &mut self,
        peer: usize,
        target: TargetId,
        credential: CredentialId,
    ) -> Option<PersistOutcome> {
        self.sinks.push((self.now, target, credential));
        if self.sink_outcome.is_none() {
            self.peers[peer].view.writing.insert(target);
        }
        self.sink_outcome
    }

    fn is_answered(&mut self, caller: CallerId, outcome: Result<Settled, Refusal>) {
        assert!(self.answers.insert(caller, outcome).is_none(), "a caller is answered twice");
    }

    fn hears(&mut self, notice: RotationNotice) {
        self.notices.push(notice);
    }

    fn takes(&mut self, transitions: &[Transition]) {
        self.taken.extend(transitions);
    }

    fn writes(&mut self, _: usize, _: &Shelf, _: &RotationStep) {
        self.read_all();
    }

    fn serves(&mut self, _: usize, _: Option<Token>) {
        self.read_all();
    }

    /// It reads, and decides anew.
    fn loses(&mut self, peer: usize) -> bool {
        self.peers[peer].is_asleep = false;
        self.read_all();
        true
    }

    fn sees_rest(&mut self, wrote: bool) {
        self.read_all();
        if wrote {
            // Whoever reads another record looks at it.
            self.tick_all();
        }
    }
}
