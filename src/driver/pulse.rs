//! Whether a manager's task still runs on the native thread.

use std::time::Duration;

use crate::clock::Timestamp;

/// When the task was to run, and since when somebody has seen that it has not.
#[derive(Debug, Default)]
pub(super) struct Pulse {
    due: Option<Timestamp>,
    /// Since when it is late, as somebody has seen it. A process that was frozen finds itself late at first.
    late_since: Option<Timestamp>,
}

impl Pulse {
    /// So long it may be late before it counts as dead.
    const PATIENCE: Duration = Duration::from_secs(10);

    /// The task has run, and is to run again at that time.
    pub(super) fn is_to_beat(&mut self, at: Option<Timestamp>) {
        *self = Self { due: at, late_since: None };
    }

    /// There is no task; another one is to begin at that time.
    pub(super) fn is_gone_until(&mut self, at: Timestamp) {
        self.due = Some(at);
    }

    /// Whether the task was to run by now.
    pub(super) fn is_due(&self, now: Timestamp) -> bool {
        self.due.is_some_and(|due| due <= now)
    }

    /// Since when the task is late, if it is, and whether it counts as alive: not if it was late already 10 s
    /// ago, when somebody looked.
    pub(super) fn look(&mut self, now: Timestamp) -> (Option<Timestamp>, bool) {
        let Some(due) = self.due.filter(|due| *due + Self::PATIENCE <= now) else {
            self.late_since = None;
            return (None, true);
        };
        let seen = *self.late_since.get_or_insert(now);
        let is_live = now.since(seen) < Self::PATIENCE;
        ((!is_live).then_some(due), is_live)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const fn at(seconds: u64) -> Timestamp {
        Timestamp::from_millis(seconds * 1000)
    }

    #[test]
    fn a_task_that_was_late_at_two_looks_ten_seconds_apart_is_dead() {
        let mut pulse = Pulse::default();
        pulse.is_to_beat(Some(at(100)));
        assert_eq!(pulse.look(at(109)), (None, true), "it is not late enough");
        assert_eq!(pulse.look(at(110)), (None, true), "it may be its turn at this very moment");
        assert_eq!(pulse.look(at(119)), (None, true));
        assert_eq!(pulse.look(at(120)), (Some(at(100)), false));
        pulse.is_to_beat(Some(at(130)));
        assert_eq!(pulse.look(at(121)), (None, true));
    }

    #[test]
    fn a_process_that_was_frozen_for_hours_is_alive() {
        let mut pulse = Pulse::default();
        pulse.is_to_beat(Some(at(100)));
        assert_eq!(pulse.look(at(50_000)), (None, true));
        pulse.is_to_beat(Some(at(50_001)));
        assert_eq!(pulse.look(at(50_010)), (None, true));
    }

    #[test]
    fn a_task_that_is_never_due_is_alive() {
        let mut pulse = Pulse::default();
        pulse.is_to_beat(None);
        assert_eq!(pulse.look(at(1_000_000)), (None, true));
    }
}
