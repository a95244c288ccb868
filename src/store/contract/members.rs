//! Cases about the member table.

use super::*;
use crate::rotation::{Census, MemberRow, TargetId};
use crate::store::Beat;

/// The members as another client sees them.
fn members<H: Harness>(client: &Client<'_, H>) -> MemberTable {
    client.harness.client().members()
}

/// The same, counted.
fn census<H: Harness>(client: &Client<'_, H>) -> Census {
    client.harness.client().load().census.expect("a fleet")
}

fn listed<H: Harness>(client: &Client<'_, H>) -> Vec<u64> {
    members(client).rows.keys().map(|member| member.0).collect()
}

fn acked<H: Harness>(client: &Client<'_, H>, member: u64) -> u64 {
    members(client).rows[&MemberId(member)].acked
}

pub(crate) fn a_table_begins_with_the_first_beat<H: Harness>(harness: &H) {
    let client = harness.client();
    client.load();
    harness.advance(MemberTable::TTL);
    assert!(!census(&client).is_complete(client.now()), "it does not exist yet");
    let began = client.now();
    client.beat(1, None, &[]);
    harness.advance(SECOND);
    client.beat(2, None, &[]);
    client.start();
    client.leave(1);
    client.leave(2);
    client.pass(3 * MemberTable::TTL);
    client.beat(1, None, &[]);
    assert!(H::is_near(members(&client).since, began), "it is as old as it is, also when empty");
}

pub(crate) fn a_table_that_nobody_has_used_for_long_begins_anew<H: Harness>(harness: &H) {
    let client = harness.client();
    let version = client.start().version;
    client.beat(1, Some(version), &[OLD]);
    client.pass(2 * MemberTable::TTL);
    client.beat(1, Some(version), &[OLD]);
    assert!(census(&client).is_complete(client.now()));
    // Everybody was away, or the store's clock was set ahead.
    harness.advance(MemberTable::TTL);
    client.beat(2, Some(version), &[OLD]);
    assert!(!census(&client).is_complete(client.now()), "the others may come back, too");
    assert_eq!(listed(&client), [2]);
}

pub(crate) fn whatever_is_asked_keeps_a_table_in_use<H: Harness>(harness: &H) {
    let client = harness.client();
    client.start();
    let began = census(&client).since;
    for _ in 0..2 {
        for step in 0..4 {
            harness.advance(MemberTable::TTL / 2);
            match step {
                0 => drop(client.acquire(1)),
                1 => drop(client.renew(1)),
                2 => client.accept(OLD),
                _ => drop(client.put_token(&client.refresh("another"))),
            }
        }
    }
    assert!(H::is_near(census(&client).since, began));
}

pub(crate) fn a_table_begins_with_the_first_record<H: Harness>(harness: &H) {
    let client = harness.client();
    harness.advance(SECOND);
    let began = client.now();
    client.start();
    harness.advance(SECOND);
    client.beat(1, None, &[]);
    client.touch();
    let table = members(&client);
    assert!(H::is_near(table.since, began));
    assert_eq!(listed(&client), [1]);
}

pub(crate) fn a_refused_write_begins_no_table<H: Harness>(harness: &H) {
    let client = harness.client();
    let write = client.promotion(&first_record());
    client.write(&write, Some(&fresh("token", client.now()))).expect_err("nothing to follow");
    client.leave(1);
    harness.advance(MemberTable::TTL);
    assert!(!census(&client).is_complete(client.now()));
    let began = client.now();
    client.beat(1, None, &[]);
    assert!(H::is_near(members(&client).since, began));
}

pub(crate) fn a_beat_lists_a_member_with_what_it_holds_now<H: Harness>(harness: &H) {
    let (one, other) = (harness.client(), harness.client());
    one.beat(u64::MAX, None, &[OLD, NEW]);
    other.beat(2, None, &[]);
    let row = |holds: &[CredentialId]| MemberRow {
        holds: holds.iter().copied().collect(),
        ..MemberRow::default()
    };
    let expected = [(MemberId(u64::MAX), row(&[OLD, NEW])), (MemberId(2), row(&[]))];
    assert_eq!(members(&one).rows, expected.into());
    one.beat(u64::MAX, None, &[NEW, THIRD]);
    let expected = [(MemberId(u64::MAX), row(&[NEW, THIRD])), (MemberId(2), row(&[]))];
    assert_eq!(members(&one).rows, expected.into());
}

pub(crate) fn a_beat_lists_what_a_member_writes_back_with<H: Harness>(harness: &H) {
    let client = harness.client();
    let persists: BTreeSet<_> = [TargetId::Shared(0), TargetId::Shared(u32::MAX)].into();
    for persists in [persists, BTreeSet::new()] {
        let member = MemberId(1);
        client.say(Beat { member, read: None, holds: BTreeSet::new(), persists: persists.clone() });
        assert_eq!(members(&client).rows[&member].persists, persists);
    }
}

pub(crate) fn a_census_counts_the_live_members<H: Harness>(harness: &H) {
    let client = harness.client();
    let empty = census(&client);
    assert_eq!((empty.live(), empty.own, empty.holders.len()), (0, None, 0));
    let version = client.start().version;
    let (first, last) = (TargetId::Shared(0), TargetId::Shared(u32::MAX));
    let say = |member, read, holds: &[CredentialId], persists: &[TargetId]| {
        let (holds, persists) =
            (holds.iter().copied().collect(), persists.iter().copied().collect());
        client.say(Beat { member: MemberId(member), read, holds, persists })
    };
    say(4, Some(version), &[THIRD], &[first]);
    client.leave(4);
    say(5, Some(version), &[THIRD], &[first]);
    harness.almost(MemberTable::TTL);
    say(1, Some(version), &[OLD, NEW], &[first, last]);
    harness.rest();
    say(2, Some(version), &[NEW], &[last]);
    let pulse = say(u64::MAX, None, &[], &[]);

    let expected = client.members().census(Some(MemberId(u64::MAX)));
    assert_eq!(pulse.census, Some(expected.clone()), "for who beats");
    assert_eq!(expected.acks, [(0, 1), (version.epoch, 2)].into());
    assert_eq!(expected.holders, [(OLD, 1), (NEW, 2)].into());
    assert_eq!(expected.persisters, [(first, 1), (last, 2)].into());
    assert_eq!(expected.own, Some(MemberRow::default()));

    // What is counted follows what members say.
    say(1, Some(client.touch().version), &[NEW], &[]);
    let expected = client.members().census(Some(MemberId(1)));
    assert_eq!(client.load_as(Some(MemberId(1))).census, Some(expected.clone()), "for who loads");
    assert_eq!(
        (&expected.holders, &expected.persisters),
        (&[(NEW, 2)].into(), &[(last, 1)].into())
    );
    assert_eq!(expected.acks.values().copied().collect::<Vec<_>>(), [1, 1, 1]);
    for nobody in [None, Some(MemberId(4)), Some(MemberId(5))] {
        let census = client.load_as(nobody).census;
        assert_eq!(census, Some(Census { own: None, ..expected.clone() }), "{nobody:?}");
    }
}

pub(crate) fn a_beat_answers_what_is_stored<H: Harness>(harness: &H) {
    let client = harness.client();
    let before = client.now();
    let pulse = client.beat(1, None, &[]);
    assert_eq!((pulse.version, pulse.token, pulse.serial), (None, None, 0));
    assert!(before <= pulse.now && pulse.now <= client.now());

    client.start();
    let record = client.promote("second");
    let stored = client.load();
    let pulse = client.beat(1, None, &[]);
    assert_eq!((pulse.version, pulse.serial), (Some(record.version), 2));
    let token = pulse.token.expect("the token");
    assert_eq!((token.credential, token.generation, token.serial), (NEW, 2, 2));
    assert!(H::is_near(token.expires_at, stored.now + HOUR));

    client.invalidate("second");
    let pulse = client.beat(1, None, &[]);
    assert_eq!((pulse.token, pulse.serial), (None, 2), "who still has it sees that it is gone");
    client.put_token(&client.refresh("third")).expect("a refresh");
    harness.advance(HOUR);
    let pulse = client.beat(1, None, &[]);
    assert_eq!((pulse.token, pulse.serial), (None, 3));
}

pub(crate) fn only_the_stored_version_is_acknowledged<H: Harness>(harness: &H) {
    let client = harness.client();
    client.beat(1, Some(first_record().version), &[]);
    assert_eq!(acked(&client, 1), 0, "there is no record");
    client.start();
    let version = client.touch().version;
    client.beat(1, None, &[]);
    assert_eq!(acked(&client, 1), 0, "it has read nothing");
    for other in others(version) {
        client.beat(1, Some(other), &[]);
        assert_eq!(acked(&client, 1), 0, "{other:?}");
    }
    client.beat(1, Some(version), &[]);
    client.beat(2, None, &[]);
    assert_eq!((acked(&client, 1), acked(&client, 2)), (version.epoch, 0));
}

pub(crate) fn an_acknowledgement_outlasts_an_older_beat_and_later_writes<H: Harness>(harness: &H) {
    let client = harness.client();
    client.start();
    let read = client.touch().version;
    client.beat(1, Some(read), &[]);
    client.touch();
    assert_eq!(acked(&client, 1), read.epoch, "a write acknowledges nothing for others");
    for older in [None, Some(read), Some(first_record().version)] {
        client.beat(1, older, &[]);
        assert_eq!(acked(&client, 1), read.epoch);
    }
    let read = client.record().version;
    client.beat(1, Some(read), &[]);
    assert_eq!(acked(&client, 1), read.epoch);
}

pub(crate) fn another_incarnation_is_acknowledged_by_nobody_yet<H: Harness>(harness: &H) {
    let client = harness.client();
    client.start();
    let read = client.touch().version;
    client.beat(1, Some(read), &[]);
    let version = Version { incarnation: read.incarnation + 1, epoch: 1, nonce: 5 };
    let record = Record { version, ..client.record() };
    client.write(&followed_by(Some(read), record), None).expect("the record is replaced");
    assert_eq!((acked(&client, 1), listed(&client)), (0, vec![1]));
    client.beat(1, Some(version), &[]);
    assert_eq!(acked(&client, 1), 1);
}

pub(crate) fn a_member_that_is_silent_for_too_long_is_dead<H: Harness>(harness: &H) {
    let client = harness.client();
    client.beat(1, None, &[]);
    harness.almost(MemberTable::TTL);
    assert_eq!(listed(&client), [1]);
    client.load();
    assert_eq!(listed(&client), [1], "only its own beat is a sign of life");
    harness.rest();
    assert!(listed(&client).is_empty());
}

pub(crate) fn each_beat_keeps_only_its_own_member_alive<H: Harness>(harness: &H) {
    let client = harness.client();
    client.beat(1, None, &[]);
    client.beat(2, None, &[]);
    harness.almost(MemberTable::TTL);
    client.beat(2, None, &[]);
    assert_eq!(listed(&client), [1, 2]);
    harness.rest();
    client.beat(3, None, &[]);
    assert_eq!(listed(&client), [2, 3]);
}

pub(crate) fn who_comes_back_from_the_dead_has_acknowledged_nothing<H: Harness>(harness: &H) {
    let client = harness.client();
    let version = client.start().version;
    client.beat(1, Some(version), &[OLD]);
    harness.advance(MemberTable::TTL);
    client.touch();
    client.beat(1, Some(version), &[NEW]);
    let row = MemberRow { holds: BTreeSet::from([NEW]), ..MemberRow::default() };
    assert_eq!(members(&client).rows, [(MemberId(1), row)].into());
}

pub(crate) fn who_leaves_is_off_the_table_at_once<H: Harness>(harness: &H) {
    let client = harness.client();
    client.beat(1, None, &[]);
    client.beat(2, None, &[]);
    client.expect_unchanged(|| client.leave(3));
    client.leave(1);
    assert_eq!(listed(&client), [2]);
    client.beat(1, None, &[]);
    assert_eq!(listed(&client), [1, 2], "and may come back");
}
