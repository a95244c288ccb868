//! How members read what is stored, and what befalls the store.

use std::collections::BTreeMap;

use super::fault::Fault;
use super::fleet::State;
use crate::credential::CredentialId;
use crate::rotation::tests::shelf::Shelf;
use crate::rotation::*;

impl State {
    /// The member reads what is stored, says that it did, and looks at it.
    pub(super) fn beat(&mut self, peer: usize) {
        let known = self.peers[peer].record.clone();
        let own = known.as_ref().and_then(|known| self.reconcile(peer, known));
        let holds = self.held(peer);
        self.shelf.acknowledge(peer, &holds, &[]);
        let member = &mut self.peers[peer];
        member.record.clone_from(&self.shelf.record);
        member.token = self.shelf.token;
        member.members = self.shelf.members().clone();
        member.ledger.replace_rows(self.shelf.rejections.clone(), Self::NOW);
        if let Some(lease) = self.lease.as_mut().filter(|lease| lease.holder == peer) {
            lease.has_read = true;
        }
        match member.configured.first().copied().filter(|_| known.is_none()) {
            Some(first) => self.tell(peer, &RotationEvent::Started(first)),
            None => self.tell(peer, &RotationEvent::Ticked),
        }
        if let Some(own) = own {
            self.tell(peer, &RotationEvent::Changed { from: None, to: own });
        }
    }

    /// What is stored does not follow from what the member knows: it writes that back, or keeps in
    /// mind what was retired. Returns what it offers to a fleet whose active one was.
    fn reconcile(&mut self, peer: usize, known: &Record) -> Option<CredentialId> {
        let stored = self.shelf.record.clone();
        let descent = stored.as_ref().map(|stored| known.descent_of(stored));
        self.blame(Fault::I4, descent == Some(Descent::Fork) && !self.has_lost);
        let record = match descent {
            Some(Descent::LostWrites) => known.clone(),
            Some(Descent::Earlier) | None => {
                known.reborn(stored.as_ref(), self.next_nonce(), Self::NOW)
            }
            Some(Descent::Continuation) => return None,
            Some(Descent::Fork | Descent::Later) => {
                let stored = stored.expect("a record");
                let retired = known.retired.iter().map(|it| it.credential);
                let retired = retired.filter(|id| stored.role(*id) != Role::Retired);
                let member = &mut self.peers[peer];
                member.buried.extend(retired);
                let is_dead = member.buried.contains(&stored.active);
                let is_proved = member.ledger.proof(known.active).is_some();
                return (is_dead && is_proved).then_some(known.active);
            }
        };
        let expect = stored.map(|stored| stored.version);
        let write = Write { expect, record, token: TokenChange::Keep, barrier: None };
        self.shelf.write(&write, Self::NOW).expect("nobody is faster");
        self.before = None;
        None
    }

    /// Whoever has not read the latest record for so long is cut off, and not live for the others.
    pub(super) fn cut_off(&mut self) -> Option<()> {
        let stored = self.shelf.record.as_ref().map(|record| record.version);
        for (index, peer) in self.peers.iter_mut().enumerate() {
            let read = peer.record.as_ref().map(|record| record.version);
            if peer.is_alive && read == stored {
                peer.token = self.shelf.token;
            } else {
                if peer.is_alive {
                    self.left.naps = self.left.naps.checked_sub(1)?;
                }
                self.shelf.forget(index);
            }
        }
        for peer in self.peers.iter_mut().filter(|peer| peer.is_alive) {
            if peer.record.as_ref().map(|record| record.version) == stored {
                peer.members = self.shelf.members().clone();
            }
        }
        Some(())
    }

    /// The store loses its latest write, and what was acknowledged of it.
    pub(super) fn fail_over(&mut self) -> Option<()> {
        self.left.failovers -= 1;
        self.has_lost = true;
        let (record, token) = self.before.take()?;
        let epoch = record.version.epoch;
        let rows = self.shelf.members.iter_mut().flat_map(|table| table.rows.values_mut());
        rows.for_each(|row| row.acked = row.acked.min(epoch));
        (self.shelf.record, self.shelf.token) = (Some(record), token);
        Some(())
    }

    /// The store loses everything.
    pub(super) fn flush(&mut self) {
        self.left.flushes -= 1;
        (self.has_lost, self.before) = (true, None);
        // The lease is lost with it.
        (self.has_lapsed, self.lease) = (true, None);
        let members = MemberTable { since: Self::NOW, rows: BTreeMap::new() };
        self.shelf = Shelf { members: Some(members), ..Shelf::default() };
    }
}
