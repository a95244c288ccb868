//! One member in virtual time.

mod asking;
mod persisting;
mod rotating;
mod simulation;
mod starting;
mod tokens;
mod world;
