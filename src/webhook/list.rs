//! The list of signatures in a header.

use memchr::memchr2_iter;

use super::encoding::TagBytes;
use super::layout::TimestampPlace;
use super::scheme::Scheme;

/// A header with more entries is refused: each costs work, and no sender has so many keys.
const MOST_ENTRIES: usize = 20;

/// The signatures that could be right, and the timestamp if the list has it.
pub(super) struct SignatureList<'a> {
    tags: [TagBytes; MOST_ENTRIES],
    count: usize,
    pub(super) timestamp: Option<&'a [u8]>,
}

/// A header that is no list of signatures.
pub(super) struct NoList;

impl<'a> SignatureList<'a> {
    /// Reads a header. Entries of other versions, and those that are no signatures, are skipped;
    /// there has to be one that is.
    pub(super) fn read(scheme: &Scheme, header: &'a [u8]) -> Result<Self, NoList> {
        let (tags, count) = ([TagBytes::default(); MOST_ENTRIES], 0);
        let mut list = Self { tags, count, timestamp: None };
        let mut seen = 0;
        for entry in HeaderEntries::of(scheme, header) {
            seen += 1;
            if seen > MOST_ENTRIES {
                return Err(NoList);
            }
            if let Some(digits) = entry.strip_prefix(scheme.layout.prefix.as_bytes()) {
                if let Some(tag) = scheme.layout.encoding.read(digits) {
                    list.tags[list.count] = tag;
                    list.count += 1;
                }
            } else if let TimestampPlace::Entry(label) = scheme.layout.timestamp
                && let Some(timestamp) = entry.strip_prefix(label.as_bytes())
            {
                // Two different ones: it would be unclear which one was signed.
                if list.timestamp.is_some_and(|other| other != timestamp) {
                    return Err(NoList);
                }
                list.timestamp = Some(timestamp);
            }
        }
        if list.count == 0 { Err(NoList) } else { Ok(list) }
    }

    /// Whether it has this signature. Takes as long wherever the first wrong byte is.
    pub(super) fn has(&self, tag: &TagBytes) -> bool {
        let same = self.tags[..self.count].iter().map(|other| is_same(other, tag));
        same.fold(false, |any, one| any | one)
    }
}

#[expect(
    deprecated,
    reason = "it is what `ring::hmac::verify` compares with, which takes no pieces"
)]
fn is_same(one: &TagBytes, other: &TagBytes) -> bool {
    ring::constant_time::verify_slices_are_equal(one, other).is_ok()
}

/// What stands between delimiters, without blanks. Headers that came several times are joined by a
/// comma and a blank, which no single entry has.
struct HeaderEntries<'a> {
    rest: Option<&'a [u8]>,
    delimiter: u8,
}

impl<'a> HeaderEntries<'a> {
    fn of(scheme: &Scheme, header: &'a [u8]) -> Self {
        Self { rest: Some(header), delimiter: scheme.delimiter }
    }
}

impl<'a> Iterator for HeaderEntries<'a> {
    type Item = &'a [u8];

    fn next(&mut self) -> Option<&'a [u8]> {
        let rest = self.rest?;
        let is_end = |index: &usize| {
            let joins = || matches!(rest.get(*index + 1), Some(b' ' | b'\t'));
            rest[*index] == self.delimiter || joins()
        };
        let end = memchr2_iter(self.delimiter, b',', rest).find(is_end);
        self.rest = end.map(|end| &rest[end + 1..]);
        Some(rest[..end.unwrap_or(rest.len())].trim_ascii())
    }
}
