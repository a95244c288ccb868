//! A secret as it is looked for.

use base64::Engine;
use base64::engine::general_purpose::STANDARD_NO_PAD;
use zeroize::Zeroizing;

use super::RUN;
use super::text::{fold, visible};

/// The characters of base64 as [`unified`] has them, by what they stand for.
pub(super) const ALPHABET: &[u8; 64] =
    b"abcdefghijklmnopqrstuvwxyzabcdefghijklmnopqrstuvwxyz0123456789+/";

/// A row of characters to look for: a secret, or a form of it that is not read back by decoding a text.
pub(super) struct Needle {
    pub(super) chars: Zeroizing<Vec<char>>,
    /// So many of them in a row must not be shown.
    pub(super) run: usize,
    pub(super) is_base64: bool,
}

impl Needle {
    fn new(chars: Vec<char>, is_base64: bool) -> Self {
        let run = RUN.min(chars.len());
        Self { chars: Zeroizing::new(chars), run, is_base64 }
    }

    /// The secret itself.
    fn plain(secret: &str) -> Self {
        Self::new(secret.chars().filter_map(visible).map(folded).collect(), false)
    }

    /// The secret with what is shown in another way, or not at all: it may have been written in characters that are
    /// shown as they are.
    fn whole(secret: &str) -> Self {
        let shown = |char: char| if char.is_ascii() { visible(char).unwrap_or(char) } else { char };
        Self::new(secret.chars().map(shown).map(folded).collect(), false)
    }

    /// All forms of a secret.
    pub(super) fn forms(secret: &str) -> Vec<Self> {
        let mut forms = vec![Self::plain(secret)];
        if secret.chars().any(|char| !char.is_ascii() && visible(char) != Some(char)) {
            forms.push(Self::whole(secret));
        }
        if !secret.is_ascii() {
            // Sent as Latin-1 and read as UTF-8: in the worst case other characters, and fewer.
            let latin1 = secret.encode_utf16().map(|unit| unit.to_le_bytes()[0]);
            let latin1 = Zeroizing::new(latin1.collect::<Vec<u8>>());
            forms.push(Self::plain(&String::from_utf8_lossy(&latin1)));
        }
        forms.extend((0..3).map(|before| Self::base64(secret, before)));
        forms.retain(|form| form.run > 0 && (!form.is_base64 || form.run == RUN));
        forms
    }

    /// The characters of base64 that depend on nothing but the secret, with so many bytes before it.
    fn base64(secret: &str, before: usize) -> Self {
        let bytes = Zeroizing::new([&[0; 2][..before], secret.as_bytes()].concat());
        let encoded = Zeroizing::new(STANDARD_NO_PAD.encode(&*bytes));
        let first = (before * 8).div_ceil(6);
        let chars = encoded.chars().take(bytes.len() * 8 / 6).skip(first).map(unified);
        Self::new(chars.collect(), true)
    }
}

/// Without regard to case, but for what ASCII does not have: that is written in bytes that depend on it.
fn folded(char: char) -> char {
    if char.is_ascii() { fold(char) } else { char }
}

/// The same character for base64 and base64url, and for both cases.
pub(super) fn unified(char: char) -> char {
    match char {
        '-' => '+',
        '_' => '/',
        char => fold(char),
    }
}
