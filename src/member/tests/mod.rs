//! One member in virtual time.

mod simulation;
mod starting;
mod tokens;
mod world;
