//! One member in virtual time.

mod tokens;
mod world;
