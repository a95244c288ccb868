//! How a manager is served by its task: what the task is doing, and whether there is one.

use crate::clock::Timestamp;
use crate::policy::patience::TASK_RESTART;
use crate::policy::pulse::TaskPulse;

/// The service of one manager. A manager begins without a task.
#[derive(Debug, Default)]
pub(super) struct Service {
    doing: Doing,
    pulse: TaskPulse,
    /// When another task takes over, after one has died.
    restart_at: Option<Timestamp>,
    panic_wanted: bool,
}

/// What a manager's task is doing.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
enum Doing {
    /// Something has changed that it has not seen.
    #[default]
    Behind,
    /// It does what follows from what it has seen, which is everything.
    Working,
    /// It has nothing to do before something happens or a sleep ends.
    Waiting { is_fetching: bool },
    /// It takes the place of one that died, and looks at nothing before its time has come.
    Resting,
}

impl Service {
    /// The task has seen everything, and begins to do what follows.
    pub(super) fn begin(&mut self) {
        assert!(!std::mem::take(&mut self.panic_wanted), "a test asked for this panic");
        self.doing = Doing::Working;
    }

    /// Something has changed.
    pub(super) fn fall_behind(&mut self) {
        if self.doing != Doing::Resting {
            self.doing = Doing::Behind;
        }
    }

    /// The task is being polled.
    pub(super) fn stir(&mut self) {
        self.doing = match self.doing {
            Doing::Waiting { .. } => Doing::Working,
            Doing::Resting => Doing::Behind,
            other => other,
        };
    }

    /// The task waits, unless something has changed that it has not seen.
    pub(super) fn park(&mut self, is_fetching: bool) {
        if self.doing == Doing::Working {
            self.doing = Doing::Waiting { is_fetching };
        }
    }

    /// The task waits to start over.
    pub(super) fn rest(&mut self) {
        self.doing = Doing::Resting;
    }

    /// The task has something to do that it has not done yet.
    pub(super) fn is_busy(&self) -> bool {
        matches!(self.doing, Doing::Behind | Doing::Working)
    }

    /// The task waits for the answer to a token request.
    pub(super) fn is_fetching(&self) -> bool {
        matches!(self.doing, Doing::Waiting { is_fetching: true })
    }

    /// The task died; another one takes over a little later.
    pub(super) fn suspend(&mut self, now: Timestamp) {
        let restart_at = now + TASK_RESTART;
        self.restart_at = Some(restart_at);
        self.pulse.is_gone_until(restart_at);
        self.doing = Doing::Behind;
    }

    /// When a new task may begin.
    pub(super) fn restart_at(&self) -> Option<Timestamp> {
        self.restart_at
    }

    /// A new task begins.
    pub(super) fn restart(&mut self) {
        self.restart_at = None;
        self.doing = Doing::Behind;
    }

    /// The task has run, and is due again at this time.
    pub(super) fn sleeps_until(&mut self, at: Option<Timestamp>) {
        self.pulse.is_to_beat(at);
    }

    /// Whether the task should have run by now.
    pub(super) fn is_due(&self, now: Timestamp) -> bool {
        self.pulse.is_due(now)
    }

    /// Since when the task has been dead, if it is.
    pub(super) fn stalled_since(&mut self, now: Timestamp) -> Option<Timestamp> {
        self.pulse.stalled_since(now)
    }

    /// Makes the task panic, to show what happens then.
    #[cfg(debug_assertions)]
    pub(super) fn panic(&mut self) {
        self.panic_wanted = true;
    }
}
