//! How the 32 bytes of a signature are written in a header.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use serde::Deserialize;

/// The result of HMAC-SHA256.
pub(super) type TagBytes = [u8; 32];

/// How a signature is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum TagEncoding {
    /// 64 digits; lower case is written, and either is read.
    Hex,
    /// Standard base64 with its padding.
    Base64,
}

const HEX_LENGTH: usize = 64;
const BASE64_LENGTH: usize = 44;
const DIGITS: &[u8; 16] = b"0123456789abcdef";

/// The two digits of each byte.
const PAIRS: [[u8; 2]; 256] = {
    let mut pairs = [[0; 2]; 256];
    let mut byte = 0;
    while byte < 256 {
        pairs[byte] = [DIGITS[byte >> 4], DIGITS[byte & 15]];
        byte += 1;
    }
    pairs
};

/// The value of each hexadecimal digit; [`NONE`] for every other character.
const VALUES: [u8; 256] = {
    let mut values = [NONE; 256];
    let mut value = 0;
    while value < 16 {
        let digit = DIGITS[value as usize];
        values[digit as usize] = value;
        values[digit.to_ascii_uppercase() as usize] = value;
        value += 1;
    }
    values
};
const NONE: u8 = 0xff;

impl TagEncoding {
    /// Appends a signature.
    pub(super) fn write(self, tag: &TagBytes, out: &mut Vec<u8>) {
        match self {
            Self::Hex => {
                let mut text = [[0; 2]; HEX_LENGTH / 2];
                for (pair, byte) in text.iter_mut().zip(tag) {
                    *pair = PAIRS[usize::from(*byte)];
                }
                out.extend_from_slice(text.as_flattened());
            }
            Self::Base64 => {
                let mut text = [0; BASE64_LENGTH];
                let written = STANDARD.encode_slice(tag, &mut text);
                debug_assert_eq!(written.ok(), Some(BASE64_LENGTH));
                out.extend_from_slice(&text);
            }
        }
    }

    /// Reads what a sender wrote, if it is a whole signature and nothing else.
    pub(super) fn read(self, text: &[u8]) -> Option<TagBytes> {
        match self {
            Self::Hex => {
                let text: &[u8; HEX_LENGTH] = text.try_into().ok()?;
                let mut tag = TagBytes::default();
                let mut seen = 0;
                for (byte, pair) in tag.iter_mut().zip(text.chunks_exact(2)) {
                    let (high, low) = (VALUES[usize::from(pair[0])], VALUES[usize::from(pair[1])]);
                    seen |= high | low;
                    *byte = high << 4 | low;
                }
                (seen < 16).then_some(tag)
            }
            Self::Base64 => {
                let text: &[u8; BASE64_LENGTH] = text.try_into().ok()?;
                // One byte more than there is: the decoder wants room for 44 characters that end
                // without padding.
                let mut bytes = [0; 33];
                let length = STANDARD.decode_slice(text, &mut bytes).ok()?;
                bytes[..length].try_into().ok()
            }
        }
    }
}
