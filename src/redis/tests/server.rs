//! A server that a test starts, and that ends with it.

use std::env;
use std::fs;
use std::io::{BufRead, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::atomic::{AtomicU64, Ordering};

use rustix::process::{Pid, Signal, kill_process};

use crate::redis::{Address, Server};

/// A server that listens on a socket in a directory of its own, so that no port is needed.
pub(in crate::redis) struct TestServer {
    child: Child,
    directory: PathBuf,
}

impl TestServer {
    pub(in crate::redis) fn start() -> Self {
        static LAST: AtomicU64 = AtomicU64::new(0);
        let number = LAST.fetch_add(1, Ordering::Relaxed);
        let directory = env::temp_dir().join(format!("rotor-{}-{number}", std::process::id()));
        fs::create_dir(&directory).expect("a directory for the server");
        Self { child: run(&directory), directory }
    }

    /// Ends it at once, as a crash does; whatever it held is lost.
    pub(in crate::redis) fn kill(&mut self) {
        self.child.kill().and_then(|()| self.child.wait()).expect("it can be ended");
    }

    /// Starts an empty one in its place.
    pub(in crate::redis) fn restart(&mut self) {
        self.child = run(&self.directory);
    }

    /// It does nothing from now on, and its connections stay open.
    pub(in crate::redis) fn freeze(&self) {
        self.signal(Signal::STOP);
    }

    pub(in crate::redis) fn thaw(&self) {
        self.signal(Signal::CONT);
    }

    fn signal(&self, signal: Signal) {
        kill_process(Pid::from_child(&self.child), signal).expect("it runs");
    }

    pub(in crate::redis) fn login(&self) -> Server {
        let address = Address::Unix(self.directory.join("socket"));
        Server { address, login: ::redis::RedisConnectionInfo::default() }
    }
}

impl Drop for TestServer {
    fn drop(&mut self) {
        self.kill();
        fs::remove_dir_all(&self.directory).expect("its directory");
    }
}

/// Runs a server in a directory, and returns once it can be connected to.
#[expect(clippy::disallowed_methods, reason = "no JavaScript runs beside this test")]
fn run(directory: &Path) -> Child {
    let program = env::var("REDIS_SERVER").unwrap_or_else(|_| "redis-server".to_owned());
    let mut child = Command::new(program)
        .args(["--port", "0", "--unixsocket", "socket", "--save", "", "--appendonly", "no"])
        .arg("--dir")
        .arg(directory)
        .current_dir(directory)
        .stdout(Stdio::piped())
        .spawn()
        .expect("install redis-server, or name another program in REDIS_SERVER");
    let output = child.stdout.take().expect("it is piped");
    let mut lines = BufReader::new(output).lines().map_while(Result::ok);
    let is_ready = lines.any(|line| line.contains("eady to accept connections"));
    assert!(is_ready, "the server has ended");
    // It goes on to write there.
    std::thread::spawn(move || lines.for_each(drop));
    child
}
