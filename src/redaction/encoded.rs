//! Decodes the parts of a text that may be hexadecimal, base64 or base64url.

use std::ops::Range;

use super::spelling::only_char;
use super::text::Text;

/// The fewest bytes that count as decoded. Fewer may equal a short secret by chance.
pub(super) const FEWEST_BYTES: usize = 4;

/// A decoded part of a text.
pub(super) struct Decoded {
    pub(super) text: Text,
    /// The part of the shown text that it was decoded from.
    pub(super) span: Range<usize>,
}

/// Everything that the text may hold in these encodings, wherever a group of characters may begin.
pub(super) fn decoded(text: &Text) -> Vec<Decoded> {
    let mut found = Vec::new();
    for run in runs(text, |char| char.is_ascii_hexdigit()) {
        for start in run.start..(run.start + 2).min(run.end) {
            found.extend(decode(text, start..run.end, run.clone(), 2, hexadecimal));
        }
    }
    for run in runs(text, is_of_base64) {
        let padding = text.chars[run.end..].iter().take(2).take_while(|char| **char == '=').count();
        for start in run.start..(run.start + 4).min(run.end) {
            let padded = run.start..run.end + padding;
            found.extend(decode(text, start..run.end, padded, 4, base64));
        }
    }
    found
}

/// The longest stretches of characters of this kind.
fn runs(text: &Text, is_of_run: impl Fn(char) -> bool) -> Vec<Range<usize>> {
    let mut runs: Vec<Range<usize>> = Vec::new();
    for (at, _) in text.chars.iter().enumerate().filter(|(_, char)| is_of_run(**char)) {
        match runs.last_mut() {
            Some(run) if run.end == at => run.end = at + 1,
            _ => runs.push(at..at + 1),
        }
    }
    runs
}

/// Decodes characters, one group at a time.
fn decode(
    text: &Text,
    chars: Range<usize>,
    run: Range<usize>,
    group: usize,
    bytes_of: fn(&[char]) -> Vec<u8>,
) -> Option<Decoded> {
    let mut bytes = Vec::new();
    for start in chars.clone().step_by(group) {
        let end = (start + group).min(chars.end);
        let span = text.span(start..end);
        bytes
            .extend(bytes_of(&text.chars[start..end]).into_iter().map(|byte| (byte, span.clone())));
    }
    (bytes.len() >= FEWEST_BYTES)
        .then(|| Decoded { text: characters(&bytes), span: text.span(run) })
}

fn hexadecimal(group: &[char]) -> Vec<u8> {
    let digits: Option<Vec<u32>> = group.iter().map(|char| char.to_digit(16)).collect();
    match digits.as_deref() {
        Some(&[high, low]) => vec![u8::try_from(high * 16 + low).unwrap_or(0)],
        _ => vec![],
    }
}

fn base64(group: &[char]) -> Vec<u8> {
    let bits = group.iter().filter_map(|char| sextet(*char)).fold(0, |bits, it| bits << 6 | it);
    let [_, bytes @ ..] = (bits << (6 * (4 - group.len()))).to_be_bytes();
    bytes[..group.len() * 6 / 8].to_vec()
}

/// Whether a character belongs to base64 or base64url.
pub(super) fn is_of_base64(char: char) -> bool {
    sextet(char).is_some()
}

/// The value of a character of base64 or base64url (RFC 4648 §4 and §5).
fn sextet(char: char) -> Option<u32> {
    let value = match char {
        'A'..='Z' => u32::from(char) - u32::from('A'),
        'a'..='z' => u32::from(char) - u32::from('a') + 26,
        '0'..='9' => u32::from(char) - u32::from('0') + 52,
        '+' | '-' => 62,
        '/' | '_' => 63,
        _ => return None,
    };
    Some(value)
}

/// Reads bytes as UTF-8. A byte that is not UTF-8 is read as Latin-1.
fn characters(bytes: &[(u8, Range<usize>)]) -> Text {
    let mut text = Text::empty();
    let mut at = 0;
    while let Some((byte, span)) = bytes.get(at) {
        let longer = (2..=4).find_map(|length| {
            let bytes: Vec<u8> =
                bytes.get(at..at + length)?.iter().map(|(byte, _)| *byte).collect();
            Some((only_char(&bytes)?, length))
        });
        let (char, length) = longer.unwrap_or((char::from(*byte), 1));
        text.push(char, span.start..bytes[at + length - 1].1.end);
        at += length;
    }
    text
}
