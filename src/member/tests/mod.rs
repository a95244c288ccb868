//! One member in virtual time.

mod asking;
mod custody;
mod failing;
mod peripherals;
mod persisting;
mod reporting;
mod rotating;
mod simulation;
mod starting;
mod tokens;
mod world;
