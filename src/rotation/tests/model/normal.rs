//! Gives states that differ only in when they are the same form, so that there are finitely many.

use std::collections::BTreeMap;
use std::time::Duration;

use super::fleet::State;
use crate::clock::StoreTime;
use crate::rotation::*;

impl State {
    /// Nothing looks back further than this, except to compare which of two moments was earlier.
    const LOOK_BACK: Duration = Duration::from_secs(61);
    /// The longest span between two past moments that anything asks for, and a bit.
    const SPAN: Duration = Duration::from_secs(6);

    pub(super) fn normalise(&mut self) {
        self.compress_past();
        let mut epochs: Vec<u64> =
            self.shelf.members().rows.values().map(|row| row.acked).collect();
        let (mut nonces, mut incarnations) = (Vec::new(), Vec::new());
        let (mut generations, mut serials) = (Vec::new(), Vec::new());
        for row in self.shelf.rejections.values_mut() {
            row.count = row.count.min(Rejections::ENOUGH);
        }
        self.each_record(&mut |record| {
            record.history.clear();
            incarnations.push(record.version.incarnation);
            epochs.push(record.version.epoch);
            epochs.extend(record.open_overlap().map(|overlap| overlap.epoch));
            nonces.push(record.version.nonce);
            generations.push(record.generation);
        });
        self.each_token(&mut |token| {
            generations.push(token.generation);
            serials.push(token.serial);
        });
        for peer in &self.peers {
            epochs.extend(peer.members.rows.values().map(|row| row.acked));
        }
        let (epochs, generations) = (closed_up(epochs, 2), closed_up(generations, 2));
        let (nonces, serials) = (closed_up(nonces, 1), closed_up(serials, 1));
        let incarnations = closed_up(incarnations, 1);
        self.each_record(&mut |record| {
            record.lineage = record.lineage.renumbered(record.version.epoch, &epochs, &nonces);
            record.version.incarnation = incarnations[&record.version.incarnation];
            record.version.epoch = epochs[&record.version.epoch];
            record.generation = generations[&record.generation];
            record.version.nonce = nonces[&record.version.nonce];
            if let Some(overlap) = overlap_of(&mut record.phase) {
                overlap.epoch = epochs[&overlap.epoch];
            }
        });
        self.each_token(&mut |token| {
            token.generation = generations[&token.generation];
            token.serial = serials[&token.serial];
        });
        let tables = self.peers.iter_mut().map(|peer| &mut peer.members);
        let tables = tables.chain(&mut self.shelf.members);
        for row in tables.flat_map(|table| table.rows.values_mut()) {
            row.acked = epochs[&row.acked];
        }
    }

    /// One that no record has.
    pub(super) fn next_nonce(&self) -> u64 {
        let copies = self.peers.iter().filter_map(|peer| peer.record.as_ref());
        let all =
            copies.chain(self.before.as_ref().map(|(record, _)| record)).chain(&self.shelf.record);
        all.map(|record| record.version.nonce).max().unwrap_or_default() + 1
    }

    /// Moves past moments together, keeping their order and whether they are further apart than
    /// that.
    fn compress_past(&mut self) {
        let mut times = Vec::new();
        self.each_time(&mut |time| times.push(*time));
        times.retain(|time| *time < Self::NOW - Self::LOOK_BACK);
        times.sort_unstable();
        times.dedup();
        let mut places = BTreeMap::new();
        let (mut was, mut place) = (Self::NOW - Self::LOOK_BACK, Self::NOW - Self::LOOK_BACK);
        for time in times.into_iter().rev() {
            place = place - was.since(time).min(Self::SPAN);
            was = time;
            places.insert(time, place);
        }
        self.each_time(&mut |time| *time = places.get(time).copied().unwrap_or(*time));
    }

    pub(super) fn each_time(&mut self, time: &mut dyn FnMut(&mut StoreTime)) {
        self.each_record(&mut |record| {
            match &mut record.phase {
                Phase::Stable | Phase::Overlap(_) => {}
                Phase::Prepared(prepared) => {
                    time(&mut prepared.deadline);
                    time(&mut prepared.safe_until);
                }
                Phase::Staged(staged) => {
                    time(&mut staged.at);
                    time(&mut staged.deadline);
                    staged.forsaken.iter_mut().for_each(&mut *time);
                    staged.unwanted.iter_mut().for_each(&mut *time);
                }
                Phase::Degraded { since } => time(since),
            }
            if let Some(overlap) = overlap_of(&mut record.phase) {
                time(&mut overlap.at);
                time(&mut overlap.retire_not_before);
                time(&mut overlap.safe_to_revoke_at);
                time(&mut overlap.deadline);
                overlap.reverting.iter_mut().for_each(&mut *time);
            }
        });
        self.each_token(&mut |token| time(&mut token.expires_at));
        self.died.values_mut().for_each(&mut *time);
        for row in self.shelf.rejections.values_mut() {
            time(&mut row.first_at);
            time(&mut row.last_at);
        }
        let tables = self.peers.iter_mut().map(|peer| &mut peer.members);
        let tables = tables.chain(&mut self.shelf.members);
        // A table that has always been there.
        tables
            .map(|table| &mut table.since)
            .filter(|at| **at != StoreTime::default())
            .for_each(&mut *time);
        for peer in &mut self.peers {
            peer.ledger.normalise(time);
        }
    }

    fn each_record(&mut self, visit: &mut dyn FnMut(&mut Record)) {
        self.shelf.record.iter_mut().for_each(&mut *visit);
        self.before.iter_mut().for_each(|(record, _)| visit(record));
        self.peers.iter_mut().filter_map(|peer| peer.record.as_mut()).for_each(visit);
    }

    fn each_token(&mut self, visit: &mut dyn FnMut(&mut Token)) {
        self.shelf.token.iter_mut().for_each(&mut *visit);
        self.before.iter_mut().filter_map(|(_, token)| token.as_mut()).for_each(&mut *visit);
        self.peers.iter_mut().filter_map(|peer| peer.token.as_mut()).for_each(visit);
    }
}

fn overlap_of(phase: &mut Phase) -> Option<&mut Overlap> {
    match phase {
        Phase::Overlap(overlap) => Some(overlap),
        Phase::Staged(staged) => staged.beneath.as_deref_mut(),
        _ => None,
    }
}

/// Other numbers in the same order, of which neighbours are so far apart at most.
fn closed_up(mut numbers: Vec<u64>, gap: u64) -> BTreeMap<u64, u64> {
    numbers.sort_unstable();
    let (mut was, mut place) = (numbers.first().copied().unwrap_or_default(), 2);
    let mut places = BTreeMap::new();
    for number in numbers {
        place += (number - was).min(gap);
        was = number;
        places.insert(number, place);
    }
    places
}
