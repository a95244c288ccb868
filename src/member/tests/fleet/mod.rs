//! Members that have met: one store, and clocks that differ.

mod group;
mod naming;
mod persisting;
mod proving;
mod redeploying;
mod rotating;
mod sharing;
mod simulation;
