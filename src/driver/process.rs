//! The driver of a process: its handles, and the thread that serves them.

use std::sync::{Arc, OnceLock};

use super::listener::{Listener, Word};
use super::manager::Manager;
use super::registry::Registry;
use super::signer::Signer;
use super::thread;
use super::workers::Workers;
use crate::api::{Activity, ClockId, ErrorMessage, HandleId, Settings, SignerSettings};
use crate::clock::{Clock, SystemClock};
use crate::error::Code;
use crate::refresh::WaiterId;
use crate::source::Reading;

/// What opens and closes handles. Its thread starts with the first manager and ends with the last
/// one.
pub struct Driver {
    registry: Arc<Registry>,
}

impl Driver {
    /// The one of this process, on the machine's clocks.
    pub fn global() -> &'static Arc<Self> {
        static DRIVER: OnceLock<Arc<Driver>> = OnceLock::new();
        DRIVER.get_or_init(|| Arc::new(Self::new(Arc::new(SystemClock::new()))))
    }

    /// One without managers, on the given clock.
    pub fn new(clock: Arc<dyn Clock>) -> Self {
        let workers = Workers::new(Arc::clone(&clock));
        Self::with_workers(clock, workers)
    }

    pub(super) fn with_workers(clock: Arc<dyn Clock>, workers: Workers) -> Self {
        Self { registry: Arc::new(Registry::new(clock, workers)) }
    }

    /// Opens a handle: of the manager of that name if there is one, else of a new one, which
    /// starts to fetch its first token at once.
    pub fn open(
        &self,
        settings: Settings,
        listener: Arc<dyn Listener>,
        word: Box<dyn Word>,
    ) -> Result<HandleId, ErrorMessage> {
        self.registry.open(settings, listener, word, || self.start())
    }

    /// Opens a webhook signer.
    pub fn open_signer(
        &self,
        settings: SignerSettings,
        listener: Arc<dyn Listener>,
    ) -> Result<(HandleId, Arc<Signer>), ErrorMessage> {
        self.registry.open_signer(settings, listener, || self.start())
    }

    fn start(&self) -> Result<(), ErrorMessage> {
        thread::start(&self.registry).map_err(|error| {
            let story = format!("The background thread could not be started: {error}.");
            ErrorMessage::new(Code::NativeUnavailable, story)
        })
    }

    /// Has a caller wait for a key of a signer, which comes from its sources; its answer comes as a
    /// message.
    pub fn wait_for_key(&self, signer: HandleId) -> Option<WaiterId> {
        self.registry.wait_for_key(signer)
    }

    /// A caller no longer waits for a key.
    pub fn cancel_wait_for_key(&self, signer: HandleId, waiter: WaiterId) {
        if let Some(keys) = self.registry.key_set(signer) {
            keys.cancel(waiter);
        }
    }

    /// The JavaScript sources of a signer were read.
    pub fn keys_read(&self, signer: HandleId, readings: Vec<Option<Reading>>) {
        self.registry.keys_read(signer, readings);
    }

    /// How many readings of files have begun and not returned.
    #[cfg(test)]
    pub(super) fn begun_readings(&self) -> usize {
        self.registry.workers().begun_readings()
    }

    /// The manager of an open handle.
    pub fn manager(&self, handle: HandleId) -> Option<Arc<Manager>> {
        self.registry.manager(handle)
    }

    /// Closes a handle; with the last one its manager ends. A handle that is not open is fine.
    pub fn close(&self, handle: HandleId) {
        self.registry.close(handle);
    }

    /// How many managers are open.
    pub fn managers(&self) -> usize {
        self.registry.managers().len()
    }

    /// A new clock, which shows so many milliseconds since 1970 until it is told otherwise.
    pub fn make_clock(&self, utc_millis: i64) -> ClockId {
        self.registry.make_clock(utc_millis)
    }

    /// Forgets a clock; managers that are on it keep it.
    pub fn drop_clock(&self, id: ClockId) {
        self.registry.drop_clock(id);
    }

    /// Moves a clock on.
    pub fn advance_clock(&self, id: ClockId, utc_millis: i64) {
        if let Some(clock) = self.registry.manual_clock(id) {
            clock.advance_to(utc_millis);
        }
    }

    /// What goes on at a clock.
    pub fn activity(&self, id: ClockId) -> Activity {
        self.registry.activity(id)
    }

    /// Makes the thread panic, to show what happens then.
    #[cfg(debug_assertions)]
    pub fn panic(&self) {
        self.registry.panic();
    }
}

impl std::fmt::Debug for Driver {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Driver").field("managers", &self.managers()).finish_non_exhaustive()
    }
}
