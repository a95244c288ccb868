//! The body of an answer, and the JSON object in it.

use std::fmt;
use std::io::{ErrorKind, Read};

use flate2::read::GzDecoder;

use super::members::JsonMembers;

/// The largest body that is read, as received and decompressed: 1 MiB.
pub const LARGEST_BODY: usize = 1024 * 1024;

/// The first bytes of every gzip stream (RFC 1952 §2.3.1). No JSON text begins with them.
const GZIP: [u8; 3] = [0x1f, 0x8b, 0x08];

/// The bytes of an answer. They may hold a token, so `Debug` shows only how many there are.
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
    /// A complete JSON object.
    Object(JsonMembers),
    /// gzip that decompresses to more than [`LARGEST_BODY`].
    TooLarge,
    /// Damaged gzip.
    Damaged,
    /// An HTML page, a part of an object, another JSON value, or nothing.
    Other,
}

impl BodyReading {
    pub(super) fn of(body: &Body) -> Self {
        let Body(bytes) = body;
        if !bytes.starts_with(&GZIP) {
            return Self::of_text(bytes);
        }
        // The first bytes decide: a gateway may compress without saying so, or say so without doing
        // it.
        let mut text = Vec::new();
        let most = u64::try_from(LARGEST_BODY + 1).unwrap_or(u64::MAX);
        match GzDecoder::new(&bytes[..]).take(most).read_to_end(&mut text) {
            _ if text.len() > LARGEST_BODY => Self::TooLarge,
            // Cut off, perhaps after the object's end.
            Err(error) if error.kind() != ErrorKind::UnexpectedEof => Self::Damaged,
            Ok(_) | Err(_) => Self::of_text(&text),
        }
    }

    /// Reads text as `fetch().json()` does: without a byte order mark, and with a replacement
    /// character where it is not UTF-8.
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
