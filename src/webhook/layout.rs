//! What a scheme looks like, as plain data.

use std::borrow::Cow;

use super::encoding::TagEncoding;
use super::spec::HmacSpec;

/// Everything that tells one scheme from another.
#[derive(Debug, Clone)]
pub(super) struct Layout {
    /// The header of the signatures.
    pub(super) header: Cow<'static, str>,
    /// The header of the id, signed or not.
    pub(super) id_header: Option<Cow<'static, str>>,
    pub(super) timestamp: TimestampPlace,
    /// What stands before each signature: its version.
    pub(super) prefix: Cow<'static, str>,
    pub(super) encoding: TagEncoding,
    /// What stands between signatures; a scheme without it has only one.
    pub(super) separator: Option<Cow<'static, str>>,
    /// See [`SignedTemplate`](super::template::SignedTemplate).
    pub(super) signed: Cow<'static, str>,
    pub(super) keys: KeyForm,
}

/// Where the signed timestamp is sent.
#[derive(Debug, Clone)]
pub(super) enum TimestampPlace {
    /// None is signed.
    Nowhere,
    /// In a header of its own.
    Header(Cow<'static, str>),
    /// In the list of signatures, as the entry with this prefix.
    Entry(&'static str),
}

/// How the bytes of a key are written.
#[derive(Debug, Clone, Copy)]
pub(super) enum KeyForm {
    /// The bytes of the text.
    Text,
    /// In base64, perhaps after a prefix that says so, and with a length that is allowed.
    Base64 { prefix: &'static str, least: usize, most: usize },
}

impl From<HmacSpec> for Layout {
    fn from(spec: HmacSpec) -> Self {
        let timestamp = match spec.timestamp_header {
            Some(header) => TimestampPlace::Header(header.into()),
            None => TimestampPlace::Nowhere,
        };
        Self {
            header: spec.header.into(),
            id_header: spec.id_header.map(Cow::Owned),
            timestamp,
            prefix: spec.prefix.into(),
            encoding: spec.encoding,
            separator: spec.separator.map(Cow::Owned),
            signed: spec.signed.into(),
            keys: KeyForm::Text,
        }
    }
}
