//! How it is seen from outside whether a manager's task is idle.

use super::*;
use crate::clock::ManualClock;
use crate::driver::service::Service;

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
    manager.take_errands();
    manager.serve(|service| service.park(false));
    assert!(!manager.activity().is_busy);

    manager.reload();
    assert!(manager.activity().is_busy, "it has not looked since");

    manager.take_errands();
    manager.reload();
    manager.serve(|service| service.park(false));
    assert!(manager.activity().is_busy, "what changed after it had looked is not lost");

    manager.take_errands();
    manager.serve(|service| service.park(false));
    manager.serve(Service::stir);
    assert!(manager.activity().is_busy, "it is being polled");
}

#[test]
fn who_waits_to_start_over_is_idle() {
    let manager = manager();
    manager.suspend();
    assert!(manager.activity().is_busy, "no task has taken over yet");
    manager.serve(Service::rest);
    assert!(!manager.activity().is_busy);
    manager.reload();
    assert!(!manager.activity().is_busy, "it looks at nothing before its time has come");
    manager.serve(Service::stir);
    assert!(manager.activity().is_busy, "it may have seen that its time has come");
    manager.restart();
    assert!(manager.activity().is_busy);
}
