//! Faults at random: nobody is forgotten, and nobody is stormed.

use std::time::Duration;

use super::world::*;
use crate::clock::Timestamp;
use crate::credential::Credential;
use crate::error::{Code, Failure};
use crate::member::*;
use crate::policy::Policy;
use crate::policy::tests::DEFAULT;
use crate::token::Grant;
use crate::verdict::Verdict;

/// Everything at random for a long time: what a process checks holds after every step,
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
                1 => world.tell(MemberEvent::Invalidated(world.member().refresh().last_serial())),
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
        world.tell(MemberEvent::Closed);
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
                1 => world.tell(MemberEvent::Invalidated(world.member().refresh().last_serial())),
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
