//! A webhook signer at run time: what its calls need, behind one lock.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use super::listener::Listener;
use crate::api::{
    ApiEvent, ErrorMessage, EventMessage, HandleId, Message, SignerStatus, UtcMillis,
};
use crate::error::Code;
use crate::signing::{Board, KeyNotice, KeyProblem, NamedKey};
use crate::webhook::{Incoming, LiveKeys, NoKey, Outgoing, Scheme, SignWith, SignatureFlaw};

/// Signs and verifies with the keys that it is shown.
pub struct Signer {
    handle: HandleId,
    scheme: Scheme,
    sign_with: SignWith,
    tolerance: i64,
    shown: Mutex<Shown>,
}

#[derive(Default)]
struct Shown {
    /// None once it is closed: its environment may have ended.
    listener: Option<Arc<dyn Listener>>,
    board: Board,
    /// The number of the latest event.
    seq: u64,
}

impl Signer {
    pub(super) fn new(
        (handle, listener): (HandleId, Arc<dyn Listener>),
        scheme: Scheme,
        sign_with: SignWith,
        tolerance: i64,
    ) -> Self {
        let shown = Shown { listener: Some(listener), ..Shown::default() };
        Self { handle, scheme, sign_with, tolerance, shown: Mutex::new(shown) }
    }

    /// How signatures look.
    pub fn scheme(&self) -> &Scheme {
        &self.scheme
    }

    /// Appends the value of the signature header. `now` is in milliseconds since 1970.
    pub fn sign(&self, now: i64, message: &Outgoing<'_>, out: &mut Vec<u8>) -> Result<(), NoKey> {
        self.scheme.sign(&self.ring(), self.sign_with, now, message, out)
    }

    /// The number of the key that made a signature.
    pub fn verify(&self, now: i64, message: &Incoming<'_>) -> Result<u32, SignatureFlaw> {
        self.scheme.verify(&self.ring(), self.tolerance, now, message)
    }

    /// The name of the key with that number.
    pub fn key_name(&self, number: u32) -> Option<String> {
        self.lock().board.name(number).map(str::to_owned)
    }

    /// A snapshot for people; `now` is in milliseconds since 1970.
    pub fn status(&self, now: i64) -> SignerStatus {
        SignerStatus::of(&self.lock().board, now)
    }

    /// Why there is no key, if so.
    pub(super) fn why_no_key(&self) -> Option<ErrorMessage> {
        let shown = self.lock();
        if !shown.board.keys().is_empty() {
            return None;
        }
        let story = match shown.board.problems().first() {
            Some(problem) => format!("There is no key: {}", problem.message),
            None => "There is no key yet: no source was read.".to_owned(),
        };
        Some(ErrorMessage::new(Code::NoKey, story))
    }

    pub(super) fn handle(&self) -> HandleId {
        self.handle
    }

    pub(super) fn tell(&self, message: &Message) {
        self.lock().tell(message);
    }

    /// Nobody is told anything any more. The listener ends here, in its own environment, whoever
    /// still has this signer.
    pub(super) fn fall_silent(&self) {
        self.lock().listener = None;
    }

    /// Shows other keys, at an instant in milliseconds since 1970: a call that begins after this uses
    /// no others.
    pub(super) fn show(&self, keys: Vec<NamedKey>, problems: Vec<KeyProblem>, at: i64) {
        let mut shown = self.lock();
        for notice in shown.board.show(keys, problems, at) {
            shown.seq += 1;
            let event = match notice {
                KeyNotice::Added(key) => ApiEvent::KeyAdded { key },
                KeyNotice::Retired(key) => ApiEvent::KeyRetired { key },
                KeyNotice::Unreadable { name, message } => {
                    ApiEvent::KeyUnreadable { key: name, message }
                }
            };
            let (handles, seq, at) = (vec![self.handle], shown.seq, UtcMillis(at));
            shown.tell(&Message::Event(EventMessage { handles, seq, at, event }));
        }
    }

    fn ring(&self) -> Arc<LiveKeys> {
        Arc::clone(self.lock().board.ring())
    }

    fn lock(&self) -> MutexGuard<'_, Shown> {
        self.shown.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Shown {
    fn tell(&self, message: &Message) {
        if let Some(listener) = &self.listener {
            listener.tell(message);
        }
    }
}
