//! One member in virtual time.

mod starting;
mod simulation;
mod tokens;
mod world;
