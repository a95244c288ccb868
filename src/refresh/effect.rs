//! What the machine wants done and told.

use std::sync::Arc;
use std::time::Duration;

use serde::Serialize;

use super::waiters::{TokenRefusal, WaiterId};
use crate::clock::Timestamp;
use crate::credential::Credential;
use crate::error::Failure;
use crate::token::HeldToken;

/// Something the driver must do, in this order.
#[derive(Debug)]
pub enum RefreshEffect {
    /// Send one token request and report what came of it as
    /// [`RefreshEvent::Answered`](super::RefreshEvent::Answered), after
    /// [`RefreshEvent::Obtained`](super::RefreshEvent::Obtained) where its token is handed out.
    Fetch {
        /// Names the request; reports of an older one are ignored.
        flight: u64,
        /// What to authenticate with.
        credential: Arc<Credential>,
    },
    /// Hand out this token from now on.
    Publish(Arc<HeldToken>),
    /// Hand out no token from now on.
    Withdraw,
    /// Tell a waiting caller that there is a token, or why not.
    Settle {
        /// The caller that waits.
        waiter: WaiterId,
        /// That there is a token, or why not.
        outcome: Result<(), TokenRefusal>,
    },
    /// Tell those who listen.
    Notify(RefreshNotice),
}

/// Something worth telling, without a secret and without a token.
#[derive(Debug, Clone)]
pub enum RefreshNotice {
    /// A token is handed out.
    Token(Arc<HeldToken>),
    /// A token is no longer handed out.
    TokenRetired {
        /// The serial of the token.
        serial: u64,
        /// Why it is not.
        reason: Retirement,
    },
    /// A refresh failed; the token that is held, if any, stays in use.
    RefreshFailed {
        /// What went wrong.
        failure: Failure,
        /// When the next one starts.
        next_attempt: Timestamp,
        /// How long the held token may still be handed out.
        runway: Duration,
    },
    /// A 401 was reported too soon after another one; the token is kept.
    InvalidateIgnored {
        /// The serial of the token that was refused.
        serial: u64,
        /// How long until the next one counts.
        retry_after: Duration,
    },
    /// The background thread died and was started again.
    ThreadRestarted,
}

/// Why a token is no longer handed out.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Retirement {
    /// Its successor is handed out.
    Replaced,
    /// A resource answered 401 to it.
    Invalidated,
    /// It may not be used any longer.
    Expired,
    /// Its credential has leaked, or failed the checks that were asked for.
    Dropped,
}
