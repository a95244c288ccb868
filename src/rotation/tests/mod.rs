//! Scenarios in virtual time, the proof that they cover the table, and the check of the diagram.

mod candidates;
mod custody;
mod descent;
mod ground;
mod interpreter;
mod model;
mod moves;
mod overlap;
mod persist;
mod preparation;
mod promotion;
mod rejection;
mod retirement;
mod shelf;
mod superseding;
mod verdicts;
mod world;

use std::collections::BTreeSet;

use super::{TABLE, Transition, diagram};
use world::World;

/// Declares scenarios as tests, and lists them for the check that they cover the table.
macro_rules! scenarios {
    ($($(#[$doc:meta])* $name:ident = $world:expr => |$parameter:ident| $body:block)*) => {
        $(
            #[test]
            $(#[$doc])*
            fn $name() {
                let _ = scenario::$name();
            }
        )*

        mod scenario {
            #[allow(unused_imports, clippy::allow_attributes, reason = "not every theme needs all")]
            use super::*;
            $(
                pub(super) fn $name() -> World {
                    let mut world = $world;
                    let $parameter = &mut world;
                    $body
                    world
                }
            )*
        }

        pub(super) fn all() -> Vec<(&'static str, World)> {
            vec![$((stringify!($name), scenario::$name())),*]
        }
    };
}
use scenarios;

fn all() -> Vec<(&'static str, World)> {
    let themes = [
        candidates::all(),
        custody::all(),
        overlap::all(),
        preparation::all(),
        promotion::all(),
        rejection::all(),
        retirement::all(),
        superseding::all(),
        persist::all(),
    ];
    themes.into_iter().flatten().collect()
}

#[test]
fn every_row_of_the_table_has_a_scenario() {
    let taken: BTreeSet<Transition> =
        all().into_iter().flat_map(|(_, world)| world.taken).collect();
    let missing: Vec<_> = TABLE.iter().filter(|row| !taken.contains(&row.transition)).collect();
    assert!(missing.is_empty(), "no scenario takes {missing:?}");
}

#[test]
fn the_table_has_each_transition_once() {
    let rows: BTreeSet<Transition> = TABLE.iter().map(|row| row.transition).collect();
    assert_eq!((rows.len(), TABLE.len()), (17, 17));
}

#[test]
fn the_diagram_in_the_documentation_is_the_table() {
    let guide = include_str!("../../../docs/rotation.md");
    let diagram = format!("```mermaid\n{}```\n", diagram());
    assert!(guide.contains(&diagram), "docs/rotation.md should contain\n{diagram}");
}
