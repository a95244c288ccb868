//! The connection for subscriptions, and who listens on it.

use std::collections::BTreeMap;
use std::sync::Arc;

use futures_util::{FutureExt, StreamExt};
use redis::Msg;
use redis::aio::{PubSubSink, PubSubStream};
use tokio::sync::{broadcast, mpsc, oneshot};
use tokio::task::{JoinHandle, unconstrained};

use super::address::Address;
use super::fault::{ends_connection, unavailable};
use super::patience::{self, Pauses, within};
use super::server::Server;
use crate::clock::Clock;
use crate::store::Unavailable;

/// Messages that a listener has not taken yet; of more, the oldest are lost.
const MOST_UNHEARD: usize = 64;

/// The subscriptions of a process to one server, over one connection.
pub(super) struct Subscriptions {
    wanted: mpsc::UnboundedSender<Wanted>,
    keeper: JoinHandle<()>,
}

/// The channels that are subscribed to.
type Channels = BTreeMap<String, broadcast::Sender<String>>;

/// Somebody wants to hear what is said on a channel.
struct Wanted {
    channel: String,
    listener: oneshot::Sender<Result<broadcast::Receiver<String>, Unavailable>>,
}

impl Subscriptions {
    /// Connects to a server, on the current runtime, as soon as somebody wants to listen.
    pub(super) fn new(server: Server, clock: Arc<dyn Clock>) -> Self {
        let (wanted, asked) = mpsc::unbounded_channel();
        let keeper = SubscriptionKeeper { server, clock, wanted: asked };
        Self { wanted, keeper: tokio::spawn(keeper.keep()) }
    }

    /// Subscribes to a channel. What comes ends when the connection does: then messages may be lost.
    pub(super) async fn listen(
        &self,
        channel: String,
    ) -> Result<broadcast::Receiver<String>, Unavailable> {
        let (listener, confirmed) = oneshot::channel();
        // The keeper has ended with its runtime.
        let ended = || Unavailable { reason: "the runtime has ended".to_owned() };
        self.wanted.send(Wanted { channel, listener }).map_err(|_| ended())?;
        confirmed.await.map_err(|_| ended())?
    }
}

impl Drop for Subscriptions {
    fn drop(&mut self) {
        self.keeper.abort();
    }
}

/// Opens connections, one after the other, for as long as somebody listens.
struct SubscriptionKeeper {
    server: Server,
    clock: Arc<dyn Clock>,
    wanted: mpsc::UnboundedReceiver<Wanted>,
}

impl SubscriptionKeeper {
    async fn keep(mut self) {
        let mut pauses = Pauses::default();
        for attempt in 0.. {
            let Some(first) = self.wanted.recv().await else { return };
            match self.server.listen(attempt, &*self.clock).await {
                Ok((connection, address)) => {
                    if self.serve(connection.split(), &address, first).await {
                        pauses.reset();
                    }
                }
                Err(error) => self.refuse_all(first, &unavailable(&error)),
            }
            let pause = pauses.next(fastrand::f64());
            self.clock.sleep_until(self.clock.now() + pause).await;
        }
    }

    fn refuse_all(&mut self, first: Wanted, reason: &Unavailable) {
        first.refuse(reason.clone());
        while let Ok(wanted) = self.wanted.try_recv() {
            wanted.refuse(reason.clone());
        }
    }

    /// Serves listeners until the connection is of no use any more, or nobody listens. Returns
    /// whether it has ever been of use. Whoever listens is told of the end by the end of its channel.
    async fn serve(
        &mut self,
        (mut sink, mut messages): (PubSubSink, PubSubStream),
        address: &Address,
        first: Wanted,
    ) -> bool {
        let mut channels = Channels::new();
        let mut next = Some(first);
        let mut heard_at = self.clock.now();
        loop {
            if let Some(wanted) = next.take()
                && !self.subscribe((&mut sink, &mut messages), &mut channels, wanted).await
            {
                return !channels.is_empty();
            }
            let silence = self.clock.sleep_until(heard_at + patience::SILENCE);
            tokio::select! {
                message = messages.next() => {
                    let Some(message) = message else { return true };
                    heard_at = self.clock.now();
                    pass_on(&channels, &message);
                }
                wanted = self.wanted.recv() => match wanted {
                    Some(wanted) => next = Some(wanted),
                    None => return true,
                },
                () = silence => {
                    heard_at = self.clock.now();
                    channels.retain(|_, channel| channel.receiver_count() > 0);
                    if channels.is_empty() || !self.is_alive(&mut sink, address).await {
                        return true;
                    }
                }
            }
        }
    }

    /// Subscribes for somebody; returns whether the connection is still of use.
    async fn subscribe(
        &self,
        (sink, messages): (&mut PubSubSink, &mut PubSubStream),
        channels: &mut Channels,
        Wanted { channel, listener }: Wanted,
    ) -> bool {
        let mut is_well = true;
        let outcome = within(&*self.clock, patience::COMMAND, sink.subscribe(&channel)).await;
        // What was said before the reply has come by now. It is for others.
        while let Some(Some(message)) = unconstrained(messages.next()).now_or_never() {
            pass_on(channels, &message);
        }
        let outcome = match outcome {
            Some(Ok(())) => {
                let channel = channels.entry(channel);
                let channel = channel.or_insert_with(|| broadcast::Sender::new(MOST_UNHEARD));
                Ok(channel.subscribe())
            }
            Some(Err(error)) => {
                // One channel that may not be listened to says nothing of the others.
                is_well = !ends_connection(&error);
                Err(unavailable(&error))
            }
            None => {
                is_well = false;
                Err(Unavailable::late())
            }
        };
        // Whoever wanted it may have left.
        let _ = listener.send(outcome);
        is_well
    }

    /// Whether the server replies, and is still the one to listen to.
    async fn is_alive(&self, sink: &mut PubSubSink, address: &Address) -> bool {
        let replied = sink.ping::<redis::Value>();
        let replied = within(&*self.clock, patience::COMMAND, replied).await;
        matches!(replied, Some(Ok(_))) && self.server.is_at(address, &*self.clock).await
    }
}

/// Passes a message on to those who listen to its channel.
fn pass_on(channels: &Channels, message: &Msg) {
    let channel = channels.get(message.get_channel_name());
    if let Some((channel, told)) = channel.zip(message.get_payload().ok()) {
        // Nobody may listen any more.
        let _ = channel.send(told);
    }
}

impl Wanted {
    fn refuse(self, reason: Unavailable) {
        // Whoever wanted it may have left.
        let _ = self.listener.send(Err(reason));
    }
}
