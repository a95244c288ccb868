//! The token lifecycle: when a token is fetched, what is handed out, who is told.

use std::time::Duration;

use super::world::*;
use crate::clock::Timestamp;
use crate::credential::Credential;
use crate::error::Code;
use crate::error::Failure;
use crate::member::*;
use crate::policy::Policy;
use crate::policy::tests::DEFAULT;
use crate::refresh::{self, Refusal, Retirement};
use crate::rotation;
use crate::source::Configured;
use crate::token::Grant;
use crate::verdict::Verdict;

#[test]
fn fifty_cold_callers_cause_one_fetch() {
    let mut world = World::new(DEFAULT, accepts(&["one"]));
    (0..50).for_each(|waiter| world.want(waiter));
    world.configure(&["one"]);
    world.pass(SECOND);
    assert_eq!(world.script.fetches.len(), 1);
    assert_eq!(world.script.settled.len(), 50);
    assert!(world.script.settled.iter().all(|(_, _, outcome)| outcome.is_ok()));
}

#[test]
fn a_token_is_fetched_before_anyone_asks() {
    let mut world = World::new(DEFAULT, accepts(&["one"])).with(&["one"]);
    world.pass(SECOND);
    assert_eq!(world.serial(), Some(1));
}

#[test]
fn a_day_of_hour_long_tokens_has_no_gap() {
    let mut world = World::new(DEFAULT, accepts(&["one"])).with(&["one"]);
    world.pass(SECOND);
    for _ in 0..24 * 60 {
        world.pass(Duration::from_mins(1));
        assert!(world.has_token());
    }
    // Each is replaced ten minutes before its end.
    assert_eq!(world.script.fetches.len(), 1 + 24 * 60 / 50);
}

#[test]
fn tokens_of_one_second_and_of_five_minutes_neither_lapse_nor_spin() {
    for (life, at_most) in [(SECOND, 80 * 2), (Duration::from_mins(5), 2)] {
        let mut world = World::new(DEFAULT, move |_, _| granted(life)).with(&["one"]);
        world.pass(Duration::from_millis(60));
        for _ in 0..6000 {
            world.pass(Duration::from_millis(10));
            assert!(world.has_token(), "a gap with tokens of {life:?}");
        }
        assert!(
            world.script.fetches.len() <= at_most,
            "{} fetches in a minute",
            world.script.fetches.len()
        );
    }
}

#[test]
fn a_failed_refresh_never_discards_a_valid_token() {
    let down_from = Timestamp::from_millis(1_000_000 + 60_000);
    let endpoint = move |_: &Credential, now| {
        if now < down_from { granted(HOUR) } else { transient() }
    };
    let mut world = World::new(DEFAULT, endpoint).with(&["one"]);
    world.pass(Duration::from_secs(3569));
    assert_eq!(world.serial(), Some(1), "thirty seconds before its end it is still handed out");
    assert!(world.script.fetches.len() > 10, "and a new one was asked for all the while");
    world.pass(Duration::from_secs(2));
    assert_eq!(world.serial(), None);
}

#[test]
fn retries_come_denser_as_the_end_of_life_nears_and_keep_their_gap() {
    let endpoint =
        script(std::iter::once(granted(HOUR)).chain((0..500).map(|_| transient())).collect());
    let mut world = World::new(DEFAULT, endpoint).with(&["one"]);
    world.pass(HOUR);
    let gaps: Vec<_> =
        world.script.fetches.windows(2).map(|pair| pair[1].0.since(pair[0].0)).collect();
    assert!(gaps[1..].iter().all(|gap| *gap >= SECOND && *gap <= Duration::from_secs(61)));
    let last =
        world.script.fetches.iter().rfind(|(at, _)| *at < world.now - Duration::from_secs(30));
    assert!(
        last.unwrap().0 > world.now - Duration::from_secs(33),
        "one is tried just before the end"
    );
}

#[test]
fn without_a_token_the_waits_double_from_one_second_to_a_minute() {
    for (random, expected) in [(0.0, [1, 2, 4, 8, 16, 30, 30]), (1.0, [2, 4, 8, 16, 32, 60, 60])] {
        let mut world = World::new(DEFAULT, |_, _| transient());
        world.script.dice.ratio = random;
        world.latency = Duration::ZERO;
        world.configure(&["one"]);
        world.pass(Duration::from_secs(200));
        let gaps: Vec<_> =
            world.script.fetches.windows(2).map(|pair| pair[1].0.since(pair[0].0)).collect();
        assert_eq!(
            gaps[..expected.len()].iter().map(Duration::as_secs).collect::<Vec<_>>(),
            expected
        );
    }
}

#[test]
fn retry_after_is_honoured_up_to_three_minutes() {
    for (asked, waited) in [(20, 20), (180, 180), (86_400, 180), (u64::MAX, 180)] {
        let mut world = World::new(DEFAULT, script(vec![throttled(Duration::from_secs(asked))]));
        world.latency = Duration::ZERO;
        world.configure(&["one"]);
        world.pass(Duration::from_secs(300));
        assert_eq!(
            world.script.fetches[1].0.since(world.script.fetches[0].0),
            Duration::from_secs(waited)
        );
    }
}

#[test]
fn retry_after_never_outlasts_a_held_token() {
    let endpoint = script(vec![granted(Duration::from_mins(5)), throttled(Duration::from_mins(3))]);
    let mut world = World::new(DEFAULT, endpoint).with(&["one"]);
    world.pass(Duration::from_mins(5));
    assert_eq!(world.serial(), Some(2), "it was asked again while the first one was usable");
    assert!(!world.script.notices.iter().any(|notice| matches!(
        notice,
        Notice::Token(refresh::Notice::TokenRetired { reason: Retirement::Expired, .. })
    )));
}

#[test]
fn a_cold_caller_is_refused_at_its_deadline_while_the_refresh_goes_on() {
    let mut world = World::new(DEFAULT, script(vec![transient(), transient(), transient()]));
    world.configure(&["one"]);
    world.want(1);
    world.pass(Duration::from_secs(4));
    assert_eq!(world.outcome(1), None);
    world.pass(SECOND);
    let Some(Err(Refusal::Unavailable { cause: Some(cause), retry_after })) = world.outcome(1)
    else {
        panic!("{:?}", world.outcome(1));
    };
    assert_eq!(cause.code, Code::Endpoint);
    assert!(*retry_after > Duration::ZERO);
    world.pass(Duration::from_secs(10));
    assert_eq!(world.serial(), Some(1));
}

#[test]
fn when_every_credential_is_rejected_callers_are_told_at_once_and_tries_stay_few() {
    let mut world = World::new(DEFAULT, |_, _| rejected()).with(&["one", "two"]);
    world.want(1);
    world.pass(Duration::from_millis(200));
    assert_eq!(world.secrets_tried(), ["one", "two"]);
    assert_eq!(world.script.rereads, 1);
    assert_eq!(world.outcome(1), None, "the sources may hold a new secret");
    world.configure(&["one", "two"]);
    assert!(matches!(world.outcome(1), Some(Err(Refusal::Unavailable { cause: Some(_), .. }))));
    for waiter in 2..100 {
        world.want(waiter);
        assert!(matches!(world.outcome(waiter), Some(Err(Refusal::Unavailable { .. }))));
    }
    assert_eq!(world.script.fetches.len(), 2);
}

#[test]
fn a_secret_found_when_all_were_rejected_serves_the_callers_who_waited() {
    let mut world = World::new(DEFAULT, accepts(&["new"])).with(&["old"]);
    world.want(1);
    world.pass(Duration::from_millis(200));
    world.configure(&["new", "old"]);
    world.pass(SECOND);
    assert_eq!(world.outcome(1), Some(&Ok(())));
    assert_eq!(world.secrets_tried(), ["old", "new"]);
}

#[test]
fn a_misconfigured_request_is_told_at_once_and_tries_no_other_credential() {
    let wrong = || Verdict::Misconfigured(Failure::new(Code::Misconfigured, "invalid_scope"));
    let mut world = World::new(DEFAULT, move |_, _| wrong()).with(&["one", "two"]);
    world.want(1);
    world.pass(Duration::from_millis(100));
    let Some(Err(Refusal::Unavailable { cause: Some(cause), .. })) = world.outcome(1) else {
        panic!()
    };
    assert_eq!(cause.code, Code::Misconfigured);
    assert_eq!(world.secrets_tried(), ["one"]);
}

#[test]
fn the_list_is_tried_in_order_and_what_works_is_remembered() {
    let mut world = World::new(DEFAULT, accepts(&["two"])).with(&["one", "two"]);
    world.pass(HOUR);
    assert_eq!(world.secrets_tried()[..2], ["one", "two"]);
    let two = world.secrets_tried().iter().filter(|secret| **secret == "two").count();
    assert_eq!(two, 2, "it is refreshed with what works");
    let rejections = |notice: &&Notice| matches!(notice, Notice::CredentialRejected { .. });
    assert_eq!(world.script.notices.iter().filter(rejections).count(), 1);
}

#[test]
fn a_secret_that_dies_early_is_replaced_by_the_next_one_without_a_gap() {
    let dies = Timestamp::from_millis(1_000_000 + 60_000);
    let endpoint =
        move |credential: &Credential, now: Timestamp| match credential.client_secret.expose() {
            "old" if now >= dies => rejected(),
            _ => granted(HOUR),
        };
    let mut world = World::new(DEFAULT, endpoint).with(&["old", "new"]);
    world.pass(SECOND);
    for _ in 0..180 {
        world.pass(Duration::from_mins(1));
        assert!(world.has_token());
    }
    assert_eq!(world.secrets_tried()[..3], ["old", "old", "new"]);
    assert_eq!(world.secret_in_use(), Some("new"));
}

#[test]
fn a_bare_401_counts_against_a_secret_only_when_another_is_accepted() {
    let endpoint = |credential: &Credential, _: Timestamp| match credential.client_secret.expose() {
        "one" => refused(),
        _ => granted(HOUR),
    };
    let mut world = World::new(DEFAULT, endpoint).with(&["one", "two"]);
    world.pass(SECOND);
    let is_rejection = |notice: &Notice| matches!(notice, Notice::CredentialRejected { .. });
    assert!(world.script.notices.iter().any(is_rejection));

    let mut world = World::new(DEFAULT, |_, _| refused()).with(&["one", "two"]);
    world.want(1);
    world.pass(SECOND);
    assert!(
        world
            .script
            .notices
            .iter()
            .all(|notice| matches!(notice, Notice::Token(refresh::Notice::RefreshFailed { .. })))
    );
    assert_eq!(world.outcome(1), None, "a gateway may recover: the caller waits");
}

#[test]
fn a_changed_secret_that_is_wrong_is_tried_three_times_at_once_and_slowly_after_that() {
    let mut world = World::new(DEFAULT, accepts(&["old"])).with(&["old"]);
    world.pass(Duration::from_mins(1));
    world.configure(&["wrong", "old"]);
    world.pass(Duration::from_secs(8));
    assert_eq!(world.secrets_tried(), ["old", "wrong", "wrong", "wrong"]);
    assert_eq!(world.serial(), Some(1), "it changes nothing");
    world.pass(HOUR);
    assert_eq!(world.secret_in_use(), Some("old"));
    let wrong = world.secrets_tried().iter().filter(|secret| **secret == "wrong").count();
    assert!(wrong < 20, "it is tried {wrong} times in an hour");
}

#[test]
fn a_credential_that_appears_during_a_refresh_is_tried_before_anyone_is_refused() {
    let mut world = World::new(DEFAULT, accepts(&["new"])).with(&["old"]);
    world.want(1);
    world.configure(&["old", "new"]);
    world.pass(Duration::from_millis(200));
    assert_eq!(world.secrets_tried(), ["old", "new"]);
    assert_eq!(world.outcome(1), Some(&Ok(())));
}

#[test]
fn a_credential_that_went_away_during_a_refresh_is_not_presented_any_more() {
    let mut world = World::new(DEFAULT, accepts(&["three"])).with(&["one", "two", "three"]);
    world.configure(&["one", "three"]);
    world.pass(Duration::from_millis(200));
    assert_eq!(world.secrets_tried(), ["one", "three"]);
}

#[test]
fn a_changed_secret_that_met_an_outage_is_tried_again_before_the_next_refresh() {
    let outage = 1_060_000..1_090_000;
    let endpoint = move |_: &Credential, now: Timestamp| {
        let millis = u64::try_from(now.since(Timestamp::default()).as_millis()).unwrap();
        if outage.contains(&millis) { transient() } else { granted(HOUR) }
    };
    let mut world = World::new(DEFAULT, endpoint).with(&["old"]);
    world.pass(Duration::from_mins(1));
    world.configure(&["new", "old"]);
    world.pass(Duration::from_mins(2));
    assert!(world.secrets_tried()[1..].iter().all(|secret| *secret == "new"));
    assert_eq!(world.process.handed_out.as_ref().unwrap().credential.client_secret.expose(), "new");
    assert!(world.script.fetches.len() < 9, "{} fetches", world.script.fetches.len());
    assert!(world.member().refresh().last_failure().is_none());
}

#[test]
fn a_secret_that_changes_during_the_first_refresh_is_tried_right_after_it() {
    let mut world = World::new(DEFAULT, accepts(&["old", "new"])).with(&["old"]);
    world.configure(&["new"]);
    world.pass(Duration::from_secs(3));
    assert_eq!(world.secrets_tried(), ["old", "new"]);
    assert_eq!(world.secret_in_use(), Some("new"));
}

#[test]
fn a_fallback_that_was_there_from_the_start_waits_until_it_is_needed() {
    let mut world = World::new(DEFAULT, accepts(&["one"])).with(&["one", "standby"]);
    world.pass(HOUR);
    assert_eq!(world.secrets_tried(), ["one", "one"]);
}

#[test]
fn a_new_secret_rejected_while_it_propagates_is_tried_again() {
    let known_from = Timestamp::from_millis(1_000_000 + 65_000);
    let endpoint =
        move |credential: &Credential, now: Timestamp| match credential.client_secret.expose() {
            "new" if now < known_from => rejected(),
            _ => granted(HOUR),
        };
    let policy = Policy { propagation: Duration::from_secs(10), ..DEFAULT };
    let mut world = World::new(policy, endpoint).with(&["old"]);
    world.pass(Duration::from_mins(1));
    world.configure(&["new", "old"]);
    world.pass(Duration::from_secs(30));
    assert_eq!(world.secrets_tried(), ["old", "new", "new", "new"]);
    assert_eq!(world.process.handed_out.as_ref().unwrap().credential.client_secret.expose(), "new");
    assert!(
        !world
            .script
            .notices
            .iter()
            .any(|notice| matches!(notice, Notice::CredentialRejected { .. }))
    );
}

#[test]
fn a_401_drops_exactly_that_token_and_late_ones_do_nothing() {
    let mut world = World::new(DEFAULT, accepts(&["one"])).with(&["one"]);
    world.pass(Duration::from_mins(1));
    world.tell(Event::Invalidated(1));
    assert_eq!(world.serial(), None);
    world.pass(SECOND);
    assert_eq!(world.serial(), Some(2));
    (0..5).for_each(|_| world.tell(Event::Invalidated(1)));
    world.pass(SECOND);
    assert_eq!(world.serial(), Some(2));
    assert_eq!(world.script.fetches.len(), 2);
}

#[test]
fn a_resource_that_answers_401_to_everything_causes_one_fetch_in_ten_seconds() {
    let mut world = World::new(DEFAULT, accepts(&["one"])).with(&["one"]);
    world.pass(Duration::from_mins(1));
    for _ in 0..300 {
        if let Some(serial) = world.serial() {
            world.tell(Event::Invalidated(serial));
        }
        world.pass(Duration::from_millis(100));
    }
    assert!(world.script.fetches.len() <= 1 + 1 + 3, "{} fetches", world.script.fetches.len());
    let ignored = |notice: &&Notice| {
        matches!(notice, Notice::Token(refresh::Notice::InvalidateIgnored { .. }))
    };
    let told = world.script.notices.iter().filter(ignored).count();
    assert!((1..=30).contains(&told), "told {told} times in 30 s");
}

#[test]
fn a_401_does_not_wait_for_the_backoff_but_for_retry_after() {
    let mut world = World::new(DEFAULT, script(vec![granted(HOUR), transient()])).with(&["one"]);
    world.script.dice.ratio = 1.0;
    world.pass(Duration::from_secs(2941));
    assert_eq!(world.script.fetches.len(), 2);
    world.tell(Event::Invalidated(1));
    world.pass(Duration::from_millis(1100));
    assert_eq!(world.serial(), Some(2));

    let verdicts = vec![granted(HOUR), throttled(Duration::from_secs(60))];
    let mut world = World::new(DEFAULT, script(verdicts)).with(&["one"]);
    world.pass(Duration::from_secs(3001));
    world.tell(Event::Invalidated(1));
    world.pass(Duration::from_secs(58));
    assert_eq!(world.script.fetches.len(), 2);
    world.pass(Duration::from_secs(2));
    assert_eq!(world.serial(), Some(2));
}

#[test]
fn a_wish_for_more_life_than_is_left_forces_one_refresh() {
    let mut world = World::new(DEFAULT, accepts(&["one"])).with(&["one"]);
    world.pass(Duration::from_mins(30));
    world.want_for(1, Duration::from_mins(20));
    assert_eq!(world.outcome(1), Some(&Ok(())));
    world.want_for(2, Duration::from_mins(55));
    world.pass(SECOND);
    assert_eq!(world.outcome(2), Some(&Ok(())));
    assert_eq!(world.script.fetches.len(), 2);
}

#[test]
fn a_wish_for_more_life_than_a_token_has_is_refused_and_never_storms() {
    let mut world = World::new(DEFAULT, accepts(&["one"]));
    world.configure(&["one"]);
    world.want_for(0, 2 * HOUR);
    world.pass(SECOND);
    (1..100).for_each(|waiter| world.want_for(waiter, 2 * HOUR));
    let left = Duration::from_millis(3_569_950);
    let too_short = Err(Refusal::LifetimeTooShort(left));
    assert!((0..100).all(|waiter| world.outcome(waiter) == Some(&too_short)));
    assert_eq!(world.script.fetches.len(), 1);

    world.want_for(100, left + Duration::from_millis(1));
    assert_eq!(world.outcome(100), Some(&too_short), "a fresh one is not better by its way here");
    world.want_for(101, left);
    world.pass(SECOND);
    assert_eq!(world.outcome(101), Some(&Ok(())));
    assert_eq!(world.script.fetches.len(), 2);
}

#[test]
fn tokens_of_a_few_milliseconds_are_not_fetched_all_the_time() {
    let mut world = World::new(DEFAULT, |_, _| granted(Duration::from_millis(10)));
    world.latency = Duration::from_millis(1);
    let mut world = world.with(&["one"]);
    world.pass(10 * SECOND);
    assert!(world.script.fetches.len() <= 101, "{} fetches in 10 s", world.script.fetches.len());
}

#[test]
fn a_token_unusable_on_arrival_is_reported_and_not_fetched_in_a_loop() {
    for life in [Duration::ZERO, Duration::from_millis(40)] {
        let mut world = World::new(DEFAULT, move |_, _| granted(life)).with(&["one"]);
        world.want(1);
        world.pass(Duration::from_mins(1));
        assert!(world.script.fetches.len() < 8);
        let Some(Err(Refusal::Unavailable { cause: Some(cause), .. })) = world.outcome(1) else {
            panic!()
        };
        assert_eq!(cause.code, Code::Misconfigured);
    }
}

#[test]
fn a_suspended_machine_hands_out_nothing_expired_when_it_wakes() {
    let mut world = World::new(DEFAULT, accepts(&["one"])).with(&["one"]);
    world.pass(SECOND);
    world.now = world.now + Duration::from_hours(8);
    assert!(world.member().token(world.now).is_none());
    world.tell(Event::Ticked);
    world.pass(SECOND);
    assert_eq!(world.serial(), Some(2));
}

#[test]
fn a_restarted_driver_gets_the_valid_token_before_anything_is_fetched() {
    let mut world = World::new(DEFAULT, script(vec![granted(HOUR)])).with(&["one"]);
    world.pass(Duration::from_secs(3000));
    assert!(
        !world.process.under_way.is_empty(),
        "a refresh is under way and is lost with the thread"
    );
    let stale = world.process.under_way.pop_first().unwrap().1;
    let effects = world.process.member.step(Event::Restarted, world.now, &mut world.script.dice);
    assert!(matches!(&effects[0], Effect::Publish(token) if token.serial == 1));
    world.perform_all(effects);
    world.pass(Duration::from_secs(2));
    assert_eq!(world.serial(), Some(2));
    let TokenRequest { request, sent_at, .. } = stale;
    world.tell(Event::Answered { request, sent_at, verdict: granted(HOUR), verify: None });
    assert_eq!(world.serial(), Some(2), "an answer to the lost request changes nothing");
}

#[test]
fn closing_refuses_who_waits_and_whoever_comes_later() {
    let mut world = World::new(DEFAULT, |_, _| transient()).with(&["one"]);
    world.want(1);
    world.tell(Event::Closed);
    world.want(2);
    assert_eq!(world.outcome(1), Some(&Err(Refusal::Closed)));
    assert_eq!(world.outcome(2), Some(&Err(Refusal::Closed)));
    assert_eq!(world.member().wake_at(world.now), None);
}

#[test]
fn a_caller_is_told_whether_the_sources_are_silent_or_empty() {
    for (reads, says) in [(false, "not answered yet"), (true, "yields one")] {
        let mut world = World::new(DEFAULT, accepts(&["one"]));
        world.want(1);
        if reads {
            world.configure(&[]);
        }
        world.pass(Duration::from_secs(6));
        let Some(Err(Refusal::Unavailable { cause: Some(cause), .. })) = world.outcome(1) else {
            panic!("{:?}", world.outcome(1))
        };
        assert_eq!(cause.code, Code::CredentialUnavailable);
        assert!(cause.message.contains(says), "{cause}");
    }
}

#[test]
fn an_unreadable_source_refuses_at_once_and_heals() {
    let mut world = World::new(DEFAULT, accepts(&["one"]));
    world.want(1);
    let unreadable = Some(Failure::new(Code::CredentialUnavailable, "no such file"));
    let configured = Configured { unreadable, ..Configured::default() };
    world.tell(Event::Configured { configured, is_followed: false });
    let Some(Err(Refusal::Unavailable { cause: Some(cause), .. })) = world.outcome(1) else {
        panic!()
    };
    assert_eq!(cause.code, Code::CredentialUnavailable);
    world.configure(&["one"]);
    world.pass(SECOND);
    assert_eq!(world.serial(), Some(1));
}

/// Everything at random for a long time: the invariants of [`World::check`] hold after every step,
/// every caller is settled exactly once and by its deadline, and refreshes keep their gap.
#[test]
fn invariants_hold_under_random_faults() {
    let seeds = 300;
    for seed in 0..seeds {
        let mut random = fastrand::Rng::with_seed(seed);
        let mut draw = move |below: u64| random.u64(..below);
        let lives = [SECOND, Duration::from_secs(20), Duration::from_mins(5), HOUR];
        let life = lives[usize::try_from(draw(4)).unwrap()];
        let faults = draw(90);
        let dice = std::cell::RefCell::new(fastrand::Rng::with_seed(!seed));
        let endpoint = move |credential: &Credential, _: Timestamp| {
            let roll = dice.borrow_mut().u64(..100);
            match roll {
                _ if credential.client_secret.expose() == "bad" => rejected(),
                _ if roll >= faults => granted(life),
                roll if roll % 5 == 0 => rejected(),
                roll if roll % 5 == 1 => refused(),
                roll if roll % 5 == 2 => throttled(Duration::from_secs(roll)),
                roll if roll % 5 == 3 => {
                    Verdict::Misconfigured(Failure::new(Code::Misconfigured, "m"))
                }
                _ => transient(),
            }
        };
        let mut world = World::new(DEFAULT, endpoint).with(&["bad", "one"]);
        let mut waiters = 0;
        for _ in 0..400 {
            match draw(8) {
                0 => world
                    .configure(&[["one", "two", "bad"][usize::try_from(draw(3)).unwrap()], "one"]),
                1 => world.tell(Event::Invalidated(world.member().refresh().last_serial())),
                2 => {
                    world.restart();
                }
                3..6 => {
                    world.want_for(waiters, Duration::from_secs(draw(40)));
                    waiters += 1;
                }
                _ => {}
            }
            world.pass(Duration::from_millis(draw(10_000)));
        }
        world.tell(Event::Closed);
        let mut settled: Vec<_> =
            world.script.settled.iter().map(|(_, waiter, _)| *waiter).collect();
        settled.sort_unstable();
        assert_eq!(settled, (0..waiters).collect::<Vec<_>>(), "seed {seed}");
    }
}

/// Any policy, any latency, any life, secrets that come and go: whatever happened before, once the
/// endpoint accepts the first credential for a while a token is held, and the number of requests
/// and of rejections stays within what the gap and the backoff allow.
#[test]
fn a_healthy_endpoint_is_found_again_and_never_stormed() {
    for seed in 0..300 {
        let mut random = fastrand::Rng::with_seed(seed);
        let mut draw = move |below: u64| random.u64(..below);
        let mut maybe = |below: u64| (draw(2) == 0).then(|| Duration::from_millis(draw(below)));
        let policy = Policy {
            refresh_before: maybe(1_000_000).map(|before| before.max(SECOND / 5)),
            expiry_margin: maybe(1000),
            max_token_age: maybe(1_000_000).map(|age| age.max(Duration::from_secs(2))),
            min_runway: maybe(600_000),
            propagation: maybe(20_000).unwrap_or_default(),
            ..DEFAULT
        };
        let life = Duration::from_millis(3000 + draw(10) * draw(1000) * draw(1000));
        let healthy = std::rc::Rc::new(std::cell::Cell::new(false));
        let dice = std::cell::RefCell::new(fastrand::Rng::with_seed(!seed));
        let is_healthy = std::rc::Rc::clone(&healthy);
        let refresh_in = (draw(3) == 0).then(|| life / 3);
        let endpoint = move |credential: &Credential, _: Timestamp| {
            let roll = if is_healthy.get() { 9 } else { dice.borrow_mut().u64(..10) };
            match (credential.client_secret.expose(), roll) {
                ("bad", _) | (_, 0) => rejected(),
                (_, 1) => refused(),
                (_, 2) => throttled(Duration::from_secs(400)),
                (_, 3) => Verdict::Misconfigured(Failure::new(Code::Misconfigured, "m")),
                (_, 4) => granted(Duration::ZERO),
                (_, 5) => transient(),
                _ => match granted(life) {
                    Verdict::Accepted(grant) => Verdict::Accepted(Grant { refresh_in, ..grant }),
                    other => other,
                },
            }
        };
        let mut world = World::new(policy, endpoint).with(&["one"]);
        let lists: [&[&str]; 4] = [&["one"], &["bad", "one"], &["two", "one"], &["bad", "two"]];
        for _ in 0..60 {
            world.script.dice.ratio = f64::from(u32::try_from(draw(100)).unwrap()) / 100.0;
            world.latency = Duration::from_millis(draw(3) * draw(400));
            match draw(5) {
                0 => world.configure(lists[usize::try_from(draw(4)).unwrap()]),
                1 => world.tell(Event::Invalidated(world.member().refresh().last_serial())),
                2 => world.want_for(draw(u64::MAX), Duration::from_millis(draw(4000))),
                _ => {}
            }
            healthy.set(draw(3) == 0);
            world.pass(Duration::from_millis(draw(60_000)));
        }
        healthy.set(true);
        world.latency = SECOND / 20;
        world.pass(Duration::from_secs(200));
        for _ in 0..100 {
            assert!(world.has_token(), "seed {seed}");
            world.pass(Duration::from_secs(1));
        }
        let rounds = world.script.fetches.iter().filter(|(_, secret)| secret == "bad").count();
        let spent = world.now.since(Timestamp::from_millis(1_000_000)).as_secs();
        assert!(
            world.script.fetches.len() as u64 <= 3 * spent,
            "seed {seed}: {}",
            world.script.fetches.len()
        );
        assert!(rounds as u64 <= spent / 4, "seed {seed}: {rounds} rejections in {spent} s");
    }
}

#[test]
fn a_secret_that_was_accepted_and_changes_before_its_id_is_known_stays_a_fallback() {
    let mut world = World::new(DEFAULT, accepts(&["old", "new"]));
    world.script.derives_ids = false;
    world.configure(&["old"]);
    world.pass(SECOND / 10);
    assert_eq!(world.secret_in_use(), Some("old"), "nobody waits for the id");
    world.configure(&["new"]);
    world.derive_ids();
    assert_eq!(world.secrets_tried(), ["old", "new"], "its answer is known");
    world.pass(SECOND);
    assert_eq!(world.secret_in_use(), Some("new"));
    let record = world.member().record().unwrap();
    let (old, new) = (record.overlap().unwrap().previous, record.active);
    assert_ne!(old, new);
}

#[test]
fn a_token_that_is_refused_before_it_is_stored_does_not_come_back() {
    let mut world = World::new(DEFAULT, accepts(&["one"]));
    world.script.derives_ids = false;
    world.configure(&["one"]);
    world.pass(SECOND / 10);
    let refused = world.serial().unwrap();
    world.tell(Event::Invalidated(refused));
    world.derive_ids();
    assert_eq!(world.serial(), None);
    world.pass(2 * SECOND);
    assert!(world.serial() > Some(refused));
    assert_eq!(world.script.fetches.len(), 2);
}

#[test]
fn a_credential_that_is_accepted_again_serves_the_token_that_says_so() {
    let endpoint = script(vec![granted(HOUR), rejected()]);
    let mut world = World::new(DEFAULT, endpoint).with(&["one"]);
    world.pass(Duration::from_mins(51));
    assert_eq!(world.serial(), Some(2));
    assert_eq!(world.script.fetches.len(), 3, "one was rejected, and one more was enough");
}

#[test]
fn while_a_change_is_prepared_nothing_is_presented_and_whoever_wants_more_is_told_why() {
    let mut world = World::new(DEFAULT, accepts(&["one"])).with(&["one"]);
    world.pass(Duration::from_mins(30));
    let caller = world.ask(Request::Prepare { min_runway: Duration::ZERO });
    world.pass(SECOND);
    assert!(matches!(world.script.answers[&caller], Ok(Answer::Prepared { .. })));
    let tried = world.script.fetches.len();
    world.pass(Duration::from_mins(5));
    world.want_for(1, Duration::from_mins(58));
    world.pass(Duration::from_secs(6));
    let Some(Err(Refusal::Unavailable { cause: Some(cause), .. })) = world.outcome(1) else {
        panic!("{:?}", world.outcome(1))
    };
    assert!(cause.message.contains("is prepared"), "{cause}");
    assert_eq!(world.script.fetches.len(), tried);
    world.pass(Duration::from_mins(10));
    assert_eq!(world.member().phase(), rotation::PhaseName::Stable, "it ends by itself");
}

#[test]
fn after_a_long_outage_whoever_waits_is_served_within_five_seconds() {
    let mut world = World::new(DEFAULT, |_, _| transient()).with(&["one"]);
    world.pass(20 * MINUTE);
    let requests = world.script.fetches.len();
    while world.script.fetches.len() == requests {
        world.pass(SECOND);
    }
    // The next attempt would be half a minute away.
    world.script.endpoint = Box::new(accepts(&["one"]));
    world.pass(SECOND);
    world.want(1);
    world.pass(5 * SECOND);
    assert_eq!(world.outcome(1), Some(&Ok(())));
}

#[test]
fn who_waits_does_not_shorten_what_the_endpoint_asked_for() {
    let mut world = World::new(DEFAULT, |_, _| throttled(MINUTE)).with(&["one"]);
    world.pass(SECOND);
    for waiter in 0..5 {
        world.want(waiter);
        world.pass(10 * SECOND);
    }
    assert_eq!(world.script.fetches.len(), 1);
}

#[test]
fn who_waits_has_the_endpoint_asked_no_sooner_where_it_has_refused() {
    let gaps = |verdict: fn() -> Verdict| {
        let mut world = World::new(DEFAULT, move |_, _| verdict()).with(&["one"]);
        // Whoever waits is followed by the next one.
        for waiter in 0..240 {
            world.want(waiter);
            world.pass(5 * SECOND);
        }
        let asked = world.script.fetches.iter().map(|fetch| fetch.0).collect::<Vec<_>>();
        asked.windows(2).map(|pair| pair[1].since(pair[0])).collect::<Vec<_>>()
    };
    for refusal in [refused, rejected, || throttled(Duration::from_secs(40))] {
        let gaps = gaps(refusal);
        let late = &gaps[gaps.len() - 5..];
        assert!(late.iter().all(|gap| *gap >= 30 * SECOND), "{late:?}");
    }
    let passing = gaps(transient);
    assert!(passing.iter().all(|gap| *gap < 6 * SECOND), "{passing:?}");
}
