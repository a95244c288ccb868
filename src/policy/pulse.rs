//! Whether a manager's task still runs on the native thread.

use std::time::Duration;

use crate::clock::Timestamp;

/// When a task is due to run, and since when it has been seen to be late.
#[derive(Debug, Default)]
pub struct TaskPulse {
    due: Option<Timestamp>,
    /// When somebody first saw that it was late. A process that was frozen finds itself late at
    /// first.
    late_since: Option<Timestamp>,
}

impl TaskPulse {
    /// How late the task may be before it counts as dead.
    const PATIENCE: Duration = Duration::from_secs(10);

    /// The task has run, and is due again at this time.
    pub fn is_to_beat(&mut self, at: Option<Timestamp>) {
        *self = Self { due: at, late_since: None };
    }

    /// There is no task; another one begins at this time.
    pub fn is_gone_until(&mut self, at: Timestamp) {
        self.due = Some(at);
    }

    /// Whether the task should have run by now.
    pub fn is_due(&self, now: Timestamp) -> bool {
        self.due.is_some_and(|due| due <= now)
    }

    /// Since when the task has been dead, if it is: it is late, and was late already when somebody
    /// looked 10 s ago.
    pub fn stalled_since(&mut self, now: Timestamp) -> Option<Timestamp> {
        let Some(due) = self.due.filter(|due| *due + Self::PATIENCE <= now) else {
            self.late_since = None;
            return None;
        };
        let seen = *self.late_since.get_or_insert(now);
        (now.since(seen) >= Self::PATIENCE).then_some(due)
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
        let mut pulse = TaskPulse::default();
        pulse.is_to_beat(Some(at(100)));
        assert_eq!(pulse.stalled_since(at(109)), None, "it is not late enough");
        assert_eq!(pulse.stalled_since(at(110)), None, "it may be its turn at this very moment");
        assert_eq!(pulse.stalled_since(at(119)), None);
        assert_eq!(pulse.stalled_since(at(120)), Some(at(100)));
        pulse.is_to_beat(Some(at(130)));
        assert_eq!(pulse.stalled_since(at(121)), None);
    }

    #[test]
    fn a_process_that_was_frozen_for_hours_is_alive() {
        let mut pulse = TaskPulse::default();
        pulse.is_to_beat(Some(at(100)));
        assert_eq!(pulse.stalled_since(at(50_000)), None);
        pulse.is_to_beat(Some(at(50_001)));
        assert_eq!(pulse.stalled_since(at(50_010)), None);
    }

    #[test]
    fn a_task_that_is_never_due_is_alive() {
        let mut pulse = TaskPulse::default();
        pulse.is_to_beat(None);
        assert_eq!(pulse.stalled_since(at(1_000_000)), None);
    }
}
