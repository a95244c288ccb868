//! Signatures of webhooks: made with every key that signs now, verified with every key that
//! verifies now.
//!
//! Pure: the present is an argument, keys and their windows are given. Every scheme is a row of
//! one table, or what a user describes in the same terms; there is no code for a single scheme.
//! HTTP, and which keys there are, is the business of others.

mod digits;
mod encoding;
mod incoming;
mod key;
mod keyring;
mod layout;
mod list;
mod outgoing;
mod scheme;
mod spec;
mod table;
mod template;

pub use encoding::TagEncoding;
pub use incoming::{Incoming, SignatureFlaw};
pub use key::{KeyFlaw, SigningKey};
pub use keyring::{KeyWindow, LiveKey, LiveKeys};
pub use outgoing::{NoKey, Outgoing, SignWith};
pub use scheme::{Scheme, SchemeFlaw};
pub use spec::{HmacSpec, SchemeName, SchemeSpec};
