//! A server that a test starts, and that ends with it.

use std::env;
use std::fs;
use std::io::{BufRead, BufReader};
use std::net::TcpListener;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::atomic::{AtomicU64, Ordering};

use redis::{RedisConnectionInfo, RedisResult, Value};
use rustix::process::{Pid, Signal, kill_process};

use crate::clock::SystemClock;
use crate::redis::{Address, Server, Topology};

/// A server in a directory of its own. It listens on a socket there, so that no port is needed,
/// unless others have to find it.
pub(crate) struct TestServer {
    child: Child,
    directory: PathBuf,
    settings: Vec<String>,
    /// Its port, and the one on which nodes of a cluster talk.
    ports: Option<[u16; 2]>,
}

impl TestServer {
    pub(crate) fn start() -> Self {
        let settings = ["--port", "0", "--unixsocket", "socket"];
        Self::with(None, settings.map(str::to_owned).into()).expect("it starts")
    }

    /// Starts one on a port that is free, with more settings.
    pub(crate) fn on_port(settings: &[&str]) -> Self {
        loop {
            let [port, bus] = [free_port(), free_port()];
            let mut all = vec!["--port".to_owned(), port.to_string()];
            if settings.contains(&"--cluster-enabled") {
                all.extend(["--cluster-port".to_owned(), bus.to_string()]);
            }
            all.extend(settings.iter().map(|setting| (*setting).to_owned()));
            // Somebody else may have taken it meanwhile.
            if let Some(server) = Self::with(Some([port, bus]), all) {
                return server;
            }
        }
    }

    /// Starts a sentinel that watches a primary on that port, which it calls `main`.
    pub(crate) fn sentinel(primary: u16) -> Self {
        let watched = [
            format!("sentinel monitor main 127.0.0.1 {primary} 1"),
            "sentinel down-after-milliseconds main 500".to_owned(),
            "sentinel failover-timeout main 1000".to_owned(),
        ];
        loop {
            let port = free_port();
            let directory = new_directory();
            fs::write(directory.join("sentinel.conf"), watched.join("\n")).expect("its settings");
            let settings = ["sentinel.conf", "--sentinel", "--port"].map(str::to_owned);
            let settings = [settings.into(), vec![port.to_string()]].concat();
            if let Some(child) = run(&directory, &settings) {
                return Self { child, directory, settings, ports: Some([port; 2]) };
            }
        }
    }

    fn with(ports: Option<[u16; 2]>, settings: Vec<String>) -> Option<Self> {
        let directory = new_directory();
        let memory = ["--save", "", "--appendonly", "no"].map(str::to_owned);
        let settings = [settings, memory.into()].concat();
        Some(Self { child: run(&directory, &settings)?, directory, settings, ports })
    }

    /// Ends it at once, as a crash does; whatever it held is lost.
    pub(crate) fn kill(&mut self) {
        self.child.kill().and_then(|()| self.child.wait()).expect("it can be ended");
    }

    /// Starts an empty one in its place.
    pub(crate) fn restart(&mut self) {
        self.child = run(&self.directory, &self.settings).expect("it starts");
    }

    /// It does nothing from now on, and its connections stay open.
    pub(crate) fn freeze(&self) {
        self.signal(Signal::STOP);
    }

    pub(crate) fn thaw(&self) {
        self.signal(Signal::CONT);
    }

    fn signal(&self, signal: Signal) {
        kill_process(Pid::from_child(&self.child), signal).expect("it runs");
    }

    /// Sends a command as somebody else might.
    pub(crate) async fn tell(&self, words: &[&str]) -> RedisResult<Value> {
        let (mut connection, _) = self.login().connect(0, &SystemClock::new()).await?;
        redis::cmd(words[0]).arg(&words[1..]).query_async(&mut connection).await
    }

    pub(crate) fn port(&self) -> u16 {
        self.ports()[0]
    }

    pub(crate) fn ports(&self) -> [u16; 2] {
        self.ports.expect("it has some")
    }

    pub(crate) fn address(&self) -> Address {
        match self.ports {
            Some([port, _]) => Address::Tcp { host: "127.0.0.1".to_owned(), port },
            None => Address::Unix(self.directory.join("socket")),
        }
    }

    pub(crate) fn login(&self) -> Server {
        let login = RedisConnectionInfo::default();
        Server { topology: Topology::Standalone(self.address()), login }
    }
}

impl Drop for TestServer {
    fn drop(&mut self) {
        self.kill();
        fs::remove_dir_all(&self.directory).expect("its directory");
    }
}

fn new_directory() -> PathBuf {
    static LAST: AtomicU64 = AtomicU64::new(0);
    let number = LAST.fetch_add(1, Ordering::Relaxed);
    let directory = env::temp_dir().join(format!("rotor-{}-{number}", std::process::id()));
    fs::create_dir(&directory).expect("a directory for the server");
    directory
}

fn free_port() -> u16 {
    let listener = TcpListener::bind(("127.0.0.1", 0)).expect("a free port");
    listener.local_addr().expect("its address").port()
}

/// Runs a server in a directory, and returns once it can be connected to; none if it has ended.
#[expect(clippy::disallowed_methods, reason = "no JavaScript runs beside this test")]
fn run(directory: &Path, settings: &[String]) -> Option<Child> {
    let program = env::var("REDIS_SERVER").unwrap_or_else(|_| "redis-server".to_owned());
    let mut child = Command::new(program)
        .args(settings)
        .current_dir(directory)
        .stdout(Stdio::piped())
        .spawn()
        .expect("install redis-server, or name another program in REDIS_SERVER");
    let output = child.stdout.take().expect("it is piped");
    let mut lines = BufReader::new(output).lines().map_while(Result::ok);
    // A sentinel says only who it is.
    let ready = ["eady to accept connections", "Sentinel ID is"];
    if !lines.any(|line| ready.iter().any(|ready| line.contains(ready))) {
        child.wait().expect("it has ended");
        return None;
    }
    // It goes on to write there.
    std::thread::spawn(move || lines.for_each(drop));
    Some(child)
}
