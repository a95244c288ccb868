//! The connection for commands. It is opened again whenever it is of no use any more.
//!
//! The crate's own connection manager does not come back from a password that was wrong for a while,
//! from a server that was demoted, or from one that is frozen, and has callers wait meanwhile.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use redis::aio::MultiplexedConnection;
use redis::{RedisResult, ScriptInvocation, Value};
use tokio::sync::{mpsc, watch};
use tokio::task::JoinHandle;

use super::address::Address;
use super::fault::{CommandFailure, ends_connection, unavailable};
use super::patience::{self, Pauses, within};
use super::server::Server;
use crate::clock::{Clock, Timestamp};
use crate::store::Unavailable;

/// A connection that is kept. While it is down, commands fail at once and say why.
pub(super) struct Connection {
    clock: Arc<dyn Clock>,
    state: Arc<watch::Sender<LinkState>>,
    doubts: mpsc::UnboundedSender<Suspicion>,
    has_worked: Arc<AtomicBool>,
    keeper: JoinHandle<()>,
}

#[derive(Clone)]
enum LinkState {
    /// The first attempt has not ended.
    Opening,
    Up(u64, MultiplexedConnection, Address),
    Down(Unavailable),
}

/// A connection that may not work any more, by its number.
struct Suspicion {
    connection: u64,
    /// It is known not to, for this reason; none: it has not replied in time.
    reason: Option<Unavailable>,
}

impl Connection {
    /// Begins to open a connection to a server, on the current runtime.
    pub(super) fn open(server: Server, clock: Arc<dyn Clock>) -> Self {
        let state = Arc::new(watch::Sender::new(LinkState::Opening));
        let (doubts, reported) = mpsc::unbounded_channel();
        let has_worked = Arc::new(AtomicBool::new(false));
        let keeper = ConnectionKeeper {
            server,
            clock: Arc::clone(&clock),
            state: Arc::clone(&state),
            doubts: reported,
            has_worked: Arc::clone(&has_worked),
        };
        let keeper = tokio::spawn(keeper.keep());
        Self { clock, state, doubts, has_worked, keeper }
    }

    /// Runs a script.
    pub(super) async fn run(&self, script: &ScriptInvocation<'_>) -> Result<Value, CommandFailure> {
        let mut guard = Impatience { connection: self, begun_at: self.clock.now(), number: None };
        let run = async {
            let (number, mut connection, address) = self.current().await?;
            guard.number = Some(number);
            let outcome = script.invoke_async::<Value>(&mut connection).await;
            guard.number = None;
            self.take(number, &address, outcome)
        };
        // What is not over by then is doubted when it is dropped.
        let outcome = within(&*self.clock, patience::COMMAND, run).await;
        outcome.unwrap_or_else(|| Err(Unavailable::late().into()))
    }

    /// Takes what came of a command, and what it says of the connection.
    fn take(
        &self,
        connection: u64,
        address: &Address,
        outcome: RedisResult<Value>,
    ) -> Result<Value, CommandFailure> {
        match outcome {
            Ok(value) => {
                self.has_worked.store(true, Ordering::Relaxed);
                Ok(value)
            }
            Err(error) => {
                if ends_connection(&error) {
                    self.doubt(connection, Some(unavailable(&error)));
                }
                Err(CommandFailure::of(&error, address))
            }
        }
    }

    /// Gives up the connection that is up, for another one.
    pub(super) fn leave(&self, reason: &Unavailable) {
        let up = match &*self.state.borrow() {
            LinkState::Up(number, ..) => Some(*number),
            _ => None,
        };
        if let Some(number) = up {
            self.doubt(number, Some(reason.clone()));
        }
    }

    /// The connection that is up, with its number and where it goes.
    async fn current(&self) -> Result<(u64, MultiplexedConnection, Address), Unavailable> {
        let mut state = self.state.subscribe();
        let known = state.wait_for(|state| !matches!(state, LinkState::Opening)).await;
        match known.map(|state| state.clone()) {
            Ok(LinkState::Up(number, connection, address)) => Ok((number, connection, address)),
            Ok(LinkState::Down(reason)) => Err(reason),
            Ok(LinkState::Opening) | Err(_) => Err(Unavailable::late()),
        }
    }

    /// Nobody waits for a connection any more until it is known to work.
    fn doubt(&self, connection: u64, reason: Option<Unavailable>) {
        let down = LinkState::Down(reason.clone().unwrap_or_else(Unavailable::late));
        self.state.send_if_modified(|state| {
            let is_up = matches!(state, LinkState::Up(number, ..) if *number == connection);
            if is_up {
                *state = down;
            }
            is_up
        });
        // Nobody hears it after the end of the runtime.
        let _ = self.doubts.send(Suspicion { connection, reason });
    }
}

impl Drop for Connection {
    fn drop(&mut self) {
        self.keeper.abort();
    }
}

/// A command that may be given up before it is over, as its caller has a deadline of its own: then
/// the connection is doubted.
struct Impatience<'a> {
    connection: &'a Connection,
    begun_at: Timestamp,
    /// The connection that has not replied.
    number: Option<u64>,
}

impl Drop for Impatience<'_> {
    fn drop(&mut self) {
        let Some(number) = self.number else { return };
        let Connection { clock, .. } = self.connection;
        if clock.now().since(self.begun_at) >= patience::PROMPT {
            self.connection.doubt(number, None);
        }
    }
}

/// Opens connections, one after the other.
struct ConnectionKeeper {
    server: Server,
    clock: Arc<dyn Clock>,
    state: Arc<watch::Sender<LinkState>>,
    doubts: mpsc::UnboundedReceiver<Suspicion>,
    has_worked: Arc<AtomicBool>,
}

impl ConnectionKeeper {
    /// Opens a connection whenever there is none that works.
    async fn keep(mut self) {
        let mut pauses = Pauses::default();
        for number in 0.. {
            let reason = match self.server.connect(number, &*self.clock).await {
                Ok((connection, address)) => {
                    let up = LinkState::Up(number, connection, address);
                    self.state.send_replace(up.clone());
                    self.wait_for_end(number, &up).await
                }
                Err(error) => unavailable(&error),
            };
            self.state.send_replace(LinkState::Down(reason));
            if self.has_worked.swap(false, Ordering::Relaxed) {
                pauses.reset();
            }
            let pause = pauses.next(fastrand::f64());
            self.clock.sleep_until(self.clock.now() + pause).await;
        }
    }

    /// Waits until a connection does not work any more, and returns why.
    async fn wait_for_end(&mut self, number: u64, up: &LinkState) -> Unavailable {
        let LinkState::Up(_, connection, _) = up else { return Unavailable::late() };
        loop {
            let Some(doubt) = self.doubts.recv().await else { return Unavailable::late() };
            if let Some(reason) = doubt.reason.filter(|_| doubt.connection == number) {
                return reason;
            }
            if doubt.connection != number {
                continue;
            }
            match within(&*self.clock, patience::COMMAND, ping(connection.clone())).await {
                Some(Ok(())) => {}
                Some(Err(error)) => return unavailable(&error),
                None => return Unavailable::late(),
            }
            // Others that had no reply at that time say nothing new.
            while let Ok(doubt) = self.doubts.try_recv() {
                if let Some(reason) = doubt.reason.filter(|_| doubt.connection == number) {
                    return reason;
                }
            }
            self.state.send_replace(up.clone());
        }
    }
}

async fn ping(mut connection: MultiplexedConnection) -> RedisResult<()> {
    redis::cmd("PING").query_async(&mut connection).await
}
