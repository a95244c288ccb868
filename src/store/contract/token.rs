//! Cases about the token: what is compared, and when it is gone.

use super::*;
use crate::rotation::Retired;
use crate::secret::Secret;
use crate::token::TokenId;

pub(crate) fn a_token_comes_back_with_the_next_serial<H: Harness>(harness: &H) {
    let (writer, reader) = (harness.client(), harness.client());
    writer.start();
    harness.advance(SECOND);
    for serial in [2, 3] {
        let text = format!("token {serial}");
        let write = writer.refresh(&text);
        assert_eq!(writer.put_token(&write), Ok(serial));
        let stored = reader.load();
        assert_eq!(stored.serial, serial);
        let token = stored.token.expect("the token");
        assert_eq!(token.text.expose(), text);
        assert_eq!((token.credential, token.generation, token.serial), (OLD, 1, serial));
        assert_eq!(token.id, write.id);
        assert!(H::is_near(token.issued_at, write.issued_at));
        assert!(H::is_near(token.expires_at, write.expires_at));
    }
    // A token of a fallback is just as good.
    let write = TokenWrite { credential: NEW, ..writer.refresh("fallback") };
    assert_eq!(writer.put_token(&write), Ok(4));
    assert_eq!(reader.load().token.expect("the token").credential, NEW);
    writer.promote("promoted");
    assert_eq!(writer.put_token(&writer.refresh("refreshed")), Ok(6));
    assert_eq!(reader.load().token.expect("the token").generation, 2);
}

pub(crate) fn a_token_without_a_record_is_refused<H: Harness>(harness: &H) {
    let client = harness.client();
    let now = client.now();
    for generation in [0, 1] {
        let write = TokenWrite {
            id: TokenId(generation),
            text: Secret::new("token"),
            credential: OLD,
            generation,
            issued_at: now,
            expires_at: now + HOUR,
            read: 0,
        };
        assert_eq!(client.put_token(&write), Err(Refused::Stale));
    }
    record::nothing_is_stored_at_first(harness);
}

pub(crate) fn a_token_of_another_generation_is_refused<H: Harness>(harness: &H) {
    let client = harness.client();
    client.start();
    client.promote("second");
    for generation in [0, 1, 3] {
        let write = TokenWrite { generation, ..client.refresh("other") };
        let refused = client.expect_unchanged(|| client.put_token(&write));
        assert_eq!(refused, Err(Refused::Stale), "{generation}");
    }
}

pub(crate) fn a_token_whose_fetcher_read_another_serial_is_refused<H: Harness>(harness: &H) {
    let client = harness.client();
    client.start();
    client.put_token(&client.refresh("second")).expect("a refresh");
    for read in [0, 1, 3] {
        let write = TokenWrite { read, ..client.refresh("other") };
        let refused = client.expect_unchanged(|| client.put_token(&write));
        assert_eq!(refused, Err(Refused::Stale), "{read}");
    }
    // Not even if there is no token: the count is compared.
    client.invalidate("second");
    for read in [0, 1, 3] {
        let write = TokenWrite { read, ..client.refresh("other") };
        let refused = client.expect_unchanged(|| client.put_token(&write));
        assert_eq!(refused, Err(Refused::Stale), "{read}");
    }
}

pub(crate) fn a_token_of_a_retired_credential_is_refused<H: Harness>(harness: &H) {
    let client = harness.client();
    client.start();
    for compromised in [false, true] {
        let (mut write, _) = next(&client.record());
        write.record.retired = vec![Retired { credential: THIRD, compromised }];
        client.write(&write, None).expect("a retirement");
        let write = TokenWrite { credential: THIRD, ..client.refresh("retired") };
        let refused = client.expect_unchanged(|| client.put_token(&write));
        assert_eq!(refused, Err(Refused::Stale));
    }
    assert_eq!(client.put_token(&client.refresh("active")), Ok(2));
}

pub(crate) fn a_token_that_was_fetched_before_a_promotion_is_refused<H: Harness>(harness: &H) {
    let (slow, quick) = (harness.client(), harness.client());
    slow.start();
    let write = slow.refresh("dying");
    quick.promote("second");
    assert_eq!(slow.expect_unchanged(|| slow.put_token(&write)), Err(Refused::Stale));
    // The serial alone would not be enough: somebody may read it again before the token is stored.
    let write = TokenWrite { read: slow.load().serial, ..write };
    assert_eq!(slow.expect_unchanged(|| slow.put_token(&write)), Err(Refused::Stale));
}

pub(crate) fn a_token_leaves_the_record_alone<H: Harness>(harness: &H) {
    let client = harness.client();
    let record = client.start();
    client.put_token(&client.refresh("second")).expect("a refresh");
    assert_eq!(client.record(), record);
    assert!(client.invalidate("second"));
    assert_eq!(client.record(), record);
    client.put_token(&client.refresh("third")).expect("a refresh");
    assert!(client.drop_tokens(OLD));
    assert_eq!(client.record(), record);
}

pub(crate) fn many_refreshers_at_once_store_one_token<H: Harness>(harness: &H) {
    let client = harness.client();
    client.start();
    for round in 1..=20 {
        let write = client.refresh("of many");
        let stored = at_once(harness, 4, |number, client| {
            let text = Secret::new(format!("token {round} of {number}"));
            client.put_token(&TokenWrite { text, ..write.clone() })
        });
        let winners: Vec<usize> = (0..4).filter(|number| stored[*number].is_ok()).collect();
        assert_eq!(winners.len(), 1);
        assert_eq!(stored[winners[0]], Ok(round + 1));
        assert_eq!(client.token(), Some(format!("token {round} of {}", winners[0])));
    }
}

pub(crate) fn serials_never_go_back<H: Harness>(harness: &H) {
    let client = harness.client();
    client.start();
    let mut latest = 1;
    for round in 0..4 {
        assert_eq!(client.put_token(&client.refresh("refreshed")), Ok(latest + 1));
        match round {
            0 => assert!(client.invalidate("refreshed")),
            1 => assert!(client.drop_tokens(client.record().active)),
            2 => harness.advance(HOUR),
            _ => {}
        }
        assert_eq!(client.load().serial, latest + 1);
        client.promote("promoted");
        latest += 2;
        assert_eq!(client.load().serial, latest);
        assert_eq!(client.load().token.expect("a token").serial, latest);
    }
}

pub(crate) fn a_token_is_handed_out_until_it_expires<H: Harness>(harness: &H) {
    let (writer, reader) = (harness.client(), harness.client());
    writer.start();
    let write = writer.refresh("second");
    writer.put_token(&write).expect("a refresh");
    harness.almost(HOUR);
    assert_eq!(reader.token().as_deref(), Some("second"));
    harness.rest();
    let stored = reader.load();
    assert_eq!((stored.token, stored.serial), (None, 2));
    assert!(!writer.invalidate("second"), "it is gone already");
    assert!(!writer.drop_tokens(OLD));
}

pub(crate) fn a_token_that_has_expired_on_arrival_is_counted_and_not_handed_out<H: Harness>(
    harness: &H,
) {
    let client = harness.client();
    client.start();
    let write = client.refresh("second");
    harness.advance(HOUR);
    assert_eq!(client.put_token(&write), Ok(2));
    let stored = client.load();
    assert_eq!((stored.token, stored.serial), (None, 2));
}

pub(crate) fn a_refresh_is_not_lost_when_the_old_token_expires_meanwhile<H: Harness>(harness: &H) {
    let client = harness.client();
    client.start();
    harness.almost(HOUR);
    let write = client.refresh("second");
    harness.rest();
    assert_eq!(client.token(), None);
    assert_eq!(client.put_token(&write), Ok(2));
    assert_eq!(client.token().as_deref(), Some("second"));
}

pub(crate) fn invalidating_deletes_that_token_once<H: Harness>(harness: &H) {
    let (one, other) = (harness.client(), harness.client());
    assert!(!one.invalidate("first"), "there is none");
    one.start();
    assert!(other.invalidate("first"));
    let stored = one.load();
    assert_eq!((stored.token, stored.serial), (None, 1));
    assert!(!one.expect_unchanged(|| one.invalidate("first")));
}

pub(crate) fn a_late_invalidation_changes_nothing<H: Harness>(harness: &H) {
    let client = harness.client();
    client.start();
    client.put_token(&client.refresh("second")).expect("a refresh");
    for text in ["first", "third"] {
        assert!(!client.expect_unchanged(|| client.invalidate(text)), "{text}");
    }
    client.promote("third");
    assert!(!client.expect_unchanged(|| client.invalidate("second")));
}

pub(crate) fn a_refresh_is_not_lost_when_the_old_token_is_invalidated_meanwhile<H: Harness>(
    harness: &H,
) {
    let (one, other) = (harness.client(), harness.client());
    one.start();
    let write = one.refresh("second");
    assert!(other.invalidate("first"));
    assert_eq!(one.put_token(&write), Ok(2));
    let write = one.refresh("third");
    assert!(other.drop_tokens(OLD));
    assert_eq!(one.put_token(&write), Ok(3));
    assert_eq!(other.token().as_deref(), Some("third"));
}

pub(crate) fn dropping_deletes_only_the_token_of_that_credential<H: Harness>(harness: &H) {
    let client = harness.client();
    assert!(!client.drop_tokens(OLD), "there is none");
    client.start();
    assert!(!client.expect_unchanged(|| client.drop_tokens(NEW)));
    assert!(client.drop_tokens(OLD));
    let stored = client.load();
    assert_eq!((stored.token, stored.serial), (None, 1));
    assert!(!client.drop_tokens(OLD));
    client.promote("second");
    assert!(!client.drop_tokens(OLD), "made with the new one");
    assert!(client.drop_tokens(NEW));
}

pub(crate) fn nothing_that_is_printed_shows_a_token<H: Harness>(harness: &H) {
    const TEXT: &str = "hunter2-hunter2";
    let client = harness.client();
    let record = client.start();
    let refresh = client.refresh(TEXT);
    let put = client.put_token(&refresh);
    let stored = client.load();
    assert_eq!(stored.token.as_ref().map(|token| token.text.expose()), Some(TEXT));
    let promotion = client.promotion(&record);
    let fresh = fresh(TEXT, client.now());
    let written = client.write(&promotion, Some(&fresh));
    let beat = client.beat(1, None, &[OLD]);
    let printed = [
        format!("{refresh:?} {put:?} {stored:#?} {promotion:?} {fresh:?} {written:?} {beat:?}"),
        format!("{:?} {:#?}", client.store, client.store),
    ];
    assert!(!printed.concat().contains("hunter2"));
}
