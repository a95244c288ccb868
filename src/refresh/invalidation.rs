//! Whether it is believed when a resource refuses a token.

use std::time::Duration;

use crate::clock::Timestamp;
use crate::token::HeldToken;

/// The reports that resources refuse tokens.
#[derive(Debug, Default)]
pub(super) struct Invalidations {
    /// When a report was believed last.
    believed_at: Option<Timestamp>,
    /// When it was last told that a report was ignored.
    told_at: Option<Timestamp>,
    /// The first and the latest report that was not believed.
    ignored: Option<(Timestamp, Timestamp)>,
}

/// What a report that a token is refused comes to.
pub(super) enum Believed {
    /// The token goes.
    Yes,
    /// The token stays.
    No {
        /// How long until the next report counts.
        retry_after: Duration,
        /// Whether people are told.
        is_told: bool,
    },
}

impl Invalidations {
    /// How often it is told at most that reports are ignored.
    const TOLD_GAP: Duration = Duration::from_secs(1);
    /// How long after the latest report tokens still count as refused.
    const REFUSED_FOR: Duration = Duration::from_mins(1);

    /// A resource refuses the token that is held.
    pub(super) fn report(&mut self, token: &HeldToken, now: Timestamp) -> Believed {
        let window = Self::window(token);
        let retry_after = self.believed_at.map_or(Duration::ZERO, |last| {
            (last + window).since(now).min((token.issued_at + window).since(now))
        });
        if retry_after.is_zero() {
            self.believed_at = Some(now);
            return Believed::Yes;
        }
        let first = self.refused_since(now).unwrap_or(now);
        self.ignored = Some((first, now));
        // Whoever ignores a 401 storm must not make an event storm of it.
        let is_told = self.told_at.is_none_or(|last| now >= last + Self::TOLD_GAP);
        if is_told {
            self.told_at = Some(now);
        }
        Believed::No { retry_after, is_told }
    }

    /// Since when resources refuse every token, as their latest reports say.
    pub(super) fn refused_since(&self, now: Timestamp) -> Option<Timestamp> {
        let (first, last) = self.ignored?;
        (now < last + Self::REFUSED_FOR).then_some(first)
    }

    /// Within this time a second report about a young token is not believed: a resource that
    /// answers 401 for reasons of its own must not become a storm of token requests.
    fn window(token: &HeldToken) -> Duration {
        let life = token.expires_at.since(token.issued_at);
        (life / 10).min(Duration::from_secs(10))
    }
}
