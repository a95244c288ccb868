//! Hides what is known in a text, and returns what may be shown.

use super::search::Searched;
use super::text::Text;
use crate::secret::Secret;

/// How many characters of a text are shown at most.
pub const LONGEST: usize = 256;

/// How many characters of a text are searched. The rest is not shown.
pub(super) const CONSIDERED: usize = 2048;

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
