//! The connection for subscriptions, and who listens on it.

use std::collections::BTreeMap;
use std::sync::Arc;

use futures_util::StreamExt;
use redis::aio::{PubSub, PubSubSink, PubSubStream};
use tokio::sync::{broadcast, mpsc, oneshot};
use tokio::task::JoinHandle;

use super::fault::unavailable;
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
        while let Some(first) = self.wanted.recv().await {
            match self.connect().await {
                Ok(connection) => {
                    if self.serve(connection, first).await {
                        pauses.reset();
                    }
                }
                Err(reason) => self.refuse_all(first, &reason),
            }
            let pause = pauses.next(fastrand::f64());
            self.clock.sleep_until(self.clock.now() + pause).await;
        }
    }

    async fn connect(&self) -> Result<(PubSubSink, PubSubStream), Unavailable> {
        let opened = within(&*self.clock, patience::OPENING, self.server.listen()).await;
        let opened = opened.ok_or_else(Unavailable::late)?;
        opened.map(PubSub::split).map_err(|error| unavailable(&error))
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
        first: Wanted,
    ) -> bool {
        let mut channels = Channels::new();
        let mut next = Some(first);
        loop {
            if let Some(wanted) = next.take()
                && !self.subscribe(&mut sink, &mut channels, wanted).await
            {
                return !channels.is_empty();
            }
            let silence = self.clock.sleep_until(self.clock.now() + patience::SILENCE);
            tokio::select! {
                message = messages.next() => {
                    let Some(message) = message else { return true };
                    let channel = channels.get(message.get_channel_name());
                    if let Some((channel, told)) = channel.zip(message.get_payload().ok()) {
                        // Nobody may listen any more.
                        let _ = channel.send(told);
                    }
                }
                wanted = self.wanted.recv() => match wanted {
                    Some(wanted) => next = Some(wanted),
                    None => return true,
                },
                () = silence => {
                    channels.retain(|_, channel| channel.receiver_count() > 0);
                    if channels.is_empty() || !self.is_alive(&mut sink).await {
                        return true;
                    }
                }
            }
        }
    }

    /// Subscribes for somebody; returns whether the connection is still of use.
    async fn subscribe(
        &self,
        sink: &mut PubSubSink,
        channels: &mut Channels,
        Wanted { channel, listener }: Wanted,
    ) -> bool {
        let outcome = if channels.contains_key(&channel) {
            Some(Ok(()))
        } else {
            within(&*self.clock, patience::COMMAND, sink.subscribe(&channel)).await
        };
        let outcome = match outcome {
            Some(Ok(())) => {
                let channel = channels.entry(channel);
                let channel = channel.or_insert_with(|| broadcast::Sender::new(MOST_UNHEARD));
                Ok(channel.subscribe())
            }
            Some(Err(error)) => Err(unavailable(&error)),
            None => Err(Unavailable::late()),
        };
        let is_well = outcome.is_ok();
        // Whoever wanted it may have left.
        let _ = listener.send(outcome);
        is_well
    }

    async fn is_alive(&self, sink: &mut PubSubSink) -> bool {
        let replied = sink.ping::<redis::Value>();
        matches!(within(&*self.clock, patience::COMMAND, replied).await, Some(Ok(_)))
    }
}

impl Wanted {
    fn refuse(self, reason: Unavailable) {
        // Whoever wanted it may have left.
        let _ = self.listener.send(Err(reason));
    }
}
