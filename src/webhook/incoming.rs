//! Verifies the signatures of a message that came.

use super::digits;
use super::keyring::LiveKeys;
use super::layout::TimestampPlace;
use super::list::{NoList, SignatureList};
use super::scheme::Scheme;
use super::template::SignedParts;

/// A message that came, as its headers have it.
#[derive(Debug, Clone, Copy)]
pub struct Incoming<'a> {
    /// The value of the signature header.
    pub signature: &'a [u8],
    /// The value of the header of the id, where one is signed.
    pub id: Option<&'a [u8]>,
    /// The value of the header of the timestamp, if there is one.
    pub timestamp: Option<&'a [u8]>,
    /// The raw bytes of the body.
    pub body: &'a [u8],
}

/// Why a message is not accepted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum SignatureFlaw {
    /// No key verifies now. The message may be a good one.
    NoKey,
    /// The id is signed, and there is none.
    MissingId,
    /// The timestamp is signed, and there is none.
    MissingTimestamp,
    /// The header has no signature of the scheme's version, too many entries, or two timestamps; or
    /// the id is one that could be read in two ways.
    Malformed,
    /// The timestamp is not plain digits.
    MalformedTimestamp,
    /// It was signed longer ago than is tolerated.
    TooOld,
    /// It was signed further in the future than is tolerated.
    FromTheFuture,
    /// No key made any of the signatures.
    Mismatch,
}

impl From<NoList> for SignatureFlaw {
    fn from(NoList: NoList) -> Self {
        Self::Malformed
    }
}

impl Scheme {
    /// Returns the number of the newest key that verifies at `now_ms` and made one of the
    /// signatures.
    ///
    /// A signed timestamp must not be further from `now_ms` than `tolerance_ms`, on either side.
    pub fn verify(
        &self,
        keys: &LiveKeys,
        tolerance_ms: i64,
        now_ms: i64,
        message: &Incoming<'_>,
    ) -> Result<u32, SignatureFlaw> {
        // First: a sender that is told anything else gives up, though its message may be good.
        if keys.verifying(now_ms).next().is_none() {
            return Err(SignatureFlaw::NoKey);
        }
        let list = SignatureList::read(self, message.signature)?;
        let id = self.id_in(message)?;
        let timestamp = self.timestamp_in(&list, message)?;
        if let Some(seconds) = timestamp.map(digits::number_of) {
            let signed_ms = seconds.ok_or(SignatureFlaw::MalformedTimestamp)? * 1000;
            let age_ms = now_ms.saturating_sub(signed_ms);
            if age_ms > tolerance_ms {
                return Err(SignatureFlaw::TooOld);
            }
            if age_ms < tolerance_ms.saturating_neg() {
                return Err(SignatureFlaw::FromTheFuture);
            }
        }
        let timestamp = timestamp.unwrap_or_default();
        let parts = SignedParts { id, timestamp, body: message.body };
        let made_it =
            keys.verifying(now_ms).find(|live| list.has(&live.key.tag(self.signed.fill(&parts))));
        made_it.map(|live| live.number).ok_or(SignatureFlaw::Mismatch)
    }

    fn id_in<'a>(&self, message: &Incoming<'a>) -> Result<&'a [u8], SignatureFlaw> {
        if !self.signs_id() {
            return Ok(b"");
        }
        let id = message.id.filter(|id| !id.is_empty()).ok_or(SignatureFlaw::MissingId)?;
        if self.admits_id(id) { Ok(id) } else { Err(SignatureFlaw::Malformed) }
    }

    fn timestamp_in<'a>(
        &self,
        list: &SignatureList<'a>,
        message: &Incoming<'a>,
    ) -> Result<Option<&'a [u8]>, SignatureFlaw> {
        let timestamp = match self.layout.timestamp {
            TimestampPlace::Nowhere => return Ok(None),
            TimestampPlace::Header(_) => message.timestamp,
            TimestampPlace::Entry(_) => list.timestamp,
        };
        timestamp.map(Some).ok_or(SignatureFlaw::MissingTimestamp)
    }
}
