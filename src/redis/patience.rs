//! How long a server is waited for, and how long until it is tried again.

use std::future::Future;
use std::time::Duration;

use crate::clock::Clock;

/// How long connecting to one address may take.
pub(super) const CONNECTING: Duration = Duration::from_millis(500);

/// How long one server may take until a connection to it is open and logged in.
pub(super) const OPENING: Duration = Duration::from_secs(1);

/// Whoever gives up a command earlier than this had other reasons than a server that is slow.
pub(super) const PROMPT: Duration = Duration::from_millis(20);

/// How long a command may take before it is doubted that the connection still works.
///
/// Members give up earlier, and go on without a store.
pub(super) const COMMAND: Duration = Duration::from_secs(1);

/// How often a subscription on which nothing comes is looked at.
pub(super) const SILENCE: Duration = Duration::from_secs(30);

/// Waits for something, but no longer than that.
pub(super) async fn within<T>(
    clock: &dyn Clock,
    patience: Duration,
    what: impl Future<Output = T>,
) -> Option<T> {
    let end = clock.sleep_until(clock.now() + patience);
    tokio::select! {
        biased;
        outcome = what => Some(outcome),
        () = end => None,
    }
}

/// The pauses between attempts to connect: each is twice as long as the one before, less a part at
/// random, so that the processes of a fleet do not come all at once.
#[derive(Debug, Default)]
pub(super) struct Pauses {
    attempts: u32,
}

impl Pauses {
    const FIRST: Duration = Duration::from_millis(50);
    const LONGEST: Duration = Duration::from_secs(2);

    /// The next pause; `ratio` is a number at random from 0 to 1.
    pub(super) fn next(&mut self, ratio: f64) -> Duration {
        let doubled = Self::FIRST.saturating_mul(1 << self.attempts.min(16));
        self.attempts += 1;
        doubled.min(Self::LONGEST).mul_f64(1.0 - ratio / 2.0)
    }

    /// The server has performed a command.
    pub(super) fn reset(&mut self) {
        self.attempts = 0;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pauses_become_longer_up_to_a_limit() {
        let mut pauses = Pauses::default();
        let millis: Vec<_> = (0..8).map(|_| pauses.next(0.0).as_millis()).collect();
        assert_eq!(millis, [50, 100, 200, 400, 800, 1600, 2000, 2000]);
        assert_eq!(pauses.next(1.0).as_millis(), 1000, "half of it at least");
        for _ in 0..100 {
            pauses.next(0.5);
        }
        pauses.reset();
        assert_eq!(pauses.next(0.0).as_millis(), 50);
    }
}
