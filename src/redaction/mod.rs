//! Makes texts of others fit to be shown in errors, events and status.
//!
//! Everything that a server, a proxy or a certificate says passes through [`presentable`]. It hides
//! every secret that the process knows, and every part of one that has [`RUN`] characters or more.
//! It finds them in any case, and in any of these forms:
//!
//! * as it is, percent-encoded, as HTML entities, escaped as in JSON, or in UTF-8 that was taken
//!   for Latin-1; even twice over, and even if each character is written in a different way;
//! * in base64, base64url or hexadecimal, up to three times over, with any of the above inside and
//!   around them. Base64 whose case was changed is found only if it encodes the secret itself.
//!
//! Control characters become blanks. Invisible characters, and those that change the direction of
//! writing, are left out. At most [`LONGEST`] characters are shown. A malicious server can always
//! invent another encoding.

mod encoded;
mod grams;
mod layer;
mod needle;
mod presentation;
mod search;
mod spelling;
mod text;

#[cfg(test)]
mod tests;

pub use needle::RUN;
pub use presentation::{Known, LONGEST, presentable};
