//! How much blocking work is done at once, and how long it may take.

use std::num::NonZeroUsize;
use std::time::Duration;

/// How much one kind of work may do at a time.
#[derive(Debug, Clone, Copy)]
pub struct WorkLimits {
    /// How many pieces of work run at once; slow ones do not count.
    pub at_once: usize,
    /// How many of them may belong to one manager.
    pub of_one: usize,
    /// A manager with this many slow pieces starts nothing new until one of them returns.
    pub slow_of_one: usize,
    /// How many slow pieces may have a thread of their own; further ones count as running.
    pub slow: usize,
    /// How long a thread without work stays.
    pub keep_alive: Duration,
}

/// How much is at work, as far as it concerns one manager.
#[derive(Debug, Clone, Copy, Default)]
pub struct WorkLoad {
    /// How many pieces run; slow ones do not count.
    pub at_once: usize,
    /// How many of them belong to this manager.
    pub of_one: usize,
    /// How many slow pieces belong to this manager.
    pub slow_of_one: usize,
}

impl WorkLimits {
    /// Sources are read again and again: at the usual pace no thread is started for that.
    pub const READING: Self = Self {
        at_once: 8,
        of_one: 2,
        slow_of_one: 8,
        slow: 64,
        keep_alive: Duration::from_mins(1),
    };

    /// Writing is rare.
    pub const WRITING: Self = Self {
        at_once: 4,
        of_one: 2,
        slow_of_one: 8,
        slow: 64,
        keep_alive: Duration::from_secs(1),
    };

    /// Deriving ids keeps a processor busy, and never hangs.
    pub const NAMING: Self =
        Self { at_once: 2, of_one: 2, slow_of_one: 1, slow: 0, keep_alive: Duration::from_secs(1) };

    /// Whether one more piece of a manager's work may begin.
    pub fn admit(&self, load: WorkLoad) -> bool {
        load.at_once < self.at_once
            && load.of_one < self.of_one
            && load.slow_of_one < self.slow_of_one
    }
}

/// How often work that has not returned is looked at.
///
/// Looks are counted, and not the time between them: a process that was suspended finds nothing
/// that has hung for hours.
pub const LOOK: Duration = Duration::from_secs(1);

/// After how many looks a file is given up: about 10 s.
pub const MOST_LOOKS: NonZeroUsize = NonZeroUsize::new(10).expect("not zero");

/// How long nobody tries to start a thread after one could not be started.
pub const THREAD_PAUSE: Duration = Duration::from_secs(1);

/// With this many abandoned pieces of work at one place, the place hangs: what does not hang
/// returns before that many others are begun.
pub const MOST_ABANDONED: usize = 4;

/// How many host names may be resolved at once.
///
/// A resolver gives up a slow name server after half a minute, which is the fault of that host
/// alone: there is room for many.
pub const MOST_LOOKUPS: usize = 64;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_more_piece_is_admitted_below_every_limit_and_at_none() {
        let limits = WorkLimits::READING;
        let load = WorkLoad { at_once: 7, of_one: 1, slow_of_one: 7 };
        assert!(limits.admit(load));
        assert!(!limits.admit(WorkLoad { at_once: 8, ..load }));
        assert!(!limits.admit(WorkLoad { of_one: 2, ..load }));
        assert!(!limits.admit(WorkLoad { slow_of_one: 8, ..load }));
    }
}
