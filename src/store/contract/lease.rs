//! Cases about the lease: who holds it, and for how long.

use super::*;
use crate::store::LEASE_TTL;

const MINE: u64 = u64::MAX;
const YOURS: u64 = u64::MAX - 1;

pub(crate) fn one_holds_the_lease_and_others_are_told_until_when<H: Harness>(harness: &H) {
    let (one, other) = (harness.client(), harness.client());
    let end = one.now() + LEASE_TTL;
    let acquired = one.acquire(MINE);
    assert!(matches!(acquired, Lease::Acquired { until } if H::is_near(until, end)));
    for client in [&other, &one] {
        let held = client.acquire(YOURS);
        assert!(matches!(held, Lease::Held { until } if H::is_near(until, end)));
    }
    assert!(one.renew(MINE), "the others' attempts took nothing");
}

pub(crate) fn who_holds_the_lease_acquires_it_again<H: Harness>(harness: &H) {
    let client = harness.client();
    client.acquire(MINE);
    harness.advance(SECOND);
    let end = client.now() + LEASE_TTL;
    let again = client.acquire(MINE);
    assert!(matches!(again, Lease::Acquired { until } if H::is_near(until, end)));
    harness.almost(LEASE_TTL);
    assert!(matches!(client.acquire(YOURS), Lease::Held { .. }));
    harness.rest();
    assert!(matches!(client.acquire(YOURS), Lease::Acquired { .. }));
}

pub(crate) fn a_lease_that_nobody_renews_ends<H: Harness>(harness: &H) {
    let (one, other) = (harness.client(), harness.client());
    one.acquire(MINE);
    harness.almost(LEASE_TTL);
    assert!(matches!(other.acquire(YOURS), Lease::Held { .. }), "asking does not prolong it");
    harness.rest();
    assert!(matches!(other.acquire(YOURS), Lease::Acquired { .. }));
    assert!(matches!(one.acquire(MINE), Lease::Held { .. }));
}

pub(crate) fn a_renewed_lease_ends_later<H: Harness>(harness: &H) {
    let (one, other) = (harness.client(), harness.client());
    one.acquire(MINE);
    harness.almost(LEASE_TTL);
    assert!(one.renew(MINE));
    harness.almost(LEASE_TTL);
    assert!(matches!(other.acquire(YOURS), Lease::Held { .. }));
    harness.rest();
    assert!(matches!(other.acquire(YOURS), Lease::Acquired { .. }));
}

pub(crate) fn a_stranger_renews_nothing<H: Harness>(harness: &H) {
    let (one, other) = (harness.client(), harness.client());
    assert!(!other.renew(YOURS), "there is none");
    one.acquire(MINE);
    harness.almost(LEASE_TTL);
    assert!(!other.renew(YOURS));
    assert!(!one.renew(YOURS), "the nonce counts, not the client");
    harness.rest();
    assert!(matches!(other.acquire(YOURS), Lease::Acquired { .. }), "it was not prolonged");
}

pub(crate) fn a_lease_that_has_ended_cannot_be_renewed<H: Harness>(harness: &H) {
    let client = harness.client();
    client.acquire(MINE);
    harness.advance(LEASE_TTL);
    assert!(!client.renew(MINE), "although nobody took it");
    assert!(!client.release(MINE));
    assert!(matches!(client.acquire(YOURS), Lease::Acquired { .. }));
}

pub(crate) fn who_lost_the_lease_neither_renews_nor_releases_it<H: Harness>(harness: &H) {
    let (one, other) = (harness.client(), harness.client());
    one.acquire(MINE);
    harness.advance(LEASE_TTL);
    other.acquire(YOURS);
    assert!(!one.renew(MINE));
    assert!(!one.release(MINE));
    assert!(matches!(one.acquire(MINE), Lease::Held { .. }));
    assert!(other.renew(YOURS));
}

pub(crate) fn a_released_lease_is_free_at_once<H: Harness>(harness: &H) {
    let (one, other) = (harness.client(), harness.client());
    assert!(!one.release(MINE), "there is none");
    one.acquire(MINE);
    assert!(!other.release(YOURS));
    assert!(matches!(other.acquire(YOURS), Lease::Held { .. }));
    assert!(one.release(MINE));
    assert!(!one.release(MINE));
    assert!(matches!(other.acquire(YOURS), Lease::Acquired { .. }));
}

pub(crate) fn of_many_at_once_one_acquires_the_lease<H: Harness>(harness: &H) {
    for round in 0..20 {
        let nonce = |number| 100 * round + number;
        let answers = at_once(harness, 4, |number, client| client.acquire(nonce(number)));
        let holders = (0..).zip(answers);
        let mut holders = holders.filter(|(_, answer)| matches!(answer, Lease::Acquired { .. }));
        let (holder, _) = holders.next().expect("one holds it");
        assert_eq!(holders.next(), None);
        assert!(harness.client().release(nonce(holder)));
    }
}
