//! Lists how each character of a text may be read: as it is, or as what an escape stands for.

use super::text::{Text, visible};

/// How often an escape may itself be escaped.
const LAYERS: usize = 2;

/// The longest name or number of an HTML entity that is read.
const LONGEST_ENTITY: usize = 8;

/// One way to read a text at some position: as a character that ends at another position.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct SpelledText {
    pub(super) char: char,
    pub(super) end: usize,
    /// Whether something else may be meant, as it mostly is.
    is_doubtful: bool,
}

/// The readings at each position of a text.
pub(super) struct SpelledTexts(Vec<Vec<SpelledText>>);

impl SpelledTexts {
    pub(super) fn of(text: &Text) -> Self {
        let mut readings = Self(
            text.chars
                .iter()
                .enumerate()
                .map(|(at, &char)| vec![SpelledText { char, end: at + 1, is_doubtful: false }])
                .collect(),
        );
        for _ in 0..LAYERS {
            readings.unescape();
        }
        readings
    }

    pub(super) fn len(&self) -> usize {
        self.0.len()
    }

    /// The readings at this position; none at the end.
    pub(super) fn at(&self, place: usize) -> &[SpelledText] {
        self.0.get(place).map_or(&[], Vec::as_slice)
    }

    /// Adds what the escapes among the readings stand for.
    fn unescape(&mut self) {
        let mut all: Vec<Vec<SpelledText>> = self.0.clone();
        for at in (0..all.len()).rev() {
            for reading in self.escapes(at) {
                match visible(reading.char) {
                    Some(char) => add(&mut all[at], SpelledText { char, ..reading }),
                    // An invisible character is skipped: the readings after it count.
                    None => {
                        for next in all.get(reading.end).cloned().unwrap_or_default() {
                            add(&mut all[at], next);
                        }
                    }
                }
            }
        }
        self.0 = all;
    }

    fn escapes(&self, at: usize) -> Vec<SpelledText> {
        let mut found = Vec::new();
        for introducer in self.at(at) {
            match introducer.char {
                '%' => found.extend(self.percent(introducer.end)),
                '&' => found.extend(self.entity(introducer.end)),
                '\\' => found.extend(self.backslash(introducer.end)),
                // A blank in a form.
                '+' => {
                    found.push(SpelledText { char: ' ', end: introducer.end, is_doubtful: true });
                }
                _ => {}
            }
        }
        found
    }

    /// Reads `%41`, and `%C3%A9`, which is UTF-8 or one character of Latin-1 for each byte.
    fn percent(&self, digits: usize) -> Vec<SpelledText> {
        let mut found = Vec::new();
        let mut rows: Vec<_> =
            self.byte(digits).into_iter().map(|(byte, end)| (vec![byte], end)).collect();
        while let Some((bytes, end)) = rows.pop() {
            if let [byte] = bytes[..] {
                found.push(SpelledText { char: char::from(byte), end, is_doubtful: false });
            }
            found.extend(only_char(&bytes).map(|char| SpelledText {
                char,
                end,
                is_doubtful: false,
            }));
            if bytes.len() < length_of_utf8(bytes[0]) {
                let introducers = self.at(end).iter().filter(|it| it.char == '%');
                rows.extend(
                    introducers
                        .flat_map(|it| self.byte(it.end))
                        .map(|(byte, end)| ([&bytes[..], &[byte]].concat(), end)),
                );
            }
        }
        found
    }

    fn byte(&self, digits: usize) -> Vec<(u8, usize)> {
        let numbers = self.hexadecimal(digits, 2);
        numbers
            .into_iter()
            .filter_map(|(number, end)| Some((number.try_into().ok()?, end)))
            .collect()
    }

    /// Reads a number with this many hexadecimal digits. Returns it with the position at which it
    /// ends.
    fn hexadecimal(&self, at: usize, digits: usize) -> Vec<(u32, usize)> {
        (0..digits).fold(vec![(0, at)], |numbers, _| {
            let digits = numbers.into_iter().flat_map(|(number, at)| {
                self.at(at).iter().filter_map(move |reading| {
                    Some((number * 16 + reading.char.to_digit(16)?, reading.end))
                })
            });
            digits.collect()
        })
    }

    /// Reads `&amp;`, `&#38;` or `&#x26;`.
    fn entity(&self, at: usize) -> Vec<SpelledText> {
        let mut found = Vec::new();
        let mut names = vec![(String::new(), at)];
        for _ in 0..=LONGEST_ENTITY {
            let mut longer = Vec::new();
            for (name, at) in names {
                for reading in self.at(at) {
                    match reading.char {
                        ';' => found.extend(named(&name).map(|char| SpelledText {
                            char,
                            end: reading.end,
                            is_doubtful: false,
                        })),
                        char if char == '#' || char.is_ascii_alphanumeric() => {
                            longer.push((format!("{name}{char}"), reading.end));
                        }
                        _ => {}
                    }
                }
            }
            names = longer;
        }
        found
    }

    /// Reads `\"`, `\n`, `\x41`, `\u00e9`, or two of the last kind for one character.
    fn backslash(&self, at: usize) -> Vec<SpelledText> {
        let mut found = Vec::new();
        for letter in self.at(at) {
            found.push(*letter);
            match letter.char {
                'n' | 'r' | 't' | 'b' | 'f' | 'v' | '0' => {
                    found.push(SpelledText { char: ' ', end: letter.end, is_doubtful: true });
                }
                'x' | 'X' => {
                    found.extend(self.hexadecimal(letter.end, 2).into_iter().filter_map(code));
                }
                'u' | 'U' => {
                    for (unit, end) in self.hexadecimal(letter.end, 4) {
                        found.extend(code((unit, end)));
                        found.extend(self.second_units(end).into_iter().filter_map(
                            |(second, end)| {
                                let units =
                                    [unit, second].map(|unit| u16::try_from(unit).unwrap_or(0));
                                let char = char::decode_utf16(units).next()?.ok()?;
                                let is_pair = char.len_utf16() == 2;
                                is_pair.then_some(SpelledText { char, end, is_doubtful: false })
                            },
                        ));
                    }
                }
                _ => {}
            }
        }
        found
    }

    fn second_units(&self, at: usize) -> Vec<(u32, usize)> {
        let backslashes = self.at(at).iter().filter(|it| it.char == '\\');
        let letters = backslashes.flat_map(|it| self.at(it.end));
        let letters = letters.filter(|it| matches!(it.char, 'u' | 'U'));
        letters.flat_map(|it| self.hexadecimal(it.end, 4)).collect()
    }

    /// The text with its escapes undone, if it has any.
    pub(super) fn unescaped(&self, text: &Text) -> Option<Text> {
        let mut unescaped = Text::empty();
        let mut at = 0;
        let likely = |at| self.at(at).iter().filter(|it| !it.is_doubtful).max_by_key(|it| it.end);
        while let Some(&SpelledText { char, end, .. }) = likely(at) {
            unescaped.push(char, text.span(at..end));
            at = end;
        }
        (unescaped.chars != text.chars).then_some(unescaped)
    }
}

fn add(readings: &mut Vec<SpelledText>, reading: SpelledText) {
    if !readings.iter().any(|it| (it.char, it.end) == (reading.char, reading.end)) {
        readings.push(reading);
    }
}

fn code((number, end): (u32, usize)) -> Option<SpelledText> {
    Some(SpelledText { char: char::from_u32(number)?, end, is_doubtful: false })
}

/// The character that an entity stands for. Among named entities, it knows those that HTML has for
/// ASCII characters.
fn named(name: &str) -> Option<char> {
    match name.to_ascii_lowercase().as_str() {
        "amp" => Some('&'),
        "lt" => Some('<'),
        "gt" => Some('>'),
        "quot" => Some('"'),
        "apos" => Some('\''),
        "ast" | "midast" => Some('*'),
        "bsol" => Some('\\'),
        "colon" => Some(':'),
        "comma" => Some(','),
        "commat" => Some('@'),
        "dollar" => Some('$'),
        "equals" => Some('='),
        "excl" => Some('!'),
        "grave" => Some('`'),
        "hat" => Some('^'),
        "lbrace" | "lcub" => Some('{'),
        "lbrack" | "lsqb" => Some('['),
        "lowbar" | "underbar" => Some('_'),
        "lpar" => Some('('),
        "num" => Some('#'),
        "percnt" => Some('%'),
        "period" => Some('.'),
        "plus" => Some('+'),
        "quest" => Some('?'),
        "rbrace" | "rcub" => Some('}'),
        "rbrack" | "rsqb" => Some(']'),
        "rpar" => Some(')'),
        "semi" => Some(';'),
        "sol" => Some('/'),
        "verbar" | "vert" => Some('|'),
        name => {
            let number = name.strip_prefix('#')?;
            let hexadecimal = number.strip_prefix('x').map(|it| u32::from_str_radix(it, 16));
            char::from_u32(hexadecimal.unwrap_or_else(|| number.parse()).ok()?)
        }
    }
}

/// How many bytes of UTF-8 a character has if it begins with this byte.
fn length_of_utf8(first: u8) -> usize {
    match first {
        0xC0..=0xDF => 2,
        0xE0..=0xEF => 3,
        0xF0..=0xF7 => 4,
        _ => 1,
    }
}

/// The character that these bytes encode in UTF-8, if they encode exactly one.
pub(super) fn only_char(bytes: &[u8]) -> Option<char> {
    let mut chars = std::str::from_utf8(bytes).ok()?.chars();
    let char = chars.next()?;
    chars.next().is_none().then_some(char)
}
