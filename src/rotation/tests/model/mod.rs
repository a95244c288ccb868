//! Every state that a small fleet can get into, searched with `stateright`.
//!
//! Each member acts on what it has read last, the endpoint's answers and the members' readings come
//! in any order, and time passes at any moment. The members run the production `step`, `descent_of`,
//! `reborn` and `is_forsaken`, and the store the production `Write::admit` and `admit_token`. Whoever
//! asks the endpoint has the lease. A call of the store is atomic; a token request is not: it is
//! answered as the endpoint is when it answers.

mod bounds;
mod consequences;
mod fault;
mod fleet;
mod history;
mod moves;
mod normal;
mod recovery;
mod storage;

use std::time::Instant;

use stateright::{Checker, Model, Property};

use bounds::Bounds;
use fault::Fault;
use fleet::State;
use moves::Move;

/// What a search has to come across, lest it shows nothing.
const PROMOTED: &str = "a promotion";
const RETIRED: &str = "a retirement";

struct Check(Bounds);

impl Model for Check {
    type State = State;
    type Action = Move;

    fn init_states(&self) -> Vec<State> {
        vec![State::new(self.0)]
    }

    fn actions(&self, state: &State, actions: &mut Vec<Move>) {
        state.moves(actions);
    }

    fn next_state(&self, state: &State, action: Move) -> Option<State> {
        state.after(action)
    }

    fn properties(&self) -> Vec<Property<Self>> {
        macro_rules! never {
            ($($name:literal $fault:ident)*) => {
                vec![$(Property::<Self>::always($name, |_, state| {
                    !state.faults.contains(&Fault::$fault)
                })),*]
            };
        }
        let mut all = never![
            "I2 retired is never presented" I2
            "I3 one asks" I3
            "I4 epochs never fall" I4
            "I6 the last proved credential is never retired" I6
            "I7 active only with a token of its own" I7
            "I8 the token never goes back" I8
            "I11 one rotation in flight" I11
            "I12 no candidate ends an overlap" I12
            "I18 unclear answers change nothing" I18
            "I21 promoted only in custody" I21
            "retired only when everybody has its successor" Barrier
            "nobody presents the active one while prepared" Runway
        ];
        all.push(Property::sometimes(PROMOTED, |_, state: &State| {
            state.shelf.record.as_ref().is_some_and(|record| record.overlap().is_some())
        }));
        all.push(Property::sometimes(RETIRED, |_, state: &State| {
            state.shelf.record.as_ref().is_some_and(|record| !record.retired.is_empty())
        }));
        all.push(Property::always("I1 a token comes back", |_, state: &State| state.recovers()));
        all
    }
}

/// What is searched: bounds, and the depth where there is a limit to it.
struct Case {
    name: &'static str,
    bounds: Bounds,
    /// Moves in a row in a usual test run.
    brief: usize,
    /// Moves in a row at length; none: everything.
    long: Option<usize>,
}

fn cases() -> Vec<Case> {
    let none = Bounds { peers: 2, ..Bounds::default() };
    let edge = Bounds { edges: 1, ..none };
    let case = |name, bounds, brief, long| Case { name, bounds, brief, long };
    vec![
        case("a source changes", edge, 12, None),
        case("an operator prepares or reports a leak", Bounds { operators: 1, ..none }, 12, None),
        case(
            "a caller hands a secret over, a member dies",
            Bounds { calls: 1, crashes: 1, ..none },
            9,
            None,
        ),
        case("a member dies and starts again", Bounds { crashes: 1, ..edge }, 9, None),
        case("members die twice", Bounds { crashes: 2, ..edge }, 7, Some(13)),
        case("a member is cut off", Bounds { naps: 1, ..edge }, 9, None),
        case("an answer says nothing", Bounds { unclear: 1, ..edge }, 9, None),
        case("a secret dies", Bounds { deaths: 1, ..edge }, 8, Some(18)),
        case("the store loses a write", Bounds { failovers: 1, ..edge }, 10, Some(20)),
        case(
            "the store loses a write, and is written before anybody sees it",
            Bounds { failovers: 1, edges: 2, ..none },
            7,
            Some(14),
        ),
        case("the store loses everything", Bounds { flushes: 1, ..edge }, 8, Some(16)),
        case("a lease ends too early", Bounds { lapses: 1, ..edge }, 9, Some(18)),
        case(
            "a regenerated secret is deployed everywhere",
            Bounds { redeploys: 2, deaths: 1, ..none },
            9,
            Some(16),
        ),
        case(
            "three members, a regenerated secret",
            Bounds { peers: 3, redeploys: 3, deaths: 1, ..none },
            7,
            Some(11),
        ),
        case(
            "three members, the store loses a write",
            Bounds { peers: 3, failovers: 1, ..edge },
            7,
            Some(11),
        ),
        case("two candidates, or one and back", Bounds { edges: 2, ..none }, 8, Some(14)),
        case("rejections in a row", Bounds { pauses: 3, ..edge }, 9, Some(13)),
        case(
            "a caller hands a secret over, and one dies",
            Bounds { calls: 1, deaths: 1, ..none },
            9,
            Some(16),
        ),
        case(
            "a candidate takes the place of an open rotation",
            Bounds { supersedes: 2, ..edge },
            8,
            Some(13),
        ),
        case("three members", Bounds { peers: 3, ..edge }, 7, Some(11)),
        case(
            "three members, two candidates, a death of each kind",
            Bounds { peers: 3, edges: 2, crashes: 1, deaths: 1, ..none },
            5,
            Some(7),
        ),
    ]
}

/// Searches everything within the bounds, tells how much that was, and returns whether it met
/// a promotion and a retirement.
#[expect(clippy::print_stderr, clippy::disallowed_methods, reason = "figures for people")]
fn search(case: &Case, depth: Option<usize>) -> bool {
    let begin = Instant::now();
    let checker = Check(case.bounds).checker().threads(2);
    let checker = checker.target_max_depth(depth.unwrap_or(usize::MAX)).spawn_bfs().join();
    let (reached, broken): (Vec<_>, Vec<_>) =
        checker.discoveries().into_iter().partition(|(name, _)| [PROMOTED, RETIRED].contains(name));
    if let Some((property, path)) = broken.into_iter().next() {
        let moves: Vec<Move> = path.clone().into_actions();
        panic!("{}: {property}\n{moves:?}\n{:#?}", case.name, path.last_state());
    }
    let (unique, depth) = (checker.unique_state_count(), checker.max_depth());
    let seconds = begin.elapsed().as_secs_f64();
    eprintln!("{}: {unique} states, depth {depth}, {seconds:.1} s", case.name);
    assert!(unique > 1000, "{}: nothing was searched", case.name);
    reached.len() == 2
}

/// Briefly in every run, and with `ROTATION_CHECK=long` as CONTRIBUTING.md says.
#[test]
#[expect(clippy::disallowed_methods, reason = "read by a test, before any thread")]
fn no_order_of_events_breaks_an_invariant() {
    let is_long = std::env::var("ROTATION_CHECK").is_ok_and(|length| length == "long");
    let went_far = cases()
        .iter()
        .map(|case| search(case, if is_long { case.long } else { Some(case.brief) }))
        .filter(|went_far| *went_far)
        .count();
    // Where only one member ever holds the new secret, nothing is retired, and rightly so.
    let least = if is_long { 4 } else { 2 };
    assert!(went_far >= least, "only {went_far} searches came across a promotion and a retirement");
}
