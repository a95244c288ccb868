//! The bytes of an answer, and the JSON object that they stand for.

use std::fmt;
use std::io::{ErrorKind, Read};

use flate2::read::GzDecoder;

use super::members::JsonMembers;

/// No token answer is larger, neither as it comes nor when it is decompressed.
pub const LARGEST_BODY: usize = 1024 * 1024;

/// What every gzip stream begins with (RFC 1952 §2.3.1), and no JSON text.
const GZIP: [u8; 3] = [0x1f, 0x8b, 0x08];

/// The bytes of an answer. They may hold a token, and are therefore never printed.
#[derive(Clone, Default, PartialEq, Eq)]
pub struct Body(pub Vec<u8>);

impl fmt::Debug for Body {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "[{} bytes]", self.0.len())
    }
}

/// What a body turns out to be.
#[derive(Debug)]
pub(super) enum BodyReading {
    /// A JSON object, whole.
    Object(JsonMembers),
    /// gzip of more than [`LARGEST_BODY`].
    TooLarge,
    /// gzip that is damaged.
    Damaged,
    /// A page, a part of an object, another JSON value, or nothing.
    Other,
}

impl BodyReading {
    pub(super) fn of(body: &Body) -> Self {
        let Body(bytes) = body;
        if !bytes.starts_with(&GZIP) {
            return Self::of_text(bytes);
        }
        // By its first bytes: a gateway may compress without saying so, or say so without doing it.
        let mut text = Vec::new();
        let most = u64::try_from(LARGEST_BODY + 1).unwrap_or(u64::MAX);
        match GzDecoder::new(&bytes[..]).take(most).read_to_end(&mut text) {
            _ if text.len() > LARGEST_BODY => Self::TooLarge,
            // Cut off, perhaps behind the object's end.
            Err(error) if error.kind() != ErrorKind::UnexpectedEof => Self::Damaged,
            Ok(_) | Err(_) => Self::of_text(&text),
        }
    }

    /// As `fetch().json()` reads it: without a byte order mark, and with a replacement character
    /// for what is no UTF-8.
    fn of_text(bytes: &[u8]) -> Self {
        let text = String::from_utf8_lossy(bytes);
        let text = text.strip_prefix('\u{feff}').unwrap_or(&text);
        JsonMembers::read(text).map_or(Self::Other, Self::Object)
    }

    pub(super) fn members(&self) -> Option<&JsonMembers> {
        match self {
            Self::Object(members) => Some(members),
            Self::TooLarge | Self::Damaged | Self::Other => None,
        }
    }
}
