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

use super::fault::{CommandFailure, ends_connection, unavailable};
use super::patience::{self, Pauses, within};
use super::server::Server;
use crate::clock::Clock;
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
    Up(u64, MultiplexedConnection),
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
        let (number, mut connection) = self.current().await?;
        let run = script.invoke_async::<Value>(&mut connection);
        self.take(number, within(&*self.clock, patience::COMMAND, run).await)
    }

    /// Takes what came of a command, and what it says of the connection.
    fn take(
        &self,
        connection: u64,
        outcome: Option<RedisResult<Value>>,
    ) -> Result<Value, CommandFailure> {
        match outcome {
            Some(Ok(value)) => {
                self.has_worked.store(true, Ordering::Relaxed);
                Ok(value)
            }
            Some(Err(error)) => {
                if ends_connection(&error) {
                    self.doubt(connection, Some(unavailable(&error)));
                }
                Err(CommandFailure::from(&error))
            }
            None => {
                self.doubt(connection, None);
                Err(Unavailable::late().into())
            }
        }
    }

    /// The connection that is up, with its number.
    async fn current(&self) -> Result<(u64, MultiplexedConnection), Unavailable> {
        let mut state = self.state.subscribe();
        let known = state.wait_for(|state| !matches!(state, LinkState::Opening)).await;
        match known.map(|state| state.clone()) {
            Ok(LinkState::Up(number, connection)) => Ok((number, connection)),
            Ok(LinkState::Down(reason)) => Err(reason),
            // The keeper has ended with its runtime.
            Ok(LinkState::Opening) | Err(_) => Err(Unavailable::late()),
        }
    }

    /// Nobody waits for a connection any more until it is known to work.
    fn doubt(&self, connection: u64, reason: Option<Unavailable>) {
        let down = LinkState::Down(reason.clone().unwrap_or_else(Unavailable::late));
        self.state.send_if_modified(|state| {
            let is_up = matches!(state, LinkState::Up(number, _) if *number == connection);
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
            let reason = match self.connect().await {
                Ok(connection) => {
                    self.state.send_replace(LinkState::Up(number, connection.clone()));
                    self.wait_for_end(number, &connection).await
                }
                Err(reason) => reason,
            };
            self.state.send_replace(LinkState::Down(reason));
            if self.has_worked.swap(false, Ordering::Relaxed) {
                pauses.reset();
            }
            let pause = pauses.next(fastrand::f64());
            self.clock.sleep_until(self.clock.now() + pause).await;
        }
    }

    async fn connect(&self) -> Result<MultiplexedConnection, Unavailable> {
        let opened = within(&*self.clock, patience::OPENING, self.server.connect()).await;
        opened.ok_or_else(Unavailable::late)?.map_err(|error| unavailable(&error))
    }

    /// Waits until a connection does not work any more, and returns why.
    async fn wait_for_end(
        &mut self,
        number: u64,
        connection: &MultiplexedConnection,
    ) -> Unavailable {
        loop {
            let Some(doubt) = self.doubts.recv().await else { return Unavailable::late() };
            if doubt.connection != number {
                continue;
            }
            if let Some(reason) = doubt.reason {
                return reason;
            }
            match within(&*self.clock, patience::COMMAND, ping(connection.clone())).await {
                Some(Ok(())) => {
                    let up = LinkState::Up(number, connection.clone());
                    self.state.send_replace(up);
                }
                Some(Err(error)) => return unavailable(&error),
                None => return Unavailable::late(),
            }
            // Others that had no reply at that time say nothing new.
            while self.doubts.try_recv().is_ok_and(|doubt| doubt.reason.is_none()) {}
        }
    }
}

async fn ping(mut connection: MultiplexedConnection) -> RedisResult<()> {
    redis::cmd("PING").query_async(&mut connection).await
}
