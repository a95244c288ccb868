//! Reads a file of variables as the `dotenv` package and Node.js do.
//!
//! They agree on well-formed files and differ on others, so this module follows both exactly:
//! `dotenv` 17 and 18 by its regular expression, and Node.js 24 (`--env-file`, `util.parseEnv`) by
//! its loop.

use std::collections::BTreeMap;
use std::ops::Range;

use zeroize::Zeroizing;

use crate::secret::Secret;

/// An assignment that `dotenv` reads. Ranges count bytes of the file.
#[derive(Debug)]
pub(super) struct Assignment {
    pub(super) name: String,
    pub(super) value: Secret,
    /// Where the value stands, including its quotes.
    pub(super) place: Range<usize>,
    /// The quote around the value, if there is one.
    pub(super) quote: Option<char>,
}

/// The variables that a reader finds. The last assignment of a name counts.
pub(super) type Variables = BTreeMap<String, Secret>;

/// Whether JavaScript's regular expressions take a character, other than a line break, for the end
/// of a line.
pub(super) fn is_separator(c: char) -> bool {
    matches!(c, '\u{2028}' | '\u{2029}')
}

/// Whether JavaScript takes a character for white space.
fn is_space(c: char) -> bool {
    (c.is_whitespace() && c != '\u{85}') || c == '\u{feff}'
}

/// The assignments that `dotenv` finds, in order.
pub(super) fn assignments(text: &str) -> Vec<Assignment> {
    let (lines, places) = with_plain_line_breaks(text);
    let mut found = Vec::new();
    let mut at = 0;
    while at < lines.len() {
        at = skip_space(&lines, at);
        let next = if let Some((mut assignment, end)) = assignment(&lines, at) {
            assignment.place = places[assignment.place.start]..places[assignment.place.end];
            found.push(assignment);
            end
        } else {
            at
        };
        at = end_of_line(&lines, next) + 1;
    }
    found
}

/// The variables that `dotenv` reads.
pub(super) fn dotenv(text: &str) -> Variables {
    assignments(text).into_iter().map(|found| (found.name, found.value)).collect()
}

/// The text with `\n` for every line break, and the position in the file that each byte comes from.
fn with_plain_line_breaks(text: &str) -> (Zeroizing<String>, Vec<usize>) {
    let mut lines = Zeroizing::new(String::with_capacity(text.len()));
    let mut places = Vec::with_capacity(text.len() + 1);
    let mut follows_return = false;
    for (place, c) in text.char_indices() {
        if c != '\n' || !follows_return {
            lines.push(if c == '\r' { '\n' } else { c });
            places.extend(place..place + c.len_utf8());
        }
        follows_return = c == '\r';
    }
    places.push(text.len());
    (lines, places)
}

/// The assignment whose name or `export` starts here, with its end, which is on its last line.
fn assignment(lines: &str, start: usize) -> Option<(Assignment, usize)> {
    let exported = lines[start..]
        .strip_prefix("export")
        .map(|rest| skip_space(lines, lines.len() - rest.len()))
        .filter(|name| *name > start + "export".len())
        .and_then(|name| Some((name, name_and_separator(lines, name)?)));
    let (name_start, (name_end, value_start)) =
        exported.or_else(|| Some((start, name_and_separator(lines, start)?)))?;
    let (place, quote, end) = value(lines, value_start);
    let assignment = Assignment {
        name: lines[name_start..name_end].to_owned(),
        value: unquoted(&lines[place.clone()]),
        place,
        quote,
    };
    Some((assignment, end))
}

/// The end of the name that starts here, and the end of the separator after it.
fn name_and_separator(lines: &str, start: usize) -> Option<(usize, usize)> {
    let is_of_name = |c: char| c.is_ascii_alphanumeric() || matches!(c, '_' | '.' | '-');
    let end = skip(lines, start, is_of_name);
    if end == start {
        return None;
    }
    let separator = skip_space(lines, end);
    if lines[separator..].starts_with('=') {
        return Some((end, separator + 1));
    }
    let space = lines[end..].strip_prefix(':')?.chars().next().filter(|c| is_space(*c))?;
    Some((end, end + 1 + space.len_utf8()))
}

/// The value that starts here: its range, its quote, and the end of everything that belongs to it.
fn value(lines: &str, start: usize) -> (Range<usize>, Option<char>, usize) {
    let first = skip_space(lines, start);
    let quote = lines[first..].chars().next().filter(|c| matches!(c, '\'' | '"' | '`'));
    if let Some(quote) = quote
        && let Some(end) = closed(lines, first, quote)
    {
        return (first..end, Some(quote), end);
    }
    let end = lines[start..].find(['#', '\n']).map_or(lines.len(), |length| start + length);
    let written = lines[start..end].trim_matches(is_space);
    if written.is_empty() {
        return (start..start, None, end);
    }
    let first = end - lines[start..end].trim_start_matches(is_space).len();
    (first..first + written.len(), quote, end)
}

/// The end of the quoted text that starts here. It is the longest text that is followed by nothing
/// but a comment. A quote inside must have a backslash before it.
fn closed(lines: &str, start: usize, quote: char) -> Option<usize> {
    let mut end = None;
    for (at, _) in lines[start + 1..].match_indices(quote) {
        let at = start + 1 + at;
        let rest = &lines[at + 1..];
        let rest = rest.trim_start_matches(|c| is_space(c) && c != '\n');
        if rest.is_empty() || rest.starts_with(['\n', '#']) {
            end = Some(at + 1);
        }
        if !lines[..at].ends_with('\\') {
            break;
        }
    }
    end
}

/// The value that `dotenv` reads from a written one.
fn unquoted(written: &str) -> Secret {
    let stripped = ['\'', '"', '`']
        .into_iter()
        .find_map(|quote| written.strip_prefix(quote)?.strip_suffix(quote))
        .unwrap_or(written);
    if !written.starts_with('"') {
        return Secret::new(stripped);
    }
    let half = Zeroizing::new(stripped.replace("\\n", "\n"));
    Secret::new(half.replace("\\r", "\r"))
}

fn skip(text: &str, from: usize, is_skipped: impl Fn(char) -> bool) -> usize {
    text.len() - text[from..].trim_start_matches(is_skipped).len()
}

fn skip_space(text: &str, from: usize) -> usize {
    skip(text, from, is_space)
}

fn end_of_line(lines: &str, from: usize) -> usize {
    lines[from..].find('\n').map_or(lines.len(), |length| from + length)
}

/// The variables that Node.js reads.
pub(super) fn node(text: &str) -> Variables {
    let text = Zeroizing::new(text.replace('\r', ""));
    let trim = |text| str::trim_matches(text, [' ', '\t', '\n']);
    let mut variables = Variables::new();
    let mut rest = trim(&text);
    while !rest.is_empty() {
        if rest.starts_with(['\n', '#']) {
            rest = after_line(rest);
            continue;
        }
        let Some(end) = rest.find(['=', '\n']) else { break };
        if rest[end..].starts_with('\n') {
            rest = trim(&rest[end + 1..]);
            continue;
        }
        let name = trim(&rest[..end]);
        rest = &rest[end + 1..];
        if rest.is_empty() || rest.starts_with('\n') {
            variables.insert(name.to_owned(), Secret::new(""));
            continue;
        }
        rest = trim(rest);
        if name.is_empty() {
            continue;
        }
        let name = name.strip_prefix("export ").map_or(name, trim).to_owned();
        let quote = rest.chars().next().filter(|c| matches!(c, '\'' | '"' | '`'));
        if let Some(quote) = quote
            && let Some(length) = rest[1..].find(quote)
        {
            let value = &rest[1..=length];
            let value = if quote == '"' { value.replace("\\n", "\n") } else { value.to_owned() };
            variables.insert(name, Secret::new(value));
            rest = after_line(&rest[length + 2..]);
            continue;
        }
        let line = rest.lines().next().unwrap_or("");
        let value = if quote.is_some() {
            line
        } else {
            trim(line.split_once('#').map_or(line, |(value, _)| value))
        };
        variables.insert(name, Secret::new(value));
        rest = trim(after_line(rest));
    }
    // From `export A=` without a value, Node.js reads the name with `export`. Nobody can mean that.
    variables.retain(|name, _| !name.contains([' ', '\t']));
    variables
}

/// The text after the first line.
fn after_line(text: &str) -> &str {
    text.split_once('\n').map_or("", |(_, rest)| rest)
}
