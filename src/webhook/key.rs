//! A key that is ready to sign.

use std::fmt;

use base64::Engine;
use base64::alphabet;
use base64::engine::{DecodePaddingMode, GeneralPurpose, GeneralPurposeConfig};
use ring::hmac;
use thiserror::Error;
use zeroize::Zeroizing;

use super::encoding::TagBytes;
use super::layout::KeyForm;
use crate::secret::Secret;

/// What HMAC-SHA256 makes of a key before the first message. The key itself is not kept.
#[derive(Clone)]
pub struct SigningKey(hmac::Key);

/// Why a text is no key. None of it is shown.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
pub enum KeyFlaw {
    /// Anybody could sign.
    #[error("is empty")]
    Empty,
    /// The scheme's keys are written in base64.
    #[error("is not base64, as the keys of this scheme are")]
    NotBase64,
    /// The key has fewer or more bytes than the scheme allows.
    #[error("has {bytes} bytes in base64, but a key of this scheme has {least} to {most}")]
    Length {
        /// How many it has.
        bytes: usize,
        /// How many it must have.
        least: usize,
        /// How many it may have.
        most: usize,
    },
}

/// Takes keys with their padding or without it.
const BASE64: GeneralPurpose = GeneralPurpose::new(
    &alphabet::STANDARD,
    GeneralPurposeConfig::new().with_decode_padding_mode(DecodePaddingMode::Indifferent),
);

impl SigningKey {
    /// Makes the key that a text is in this form.
    pub(super) fn read(secret: &Secret, form: KeyForm) -> Result<Self, KeyFlaw> {
        let text = secret.expose();
        match form {
            _ if text.is_empty() => Err(KeyFlaw::Empty),
            KeyForm::Text => Ok(Self::new(text.as_bytes())),
            KeyForm::Base64 { prefix, least, most } => {
                let digits = text.strip_prefix(prefix).unwrap_or(text);
                let key = BASE64.decode(digits).map(Zeroizing::new);
                let key = key.map_err(|_| KeyFlaw::NotBase64)?;
                match key.len() {
                    0 => Err(KeyFlaw::Empty),
                    bytes if bytes < least || bytes > most => {
                        Err(KeyFlaw::Length { bytes, least, most })
                    }
                    _ => Ok(Self::new(&key)),
                }
            }
        }
    }

    pub(super) fn new(bytes: &[u8]) -> Self {
        Self(hmac::Key::new(hmac::HMAC_SHA256, bytes))
    }

    /// The signature of a message that is given in pieces.
    pub(super) fn tag<'a>(&self, pieces: impl Iterator<Item = &'a [u8]>) -> TagBytes {
        let mut context = hmac::Context::with_key(&self.0);
        pieces.for_each(|piece| context.update(piece));
        let mut tag = TagBytes::default();
        tag.copy_from_slice(context.sign().as_ref());
        tag
    }
}

impl fmt::Debug for SigningKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("SigningKey")
    }
}
