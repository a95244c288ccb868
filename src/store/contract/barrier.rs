//! Cases about the barriers that a write may have: what the live members must have and know.

use super::*;
use crate::rotation::{Barrier, Missing, Retired};

/// Sets up a fleet in which [`NEW`] was promoted over [`OLD`]. Members 1 and 2 know and hold it,
/// and the table is old enough.
fn ready<H: Harness>(client: &Client<'_, H>) -> Barrier {
    client.start();
    let version = client.promote("second").version;
    client.pass(MemberTable::TTL);
    client.beat(1, Some(version), &[OLD, NEW]);
    client.beat(2, Some(version), &[NEW]);
    let writer = Some(MemberId(1));
    Barrier { epoch: version.epoch, credential: NEW, is_sealed: false, writer }
}

/// The write that retires [`OLD`], if the barrier holds.
fn retirement(before: &Record, barrier: Barrier) -> Write {
    let (mut write, _) = next(before);
    write.record.retired.push(Retired { credential: OLD, compromised: false });
    Write { barrier: Some(barrier), ..write }
}

fn expect_passed<H: Harness>(client: &Client<'_, H>, barrier: Barrier) {
    let write = retirement(&client.record(), barrier);
    client.write(&write, None).expect("nothing is missing");
    assert_eq!(client.record(), write.record);
}

fn expect_refused<H: Harness>(client: &Client<'_, H>, barrier: Barrier, missing: Missing) {
    let write = retirement(&client.record(), barrier);
    let refused = client.expect_unchanged(|| client.write(&write, None));
    assert_eq!(refused, Err(Refused::Barrier(missing)));
}

pub(crate) fn a_barrier_lets_a_write_through_when_everybody_is_ready<H: Harness>(harness: &H) {
    let client = harness.client();
    let barrier = ready(&client);
    // A later epoch is just as good.
    let version = client.touch().version;
    client.beat(2, Some(version), &[NEW]);
    expect_passed(&client, barrier);
}

pub(crate) fn a_barrier_needs_a_table_that_is_old_enough<H: Harness>(harness: &H) {
    let client = harness.client();
    client.start();
    let version = client.promote("second").version;
    let barrier = Barrier {
        epoch: version.epoch,
        credential: NEW,
        is_sealed: false,
        writer: Some(MemberId(1)),
    };
    client.beat(1, Some(version), &[NEW]);
    harness.almost(MemberTable::TTL);
    client.beat(1, Some(version), &[NEW]);
    let young = Missing { table: true, ..Missing::default() };
    expect_refused(&client, barrier, young.clone());
    expect_refused(&client, Barrier { writer: None, ..barrier }, young);
    harness.rest();
    expect_passed(&client, barrier);
}

pub(crate) fn a_barrier_needs_a_table_at_all<H: Harness>(harness: &H) {
    let client = harness.client();
    harness.advance(MemberTable::TTL);
    let barrier = Barrier { epoch: 0, credential: OLD, is_sealed: true, writer: None };
    let write = Write { barrier: Some(barrier), ..followed_by(None, first_record()) };
    let young = Missing { table: true, ..Missing::default() };
    assert_eq!(client.write(&write, None), Err(Refused::Barrier(young)));
    record::nothing_is_stored_at_first(harness);
}

pub(crate) fn a_barrier_needs_the_acknowledgement_of_everybody<H: Harness>(harness: &H) {
    let client = harness.client();
    let barrier = ready(&client);
    client.beat(3, Some(first_record().version), &[NEW]);
    let missing = Missing { acks: 1, ..Missing::default() };
    expect_refused(&client, barrier, missing);
    let stored = client.record().version;
    let lost = Version { nonce: stored.nonce + 1, ..stored };
    client.beat(3, Some(lost), &[NEW]);
    let missing = Missing { acks: 1, ..Missing::default() };
    expect_refused(&client, barrier, missing);
    client.beat(3, Some(stored), &[NEW]);
    expect_passed(&client, barrier);
}

pub(crate) fn a_barrier_needs_everybody_to_hold_the_credential<H: Harness>(harness: &H) {
    let client = harness.client();
    let barrier = ready(&client);
    let version = client.record().version;
    client.beat(2, Some(version), &[OLD]);
    client.beat(3, None, &[]);
    let missing = Missing { acks: 1, holders: 2, ..Missing::default() };
    expect_refused(&client, barrier, missing);
    client.beat(3, Some(version), &[NEW]);
    client.beat(2, Some(version), &[OLD, NEW]);
    expect_passed(&client, barrier);
}

pub(crate) fn a_sealed_credential_needs_acknowledgements_only<H: Harness>(harness: &H) {
    let client = harness.client();
    let barrier = Barrier { is_sealed: true, ..ready(&client) };
    client.beat(2, None, &[]);
    client.beat(3, None, &[]);
    let missing = Missing { acks: 1, ..Missing::default() };
    expect_refused(&client, barrier, missing);
    client.beat(3, Some(client.record().version), &[]);
    expect_passed(&client, barrier);
}

pub(crate) fn a_barrier_needs_a_writer_that_is_listed<H: Harness>(harness: &H) {
    let client = harness.client();
    let barrier = Barrier { writer: Some(MemberId(3)), ..ready(&client) };
    let missing = Missing { table: true, ..Missing::default() };
    expect_refused(&client, barrier, missing.clone());
    client.beat(3, Some(client.record().version), &[NEW]);
    harness.almost(MemberTable::TTL);
    client.beat(1, Some(client.record().version), &[NEW]);
    harness.rest();
    expect_refused(&client, barrier, missing);
    client.beat(3, Some(client.record().version), &[NEW]);
    expect_passed(&client, barrier);
}

pub(crate) fn an_administrator_is_no_member_and_waits_for_all_of_them<H: Harness>(harness: &H) {
    let client = harness.client();
    let barrier = Barrier { writer: None, ..ready(&client) };
    client.beat(3, None, &[NEW]);
    let missing = Missing { acks: 1, ..Missing::default() };
    expect_refused(&client, barrier, missing);
    client.leave(3);
    expect_passed(&client, barrier);
}

pub(crate) fn the_dead_and_those_who_left_hold_nothing_up<H: Harness>(harness: &H) {
    let client = harness.client();
    let barrier = ready(&client);
    client.beat(3, None, &[]);
    client.beat(4, None, &[]);
    client.leave(3);
    harness.almost(MemberTable::TTL);
    client.beat(1, None, &[NEW]);
    let missing = Missing { acks: 1, holders: 1, ..Missing::default() };
    expect_refused(&client, barrier, missing);
    harness.rest();
    // Nobody beats in between: the write itself checks the time.
    expect_passed(&client, barrier);
}

pub(crate) fn a_stale_write_is_stale_whatever_its_barrier<H: Harness>(harness: &H) {
    let client = harness.client();
    let barrier = ready(&client);
    let write = retirement(&client.record(), barrier);
    client.touch();
    for writer in [Some(MemberId(1)), Some(MemberId(9))] {
        let barrier = Some(Barrier { writer, ..barrier });
        let write = Write { barrier, ..write.clone() };
        let refused = client.expect_unchanged(|| client.write(&write, None));
        assert_eq!(refused, Err(Refused::Stale));
    }
}

pub(crate) fn a_write_that_a_barrier_refused_changes_nothing<H: Harness>(harness: &H) {
    let client = harness.client();
    let barrier = Barrier { writer: Some(MemberId(9)), ..ready(&client) };
    let write = Write { barrier: Some(barrier), ..client.promotion(&client.record()) };
    let fresh = fresh("third", client.now());
    let refused = client.expect_unchanged(|| client.write(&write, Some(&fresh)));
    assert_eq!(refused, Err(Refused::Barrier(Missing { table: true, ..Missing::default() })));
    let write = Write { barrier: None, ..write };
    assert_eq!(client.write(&write, Some(&fresh)).expect("no barrier").serial, Some(3));
}
