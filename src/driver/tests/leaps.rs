//! Time that no sleep counts.

use super::*;
use crate::clock::SystemClock;

/// The machine's clock, which a test puts ahead. Sleeps go on as they were, as they do after a
/// suspension.
struct Leaping {
    clock: SystemClock,
    ahead: Mutex<Duration>,
    has_leapt: Arc<Notify>,
}

impl Clock for Leaping {
    fn now(&self) -> Timestamp {
        self.clock.now() + *self.ahead.lock().expect("no panic")
    }

    fn utc_millis(&self, at: Timestamp) -> i64 {
        self.clock.utc_millis(at)
    }

    fn sleep_until(&self, at: Timestamp) -> Sleep {
        let pause = at.since(self.now());
        self.clock.sleep_until(self.clock.now() + pause)
    }

    fn leap(self: Arc<Self>) -> Sleep {
        Box::pin(async move { self.has_leapt.notified().await })
    }
}

#[test]
fn tokens_that_ended_while_the_machine_was_suspended_are_replaced_at_once_again_and_again() {
    let server = Server::granting();
    let clock = Arc::new(Leaping {
        clock: SystemClock::new(),
        ahead: Mutex::default(),
        has_leapt: Arc::default(),
    });
    let driver = Arc::new(Driver::new(Arc::clone(&clock) as Arc<dyn Clock>));
    let handles = [(); 3].map(|()| Handle::open(&driver, &server, |_| {}));
    for serial in 1..=3 {
        for handle in &handles {
            handle.told(|message| match message {
                Message::Event(told) => match told.event {
                    ApiEvent::Token { serial: one, .. } if one == serial => Some(()),
                    _ => None,
                },
                _ => None,
            });
        }
        *clock.ahead.lock().expect("no panic") += Duration::from_hours(2);
        clock.has_leapt.notify_one();
    }
}
