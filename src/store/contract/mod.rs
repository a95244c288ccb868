//! The test suite that every store passes.
//!
//! A store's tests implement [`Harness`] and name it in `contract!`. The cases know nothing about
//! how a store works. They use it through two or more clients, and check only what its calls
//! return. Times are compared within [`Harness::SLACK`], so that a store with a clock of its own
//! can pass.

pub(super) mod beside;
pub(super) mod hints;
pub(super) mod lease;
pub(super) mod members;
pub(super) mod record;
pub(super) mod token;

use std::collections::{BTreeMap, BTreeSet};
use std::future::Future;
use std::time::Duration;

use super::{
    Beat, Fresh, Lease, Operation, Pulse, Reply, Store, StoreSnapshot, TokenWrite, Unavailable,
    Written,
};
use crate::clock::StoreTime;
use crate::credential::CredentialId;
use crate::rotation::{
    Lineage, MemberId, MemberTable, Phase, Record, Refused, Rejections, TokenChange, Version, Write,
};
use crate::secret::Secret;
use crate::token::TokenId;

/// Turns each case of the suite into a test of the store that `harness()` returns. The module that
/// uses this macro defines `harness()`, which returns an empty store each time.
///
/// `fleet` has a member table, `process` has none.
macro_rules! contract {
    (fleet) => {
        $crate::store::contract::contract!(process);
        $crate::store::contract::contract!(@cases
            members:
                a_table_begins_with_the_first_beat,
                a_table_begins_with_the_first_record,
                a_table_that_nobody_has_used_for_long_begins_anew,
                a_refused_write_begins_no_table,
                a_beat_lists_a_member_with_what_it_holds_now,
                a_beat_answers_what_is_stored,
                only_the_stored_version_is_acknowledged,
                an_acknowledgement_outlasts_an_older_beat_and_later_writes,
                another_incarnation_is_acknowledged_by_nobody_yet,
                a_member_that_is_silent_for_too_long_is_dead,
                each_beat_keeps_only_its_own_member_alive,
                who_comes_back_from_the_dead_has_acknowledged_nothing,
                who_leaves_is_off_the_table_at_once,
                a_barrier_lets_a_write_through_when_everybody_is_ready,
                a_barrier_needs_a_table_that_is_old_enough,
                a_barrier_needs_a_table_at_all,
                a_barrier_needs_the_acknowledgement_of_everybody,
                a_barrier_needs_everybody_to_hold_the_credential,
                a_sealed_credential_needs_acknowledgements_only,
                a_barrier_needs_a_writer_that_is_listed,
                an_administrator_is_no_member_and_waits_for_all_of_them,
                the_dead_and_those_who_left_hold_nothing_up,
                a_stale_write_is_stale_whatever_its_barrier,
                a_write_that_a_barrier_refused_changes_nothing;
        );
    };
    (process) => {
        $crate::store::contract::contract!(@cases
            record:
                nothing_is_stored_at_first,
                every_part_of_a_record_comes_back,
                a_first_record_is_stored_only_where_there_is_none,
                a_write_with_a_stale_version_changes_nothing,
                a_write_without_a_record_to_follow_changes_nothing,
                the_same_write_is_taken_once,
                of_two_writers_that_read_the_same_version_one_wins,
                many_writers_at_once_take_each_epoch_once,
                a_promotion_stores_the_token_with_the_record,
                a_promotion_is_whole_for_every_reader,
                a_promotion_without_its_token_changes_nothing,
                a_promotion_with_an_expired_token_is_counted_and_not_handed_out,
                a_write_that_keeps_the_token_stores_none,
                a_write_leaves_alone_what_lies_beside_the_record;
            token:
                a_token_comes_back_with_the_next_serial,
                a_token_without_a_record_is_refused,
                a_token_of_another_generation_is_refused,
                a_token_whose_fetcher_read_another_serial_is_refused,
                a_token_of_a_retired_credential_is_refused,
                a_token_that_was_fetched_before_a_promotion_is_refused,
                a_token_leaves_the_record_alone,
                many_refreshers_at_once_store_one_token,
                serials_never_go_back,
                a_token_is_handed_out_until_it_expires,
                a_token_that_has_expired_on_arrival_is_counted_and_not_handed_out,
                a_refresh_is_not_lost_when_the_old_token_expires_meanwhile,
                invalidating_deletes_that_token_once,
                a_late_invalidation_changes_nothing,
                a_refresh_is_not_lost_when_the_old_token_is_invalidated_meanwhile,
                dropping_deletes_only_the_token_of_that_credential,
                nothing_that_is_printed_shows_a_token;
            lease:
                one_holds_the_lease_and_others_are_told_until_when,
                who_holds_the_lease_acquires_it_again,
                a_lease_that_nobody_renews_ends,
                a_renewed_lease_ends_later,
                a_stranger_renews_nothing,
                a_lease_that_has_ended_cannot_be_renewed,
                who_lost_the_lease_neither_renews_nor_releases_it,
                a_released_lease_is_free_at_once,
                of_many_at_once_one_acquires_the_lease;
            beside:
                rejections_are_counted_for_all_clients,
                rejections_of_one_credential_say_nothing_of_another,
                an_acceptance_ends_a_row_of_rejections,
                a_row_of_rejections_that_began_too_early_starts_anew,
                a_beat_is_told_of_rejections,
                rejections_are_forgotten,
                a_cool_down_is_shared_and_ends,
                a_cool_down_is_never_cut_short;
            hints:
                every_subscriber_is_told_of_every_accepted_write,
                a_refused_write_is_not_announced,
                nothing_but_changes_is_announced,
                a_token_is_announced_with_what_is_stored_then,
                what_was_written_before_is_not_announced,
                what_is_announced_can_be_read,
                who_lags_is_told_of_the_latest_write;
        );
    };
    (@cases $($module:ident: $($case:ident),+;)+) => {
        $(mod $module {
            $(#[test]
            fn $case() {
                $crate::store::contract::$module::$case(&super::harness());
            })+
        })+
    };
}
pub(super) use contract;

/// Gives the suite access to a store.
pub(super) trait Harness: Sync {
    type Store: Store + std::fmt::Debug;

    /// The smallest difference of time that this store can tell.
    const SLACK: Duration;

    /// Opens another client of the same store.
    fn open(&self) -> Self::Store;

    /// Moves the store's time forward.
    fn advance(&self, by: Duration);

    /// Runs a call to its end.
    fn run<T>(&self, call: impl Future<Output = T>) -> T;

    fn client(&self) -> Client<'_, Self>
    where
        Self: Sized,
    {
        Client { harness: self, store: self.open() }
    }

    /// Moves the time forward to just before the end of a duration …
    fn almost(&self, whole: Duration) {
        self.advance(whole.saturating_sub(Self::SLACK));
    }

    /// … and to that end.
    fn rest(&self) {
        self.advance(Self::SLACK);
    }

    fn is_near(one: StoreTime, other: StoreTime) -> bool {
        one.since(other).max(other.since(one)) < Self::SLACK
    }
}

/// What a reply of this kind holds.
macro_rules! reply {
    ($reply:expr, $kind:ident) => {
        match $reply {
            Reply::$kind(held) => held,
            other => panic!("it replies {other:?}"),
        }
    };
}

fn stored(reply: Reply) -> Result<Written, Refused> {
    match reply {
        Reply::Written(written) => Ok(written),
        Reply::Refused(refused) => Err(refused),
        other => panic!("it replies {other:?}"),
    }
}

/// A client of a store that can be reached.
pub(super) struct Client<'a, H: Harness> {
    harness: &'a H,
    store: H::Store,
}

impl<H: Harness> Client<'_, H> {
    fn run<T>(&self, call: impl Future<Output = Result<T, Unavailable>>) -> T {
        self.harness.run(call).expect("a store that can be reached")
    }

    fn perform(&self, operation: &Operation) -> Reply {
        self.run(self.store.perform(operation))
    }

    fn load(&self) -> StoreSnapshot {
        *reply!(self.perform(&Operation::Load), Loaded)
    }

    fn now(&self) -> StoreTime {
        self.load().now
    }

    fn record(&self) -> Record {
        self.load().record.expect("a record")
    }

    fn write(&self, write: &Write, fresh: Option<&Fresh>) -> Result<Written, Refused> {
        stored(self.perform(&Operation::Write(Box::new(write.clone()), fresh.cloned())))
    }

    fn put_token(&self, token: &TokenWrite) -> Result<u64, Refused> {
        let written = stored(self.perform(&Operation::PutToken(token.clone())));
        written.map(|written| written.serial.expect("a token has a serial"))
    }

    fn invalidate(&self, text: &str) -> bool {
        reply!(self.perform(&Operation::Invalidate(id_of(text))), Deleted)
    }

    fn drop_tokens(&self, credential: CredentialId) -> bool {
        reply!(self.perform(&Operation::DropTokens(credential)), Deleted)
    }

    fn acquire(&self, nonce: u64) -> Lease {
        reply!(self.perform(&Operation::Acquire(nonce)), Lease)
    }

    fn renew(&self, nonce: u64) -> bool {
        reply!(self.perform(&Operation::Renew(nonce)), WasHeld)
    }

    fn release(&self, nonce: u64) -> bool {
        reply!(self.perform(&Operation::Release(nonce)), WasHeld)
    }

    fn beat(&self, member: u64, read: Option<Version>, holds: &[CredentialId]) -> Pulse {
        let (member, holds) = (MemberId(member), holds.iter().copied().collect());
        reply!(self.perform(&Operation::Beat(Beat { member, read, holds })), Pulse)
    }

    fn leave(&self, member: u64) {
        assert_eq!(self.perform(&Operation::Leave(MemberId(member))), Reply::Done);
    }

    fn reject(&self, credential: CredentialId, since: Option<StoreTime>) -> Rejections {
        reply!(self.perform(&Operation::Reject { credential, since }), Rejections)
    }

    fn accept(&self, credential: CredentialId) {
        assert_eq!(self.perform(&Operation::Accept(credential)), Reply::Done);
    }

    fn cool_down(&self, pause: Duration) -> StoreTime {
        reply!(self.perform(&Operation::CoolDown(pause)), Pause)
    }

    fn subscribe(&self) -> <H::Store as Store>::Hints {
        self.run(self.store.subscribe())
    }

    /// Lets time pass for a store that is in use all the while.
    fn pass(&self, whole: Duration) {
        let mut left = whole;
        while !left.is_zero() {
            let step = left.min(MemberTable::TTL / 4);
            left -= step;
            self.harness.advance(step);
            self.now();
        }
    }

    /// Stores a first record with [`OLD`] active, and a token with serial 1 that lives an hour.
    fn start(&self) -> Record {
        let record = first_record();
        let write = Write { token: self.replace(OLD), ..followed_by(None, record.clone()) };
        let written =
            self.write(&write, Some(&fresh("first", self.now()))).expect("the first write");
        assert_eq!(written.serial, Some(1));
        record
    }

    /// Stores another version of what is stored.
    fn touch(&self) -> Record {
        let (write, record) = next(&self.record());
        self.write(&write, None).expect("a write that follows");
        record
    }

    /// Makes [`NEW`] active, with a token that has this text.
    fn promote(&self, text: &str) -> Record {
        let write = self.promotion(&self.record());
        self.write(&write, Some(&fresh(text, self.now()))).expect("a promotion");
        write.record
    }

    /// The write that makes [`NEW`] active after that record.
    fn promotion(&self, before: &Record) -> Write {
        let (write, record) = next(before);
        let record = Record { generation: before.generation + 1, active: NEW, ..record };
        Write { record, token: self.replace(NEW), ..write }
    }

    fn replace(&self, credential: CredentialId) -> TokenChange {
        TokenChange::Replace { credential, expires_at: self.now() + HOUR }
    }

    /// A refresh that has just read what is stored, with the active credential.
    fn refresh(&self, text: &str) -> TokenWrite {
        let stored = self.load();
        let record = stored.record.expect("a record");
        TokenWrite {
            id: id_of(text),
            text: Secret::new(text),
            credential: record.active,
            generation: record.generation,
            issued_at: stored.now,
            expires_at: stored.now + HOUR,
            read: stored.serial,
        }
    }

    fn token(&self) -> Option<String> {
        self.load().token.map(|token| token.text.expose().to_owned())
    }

    /// Runs an action and checks that every client reads the same before and after it.
    fn expect_unchanged<T>(&self, action: impl FnOnce() -> T) -> T {
        let other = self.harness.client();
        let before = self.load();
        let outcome = action();
        for client in [self, &other] {
            assert_eq!(StoreSnapshot { now: before.now, ..client.load() }, before);
        }
        outcome
    }
}

const HOUR: Duration = Duration::from_hours(1);
const SECOND: Duration = Duration::from_secs(1);

const OLD: CredentialId = CredentialId::from_bytes(*b"old-one-");
const NEW: CredentialId = CredentialId::from_bytes(*b"new-one-");
const THIRD: CredentialId = CredentialId::from_bytes(*b"3rd-one-");

fn first_record() -> Record {
    Record {
        version: Version { incarnation: 77, epoch: Version::FIRST_EPOCH, nonce: 1000 },
        generation: 1,
        active: OLD,
        client: "app".into(),
        phase: Phase::Stable,
        standby: vec![NEW],
        quarantined: Vec::new(),
        retired: Vec::new(),
        waiting: None,
        targets: BTreeMap::new(),
        history: Vec::new(),
        lineage: Lineage::default(),
    }
}

fn followed_by(expect: Option<Version>, record: Record) -> Write {
    Write { expect, record, token: TokenChange::Keep, barrier: None }
}

/// A write that follows a record, and what it stores.
fn next(before: &Record) -> (Write, Record) {
    let Version { incarnation, epoch, nonce } = before.version;
    let version = Version { incarnation, epoch: epoch + 1, nonce: nonce + 1 };
    let record = Record { version, ..before.clone() };
    (followed_by(Some(before.version), record.clone()), record)
}

fn fresh(text: &str, issued_at: StoreTime) -> Fresh {
    Fresh { id: id_of(text), text: Secret::new(text), issued_at }
}

/// The id of the token with that text.
fn id_of(text: &str) -> TokenId {
    let digits = text.bytes().fold(0, |sum: u64, byte| sum.wrapping_mul(31) + u64::from(byte));
    TokenId(digits)
}

/// Versions that differ from the given one in as little as possible.
fn others(version: Version) -> [Version; 6] {
    let Version { incarnation, epoch, nonce } = version;
    [
        Version { incarnation: incarnation + 1, ..version },
        Version { epoch: epoch - 1, ..version },
        Version { epoch: epoch + 1, ..version },
        Version { nonce: nonce + 1, ..version },
        Version { epoch: epoch - 1, nonce: nonce - 1, incarnation },
        Version { incarnation: incarnation + 1, epoch: epoch + 1, nonce: nonce + 1 },
    ]
}

/// Runs the same action on this many threads at once, each with a client of its own.
fn at_once<H: Harness, T: Send>(
    harness: &H,
    threads: u64,
    action: impl Fn(u64, &Client<'_, H>) -> T + Sync,
) -> Vec<T> {
    let start = std::sync::Barrier::new(usize::try_from(threads).expect("a few"));
    let (start, action) = (&start, &action);
    std::thread::scope(|scope| {
        let work = |number| {
            scope.spawn(move || {
                let client = harness.client();
                start.wait();
                action(number, &client)
            })
        };
        let threads: Vec<_> = (0..threads).map(work).collect();
        threads.into_iter().map(|thread| thread.join().expect("no panic")).collect()
    })
}
