//! Texts of others, as they may be shown: in errors, events and status.
//!
//! What a server, a proxy or a certificate says passes through [`presentable`]. It hides every secret
//! that the process knows, and every part of one that has [`RUN`] characters or more, however its case differs,
//! and however it is written:
//!
//! * as it is, percent-encoded, as HTML entities, escaped as in JSON, or in UTF-8 taken for Latin-1, twice over, and
//!   each character in a way of its own;
//! * in base64, base64url or hexadecimal, up to three times over, with any of the above inside and around
//!   them; base64 whose case was changed is known where it is of the secret itself.
//!
//! Control characters become blanks, invisible ones and those that change the direction of writing are left out,
//! and at most [`LONGEST`] characters are shown. A server that means harm can always invent another encoding.

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

/// At most so many characters of a text are shown.
pub const LONGEST: usize = 256;

/// So much of a secret is hidden wherever it stands; of a shorter secret, the whole.
pub const RUN: usize = 8;

/// So many characters of a text are looked at. What comes after them is not shown.
const CONSIDERED: usize = 2048;

/// Who knows what must not be shown.
pub trait Known {
    /// Calls `see` with each secret and token.
    fn each(&self, see: &mut dyn FnMut(&str));
}

impl Known for Vec<Secret> {
    fn each(&self, see: &mut dyn FnMut(&str)) {
        for secret in self {
            see(secret.expose());
        }
    }
}

/// A text without what must not be shown.
///
/// It costs some microseconds for each of the text's characters, and some nanoseconds for each one that is known.
/// A text that repeats a part of what is known in too many places is hidden as a whole.
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

/// One mark stands for each stretch that is hidden.
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
