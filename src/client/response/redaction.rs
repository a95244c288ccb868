//! What a server says, as it may be shown.

use crate::secret::Secret;

/// So much of it is shown.
pub(super) const LONGEST: usize = 256;

/// Texts that must not be shown, the longest first.
pub(super) struct Hidden(Vec<Secret>);

impl Hidden {
    pub(super) fn new(mut secrets: Vec<Secret>) -> Self {
        secrets.retain(|it| !it.expose().is_empty());
        // What contains another one is found whole.
        secrets.sort_by_key(|it| std::cmp::Reverse(it.expose().len()));
        Self(secrets)
    }

    /// No secret, no token, no control character, not too long.
    pub(super) fn presentable(&self, text: &str) -> String {
        // First, since a space in the place of a tab may complete a secret.
        let text: String =
            text.chars().map(|char| if char.is_control() { ' ' } else { char }).collect();
        let mut rest = text.as_str();
        let mut shown = Vec::new();
        while let Some(char) = rest.chars().next()
            && shown.len() < LONGEST
        {
            let hidden = self.0.iter().find_map(|hidden| beginning(rest, hidden.expose()));
            if hidden.is_some() {
                shown.extend("[redacted]".chars());
            } else {
                shown.push(char);
            }
            rest = &rest[hidden.unwrap_or(char.len_utf8())..];
        }
        shown.into_iter().take(LONGEST).collect()
    }
}

/// How many bytes a secret takes at the beginning of a text, where it stands there: each of its characters as it
/// is, or as a server may write it.
fn beginning(text: &str, secret: &str) -> Option<usize> {
    let mut ends = vec![0];
    for char in secret.chars() {
        let mut next: Vec<usize> = Vec::new();
        for end in ends {
            let rest = &text[end..];
            next.extend(spellings(rest, char).into_iter().flatten().map(|length| end + length));
        }
        next.sort_unstable();
        next.dedup();
        if next.is_empty() {
            return None;
        }
        ends = next;
    }
    ends.pop()
}

/// In how many bytes a character may be written at the beginning of a text.
fn spellings(text: &str, char: char) -> [Option<usize>; 7] {
    let first = text.chars().next();
    let is_replaced = !char.is_ascii() && matches!(first, Some('\u{fffd}' | '?'));
    let is_form_blank = char == ' ' && first == Some('+');
    [
        (first == Some(char) || is_replaced || is_form_blank)
            .then(|| first.map_or(0, char::len_utf8)),
        percent_encoded(text, char),
        entity(text, char),
        escaped(text, char),
        escaped_code(text, char),
        misread(text, char),
        cut(text, char),
    ]
}

/// `%C3%A9`
fn percent_encoded(text: &str, char: char) -> Option<usize> {
    let mut length = 0;
    for byte in char.encode_utf8(&mut [0; 4]).bytes() {
        let digits = text.get(length..length + 3)?.strip_prefix('%')?;
        (u8::from_str_radix(digits, 16) == Ok(byte)).then_some(())?;
        length += 3;
    }
    Some(length)
}

/// `&amp;`, `&#38;` or `&#x26;`
fn entity(text: &str, char: char) -> Option<usize> {
    // No name or number is longer.
    let rest = text.strip_prefix('&')?;
    let name = &rest[..rest.bytes().take(12).position(|byte| byte == b';')?];
    let value = match name {
        "amp" => '&',
        "lt" => '<',
        "gt" => '>',
        "quot" => '"',
        "apos" => '\'',
        number => {
            let number = number.strip_prefix('#')?;
            let hex = number.strip_prefix(['x', 'X']).map(|hex| u32::from_str_radix(hex, 16));
            char::from_u32(hex.unwrap_or_else(|| number.parse()).ok()?)?
        }
    };
    (value == char).then_some(name.len() + 2)
}

/// `\"` or `\/`, as in JSON within JSON
fn escaped(text: &str, char: char) -> Option<usize> {
    text.strip_prefix('\\')?.starts_with(char).then_some(1 + char.len_utf8())
}

/// `\u00e9`
fn escaped_code(text: &str, char: char) -> Option<usize> {
    let mut length = 0;
    for unit in char.encode_utf16(&mut [0; 2]) {
        let digits = text.get(length..length + 6)?.strip_prefix("\\u")?;
        (u16::from_str_radix(digits, 16) == Ok(*unit)).then_some(())?;
        length += 6;
    }
    Some(length)
}

/// `Ã©`: UTF-8 that somebody has taken for Latin-1
fn misread(text: &str, char: char) -> Option<usize> {
    stands(text, char.encode_utf8(&mut [0; 4]).bytes())
}

/// `¬`: the last eight bits of `€`, which Latin-1 does not have
fn cut(text: &str, char: char) -> Option<usize> {
    stands(text, char.encode_utf16(&mut [0; 2]).iter().map(|unit| unit.to_le_bytes()[0]))
}

/// How many bytes these take at the beginning of a text, as the characters of Latin-1 that they stand for or as what
/// a lenient reader makes of them. Control characters have been replaced by blanks.
fn stands(text: &str, bytes: impl Iterator<Item = u8>) -> Option<usize> {
    let mut chars = text.chars();
    bytes.map(char::from).try_fold(0, |length, byte| {
        let found = chars.next()?;
        let is_it = found == byte
            || (byte.is_control() && found == ' ')
            || (!byte.is_ascii() && found == '\u{fffd}');
        is_it.then_some(length + found.len_utf8())
    })
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use url::form_urlencoded::byte_serialize;

    use super::*;

    const SECRET: &str = "a&b \"c\"/<\\>'%41é€😀+=";

    fn shown(text: &str) -> String {
        Hidden::new(vec![Secret::new(SECRET)]).presentable(text)
    }

    /// How a character may be written, under a name.
    type Writing = (&'static str, fn(char) -> String);

    fn writings() -> Vec<Writing> {
        vec![
            ("plain", |char| char.to_string()),
            ("form", |char| byte_serialize(char.to_string().as_bytes()).collect()),
            ("percent", |char| {
                let bytes = char.to_string().into_bytes();
                bytes.iter().map(|byte| format!("%{byte:02x}")).collect::<Vec<_>>().concat()
            }),
            ("entities", |char| format!("&#{};", u32::from(char))),
            ("hexadecimal entities", |char| format!("&#x{:X};", u32::from(char))),
            ("named entities", |char| match char {
                '&' => "&amp;".into(),
                '<' => "&lt;".into(),
                '>' => "&gt;".into(),
                '"' => "&quot;".into(),
                '\'' => "&apos;".into(),
                other => other.into(),
            }),
            ("escapes", |char| if char.is_ascii() { format!("\\{char}") } else { char.into() }),
            ("escaped code units", |char| {
                let units = char.encode_utf16(&mut [0; 2]).to_vec();
                units.iter().map(|unit| format!("\\u{unit:04x}")).collect::<Vec<_>>().concat()
            }),
            ("misread", |char| char.to_string().bytes().map(char::from).collect()),
            ("replaced", |char| if char.is_ascii() { char.into() } else { "\u{fffd}".into() }),
            ("questioned", |char| if char.is_ascii() { char.into() } else { "?".into() }),
            ("cut to eight bits", |char| {
                let mut units = [0; 2];
                char.encode_utf16(&mut units)
                    .iter()
                    .map(|unit| char::from(unit.to_le_bytes()[0]))
                    .collect()
            }),
        ]
    }

    #[test]
    fn a_secret_is_hidden_however_it_is_written() {
        for (name, write) in writings() {
            let written: String = SECRET.chars().map(write).collect();
            assert_eq!(shown(&format!("<{written}>")), "<[redacted]>", "{name}: {written}");
            let part: String = SECRET.chars().skip(1).map(write).collect();
            assert_ne!(shown(&part), "[redacted]", "{name}");
        }
    }

    #[test]
    fn what_is_like_a_secret_is_shown() {
        for text in [
            "",
            "a&b",
            "&",
            "&#",
            "&#x;",
            "&#99999999999;",
            "\\",
            "\\u",
            "\\u00",
            "%",
            "%4",
            "%4é",
            "&amp",
            "&#x61",
            "&#97",
            "&a",
        ] {
            assert_eq!(shown(text), text);
        }
        let half = SECRET.replace('€', "$");
        assert_eq!(shown(&half), half);
    }

    #[test]
    fn a_secret_whose_characters_may_be_read_in_many_ways_takes_no_time() {
        let hidden = Hidden::new(vec![Secret::new("\\".repeat(200) + "x")]);
        assert_eq!(hidden.presentable(&"\\".repeat(400)).len(), LONGEST);
    }

    proptest! {
        #[test]
        fn no_mixture_of_writings_shows_a_secret(
            secret in "\\PC{1,24}", before in "\\PC{0,8}", ways in prop::collection::vec(0_usize..12, 24),
        ) {
            let writings = writings();
            let written: String = secret.chars().zip(ways).map(|(char, way)| writings[way].1(char)).collect();
            let hidden = Hidden::new(vec![Secret::new(&*secret)]);
            let shown = hidden.presentable(&format!("{before}{written}"));
            // In the place of control characters there are blanks.
            let is_hidden = shown.contains("[redacted]");
            prop_assert!(is_hidden, "{}", shown);
        }

        #[test]
        fn any_text_is_presentable(text in any::<String>(), secret in any::<String>()) {
            let shown = Hidden::new(vec![Secret::new(&*secret)]).presentable(&text);
            prop_assert!(shown.chars().count() <= LONGEST);
            prop_assert!(!shown.contains(char::is_control));
        }
    }
}
