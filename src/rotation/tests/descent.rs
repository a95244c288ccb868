//! How copies of a record descend from each other.

use super::world::{A, B};
use crate::clock::StoreTime;
use crate::rotation::*;

/// A record and what was written after it, one write after the other; `side` makes the nonces.
fn written(first: &Record, writes: u64, side: u64) -> Vec<Record> {
    let mut all = vec![first.clone()];
    for write in 0..writes {
        let mut record = all.last().cloned().unwrap_or_else(|| first.clone());
        record.lineage.follow(record.version.nonce);
        record.version.epoch += 1;
        record.version.nonce = side * 1000 + write;
        all.push(record);
    }
    all
}

fn first() -> Record {
    Record {
        version: Version { incarnation: 7, epoch: Version::FIRST_EPOCH, nonce: 1 },
        generation: Record::FIRST_GENERATION,
        active: A,
        client: "app".into(),
        scope: None,
        verify: std::collections::BTreeMap::new(),
        phase: Phase::Stable,
        standby: Vec::new(),
        quarantined: Vec::new(),
        retired: Vec::new(),
        waiting: None,
        targets: std::collections::BTreeMap::new(),
        history: Vec::new(),
        lineage: Lineage::default(),
    }
}

#[test]
fn what_follows_continues_and_what_came_before_has_lost_writes_however_far_apart() {
    let all = written(&first(), 40, 1);
    for (index, earlier) in all.iter().enumerate() {
        assert_eq!(earlier.descent_of(earlier), Descent::Continuation);
        for later in &all[index + 1..] {
            assert_eq!(earlier.descent_of(later), Descent::Continuation);
            assert_eq!(later.descent_of(earlier), Descent::LostWrites);
        }
    }
}

#[test]
fn two_sides_are_told_apart_within_reach() {
    let common = written(&first(), 5, 1).pop().expect("a record");
    let (one, other) = (written(&common, 15, 2), written(&common, 15, 3));
    for mine in &one[1..] {
        assert_eq!(mine.descent_of(&common), Descent::LostWrites);
        assert_eq!(common.descent_of(mine), Descent::Continuation);
        for theirs in &other[1..] {
            assert_eq!(mine.descent_of(theirs), Descent::Fork);
        }
    }
}

#[test]
fn a_new_incarnation_is_later_than_all_that_are_known() {
    let known = written(&first(), 3, 1).pop().expect("a record");
    let mut stored = first();
    stored.version.incarnation = u64::MAX / 2;
    let now = StoreTime::from_millis(1_000);
    for stored in [None, Some(&stored), Some(&first())] {
        let reborn = known.reborn(stored, 99, now);
        assert_eq!(known.descent_of(&reborn), Descent::Later);
        assert_eq!(reborn.descent_of(&known), Descent::Earlier);
        assert!(stored.is_none_or(|it| it.descent_of(&reborn) == Descent::Later));
        assert_eq!((reborn.active, reborn.generation), (known.active, known.generation));
        assert_eq!(reborn.version.epoch, Version::FIRST_EPOCH);
    }
}

#[test]
fn an_open_overlap_is_acknowledged_anew_in_a_new_incarnation() {
    let mut known = written(&first(), 30, 1).pop().expect("a record");
    let at = StoreTime::from_millis(1_000);
    known.phase = Phase::Overlap(Overlap {
        previous: B,
        rotation: RotationId::of(A),
        epoch: 20,
        at,
        retire_not_before: at,
        safe_to_revoke_at: at,
        deadline: at,
        overdue: false,
        reverting: None,
    });
    let reborn = known.reborn(None, 99, at);
    let epoch = reborn.overlap().map(|overlap| overlap.epoch);
    assert_eq!(epoch, Some(Version::FIRST_EPOCH), "no member has an epoch of before");
}
