//! Reads variables of a dotenv file, or changes them and nothing else.
//!
//! Comments, order, blank lines, line breaks, `export` and the comment after a value stay as they
//! are. A variable that is assigned several times is changed everywhere. A missing variable is
//! appended.
//!
//! Readers differ, and a file may have several. So the new text is read again as `dotenv` and
//! Node.js would read it. Every reader that found the variable before must find the new value, and
//! no reader may find another variable changed. Otherwise the change is refused.
//!
//! A shell that sources the file is a third reader. It runs what stands between backticks and in
//! `$(…)`, even between double quotes. So a value is written only in a form that all three read
//! alike: without quotes if it is plain, between single quotes, or between double quotes if it has
//! no `$`, no backtick and no backslash. A value with `'` and one of these has no such form, and is
//! refused. So is a value that is not plain, if a shell would find it inside other quotes. Blanks
//! between `NAME=` and the value are removed, since a shell would run that value.

use std::collections::{BTreeMap, BTreeSet};

use super::dialect::{self, Assignment, Variables, is_separator};
use super::refusal::{PersistRefusal, check_characters};
use super::shell;
use crate::secret::Secret;

/// What readers find for a variable that a dotenv file sets.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Variable {
    /// The value that every reader finds.
    Value(Secret),
    /// `dotenv` and Node.js find different values, or only one of them finds any.
    Ambiguous,
}

/// Returns those of these variables that the file sets. An empty variable is not set.
pub fn read(text: &str, names: &BTreeSet<String>) -> BTreeMap<String, Variable> {
    // Windows editors write a byte order mark. `dotenv` takes it for a blank, and Node.js for a
    // part of the first name.
    let text = text.strip_prefix('\u{feff}').unwrap_or(text);
    let readings = DotenvTexts::of(text);
    // Lines end there for one reader and not for the other.
    let is_clear = !text.contains(is_separator);
    let set = |name: &String| {
        let value = |variables: &Variables| {
            variables.get(name).filter(|value| !value.expose().is_empty()).cloned()
        };
        match (value(&readings.dotenv), value(&readings.node)) {
            (None, None) if is_clear => None,
            (Some(read), Some(other)) if is_clear && read == other => Some(Variable::Value(read)),
            _ => Some(Variable::Ambiguous),
        }
    };
    names.iter().filter_map(|name| Some((name.clone(), set(name)?))).collect()
}

/// The new text of the file; `None` if it holds these values already.
///
/// # Errors
/// If a name or a value cannot be written, or if readers of the file would disagree.
pub fn edit(text: &str, values: &[(&str, &Secret)]) -> Result<Option<Secret>, PersistRefusal> {
    if let [(client_id, _), (client_secret, _)] = values
        && client_id == client_secret
    {
        return Err(PersistRefusal::SameName((*client_id).to_owned()));
    }
    for (name, value) in values.iter().copied() {
        let is_of_name = |c: char| c.is_ascii_alphanumeric() || matches!(c, '_' | '.' | '-');
        if name.is_empty() || !name.chars().all(is_of_name) {
            return Err(PersistRefusal::Name(name.to_owned()));
        }
        check_characters(name, value)?;
    }
    let mut new = None;
    for (name, value) in values.iter().copied() {
        let before = new.as_ref().map_or(text, Secret::expose);
        if let Some(after) = set(before, name, value)? {
            new = Some(after);
        }
    }
    Ok(new)
}

/// The text with one variable changed; `None` if it has this value already.
fn set(text: &str, name: &str, value: &Secret) -> Result<Option<Secret>, PersistRefusal> {
    // Lines end there for one reader and not for the other.
    if text.contains(is_separator) {
        return Err(PersistRefusal::Ambiguous(name.to_owned()));
    }
    let before = DotenvTexts::of(text);
    if before.has(name, value) {
        return Ok(None);
    }
    let mut assignments = dialect::assignments(text);
    assignments.retain(|assignment| assignment.name == name);
    let present = assignments.last().and_then(|assignment| Quoting::of(assignment.quote));
    let quotings = Quoting::by_preference(value.expose(), present);
    let mut is_exposed = false;
    for quoting in &quotings {
        let written = quoting.write(value);
        let new = if assignments.is_empty() {
            appended(text, name, &written)
        } else {
            replaced(text, &assignments, &written)
        };
        if !DotenvTexts::of(new.expose()).differ_only_in(&before, name, value) {
            continue;
        }
        if is_safe_for_shells(new.expose(), name, written.expose()) {
            return Ok(Some(new));
        }
        is_exposed = true;
    }
    let name = name.to_owned();
    if is_exposed {
        return Err(PersistRefusal::Exposed(name));
    }
    let is_readable_alone = quotings.iter().any(|quoting| {
        let alone = appended("", &name, &quoting.write(value));
        DotenvTexts::of(alone.expose()).has(&name, value)
    });
    Err(if is_readable_alone {
        PersistRefusal::Ambiguous(name)
    } else {
        PersistRefusal::Unquotable(name)
    })
}

fn replaced(text: &str, assignments: &[Assignment], written: &Secret) -> Secret {
    let mut size = text.len();
    size += assignments.len() * written.expose().len();
    // Large enough from the start: a buffer that grows leaves a copy behind.
    let mut new = String::with_capacity(size);
    let mut copied = 0;
    for assignment in assignments {
        new.push_str(&text[copied..start(text, assignment)]);
        new.push_str(written.expose());
        copied = assignment.place.end;
    }
    new.push_str(&text[copied..]);
    Secret::new(new)
}

/// Where the new value of an assignment begins. In `A= value` a shell would run `value`, so the
/// blanks are replaced, too.
fn start(text: &str, assignment: &Assignment) -> usize {
    let is_blank = [' ', '\t'];
    let before = text[..assignment.place.start].trim_end_matches(is_blank);
    match before.strip_suffix('=') {
        Some(name) if !name.ends_with(is_blank) => before.len(),
        _ => assignment.place.start,
    }
}

/// Whether a shell that sources the file runs no part of the new value.
fn is_safe_for_shells(text: &str, name: &str, written: &str) -> bool {
    let assignments = dialect::assignments(text);
    let mut ours = assignments.iter().filter(|assignment| assignment.name == name);
    ours.all(|assignment| shell::is_safe_at(text, assignment.place.start, written))
}

/// The text with the variable on a new last line, which ends as the last line before it did.
fn appended(text: &str, name: &str, written: &Secret) -> Secret {
    let line_break = if text.contains("\r\n") { "\r\n" } else { "\n" };
    let is_ended = text.is_empty() || text.ends_with('\n');
    let (before, after) = if is_ended { ("", line_break) } else { (line_break, "") };
    Secret::new([text, before, name, "=", written.expose(), after].concat())
}

/// How a value is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Quoting {
    Bare,
    Single,
    Double,
}

impl Quoting {
    /// The quoting of a value that is there. `None` for backticks: a shell runs what stands between
    /// them.
    fn of(quote: Option<char>) -> Option<Self> {
        match quote {
            Some('\'') => Some(Self::Single),
            Some('"') => Some(Self::Double),
            Some(_) => None,
            None => Some(Self::Bare),
        }
    }

    /// The quotings in which a shell reads the value as it is and runs nothing; first the one that
    /// is there. There may be none.
    fn by_preference(value: &str, present: Option<Self>) -> Vec<Self> {
        let all = present.into_iter().chain([Self::Bare, Self::Single, Self::Double]);
        all.filter(|quoting| quoting.suits_shells(value)).collect()
    }

    /// Whether a shell reads the value as it is.
    fn suits_shells(self, value: &str) -> bool {
        let is_plain = |c: char| c.is_ascii_alphanumeric() || "_-.,:/@%+=~".contains(c);
        match self {
            // Shells expand a tilde only in these places. zsh also expands what follows an equals
            // sign at the beginning.
            Self::Bare => {
                value.chars().all(is_plain)
                    && !value.starts_with(['~', '='])
                    && !value.contains(":~")
                    && !value.contains("=~")
            }
            Self::Single => !value.contains('\''),
            Self::Double => !value.contains(['"', '$', '`', '\\']),
        }
    }

    fn write(self, value: &Secret) -> Secret {
        let quote = match self {
            Self::Bare => "",
            Self::Single => "'",
            Self::Double => "\"",
        };
        Secret::new([quote, value.expose(), quote].concat())
    }
}

/// What each reader finds in a file.
struct DotenvTexts {
    dotenv: Variables,
    node: Variables,
}

impl DotenvTexts {
    fn of(text: &str) -> Self {
        Self { dotenv: dialect::dotenv(text), node: dialect::node(text) }
    }

    /// Whether `dotenv` finds this value, and Node.js finds it or nothing.
    fn has(&self, name: &str, value: &Secret) -> bool {
        self.dotenv.get(name) == Some(value) && self.node.get(name).is_none_or(|read| read == value)
    }

    /// Whether the readers find the new value, and everything else as it was before.
    fn differ_only_in(&self, before: &Self, name: &str, value: &Secret) -> bool {
        let is_appended = !before.dotenv.contains_key(name);
        let node_must = is_appended || before.node.contains_key(name);
        self.has(name, value)
            && (!node_must || self.node.contains_key(name))
            && others(&self.dotenv, name).eq(others(&before.dotenv, name))
            && others(&before.node, name).all(|(other, read)| self.node.get(other) == Some(read))
            // As long as `A= ` has no value, it hides the next line from Node.js.
            && others(&self.node, name).all(|(other, read)| {
                before.node.contains_key(other) || self.dotenv.get(other) == Some(read)
            })
    }
}

fn others<'a>(
    variables: &'a Variables,
    name: &str,
) -> impl Iterator<Item = (&'a String, &'a Secret)> {
    variables.iter().filter(move |(other, _)| *other != name)
}
