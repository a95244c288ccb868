//! A scheme: how signatures look, and what they sign.

use thiserror::Error;

use super::key::{KeyFlaw, SigningKey};
use super::layout::{Layout, TimestampPlace};
use super::spec::SchemeSpec;
use super::table;
use super::template::SignedTemplate;
use crate::secret::Secret;

/// A scheme that is ready to sign and to verify.
#[derive(Debug, Clone)]
pub struct Scheme {
    pub(super) layout: Layout,
    pub(super) signed: SignedTemplate,
    /// What entries are split at, besides a comma before a blank.
    pub(super) delimiter: u8,
}

/// What is wrong with a scheme that a user describes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
#[error("{option} {problem}")]
pub struct SchemeFlaw {
    /// The option that is to blame: a field of the description.
    pub option: &'static str,
    /// What has to be different; follows the name of the option in a sentence.
    pub problem: &'static str,
}

const NO_NAME: &str = "must be a name of an HTTP header.";
const SEPARATOR: &str = "must be one character that is no letter, digit, +, / or =, is not in the \
                         prefix, and may have blanks around it; or one blank.";

impl Scheme {
    /// Makes a scheme, or says what is wrong with its description.
    pub fn new(spec: SchemeSpec) -> Result<Self, SchemeFlaw> {
        let layout = match spec {
            SchemeSpec::Named(name) => table::row(name),
            SchemeSpec::Hmac(spec) => Layout::from(spec),
        };
        let flaw = |option, problem| SchemeFlaw { option, problem };
        check_headers(&layout)?;
        if !layout.prefix.bytes().all(|byte| byte.is_ascii_graphic()) {
            return Err(flaw("prefix", "must have printable ASCII characters without blanks."));
        }
        let delimiter = delimiter_of(&layout).ok_or(flaw("separator", SEPARATOR))?;
        let signed = SignedTemplate::parse(&layout.signed)
            .map_err(|problem| SchemeFlaw { option: "signed", problem })?;
        let sends_timestamp = !matches!(layout.timestamp, TimestampPlace::Nowhere);
        if signed.has_id && layout.id_header.is_none() {
            return Err(flaw("idHeader", "must be given if {id} is signed."));
        }
        if signed.has_timestamp && !sends_timestamp {
            return Err(flaw("timestampHeader", "must be given if {timestamp} is signed."));
        }
        // Anybody could change it, and yet it would look like a protection.
        if sends_timestamp && !signed.has_timestamp {
            return Err(flaw("timestampHeader", "must be left out if {timestamp} is not signed."));
        }
        Ok(Self { layout, signed, delimiter })
    }

    /// Makes a key of a text.
    pub fn key(&self, secret: &Secret) -> Result<SigningKey, KeyFlaw> {
        SigningKey::read(secret, self.layout.keys)
    }

    /// The header of the signatures.
    pub fn signature_header(&self) -> &str {
        &self.layout.header
    }

    /// The header of the id, signed or not.
    pub fn id_header(&self) -> Option<&str> {
        self.layout.id_header.as_deref()
    }

    /// The header of the timestamp; none if the list of signatures has it.
    pub fn timestamp_header(&self) -> Option<&str> {
        match &self.layout.timestamp {
            TimestampPlace::Header(header) => Some(header),
            TimestampPlace::Nowhere | TimestampPlace::Entry(_) => None,
        }
    }

    /// The version that signatures have: their prefix without the mark at its end.
    pub fn version(&self) -> &str {
        self.layout.prefix.trim_end_matches(['=', ','])
    }

    /// Whether the id is signed.
    pub fn signs_id(&self) -> bool {
        self.signed.has_id
    }

    /// Whether a message may have this id: it is not empty, and has nothing that ends it in the
    /// signed bytes (the `.` of standard-webhooks). Any is fine where it is not signed.
    pub fn admits_id(&self, id: &[u8]) -> bool {
        !self.signs_id() || (!id.is_empty() && self.signed.admits_id(id))
    }
}

/// Each header has a name of its own.
fn check_headers(layout: &Layout) -> Result<(), SchemeFlaw> {
    let timestamp = match &layout.timestamp {
        TimestampPlace::Header(header) => Some(header),
        TimestampPlace::Nowhere | TimestampPlace::Entry(_) => None,
    };
    let headers = [
        ("header", Some(&layout.header)),
        ("idHeader", layout.id_header.as_ref()),
        ("timestampHeader", timestamp),
    ];
    for (index, (option, header)) in headers.iter().enumerate() {
        let Some(header) = header else { continue };
        if header.is_empty() || !header.bytes().all(is_token) {
            return Err(SchemeFlaw { option, problem: NO_NAME });
        }
        let mut others = headers[..index].iter().filter_map(|(_, other)| *other);
        if others.any(|other| other.eq_ignore_ascii_case(header)) {
            return Err(SchemeFlaw { option, problem: "must differ from the other headers." });
        }
    }
    Ok(())
}

/// RFC 9110 §5.6.2.
fn is_token(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || b"!#$%&'*+-.^_`|~".contains(&byte)
}

/// What splits a list. A scheme of one signature has no list, but a header that comes twice is one.
fn delimiter_of(layout: &Layout) -> Option<u8> {
    let Some(separator) = &layout.separator else { return Some(b' ') };
    let delimiter = match separator.trim_matches(' ').as_bytes() {
        [] if separator == " " => b' ',
        [byte] if byte.is_ascii_punctuation() && !b"+/=".contains(byte) => *byte,
        _ => return None,
    };
    (!layout.prefix.as_bytes().contains(&delimiter)).then_some(delimiter)
}
