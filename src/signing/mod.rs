//! Which keys a webhook signer has, and how they change.
//!
//! Pure: the keys come from configured sources ([`ConfiguredKeys`]), or are the credentials of a
//! logical client ([`LentKeys`]). [`Board`] is what calls see.

mod board;
mod configured;
mod lent;

#[cfg(test)]
mod tests;

pub use board::{Board, KeyNotice, KeyProblem, NamedKey};
pub use configured::{ConfiguredKeys, KeySpec};
pub use lent::LentKeys;
