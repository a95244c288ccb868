//! The test suite that every store passes.
//!
//! A store's tests implement [`Harness`] and name it in `contract!`. The cases know nothing about
//! how a store works. They use it through two or more clients, and check only what its calls
//! return. Times are compared within [`Harness::SLACK`], so that a store with a clock of its own
//! can pass.

pub(crate) mod barrier;
pub(crate) mod beside;
pub(crate) mod client;
pub(crate) mod hints;
pub(crate) mod lease;
pub(crate) mod members;
pub(crate) mod record;
pub(crate) mod samples;
pub(crate) mod token;

use std::collections::BTreeSet;
use std::future::Future;
use std::time::Duration;

use super::{Lease, Store, TokenWrite};
use crate::clock::StoreTime;
use crate::credential::CredentialId;
use crate::rotation::{MemberId, MemberTable, Phase, Record, Refused, Version, Write};
use client::Client;
use samples::*;

/// Turns each case of the suite into a test of the store that `harness()` returns. The module that
/// uses this macro defines `harness()`, which returns an empty store each time.
///
/// `fleet` has a member table, `process` has none. `fleet on harness` runs all cases one after the
/// other in place, on the empty store that `harness` returns for the name of each.
macro_rules! contract {
    (fleet) => {
        $crate::store::contract::contract!(@process as_tests);
        $crate::store::contract::contract!(@members as_tests);
    };
    (process) => {
        $crate::store::contract::contract!(@process as_tests);
    };
    (fleet on $harness:ident) => {
        $crate::store::contract::contract!(@process as_calls $harness);
        $crate::store::contract::contract!(@members as_calls $harness);
    };
    (@members $($how:ident)+) => {
        $crate::store::contract::contract!(@$($how)+
            members:
                a_table_begins_with_the_first_beat,
                a_table_begins_with_the_first_record,
                whatever_is_asked_keeps_a_table_in_use,
                a_table_that_nobody_has_used_for_long_begins_anew,
                a_refused_write_begins_no_table,
                a_beat_lists_a_member_with_what_it_holds_now,
                a_beat_lists_what_a_member_writes_back_with,
                a_census_counts_the_live_members,
                a_beat_answers_what_is_stored,
                only_the_stored_version_is_acknowledged,
                an_acknowledgement_outlasts_an_older_beat_and_later_writes,
                another_incarnation_is_acknowledged_by_nobody_yet,
                a_member_that_is_silent_for_too_long_is_dead,
                each_beat_keeps_only_its_own_member_alive,
                who_comes_back_from_the_dead_has_acknowledged_nothing,
                who_leaves_is_off_the_table_at_once;
            barrier:
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
    (@process $($how:ident)+) => {
        $crate::store::contract::contract!(@$($how)+
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
    (@as_calls $harness:ident $($module:ident: $($case:ident),+;)+) => {
        $($($crate::store::contract::$module::$case(&$harness(stringify!($case)));)+)+
    };
    (@as_tests $($module:ident: $($case:ident),+;)+) => {
        $(mod $module {
            $(#[test]
            fn $case() {
                $crate::store::contract::$module::$case(&super::harness());
            })+
        })+
    };
}
pub(crate) use contract;

/// Gives the suite access to a store.
pub(crate) trait Harness: Sync {
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
