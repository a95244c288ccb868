//! Processes that write: this test program once more, with a part to play.

use std::fs;
use std::io::{BufRead, BufReader, Lines, Write};
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdout, Command, Stdio};

use serde::{Deserialize, Serialize};

use super::*;
use crate::driver::files::Plan;

/// The variable that gives a child its part.
const PART: &str = "OAUTH_ROTOR_CHILD";

/// More than it takes until others have finished their writes.
const MOST_TRIES: usize = 10_000;

/// Before each line that a child says, since the test program says other things.
const SAYS: &str = "child: ";

#[derive(Serialize, Deserialize)]
pub(super) enum Part {
    /// Writes pair after pair until it is killed, and says so.
    Alternate { path: PathBuf, pairs: Vec<(String, String)> },
    /// Writes pairs with ascending numbers to variables of its own.
    Count { path: PathBuf, variables: (String, String), to: usize },
    /// Writes one pair and says what came of it.
    Write { path: PathBuf },
    /// Writes one pair, and is killed before its call with that number.
    Killed { path: PathBuf, at: usize },
    /// Says what comes of giving a file in that directory to others.
    Access { directory: PathBuf },
}

impl Part {
    pub(super) fn start(&self) -> Playing {
        self.start_as(&std::env::current_exe().expect("the program is known"), None)
    }

    /// As another user, where this is not none.
    pub(super) fn start_as(&self, program: &Path, user: Option<u32>) -> Playing {
        let mut command = Command::new(program);
        command
            .args([
                "--exact",
                "driver::persist::tests::child::a_child_plays_its_part",
                "--nocapture",
            ])
            .env(PART, serde_json::to_string(self).expect("it is JSON"))
            .stdout(Stdio::piped());
        if let Some(user) = user {
            command.uid(user).gid(user);
        }
        let mut process = command.spawn().expect("the test program starts");
        let lines = BufReader::new(process.stdout.take().expect("it is piped")).lines();
        Playing { process, lines }
    }
}

/// A child at work; it ends with this.
pub(super) struct Playing {
    process: Child,
    lines: Lines<BufReader<ChildStdout>>,
}

impl Playing {
    /// The next thing that it says; none: it has ended.
    pub(super) fn said(&mut self) -> Option<String> {
        let mut lines = self.lines.by_ref().map_while(Result::ok);
        // The harness leaves its own line unfinished.
        lines.find_map(|line| Some(line.split_once(SAYS)?.1.to_owned()))
    }

    pub(super) fn is_at_work(&mut self) -> bool {
        self.process.try_wait().expect("it can be asked").is_none()
    }

    /// With `SIGKILL`.
    pub(super) fn kill(&mut self) {
        self.process.kill().expect("it can be killed");
        self.process.wait().expect("it has ended");
    }
}

impl Drop for Playing {
    fn drop(&mut self) {
        self.kill();
    }
}

fn say(line: &str) {
    let mut out = io::stdout().lock();
    let said = writeln!(out, "{SAYS}{line}").and_then(|()| out.flush());
    said.expect("somebody listens");
}

/// Does nothing when nobody has given it a part.
#[test]
#[expect(clippy::disallowed_methods, reason = "read by a test, before any thread")]
fn a_child_plays_its_part() {
    let Ok(part) = std::env::var(PART) else { return };
    match serde_json::from_str(&part).expect("a part") {
        Part::Alternate { path, pairs } => {
            let target = env_file(&path);
            for (id, secret) in pairs.iter().cycle() {
                let report = write(&target, &credential(id, secret));
                say(&format!("{report:?}"));
            }
        }
        Part::Count { path, variables: (client_id, client_secret), to } => {
            let target = PersistTarget::EnvFile {
                path: path.clone(),
                client_id: Some(client_id.clone()),
                client_secret,
                of_client: None,
            };
            for number in 0..=to {
                let new = credential(&format!("id-{number}"), &format!("secret {number}"));
                // The machine would try again, too.
                let tries = (0..MOST_TRIES).map(|_| write(&target, &new));
                let failed = tries.take_while(|it| it.outcome == PersistOutcome::Failed).count();
                if failed == MOST_TRIES {
                    say(&format!("{number} could not be written"));
                }
                // Nobody else writes these variables.
                let text = fs::read_to_string(&path).expect("it is there");
                if !text.contains(&format!("{client_id}=id-{number}\n")) {
                    say(&format!("another writer has undone {number}"));
                }
            }
            say("done");
        }
        Part::Write { path } => {
            say(&format!("{:?}", write(&env_file(&path), &credential("id", "new"))));
        }
        Part::Killed { path, at } => {
            let kill = |_| {
                let process = rustix::process::getpid();
                rustix::process::kill_process(process, rustix::process::Signal::KILL)?;
                unreachable!("it is killed")
            };
            let work = || write(&env_file(&path), &credential("id", "new"));
            say(&format!("{:?}", Plan::run(at, kill, work).0));
        }
        Part::Access { directory } => access::say_what_can_be_given(&directory, say),
    }
}
