//! Files that hang, as those of a file server that does not answer.

use super::*;

/// A file server that does not answer before this is dropped: whoever reads or writes below it
/// waits.
struct Dead(Arc<(Mutex<bool>, Condvar)>);

impl Dead {
    const PATH: &str = "/dead-server";

    /// A driver that finds it, and that looks at what hangs by this clock.
    fn with(clock: Arc<dyn Clock>) -> (Self, Arc<Driver>) {
        let state = Arc::new((Mutex::new(true), Condvar::new()));
        let wait = |state: &Arc<(Mutex<bool>, Condvar)>| {
            let state = Arc::clone(state);
            move |path: &Path| {
                let is_dead = state.0.lock().expect("nobody panics with it");
                if path.starts_with(Self::PATH) {
                    let waited = state.1.wait_while(is_dead, |it| *it);
                    drop(waited.expect("nobody panics with it"));
                }
            }
        };
        let (reading, writing) = (wait(&state), wait(&state));
        let read = move |place: &Place| {
            reading(place.path());
            files::read(place)
        };
        let write = move |target: &PersistTarget, credential: &Credential| {
            if let PersistTarget::SecretFile { path, .. } = target {
                writing(path);
            }
            persist::write(target, credential)
        };
        let workers = Workers::with(clock, read, write);
        (Self(state), Arc::new(Driver::with_workers(Arc::new(SystemClock::new()), workers)))
    }

    fn new() -> (Self, Arc<Driver>) {
        Self::with(Arc::new(SystemClock::new()))
    }

    fn file(name: &str) -> Value {
        json!({ "kind": "file", "path": format!("{}/{name}", Self::PATH) })
    }
}

impl Drop for Dead {
    fn drop(&mut self) {
        *self.0.0.lock().expect("nobody panics with it") = false;
        self.0.1.notify_all();
    }
}

#[test]
fn files_that_hang_stop_no_other_manager() {
    let (folder, server, (_dead, driver)) = (Folder::new("hang"), Server::granting(), Dead::new());
    let hang = |number: usize| {
        let file = Dead::file(&format!("{number}"));
        Handle::open(&driver, &server, |form| form["entries"] = json!([entry(&file)]))
    };
    let _hanging: Vec<Handle> = (0..20).map(hang).collect();
    std::fs::write(folder.0.join("secret"), "secret").unwrap();
    let file = folder.file("secret");
    let other = Handle::open(&driver, &server, |form| form["entries"] = json!([entry(&file)]));
    assert!(other.wait().is_ok());
}

#[test]
fn files_of_closed_managers_that_still_hang_stop_nobody() {
    let (folder, server, (_dead, driver)) =
        (Folder::new("closed"), Server::granting(), Dead::new());
    for number in 0..20 {
        let file = Dead::file(&format!("{number}"));
        drop(Handle::open(&driver, &server, |form| form["entries"] = json!([entry(&file)])));
    }
    std::fs::write(folder.0.join("secret"), "secret").unwrap();
    let file = folder.file("secret");
    let other = Handle::open(&driver, &server, |form| form["entries"] = json!([entry(&file)]));
    assert!(other.wait().is_ok());
}

#[test]
fn a_file_that_hangs_is_given_up_with_an_error_that_names_it() {
    let (clock, server) = (ManualClock::new(0), Server::granting());
    let (_dead, driver) = Dead::with(Arc::new(Arc::clone(&clock)));
    let entries = json!([entry(&Dead::file("secret"))]);
    let handle = Handle::open(&driver, &server, |form| {
        form["entries"] = entries;
        form["entries"][0]["optional"] = false.into();
        form["policy"]["sourcePollMs"] = 10.into();
    });
    let mut told = Vec::new();
    while told.is_empty() {
        clock.advance(Duration::from_secs(1));
        let message = handle.told.recv_timeout(Duration::from_millis(10));
        if let Ok(Message::Event(EventMessage { event: ApiEvent::Source { change, .. }, .. })) =
            message
        {
            told.push(change);
        }
    }
    let [SourceChanged::Unreadable { message }] = &told[..] else { panic!("{told:?}") };
    assert!(message.contains("/dead-server/secret has not returned for 10 s"), "{message}");
    let refused = handle.wait().unwrap_err();
    assert!(refused.message.contains("/dead-server/secret"), "{}", refused.message);
}

#[test]
fn a_file_that_hangs_is_read_once_however_often_sources_are_polled() {
    let (server, (_dead, driver)) = (Server::granting(), Dead::new());
    let callback = json!({ "optional": true, "source": { "kind": "js", "index": 0 } });
    let polling = Handle::open(&driver, &server, |form| {
        form["entries"] = json!([entry(&Dead::file("secret")), callback]);
        form["initial"] = json!([null]);
        form["policy"]["acquireTimeoutMs"] = 10.into();
        form["policy"]["sourcePollMs"] = 10.into();
    });
    for _poll in 0..40 {
        polling.told(|message| matches!(message, Message::Read { .. }).then_some(()));
    }
    assert_eq!(driver.begun_readings(), 1);
}

#[test]
fn a_file_that_hangs_does_not_keep_other_files_of_its_manager_from_being_read() {
    let (folder, server, (_dead, driver)) =
        (Folder::new("beside"), Server::granting(), Dead::new());
    std::fs::write(folder.0.join("secret"), "secret").unwrap();
    let files = [Dead::file("secret"), folder.file("secret")].map(|file| entry(&file));
    let handle = Handle::open(&driver, &server, |form| {
        form["entries"] = json!(files);
        form["policy"]["acquireTimeoutMs"] = 500.into();
    });
    handle.told(|message| match message {
        Message::Event(EventMessage { event: ApiEvent::Token { .. }, .. }) => Some(()),
        _ => None,
    });
}

#[test]
fn a_thread_that_panics_while_a_file_hangs_is_started_again() {
    let (server, (_dead, driver)) = (Server::granting(), Dead::new());
    let file = Dead::file("secret");
    let _hanging = Handle::open(&driver, &server, |form| form["entries"] = json!([entry(&file)]));
    let other = Handle::open(&driver, &server, |_| ());
    assert!(other.wait().is_ok());
    driver.panic();
    other.told(|message| match message {
        Message::Event(EventMessage { event: ApiEvent::ThreadRestarted {}, .. }) => Some(()),
        _ => None,
    });
    assert!(other.wait().is_ok());
}

#[test]
fn writes_that_hang_stop_the_rotation_of_no_other_manager() {
    let (folder, server, (_dead, driver)) =
        (Folder::new("writes"), Server::granting(), Dead::new());
    let written_to = |secret: &str, path: &Path| {
        let mut entry = literal(secret);
        entry["persist"] = json!({ "kind": "secretFile", "path": path });
        json!([entry])
    };
    let hanging: Vec<Handle> = (0..6)
        .map(|number| {
            let path = Path::new(Dead::PATH).join(number.to_string());
            let entries = written_to(&format!("writes-old-{number}"), &path);
            let handle = Handle::open(&driver, &server, |form| form["entries"] = entries);
            assert!(handle.wait().is_ok());
            begin_rotation(&handle, &format!("writes-new-{number}"));
            handle
        })
        .collect();
    for handle in &hanging {
        handle.told(|message| match message {
            Message::Event(EventMessage { event: ApiEvent::Rotation(told), .. }) => {
                (told.change == "staged").then_some(())
            }
            _ => None,
        });
    }
    let path = folder.0.join("secret");
    let entries = written_to("writes-other", &path);
    let other = Handle::open(&driver, &server, |form| form["entries"] = entries);
    assert!(other.wait().is_ok());
    let error = rotate(&other, "writes-another");
    assert!(error.is_none(), "{error:?}");
    assert_eq!(std::fs::read_to_string(&path).unwrap(), "writes-another");
}
