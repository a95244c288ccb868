//! What the machine is told.

use std::sync::Arc;

use super::waiters::{Wait, WaiterId};
use crate::clock::Timestamp;
use crate::credential::Credential;
use crate::error::Failure;
use crate::verdict::Verdict;

/// Something that happened, told to [`Refresh::step`](super::Refresh::step).
#[derive(Debug)]
pub enum Event {
    /// A caller wants a token and did not find one.
    Wanted(Wait),
    /// A caller no longer waits.
    Cancelled(WaiterId),
    /// A resource answered 401 to the token with this serial.
    Invalidated(u64),
    /// The token request of that number was answered, or failed.
    Answered {
        /// The number from [`Effect::Fetch`](super::Effect::Fetch).
        flight: u64,
        /// When the request was sent.
        sent_at: Timestamp,
        /// What the answer means.
        verdict: Verdict,
    },
    /// The sources were read: what they yield now.
    Configured(Configured),
    /// The time that [`Refresh::wake_at`](super::Refresh::wake_at) named has come, or a second has passed.
    Ticked,
    /// The driver lost its thread, and with it every request under way.
    Restarted,
    /// The last handle is gone.
    Closed,
}

/// What the configured sources yield.
#[derive(Debug, Default)]
pub struct Configured {
    /// The known credentials in the order of the configuration.
    pub credentials: Vec<Arc<Credential>>,
    /// Why a required source yields nothing, if one does.
    pub unreadable: Option<Failure>,
    /// A source that was never read yet was asked and has not answered.
    pub pending: bool,
}
