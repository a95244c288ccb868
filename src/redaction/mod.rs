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
mod needle;
mod search;
mod spelling;
mod text;

#[cfg(test)]
mod tests;

use crate::secret::Secret;
use search::Searched;
use text::Text;

/// How many characters of a text are shown at most.
pub const LONGEST: usize = 256;

/// How many characters of a secret in a row are hidden wherever they stand. A shorter secret is
/// hidden as a whole.
pub const RUN: usize = 8;

/// How many characters of a text are searched. The rest is not shown.
const CONSIDERED: usize = 2048;

/// A holder of texts that must not be shown.
pub trait Known {
    /// Calls `see` with each secret and each token.
    fn each(&self, see: &mut dyn FnMut(&str));
}

impl Known for Vec<Secret> {
    fn each(&self, see: &mut dyn FnMut(&str)) {
        for secret in self {
            see(secret.expose());
        }
    }
}

/// Returns the text without the parts that must not be shown.
///
/// This takes some microseconds for each character of the text, and some nanoseconds for each
/// character that is known. A text that repeats a part of what is known in too many places is
/// hidden as a whole.
pub fn presentable(text: &str, known: &[&dyn Known]) -> String {
    let text = Text::clean(text, CONSIDERED);
    if text.chars.is_empty() {
        return String::new();
    }
    let mut searched = Searched::new(&text);
    for known in known {
        known.each(&mut |secret| searched.hide(secret));
    }
    shown(&text, searched.hidden())
}

/// Replaces each hidden stretch by one mark.
fn shown(text: &Text, hidden: &[bool]) -> String {
    let mut shown = Vec::new();
    let mut was_hidden = false;
    for (&char, &is_hidden) in text.chars.iter().zip(hidden) {
        if !is_hidden {
            shown.push(char);
        } else if !was_hidden {
            shown.extend("[redacted]".chars());
        }
        was_hidden = is_hidden;
        if shown.len() >= LONGEST {
            break;
        }
    }
    shown.into_iter().take(LONGEST).collect()
}
