//! Two handles of one manager, each with numbers of its own.

use super::*;
use crate::rotation::PersistOutcome;

/// Two handles of one manager; `first` is the credential of one.
fn pair(server: &Server, first: &Value) -> (Handle, Handle) {
    let driver = driver();
    let open = |entry: &Value| {
        Handle::open(&driver, server, |form| {
            form["name"] = "shared".into();
            form["entries"] = json!([entry]);
        })
    };
    (open(first), open(&literal("secret")))
}

#[test]
fn a_wait_is_ended_by_the_handle_that_began_it_and_by_no_other() {
    // It answers once the wait and what the other handle says of it are both there.
    let (bell, rings) = channel();
    let rings = Arc::new(Mutex::new(rings));
    let server = Server::start(move |stream| {
        let _ = rings.lock().map(|rings| rings.recv_timeout(PATIENCE));
        answer(&stream, GRANT);
    });
    let (mine, other) = pair(&server, &literal("secret"));
    let wait = || manager_of(&mine).wait(mine.id, Duration::ZERO, false, None);
    let (kept, ended) = (wait(), wait());
    manager_of(&other).cancel(other.id, kept);
    manager_of(&mine).cancel(mine.id, ended);
    bell.send(()).expect("the server runs");
    let settled = mine.told(|message| match message {
        Message::Settled { waiter, error } => Some((waiter, error.is_none())),
        _ => None,
    });
    assert_eq!(settled, (kept, true));
    assert!(mine.told.try_iter().all(|message| !matches!(message, Message::Settled { .. })));
}

#[test]
fn an_answer_is_given_up_by_the_handle_that_asked_and_by_no_other() {
    let server = Server::granting();
    let (mine, other) = pair(&server, &literal("secret"));
    assert!(mine.wait().is_ok());
    let caller = begin_rotation(&mine, "another");
    manager_of(&other).leave(other.id, caller);
    mine.told(|message| match message {
        Message::Answered { caller: answered, .. } if answered == caller => Some(()),
        _ => None,
    });
}

#[test]
fn what_became_of_a_write_is_told_by_the_handle_that_was_asked_and_by_no_other() {
    let server = Server::granting();
    let mut kept = literal("secret");
    kept["persist"] = json!({ "kind": "js", "index": 0 });
    let (mine, other) = pair(&server, &kept);
    assert!(mine.wait().is_ok());
    begin_rotation(&mine, "another");
    let write = mine.told(|message| match message {
        Message::Persist { write, .. } => Some(write),
        _ => None,
    });
    manager_of(&other).javascript_wrote(other.id, write, PersistOutcome::Done, None);
    manager_of(&mine).javascript_wrote(mine.id, write, PersistOutcome::Impossible, None);
    let outcome = mine.told(|message| match message {
        Message::Event(EventMessage { event: ApiEvent::Persisted { outcome, .. }, .. }) => {
            Some(outcome)
        }
        _ => None,
    });
    assert_eq!(outcome, "impossible");
}
