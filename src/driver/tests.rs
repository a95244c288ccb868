//! The driver against a real HTTP server and real files.

mod fleets;
mod handles;
mod hanging;
mod leaps;
mod races;
mod signers;

use std::cell::RefCell;
use std::io::{BufRead, BufReader, Read, Write};
use std::net::{TcpListener, TcpStream};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::mpsc::{Receiver, Sender, channel};
use std::sync::{Arc, Condvar, Mutex};
use std::time::Duration;

use serde_json::{Value, json};
use tokio::sync::Notify;

use super::workers::Workers;
use super::*;
use crate::api::{
    ApiEvent, ErrorMessage, EventMessage, HandleId, Message, Settings, SourceChanged,
};
use crate::client::HttpClient;
use crate::clock::{Clock, ManualClock, Sleep, SystemClock, Timestamp};
use crate::credential::Credential;
use crate::error::Code;
use crate::member::{Candidate, Request, Rotate, RotationId};
use crate::persist::PersistTarget;
use crate::rotation::CallerId;
use crate::secret::Secret;
use crate::source::Place;
use crate::verdict::Verdict;

/// Nothing here takes that long; a test that waits for it has failed.
const PATIENCE: Duration = Duration::from_secs(20);

/// A token endpoint that gives each connection to `serve`.
struct Server(u16);

impl Server {
    fn start(serve: impl Fn(TcpStream) + Clone + Send + 'static) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").expect("a free port");
        let port = listener.local_addr().expect("it is bound").port();
        std::thread::spawn(move || {
            for stream in listener.incoming().map_while(Result::ok) {
                let serve = serve.clone();
                std::thread::spawn(move || serve(stream));
            }
        });
        Self(port)
    }

    /// One that grants hour-long tokens.
    fn granting() -> Self {
        Self::start(|stream| while answer(&stream, GRANT) {})
    }

    /// By name, so that it has to be resolved.
    fn token_url(&self) -> String {
        format!("http://localhost:{}/token", self.0)
    }
}

const GRANT: (u16, &str) = (200, r#"{"access_token":"t","expires_in":3600}"#);

const REJECTION: (u16, &str) = (400, r#"{"error":"invalid_client"}"#);

/// Answers one request; false when there is none any more.
fn answer(mut stream: &TcpStream, (status, body): (u16, &str)) -> bool {
    let mut reader = BufReader::new(stream);
    let mut length = 0;
    loop {
        let mut line = String::new();
        if reader.read_line(&mut line).unwrap_or(0) == 0 {
            return false;
        }
        if let Some(value) = line.to_ascii_lowercase().strip_prefix("content-length:") {
            length = value.trim().parse().expect("a number");
        }
        if line == "\r\n" {
            break;
        }
    }
    let mut form = vec![0; length];
    reader.read_exact(&mut form).is_ok()
        && write!(stream, "HTTP/1.1 {status} X\r\nContent-Length: {}\r\n\r\n{body}", body.len())
            .is_ok()
}

/// An environment that keeps what it is told.
struct Ear(u64, Sender<Message>);

impl Listener for Ear {
    fn id(&self) -> u64 {
        self.0
    }

    fn tell(&self, message: &Message) {
        let _ = self.1.send(message.clone());
    }
}

struct Unread;

impl Word for Unread {
    fn store(&self, _: i32) {}
}

/// An open handle and what it was told.
struct Handle {
    driver: Arc<Driver>,
    id: HandleId,
    told: Receiver<Message>,
}

impl Handle {
    fn open(driver: &Arc<Driver>, server: &Server, change: impl FnOnce(&mut Value)) -> Self {
        let mut form = form(server);
        change(&mut form);
        let settings = Settings::parse(&form.to_string()).expect("a whole form");
        let (sender, told) = channel();
        let id = driver
            .open(settings, Arc::new(Ear(1, sender)), Box::new(Unread))
            .expect("nothing to object to");
        let handle = Self { driver: Arc::clone(driver), id, told };
        handle.manager().is_listened_to();
        handle
    }

    fn manager(&self) -> Arc<Manager> {
        self.driver.manager(self.id).expect("it is open")
    }

    /// What a caller gets that waits for a token.
    fn wait(&self) -> Result<(), ErrorMessage> {
        self.wait_for(Duration::ZERO)
    }

    /// The same for one that lives so long.
    fn wait_for(&self, validity: Duration) -> Result<(), ErrorMessage> {
        let manager = self.manager();
        let mine = manager.wait(self.id, validity, false, None);
        self.told(|message| match message {
            Message::Settled { waiter, error } if waiter == mine => Some(error.map_or(Ok(()), Err)),
            _ => None,
        })
    }

    /// What the first message says that says anything to `fits`.
    fn told<T>(&self, fits: impl Fn(Message) -> Option<T>) -> T {
        loop {
            let message = self.told.recv_timeout(PATIENCE).expect("a message that fits");
            if let Some(said) = fits(message) {
                return said;
            }
        }
    }
}

impl Drop for Handle {
    fn drop(&mut self) {
        self.driver.close(self.id);
    }
}

/// What a handle is opened with, in the facade's form.
fn form(server: &Server) -> Value {
    json!({
        "endpoint": {
            "tokenUrl": server.token_url(), "clientAuth": "basic", "resource": [],
            "params": [], "defaultLifetimeMs": 300_000, "propagationMs": 0,
            "ignoreExpiresIn": false, "treatAsBearer": false, "rejectedErrors": [],
        },
        "transport": {},
        "policy": { "jitterRatio": 0.1, "acquireTimeoutMs": 10_000, "sourcePollMs": 10_000, "persistTimeoutMs": 30_000, "proveEveryMs": 0 },
        "entries": [literal("secret")],
        "initial": [],
    })
}

fn driver() -> Arc<Driver> {
    Arc::new(Driver::new(Arc::new(SystemClock::new())))
}

fn literal(secret: &str) -> Value {
    entry(&json!({ "kind": "value", "value": secret }))
}

fn entry(secret: &Value) -> Value {
    json!({ "optional": true, "source": {
        "kind": "fields", "clientId": { "kind": "value", "value": "app" }, "clientSecret": secret,
    } })
}

/// A directory of its own that goes with the test.
pub(super) struct Folder(pub(super) PathBuf);

impl Folder {
    pub(super) fn new(name: &str) -> Self {
        Self::within(&std::env::temp_dir(), name)
    }

    pub(super) fn within(directory: &Path, name: &str) -> Self {
        let path = directory.join(format!("oauth-rotor-{}-{name}", std::process::id()));
        std::fs::create_dir_all(&path).expect("the temporary directory can be written");
        Self(path)
    }

    fn file(&self, name: &str) -> Value {
        json!({ "kind": "file", "path": self.0.join(name) })
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        let _ = std::fs::remove_dir_all(&self.0);
    }
}

/// Has a manager rotate to another secret.
fn begin_rotation(handle: &Handle, secret: &str) -> CallerId {
    let candidate = Candidate {
        label: None,
        client_id: None,
        client_secret: Secret::new(secret),
        expires_at: None,
    };
    let ask = Request::Rotate(Rotate {
        candidate: Some(candidate),
        rotation: None,
        supersede: false,
        compromised: false,
        verify: None,
    });
    manager_of(handle).ask(handle.id, ask.into(), None)
}

/// The same, and waits for it; why it could not.
fn rotate(handle: &Handle, secret: &str) -> Option<ErrorMessage> {
    let mine = begin_rotation(handle, secret);
    handle.told(|message| match message {
        Message::Answered { caller, error, .. } if caller == mine => Some(error),
        _ => None,
    })
}

fn manager_of(handle: &Handle) -> Arc<Manager> {
    handle.driver.manager(handle.id).expect("it is open")
}

#[test]
fn a_rotation_does_not_wait_for_the_new_credentials_of_another_manager() {
    let (server, driver) = (Server::granting(), driver());
    let other = Handle::open(&driver, &server, |form| form["entries"] = json!([literal("fair")]));
    assert!(other.wait().is_ok());
    other.told(|message| match message {
        Message::Event(EventMessage { event: ApiEvent::Rotation(_), .. }) => Some(()),
        _ => None,
    });
    let many: Vec<Value> = (0..400).map(|number| literal(&format!("fair-{number}"))).collect();
    let greedy = Handle::open(&driver, &server, |form| form["entries"] = json!(many));
    assert!(greedy.wait().is_ok());
    let error = rotate(&other, "fair-another");
    assert!(error.is_none(), "{error:?}");
    let is_rotation =
        |it| matches!(it, Message::Event(EventMessage { event: ApiEvent::Rotation(_), .. }));
    assert!(!greedy.told.try_iter().any(is_rotation), "its 400 ids are still being derived");
}

/// Whoever closes the manager as soon as a rotation is answered has been told how it went.
#[test]
fn an_answer_comes_after_the_events_that_led_to_it() {
    let (server, driver) = (Server::granting(), driver());
    let handle = Handle::open(&driver, &server, |_| ());
    assert!(handle.wait().is_ok());
    let manager = driver.manager(handle.id).expect("it is open");
    let rotation = RotationId::new("the-rotation");
    let candidate = Candidate {
        label: None,
        client_id: None,
        client_secret: Secret::new("another"),
        expires_at: None,
    };
    let rotate = Request::Rotate(Rotate {
        candidate: Some(candidate),
        rotation: Some(rotation.clone()),
        supersede: false,
        compromised: false,
        verify: None,
    });
    let retire = Request::Retire { rotation, force: false };
    for (ask, change) in [(rotate, "promoted"), (retire, "retired")] {
        let mine = manager.ask(handle.id, ask.into(), None);
        let changes = RefCell::new(Vec::new());
        let error = handle.told(|message| match message {
            Message::Event(EventMessage { event: ApiEvent::Rotation(told), .. }) => {
                changes.borrow_mut().push(told.change);
                None
            }
            Message::Answered { caller, error, .. } if caller == mine => Some(error),
            _ => None,
        });
        assert!(error.is_none(), "{error:?}");
        let changes = changes.into_inner();
        assert!(changes.contains(&change), "{changes:?}");
    }
}

/// A secret is rejected, and the next one is tried at once, although the server has given the
/// connection up without saying so.
#[test]
fn a_connection_that_the_server_drops_after_its_answer_costs_no_attempt() {
    let server = Server::start(|stream| {
        answer(&stream, REJECTION);
        // Of the second request a byte is read, and then the connection is reset.
        let _ = (&stream).take(1).read_to_end(&mut Vec::new());
    });
    let driver = driver();
    let handle = Handle::open(&driver, &server, |form| {
        form["entries"] = json!([literal("one"), literal("two")]);
    });
    let error = handle.wait().unwrap_err();
    let cause = error.cause.expect("a cause");
    assert_eq!(cause.code, Code::CredentialRejected, "{cause}");
}

#[test]
fn a_server_that_drops_new_connections_is_asked_once_in_an_attempt() {
    let asked = Arc::new(AtomicUsize::new(0));
    let count = Arc::clone(&asked);
    let server = Server::start(move |stream| {
        count.fetch_add(1, Ordering::SeqCst);
        let _ = (&stream).take(1).read_to_end(&mut Vec::new());
    });
    let driver = driver();
    let handle = Handle::open(&driver, &server, |_| ());
    handle.told(|message| match message {
        Message::Event(EventMessage { event: ApiEvent::RefreshFailed { .. }, .. }) => Some(()),
        _ => None,
    });
    assert_eq!(asked.load(Ordering::SeqCst), 1);
}

#[test]
fn a_handle_that_opens_while_the_last_one_closes_is_served() {
    let (server, driver) = (Server::granting(), driver());
    std::thread::scope(|scope| {
        for thread in 0..4 {
            let (server, driver) = (&server, &driver);
            scope.spawn(move || {
                for round in 0..100 {
                    let handle = Handle::open(driver, server, |form| {
                        form["name"] = format!("name-{}", (thread + round) % 3).into();
                    });
                    if round % 4 == 0 {
                        assert!(handle.wait().is_ok());
                    }
                }
            });
        }
    });
    assert_eq!(driver.managers(), 0);
}

/// A clock that a suspended process sees: an hour passes, and no timer has noticed.
#[derive(Default)]
struct Suspending(AtomicUsize);

impl Clock for Suspending {
    fn now(&self) -> Timestamp {
        let asked = self.0.fetch_add(1, Ordering::SeqCst);
        Timestamp::from_millis(asked.min(1) as u64 * 3_600_000)
    }

    fn utc_millis(&self, _: Timestamp) -> i64 {
        0
    }

    fn sleep_until(&self, _: Timestamp) -> Sleep {
        Box::pin(std::future::pending())
    }
}

#[test]
fn a_token_that_ended_while_the_process_was_suspended_is_no_misconfiguration() {
    let server = Server::start(|stream| {
        answer(&stream, (200, r#"{"access_token":"t","expires_in":300}"#));
    });
    let form = form(&server);
    let settings = Settings::parse(&form.to_string()).expect("a whole form");
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
    let attempt = runtime.expect("a runtime").block_on(async {
        let client = HttpClient::new(&settings.transport).expect("a client");
        let credential = Credential::new(None, "app".into(), Secret::new("secret"));
        client
            .fetch(&settings.endpoint, &credential, &Vec::<Secret>::new(), &Suspending::default())
            .await
    });
    assert!(matches!(attempt.verdict, Verdict::Transient(_)), "{:?}", attempt.verdict);
}

/// A clock that the test turns, and whose timers wake nobody. The driver's thread hangs at it where
/// that is wanted.
#[derive(Default)]
struct Deaf {
    seconds: AtomicUsize,
    hangs: Mutex<bool>,
    goes_on: Condvar,
}

impl Deaf {
    fn hang(&self, hangs: bool) {
        *self.hangs.lock().expect("no panic") = hangs;
        self.goes_on.notify_all();
    }
}

impl Clock for Deaf {
    fn now(&self) -> Timestamp {
        if std::thread::current().name() == Some(thread_name::NAME) {
            let hangs = self.hangs.lock().expect("no panic");
            drop(self.goes_on.wait_while(hangs, |hangs| *hangs));
        }
        Timestamp::from_millis(self.seconds.load(Ordering::SeqCst) as u64 * 1000)
    }

    fn utc_millis(&self, at: Timestamp) -> i64 {
        i64::try_from(at.since(Timestamp::default()).as_millis()).unwrap_or(i64::MAX)
    }

    fn sleep_until(&self, at: Timestamp) -> Sleep {
        if at <= self.now() {
            return Box::pin(std::future::ready(()));
        }
        Box::pin(std::future::pending())
    }
}

#[test]
fn a_thread_that_does_not_run_is_not_live_and_runs_again() {
    let clock = Arc::new(Deaf::default());
    let server = Server::granting();
    let handle = Handle::open(&Arc::new(Driver::new(Arc::clone(&clock) as _)), &server, |_| {});
    assert!(handle.wait().is_ok());
    let health = |seconds: usize| {
        clock.seconds.store(seconds, Ordering::SeqCst);
        let manager = handle.manager();
        let health = serde_json::to_value(manager.health()).expect("it is plain");
        let problems = health["problems"].as_array().expect("a list").clone();
        let codes: Vec<_> = problems.iter().map(|it| it["code"].clone()).collect();
        (health["live"].clone(), health["ready"].clone(), codes)
    };
    handle.told(|message| match message {
        Message::Event(EventMessage { event: ApiEvent::Rotation(_), .. }) => Some(()),
        _ => None,
    });
    // All managers share the thread: when another one has its token, this one is at rest.
    let other = Handle::open(&handle.driver, &server, |_| {});
    assert!(other.wait().is_ok());
    let healthy = (true.into(), true.into(), vec![]);
    // It is to refresh the token 10 to 11 minutes before that expires.
    clock.hang(true);
    assert_eq!(health(2940), healthy);
    assert_eq!(health(3010), healthy, "a process that was frozen looks like this");
    assert_eq!(health(3020), (false.into(), true.into(), vec!["thread-stalled".into()]));
    // It plans anew.
    clock.hang(false);
    assert!(handle.wait_for(Duration::from_secs(3000)).is_ok());
    assert_eq!(health(3040), healthy);
}

#[test]
fn a_look_at_the_health_wakes_a_thread_that_has_slept_too_long() {
    let clock = Arc::new(Deaf::default());
    let server = Server::granting();
    let handle = Handle::open(&Arc::new(Driver::new(Arc::clone(&clock) as _)), &server, |_| {});
    let token = |wanted| {
        handle.told(|message| match message {
            Message::Event(EventMessage { event: ApiEvent::Token { serial, .. }, .. }) => {
                (serial == wanted).then_some(())
            }
            _ => None,
        });
    };
    token(1);
    handle.told(|message| match message {
        Message::Event(EventMessage { event: ApiEvent::Rotation(_), .. }) => Some(()),
        _ => None,
    });
    assert!(Handle::open(&handle.driver, &server, |_| {}).wait().is_ok());
    clock.seconds.store(3010, Ordering::SeqCst);
    handle.manager().health();
    token(2);
}
