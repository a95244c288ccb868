//! Cases about hints: which writes are announced, and to whom.

use super::*;
use crate::rotation::Barrier;
use crate::store::{Hint, Hints as _};

type HintsOf<H> = <<H as Harness>::Store as Store>::Hints;

fn next_hint<H: Harness>(harness: &H, hints: &mut HintsOf<H>) -> u64 {
    next_of(harness, hints).epoch
}

fn next_of<H: Harness>(harness: &H, hints: &mut HintsOf<H>) -> Hint {
    harness.run(hints.next()).expect("a subscription that lasts")
}

/// Nothing but this write was announced.
///
/// A wrong announcement would come before it.
fn expect_only_the_next_write<H: Harness>(client: &Client<'_, H>, hints: &mut HintsOf<H>) {
    let epoch = client.touch().version.epoch;
    assert_eq!(next_hint(client.harness, hints), epoch);
}

pub(crate) fn every_subscriber_is_told_of_every_accepted_write<H: Harness>(harness: &H) {
    let (one, other) = (harness.client(), harness.client());
    let mut subscribers = [one.subscribe(), other.subscribe(), other.subscribe()];
    one.start();
    one.touch();
    other.promote("second");
    for hints in &mut subscribers {
        let epochs = [(); 3].map(|()| next_hint(harness, hints));
        assert_eq!(epochs, [1, 2, 3], "one for each, in the order of the writes");
    }
    other.touch();
    for hints in &mut subscribers {
        assert_eq!(next_hint(harness, hints), 4);
    }
}

pub(crate) fn a_refused_write_is_not_announced<H: Harness>(harness: &H) {
    let client = harness.client();
    let mut hints = client.subscribe();
    let early = client.promotion(&first_record());
    client.write(&early, Some(&fresh("early", client.now()))).expect_err("nothing to follow");
    let record = client.start();
    assert_eq!(next_hint(harness, &mut hints), 1);
    client.touch();
    assert_eq!(next_hint(harness, &mut hints), 2);

    let mut late = client.promotion(&record);
    late.record.version.epoch = 100;
    client.write(&late, Some(&fresh("late", client.now()))).expect_err("stale");
    let mut half = client.promotion(&client.record());
    half.record.version.epoch = 101;
    client.write(&half, None).expect_err("without its token");
    if client.load().census.is_some() {
        let (mut blocked, _) = next(&client.record());
        blocked.record.version.epoch = 102;
        let writer = Some(MemberId(1));
        blocked.barrier = Some(Barrier { epoch: 1, credential: OLD, is_sealed: false, writer });
        client.write(&blocked, None).expect_err("nobody is listed");
    }
    expect_only_the_next_write(&client, &mut hints);
}

pub(crate) fn nothing_but_changes_is_announced<H: Harness>(harness: &H) {
    let client = harness.client();
    let record = client.start();
    client.put_token(&client.refresh("second")).expect("a refresh");
    let mut hints = client.subscribe();
    client.invalidate("first");
    client.drop_tokens(NEW);
    client.acquire(1);
    client.renew(1);
    client.release(1);
    client.beat(1, Some(record.version), &[OLD]);
    client.leave(1);
    client.reject(OLD, None);
    client.accept(OLD);
    client.cool_down(SECOND);
    client.load();
    expect_only_the_next_write(&client, &mut hints);
}

pub(crate) fn a_token_is_announced_with_what_is_stored_then<H: Harness>(harness: &H) {
    let client = harness.client();
    client.start();
    client.touch();
    let mut hints = client.subscribe();
    let refresh = client.refresh("second");
    client.put_token(&refresh).expect("a refresh");
    client.put_token(&refresh).expect_err("a stale one");
    client.promote("third");
    client.invalidate("third");
    client.invalidate("third");
    client.put_token(&client.refresh("fourth")).expect("a refresh");
    client.drop_tokens(NEW);
    let mut expect = |epoch, serial, has_token| {
        assert_eq!(next_of(harness, &mut hints), Hint { epoch, serial, has_token });
    };
    expect(2, 2, true);
    expect(3, 3, true);
    expect(3, 3, false);
    expect(3, 4, true);
    expect(3, 4, false);
}

pub(crate) fn what_was_written_before_is_not_announced<H: Harness>(harness: &H) {
    let client = harness.client();
    let mut early = client.subscribe();
    client.start();
    client.touch();
    let mut late = client.subscribe();
    expect_only_the_next_write(&client, &mut late);
    assert_eq!([(); 3].map(|()| next_hint(harness, &mut early)), [1, 2, 3]);
}

pub(crate) fn what_is_announced_can_be_read<H: Harness>(harness: &H) {
    let (writer, reader) = (harness.client(), harness.client());
    let mut hints = reader.subscribe();
    let record = writer.start();
    assert_eq!(next_hint(harness, &mut hints), record.version.epoch);
    assert_eq!(reader.record(), record);
    let record = writer.promote("second");
    assert_eq!(next_hint(harness, &mut hints), record.version.epoch);
    assert_eq!(reader.record(), record);
    assert_eq!(reader.token().as_deref(), Some("second"));
}

pub(crate) fn who_lags_is_told_of_the_latest_write<H: Harness>(harness: &H) {
    let client = harness.client();
    let mut hints = client.subscribe();
    let mut latest = client.start().version.epoch;
    for _ in 0..200 {
        latest = client.touch().version.epoch;
    }
    let mut told = 0;
    while told < latest {
        let epoch = next_hint(harness, &mut hints);
        assert!(epoch > told, "in the order of the writes");
        told = epoch;
    }
    expect_only_the_next_write(&client, &mut hints);
}
