//! Clocks that tests turn by hand, and how a test learns that all is quiet.

use std::sync::Arc;

use serde::Serialize;

use super::{ClockId, Driver};
use crate::clock::{Clock, ManualClock};

/// What the managers on one clock are doing at one moment.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Activity {
    /// Something goes on by itself: ask again.
    pub is_busy: bool,
    /// Token requests whose answer is awaited.
    pub requests: usize,
    /// Sources are being read; JavaScript's own may take their time.
    pub is_reading: bool,
    /// When something happens by itself, in milliseconds since 1970.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub next_wake: Option<i64>,
}

/// What a manager's task is doing.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Doing {
    /// Something has changed that it has not seen.
    Behind,
    /// It does what follows from what it has seen, which is everything.
    Working,
    /// It has nothing to do before something happens or a sleep ends.
    Waiting { is_fetching: bool },
    /// It takes the place of one that died, and looks at nothing before its time has come.
    Resting,
}

impl Doing {
    /// Something has changed.
    pub(super) fn fall_behind(&mut self) {
        if *self != Self::Resting {
            *self = Self::Behind;
        }
    }

    /// The task is being polled.
    pub(super) fn stir(&mut self) {
        *self = match *self {
            Self::Waiting { .. } => Self::Working,
            Self::Resting => Self::Behind,
            other => other,
        };
    }

    /// The task has done everything that follows from what it has seen.
    pub(super) fn park(&mut self, is_fetching: bool) {
        if *self == Self::Working {
            *self = Self::Waiting { is_fetching };
        }
    }
}

impl Driver {
    /// A new clock, which shows so many milliseconds since 1970 until it is told otherwise.
    pub fn make_clock(&self, utc_millis: i64) -> ClockId {
        let mut registry = self.lock();
        registry.last_id += 1;
        let id = registry.last_id;
        registry.clocks.insert(id, ManualClock::new(utc_millis));
        id
    }

    /// Forgets a clock; managers that are on it keep it.
    pub fn drop_clock(&self, id: ClockId) {
        self.lock().clocks.remove(&id);
    }

    /// Moves a clock on.
    pub fn advance_clock(&self, id: ClockId, utc_millis: i64) {
        if let Some(clock) = self.manual_clock(id) {
            clock.advance_to(utc_millis);
        }
    }

    /// What goes on at a clock.
    pub fn activity(&self, id: ClockId) -> Activity {
        let Some(clock) = self.manual_clock(id) else { return Activity::default() };
        let managers: Vec<_> = self.lock().managers.values().map(Arc::clone).collect();
        let mut total = Activity { is_busy: clock.is_waking(), ..Activity::default() };
        for manager in managers.iter().filter(|manager| manager.clock_id == Some(id)) {
            let activity = manager.activity();
            total.is_busy |= activity.is_busy;
            total.is_reading |= activity.is_reading;
            total.requests += activity.requests;
        }
        Activity { next_wake: clock.next_wake(), ..total }
    }

    /// The clock of that id, or the machine's.
    pub(super) fn clock(&self, id: Option<ClockId>) -> Option<Arc<dyn Clock>> {
        match id {
            None => Some(Arc::clone(&self.clock)),
            Some(id) => self.manual_clock(id).map(|clock| Arc::new(clock) as Arc<dyn Clock>),
        }
    }

    fn manual_clock(&self, id: ClockId) -> Option<Arc<ManualClock>> {
        self.lock().clocks.get(&id).map(Arc::clone)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::driver::manager::Manager;
    use crate::driver::settings::Settings;

    fn manager() -> Manager {
        let form = serde_json::json!({
            "endpoint": {
                "tokenUrl": "https://login.example.com/oauth/token", "clientAuth": "basic-raw",
                "resource": [], "params": [], "defaultLifetimeMs": 300_000, "propagationMs": 0,
            "ignoreExpiresIn": false, "treatAsBearer": false, "rejectedErrors": [],
            },
            "transport": {},
            "policy": { "jitterRatio": 0.1, "acquireTimeoutMs": 5000, "sourcePollMs": 10_000, "persistTimeoutMs": 30_000, "proveEveryMs": 0 },
            "entries": [],
            "initial": [],
        });
        let settings = Settings::parse(&form.to_string()).unwrap();
        Manager::new(&settings, Arc::new(ManualClock::new(0)))
    }

    #[test]
    fn a_task_is_idle_only_if_nothing_has_changed_since_it_looked() {
        let manager = manager();
        manager.take_todo();
        manager.park(false);
        assert!(!manager.activity().is_busy);

        manager.reload();
        assert!(manager.activity().is_busy, "it has not looked since");

        manager.take_todo();
        manager.reload();
        manager.park(false);
        assert!(manager.activity().is_busy, "what changed after it had looked is not lost");

        manager.take_todo();
        manager.park(false);
        manager.stir();
        assert!(manager.activity().is_busy, "it is being polled");
    }

    #[test]
    fn who_waits_to_start_over_is_idle() {
        let manager = manager();
        manager.suspend();
        assert!(manager.activity().is_busy, "no task has taken over yet");
        manager.rest();
        assert!(!manager.activity().is_busy);
        manager.reload();
        assert!(!manager.activity().is_busy, "it looks at nothing before its time has come");
        manager.stir();
        assert!(manager.activity().is_busy, "it may have seen that its time has come");
        manager.restart();
        assert!(manager.activity().is_busy);
    }
}
