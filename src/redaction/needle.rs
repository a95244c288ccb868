//! The forms of a secret that a text is searched for.

use base64::Engine;
use base64::engine::general_purpose::STANDARD_NO_PAD;
use zeroize::Zeroizing;

use super::text::{fold, visible};

/// How many characters of a secret in a row are hidden wherever they stand. A shorter secret is
/// hidden as a whole.
pub const RUN: usize = 8;

/// The characters of base64 in the form of [`unified`], by their values.
pub(super) const ALPHABET: &[u8; 64] =
    b"abcdefghijklmnopqrstuvwxyzabcdefghijklmnopqrstuvwxyz0123456789+/";

/// A row of characters to search for: a secret, or a form of it that decoding a text does not
/// restore.
pub(super) struct Needle {
    pub(super) chars: Zeroizing<Vec<char>>,
    /// How many of the characters in a row must not be shown.
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

    /// The secret, including characters that are shown differently or not at all. Somebody may have
    /// written them in characters that are shown as they are.
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
            // The secret may have been sent as Latin-1 and read as UTF-8. Then it has other
            // characters, and perhaps fewer.
            let latin1 = secret.encode_utf16().map(|unit| unit.to_le_bytes()[0]);
            let latin1 = Zeroizing::new(latin1.collect::<Vec<u8>>());
            forms.push(Self::plain(&String::from_utf8_lossy(&latin1)));
        }
        forms.extend((0..3).map(|before| Self::base64(secret, before)));
        forms.retain(|form| form.run > 0 && (!form.is_base64 || form.run == RUN));
        forms
    }

    /// The characters of base64 that depend only on the secret, if this many bytes stand before it.
    fn base64(secret: &str, before: usize) -> Self {
        let bytes = Zeroizing::new([&[0; 2][..before], secret.as_bytes()].concat());
        let encoded = Zeroizing::new(STANDARD_NO_PAD.encode(&*bytes));
        let first = (before * 8).div_ceil(6);
        let chars = encoded.chars().take(bytes.len() * 8 / 6).skip(first).map(unified);
        Self::new(chars.collect(), true)
    }
}

/// Folds the case of ASCII only: the bytes of other characters depend on their case.
fn folded(char: char) -> char {
    if char.is_ascii() { fold(char) } else { char }
}

/// Returns the same character for base64 and base64url, and for both cases.
pub(super) fn unified(char: char) -> char {
    match char {
        '-' => '+',
        '_' => '/',
        char => fold(char),
    }
}
