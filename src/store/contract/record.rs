//! Cases about the record: what is compared, and what comes back.

use std::sync::atomic::{AtomicBool, Ordering};

use super::*;
use crate::rotation::Lineage;
use crate::rotation::{
    End, Former, Overlap, Past, Prepared, Quarantined, Retired, RotationId, Staged, TargetId,
    TargetState, Token,
};

/// As long as it gets.
fn lineage() -> Lineage {
    let mut lineage = Lineage::default();
    (0..20).for_each(|writes| lineage.follow(u64::MAX - writes));
    lineage
}

pub(crate) fn nothing_is_stored_at_first<H: Harness>(harness: &H) {
    let stored = harness.client().load();
    assert_eq!(stored.record, None);
    assert_eq!(stored.token, None);
    assert_eq!(stored.serial, 0);
    assert!(stored.census.is_none_or(|census| census.live() == 0));
    assert!(stored.rejections.is_empty());
    assert_eq!(stored.cool_down, None);
}

pub(crate) fn every_part_of_a_record_comes_back<H: Harness>(harness: &H) {
    let (writer, reader) = (harness.client(), harness.client());
    writer.start();
    assert_eq!(reader.record(), first_record());
    for record in full_records() {
        let (write, Record { version, .. }) = next(&writer.record());
        let incarnation = u64::MAX;
        let version = Version { incarnation, nonce: u64::MAX - version.epoch, ..version };
        let record = Record { version, ..record };
        writer.write(&Write { record: record.clone(), ..write }, None).expect("a write");
        assert_eq!(reader.record(), record);
    }
}

pub(crate) fn a_first_record_is_stored_only_where_there_is_none<H: Harness>(harness: &H) {
    let client = harness.client();
    let record = client.start();
    let mut other = first_record();
    other.version.nonce += 1;
    for record in [record, other] {
        let write = Write { token: client.replace(NEW), ..followed_by(None, record) };
        let fresh = fresh("second", client.now());
        let refused = client.expect_unchanged(|| client.write(&write, Some(&fresh)));
        assert_eq!(refused, Err(Refused::Stale));
    }
}

pub(crate) fn a_write_with_a_stale_version_changes_nothing<H: Harness>(harness: &H) {
    let client = harness.client();
    client.start();
    client.touch();
    let stored = client.record();
    for version in others(stored.version) {
        let write = Write { expect: Some(version), ..client.promotion(&stored) };
        let fresh = fresh("second", client.now());
        let refused = client.expect_unchanged(|| client.write(&write, Some(&fresh)));
        assert_eq!(refused, Err(Refused::Stale), "{version:?}");
    }
    client.write(&next(&stored).0, None).expect("the version that is stored");
}

pub(crate) fn a_write_without_a_record_to_follow_changes_nothing<H: Harness>(harness: &H) {
    let client = harness.client();
    let write = client.promotion(&first_record());
    let refused = client.write(&write, Some(&fresh("token", client.now())));
    assert_eq!(refused, Err(Refused::Stale));
    nothing_is_stored_at_first(harness);
}

pub(crate) fn the_same_write_is_taken_once<H: Harness>(harness: &H) {
    let client = harness.client();
    let write = client.promotion(&client.start());
    let fresh = fresh("second", client.now());
    assert_eq!(client.write(&write, Some(&fresh)).expect("the first time").serial, Some(2));
    let again = client.expect_unchanged(|| client.write(&write, Some(&fresh)));
    assert_eq!(again, Err(Refused::Stale), "whoever lost the answer finds its write by loading");
}

pub(crate) fn of_two_writers_that_read_the_same_version_one_wins<H: Harness>(harness: &H) {
    let (one, other) = (harness.client(), harness.client());
    one.start();
    let (read, also_read) = (one.record(), other.record());
    one.promote("second");
    let mut late = other.promotion(&also_read);
    late.record.version.nonce += 1;
    let fresh = fresh("late", other.now());
    let refused = other.expect_unchanged(|| other.write(&late, Some(&fresh)));
    assert_eq!(refused, Err(Refused::Stale));
    assert_eq!(one.record().version.epoch, read.version.epoch + 1);
    other.touch();
    assert_eq!(one.record().version.epoch, read.version.epoch + 2, "it reads again, and wins");
}

pub(crate) fn many_writers_at_once_take_each_epoch_once<H: Harness>(harness: &H) {
    const WRITERS: u64 = 4;
    const WRITES: u64 = 25;
    harness.client().start();
    let taken = at_once(harness, WRITERS, |number, client| {
        let mut taken = Vec::new();
        while (taken.len() as u64) < WRITES {
            let (mut write, record) = next(&client.record());
            write.record.version.nonce = number << 32 | record.version.epoch;
            if client.write(&write, None).is_ok() {
                taken.push(record.version.epoch);
            }
            assert!(client.record().version.epoch >= *taken.last().unwrap_or(&0));
        }
        taken
    });
    let all: Vec<u64> = taken.into_iter().flatten().collect();
    let distinct: BTreeSet<u64> = all.iter().copied().collect();
    let last = Version::FIRST_EPOCH + WRITERS * WRITES;
    assert_eq!(all.len(), distinct.len());
    assert_eq!(distinct, (Version::FIRST_EPOCH + 1..=last).collect());
    assert_eq!(harness.client().record().version.epoch, last);
}

pub(crate) fn a_promotion_stores_the_token_with_the_record<H: Harness>(harness: &H) {
    let (writer, reader) = (harness.client(), harness.client());
    let record = writer.start();
    harness.advance(SECOND);
    let write = writer.promotion(&record);
    let issued_at = writer.now();
    let before = reader.now();
    let written = writer.write(&write, Some(&fresh("second", issued_at))).expect("a promotion");
    assert_eq!(written.serial, Some(2));
    assert!(before <= written.now && written.now <= reader.now());

    let stored = reader.load();
    assert_eq!(stored.record, Some(write.record.clone()));
    assert_eq!(stored.serial, 2);
    let token = stored.token.expect("its token");
    assert_eq!(token.text.expose(), "second");
    assert_eq!((token.credential, token.generation, token.serial), (NEW, 2, 2));
    assert!(H::is_near(token.issued_at, issued_at));
    assert!(H::is_near(token.expires_at, issued_at + HOUR));
}

pub(crate) fn a_promotion_is_whole_for_every_reader<H: Harness>(harness: &H) {
    const READERS: u64 = 3;
    const PROMOTIONS: u64 = 1000;
    // Set even by a writer that panics: otherwise the readers would never stop.
    struct Done<'a>(&'a AtomicBool);
    impl Drop for Done<'_> {
        fn drop(&mut self) {
            self.0.store(true, Ordering::Release);
        }
    }
    harness.client().start();
    let is_done = AtomicBool::new(false);
    at_once(harness, 1 + READERS, |number, client| {
        if number == 0 {
            let _done = Done(&is_done);
            let mut write = client.promotion(&client.record());
            let fresh = fresh("another", client.now());
            for _ in 0..PROMOTIONS {
                client.write(&write, Some(&fresh)).expect("nobody else writes");
                let (followed, record) = next(&write.record);
                let record = Record { generation: record.generation + 1, ..record };
                write = Write { record, token: write.token, ..followed };
            }
            return;
        }
        let mut before = 0;
        while !is_done.load(Ordering::Acquire) {
            let (version, token, serial) = if number == 1 {
                let stored = client.load();
                let record = stored.record.expect("a record");
                let token = Token::from(&stored.token.expect("a token"));
                assert_eq!(token.credential, record.active);
                (record.version, token, stored.serial)
            } else {
                let pulse = client.beat(number, None, &[]);
                (pulse.version.expect("a record"), pulse.token.expect("a token"), pulse.serial)
            };
            // Each version came with a new token and a new generation.
            assert_eq!([token.serial, token.generation, serial], [version.epoch; 3]);
            assert!(serial >= before, "nothing goes back");
            before = serial;
        }
    });
    assert_eq!(harness.client().load().serial, 1 + PROMOTIONS);
}

pub(crate) fn a_promotion_without_its_token_changes_nothing<H: Harness>(harness: &H) {
    let client = harness.client();
    let write = client.promotion(&client.start());
    let refused = client.expect_unchanged(|| client.write(&write, None));
    assert_eq!(refused, Err(Refused::Stale));
}

pub(crate) fn a_promotion_with_an_expired_token_is_counted_and_not_handed_out<H: Harness>(
    harness: &H,
) {
    let client = harness.client();
    let write = client.promotion(&client.start());
    let fresh = fresh("second", client.now());
    harness.advance(HOUR);
    assert_eq!(client.write(&write, Some(&fresh)).expect("a promotion").serial, Some(2));
    let stored = client.load();
    assert_eq!(stored.record, Some(write.record));
    assert_eq!((stored.token, stored.serial), (None, 2));
}

pub(crate) fn a_write_that_keeps_the_token_stores_none<H: Harness>(harness: &H) {
    let client = harness.client();
    let (write, _) = next(&client.start());
    let before = client.load();
    let unasked = fresh("unasked", client.now());
    assert_eq!(client.write(&write, Some(&unasked)).expect("a write").serial, None);
    let after = client.load();
    assert_eq!(after.record, Some(write.record));
    assert_eq!((after.token, after.serial), (before.token, before.serial));
}

pub(crate) fn a_write_leaves_alone_what_lies_beside_the_record<H: Harness>(harness: &H) {
    let (client, other) = (harness.client(), harness.client());
    client.start();
    client.reject(OLD, None);
    client.cool_down(60 * SECOND);
    client.acquire(5);
    let before = client.load();
    client.promote("second");
    let after = client.load();
    assert_eq!((after.rejections, after.cool_down), (before.rejections, before.cool_down));
    assert!(matches!(other.acquire(6), Lease::Held { .. }));
    assert!(client.renew(5));
}

/// A record of each phase, with everything that it may hold.
pub(crate) fn full_records() -> Vec<Record> {
    let record = |phase| Record {
        version: first_record().version,
        generation: u64::MAX,
        active: NEW,
        client: "another".into(),
        scope: Some("read write".into()),
        verify: [(THIRD, "https://resource.example/me?a=b#c".parse().unwrap())].into(),
        phase,
        standby: vec![THIRD, OLD],
        quarantined: vec![
            Quarantined { credential: OLD, was_active: true },
            Quarantined { credential: THIRD, was_active: false },
        ],
        retired: vec![
            Retired { credential: THIRD, compromised: true },
            Retired { credential: OLD, compromised: false },
        ],
        waiting: Some(OLD),
        targets: [
            (TargetId::Own(u32::MAX), TargetState::Pending { not_before: at(7) }),
            (TargetId::Own(0), TargetState::Done),
            (TargetId::Shared(0), TargetState::Claimed { until: at(8), was_tried: true }),
            (TargetId::Shared(1), TargetState::Lost { since: at(4) }),
            (TargetId::Own(1), TargetState::Impossible),
        ]
        .into(),
        history: history(),
        lineage: lineage(),
    };
    phases().into_iter().map(record).collect()
}

fn at(seconds: u64) -> StoreTime {
    StoreTime::from_millis(seconds * 1000)
}

/// Each phase, with everything that it may hold.
fn phases() -> Vec<Phase> {
    let overlap = |overdue, reverting| Overlap {
        previous: OLD,
        rotation: RotationId::of(NEW),
        epoch: u64::MAX,
        at: at(0),
        retire_not_before: at(1),
        safe_to_revoke_at: at(2),
        deadline: at(3),
        overdue,
        reverting,
    };
    let staged = |former, compromised, forsaken| {
        Phase::Staged(Staged {
            next: THIRD,
            former,
            rotation: RotationId::new("a key: \"quoted\", \u{e4}\n"),
            at: at(1),
            deadline: at(2),
            compromised,
            forsaken,
            unwanted: forsaken,
            targets: [
                (TargetId::Own(2), TargetState::Pending { not_before: at(6) }),
                (TargetId::Own(3), TargetState::Done),
                (TargetId::Own(4), TargetState::Impossible),
            ]
            .into(),
            beneath: forsaken.map(|_| Box::new(overlap(true, Some(at(4))))),
        })
    };
    vec![
        Phase::Prepared(Prepared { deadline: at(1), safe_until: at(2) }),
        staged(Former::Unknown, false, None),
        staged(Former::Standby, true, Some(at(3))),
        staged(
            Former::Quarantined(Quarantined { credential: THIRD, was_active: true }),
            false,
            None,
        ),
        staged(Former::Retired(Retired { credential: THIRD, compromised: true }), false, None),
        Phase::Overlap(overlap(false, None)),
        Phase::Overlap(overlap(true, Some(at(4)))),
        Phase::Degraded { since: at(5) },
        Phase::Stable,
    ]
}

fn history() -> Vec<Past> {
    let ends = [
        End::Promoted,
        End::RolledBack,
        End::Rejected,
        End::Unverified,
        End::NoCustody,
        End::RetireBlocked,
        End::Superseded,
    ];
    let past = |end| Past { rotation: RotationId::new("past"), candidate: THIRD, end };
    ends.map(past).into()
}
