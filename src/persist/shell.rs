//! Says whether a shell that sources a file would run a value, by the quotes around it.
//!
//! No shell runs what stands between single quotes, unless an apostrophe further up has swapped
//! inside and outside. With `A=it's`, `B='$(id)'` and `C=it's` a shell runs `id`, although other
//! readers see three values.

/// Whether a shell runs no part of a value that is written like this at this place.
pub(super) fn is_safe_at(text: &str, place: usize, written: &str) -> bool {
    // Without these, nothing starts a command, wherever the value stands after its `NAME=`.
    let starts = |c: char| c.is_whitespace() || "$`\\;&|<>()".contains(c);
    let value = written.trim_matches(['\'', '"']);
    if !value.contains(starts) && !value.contains(['\'', '"']) {
        return true;
    }
    match around(&text[..place]) {
        Around::Nothing => true,
        Around::Single => !written.contains('\''),
        Around::Double => !written.contains(['"', '$', '`', '\\']),
        Around::Unclear => false,
    }
}

/// The quotes that are open at the end of a text.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Around {
    Nothing,
    Single,
    Double,
    /// Only a whole shell could tell.
    Unclear,
}

fn around(text: &str) -> Around {
    let mut rest = text;
    let mut begins_word = true;
    while let Some(c) = rest.chars().next() {
        let after = &rest[c.len_utf8()..];
        let is_comment = c == '#' && begins_word;
        rest = match c {
            '#' if begins_word => after.split_once('\n').map_or("", |(_, lines)| lines),
            '\\' => after.strip_prefix(|_| true).unwrap_or(""),
            '\'' => match after.split_once('\'') {
                Some((_, rest)) => rest,
                None => return Around::Single,
            },
            '"' => match behind_double_quotes(after) {
                Ok(rest) => rest,
                Err(around) => return around,
            },
            // In some shells `$'…'` has its own rules. The others here can contain quotes of their
            // own.
            '`' => return Around::Unclear,
            '$' if after.starts_with(['\'', '"']) => return Around::Unclear,
            '<' if after.starts_with('<') => return Around::Unclear,
            _ => after,
        };
        begins_word = is_comment || c.is_ascii_whitespace() || ";&|()".contains(c);
    }
    Around::Nothing
}

/// The text after the closing quote, if the text begins inside double quotes. If there is no
/// closing quote, what is open at the end.
fn behind_double_quotes(text: &str) -> Result<&str, Around> {
    let mut rest = text;
    while let Some(c) = rest.chars().next() {
        let after = &rest[c.len_utf8()..];
        rest = match c {
            '"' => return Ok(after),
            '\\' => after.strip_prefix(|_| true).unwrap_or(""),
            '`' => return Err(Around::Unclear),
            '$' if after.starts_with('(') => return Err(Around::Unclear),
            '$' if after.starts_with('{') => match after.split_once('}') {
                Some((name, rest)) if !name.contains(['\'', '"', '`', '$', '\\']) => rest,
                _ => return Err(Around::Unclear),
            },
            _ => after,
        };
    }
    Err(Around::Double)
}
