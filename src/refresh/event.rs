//! What the machine is told.

use std::sync::Arc;

use super::waiters::{TokenWait, WaiterId};
use crate::clock::Timestamp;
use crate::credential::Credential;
use crate::error::Failure;
use crate::token::HeldToken;
use crate::verdict::{Arrival, Verdict};

/// Something that happened, told to [`Refresh::step`](super::Refresh::step).
#[derive(Debug)]
pub enum RefreshEvent {
    /// A caller wants a token and did not find one.
    Wanted(TokenWait),
    /// A caller no longer waits.
    Cancelled(WaiterId),
    /// A resource answered 401 to the token with this serial.
    Invalidated(u64),
    /// What may be presented has changed.
    Offered(Box<Offer>),
    /// The token request of that number was answered. A token that is handed out was told of before
    /// as [`RefreshEvent::Obtained`].
    Answered {
        /// The number from [`RefreshEffect::Fetch`](super::RefreshEffect::Fetch).
        flight: u64,
        /// What the answer means.
        verdict: Arc<Verdict<Arrival>>,
    },
    /// The token request of that number was not sent: what it was to present may not be presented
    /// any more.
    Withdrawn {
        /// The number from [`RefreshEffect::Fetch`](super::RefreshEffect::Fetch).
        flight: u64,
    },
    /// A token to be handed out from now on, wherever it comes from.
    Obtained(Arc<HeldToken>),
    /// The token with this serial must not be handed out any more.
    Dropped(u64),
    /// The fleet's token is gone: another one is fetched, and what is held goes on until then.
    Gone,
    /// The time that [`Refresh::wake_at`](super::Refresh::wake_at) named has come.
    Ticked,
    /// The driver lost its thread, and with it every request under way.
    Restarted,
    /// The last handle is gone.
    Closed,
}

/// What a token can be fetched with.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Offer {
    /// The credentials in the order in which they are tried.
    pub credentials: Vec<Arc<Credential>>,
    /// Why a required source yields nothing, if one does.
    pub unreadable: Option<Failure>,
    /// A source was asked and has not answered: what it brings may help.
    pub awaits_sources: bool,
    /// Nobody presents the active credential: a person may be changing it at the provider.
    pub is_withheld: bool,
    /// Every known credential is rejected: why, and when one is tried again.
    pub rejected: Option<(Failure, Timestamp)>,
}
