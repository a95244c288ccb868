//! A text whose characters know which part of the shown text they come from.

use std::ops::Range;

use zeroize::Zeroizing;

/// Characters, and the range of the shown text that each was made of.
///
/// A decoded text may be a secret, so it is wiped on drop.
#[derive(Clone)]
pub(super) struct Text {
    pub(super) chars: Zeroizing<Vec<char>>,
    pub(super) spans: Vec<Range<usize>>,
}

impl Text {
    pub(super) fn empty() -> Self {
        Self { chars: Zeroizing::default(), spans: vec![] }
    }

    /// The text that is shown: at most this many characters.
    pub(super) fn clean(text: &str, most: usize) -> Self {
        let chars: Vec<char> = text.chars().filter_map(visible).take(most).collect();
        let spans = (0..chars.len()).map(|index| index..index + 1).collect();
        Self { chars: Zeroizing::new(chars), spans }
    }

    /// Adds a character that stands for a part of the shown text. An invisible character is left
    /// out.
    pub(super) fn push(&mut self, char: char, span: Range<usize>) {
        if let Some(char) = visible(char) {
            self.chars.push(char);
            self.spans.push(span);
        }
    }

    /// The part of the shown text that these characters were made of.
    pub(super) fn span(&self, chars: Range<usize>) -> Range<usize> {
        let spans = &self.spans[chars];
        let start = spans.iter().map(|span| span.start).min().unwrap_or(0);
        start..spans.iter().map(|span| span.end).max().unwrap_or(0)
    }
}

/// How a character is shown. A control character becomes a blank; an invisible character is not
/// shown.
pub(super) fn visible(char: char) -> Option<char> {
    match char {
        '\u{2028}' | '\u{2029}' => Some(' '),
        _ if char.is_control() => Some(' '),
        _ if is_invisible(char) => None,
        _ => Some(char),
    }
}

/// Whether a character has no shape of its own, or changes the direction of those around it:
/// Unicode's `Default_Ignorable_Code_Point` and `Cf`.
fn is_invisible(char: char) -> bool {
    matches!(u32::from(char),
        0xAD | 0x34F | 0x600..=0x605 | 0x61C | 0x6DD | 0x70F | 0x890 | 0x891 | 0x8E2
        | 0x115F | 0x1160 | 0x17B4 | 0x17B5 | 0x180B..=0x180F | 0x200B..=0x200F | 0x202A..=0x202E
        | 0x2060..=0x206F | 0x3164 | 0xFE00..=0xFE0F | 0xFEFF | 0xFFA0 | 0xFFF0..=0xFFFB
        | 0x110BD | 0x110CD | 0x13430..=0x1343F | 0x1BCA0..=0x1BCA3 | 0x1D173..=0x1D17A
        | 0xE0000..=0xE0FFF)
}

/// Returns the same character for both cases.
pub(super) fn fold(char: char) -> char {
    if char.is_ascii() {
        return char.to_ascii_lowercase();
    }
    let mut lower = char.to_lowercase();
    match (lower.next(), lower.next()) {
        (Some(lower), None) => lower,
        _ => char,
    }
}
