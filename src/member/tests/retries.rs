//! How soon a request that failed is made again.

use std::time::Duration;

use super::world::*;
use crate::member::*;
use crate::policy::tests::DEFAULT;
use crate::refresh::{self, Retirement};
use crate::verdict::Verdict;

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
        MemberNotice::Token(refresh::RefreshNotice::TokenRetired {
            reason: Retirement::Expired,
            ..
        })
    )));
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
