//! Characters that no client id or secret has, but that an editor, a web page or a terminal leaves.
//!
//! RFC 6749 appendix A.1 and A.2 allow printable ASCII. Other letters are accepted, since some
//! servers take them. Characters that are invisible on a screen are not.
//! `lib/options/credential-text.js` has the same rules for what JavaScript reads.

use std::fmt;

/// Why a text cannot be a client id or secret.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Flaw {
    /// A line break, for example.
    ControlCharacter,
    /// A character without width, such as a zero-width space or a byte order mark.
    Invisible(char),
    /// A non-breaking space, for example.
    OtherBlank(char),
    /// A space at the beginning or at the end.
    OuterBlank,
}

impl Flaw {
    pub(super) fn of(text: &str) -> Option<Self> {
        if text.chars().any(char::is_control) {
            return Some(Self::ControlCharacter);
        }
        if let Some(found) = text.chars().find(|c| is_invisible(*c)) {
            return Some(Self::Invisible(found));
        }
        if let Some(found) = text.chars().find(|c| c.is_whitespace() && *c != ' ') {
            return Some(Self::OtherBlank(found));
        }
        (text.starts_with(' ') || text.ends_with(' ')).then_some(Self::OuterBlank)
    }
}

impl fmt::Display for Flaw {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::ControlCharacter => f.write_str("control characters"),
            Self::Invisible(c) => write!(f, "an invisible character (U+{:04X})", u32::from(*c)),
            Self::OtherBlank(c) => {
                write!(f, "a blank that is no plain space (U+{:04X})", u32::from(*c))
            }
            Self::OuterBlank => f.write_str("a blank at its beginning or end"),
        }
    }
}

/// Unicode's property `Default_Ignorable_Code_Point`.
fn is_invisible(c: char) -> bool {
    matches!(
        c,
        '\u{ad}'
            | '\u{34f}'
            | '\u{61c}'
            | '\u{115f}'..='\u{1160}'
            | '\u{17b4}'..='\u{17b5}'
            | '\u{180b}'..='\u{180f}'
            | '\u{200b}'..='\u{200f}'
            | '\u{202a}'..='\u{202e}'
            | '\u{2060}'..='\u{206f}'
            | '\u{3164}'
            | '\u{fe00}'..='\u{fe0f}'
            | '\u{feff}'
            | '\u{ffa0}'
            | '\u{fff0}'..='\u{fff8}'
            | '\u{1bca0}'..='\u{1bca3}'
            | '\u{1d173}'..='\u{1d17a}'
            | '\u{e0000}'..='\u{e0fff}'
    )
}

#[cfg(test)]
mod tests {
    use serde::Deserialize;

    use super::*;

    #[derive(Deserialize)]
    struct Case {
        text: String,
        flaw: Option<String>,
    }

    /// `__test__/credential-text.test.js` tests the facade with the same cases.
    #[test]
    fn flaws_are_those_of_the_cases() {
        let cases: Vec<Case> = serde_json::from_str(include_str!("flaws.json")).unwrap();
        assert!(cases.len() > 20);
        for Case { text, flaw } in cases {
            assert_eq!(Flaw::of(&text).map(|flaw| flaw.to_string()), flaw, "{text:?}");
        }
    }
}
