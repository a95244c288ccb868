//! One member in virtual time.

mod starting;
mod tokens;
mod world;
