//! What one JavaScript environment has open, kept as the instance data of its `napi_env`.
//!
//! Numbers are checked here: one that another environment was given is as unknown as one that
//! nobody was. Nothing in here leaves the environment's thread.

use std::cell::RefCell;
use std::collections::{HashMap, HashSet};
use std::rc::Rc;
use std::sync::Arc;

use napi::bindgen_prelude::Env;
use napi::{CleanupEnvHook, Result};

use super::attachment::Attachment;
use crate::api::{ClockId, HandleId};
use crate::driver::{Driver, Manager, Signer};

/// What detaches an attachment when its environment ends.
pub(super) type EndHook = CleanupEnvHook<(Rc<Environment>, i64)>;

/// The main thread, or a worker.
#[derive(Default)]
pub(super) struct Environment {
    /// Each copy of the package that runs in it has one.
    attachments: RefCell<HashMap<i64, (Attachment, EndHook)>>,
    /// Its open handles, and through which attachment they were opened.
    handles: RefCell<HashMap<HandleId, i64>>,
    /// Its open signers, by the slot that JavaScript names them by: the quickest way to find one.
    signers: RefCell<Vec<Option<(HandleId, Arc<Signer>)>>>,
    clocks: RefCell<HashSet<ClockId>>,
}

impl Environment {
    /// The one that calls.
    pub(super) fn of(env: Env) -> Result<Rc<Self>> {
        if let Some(known) = env.get_instance_data::<Rc<Self>>()? {
            return Ok(Rc::clone(known));
        }
        let made = Rc::<Self>::default();
        env.set_instance_data(Rc::clone(&made), (), |_| ())?;
        Ok(made)
    }

    pub(super) fn attached(&self, number: i64, attachment: Attachment, hook: EndHook) {
        self.attachments.borrow_mut().insert(number, (attachment, hook));
    }

    /// What `act` makes of one of its attachments.
    pub(super) fn with_attachment<T>(
        &self,
        number: i64,
        act: impl FnOnce(&mut Attachment) -> T,
    ) -> Option<T> {
        self.attachments.borrow_mut().get_mut(&number).map(|(attachment, _)| act(attachment))
    }

    /// Ends an attachment, and closes what was opened through it; returns its hook.
    pub(super) fn detach(&self, number: i64) -> Option<EndHook> {
        let (attachment, hook) = self.attachments.borrow_mut().remove(&number)?;
        let of_it = |_: &HandleId, through: &mut i64| *through == number;
        let orphans: Vec<_> = self.handles.borrow_mut().extract_if(of_it).collect();
        for (handle, _) in orphans {
            self.end(handle);
        }
        drop(attachment);
        Some(hook)
    }

    pub(super) fn opened(&self, handle: HandleId, attachment: i64) {
        self.handles.borrow_mut().insert(handle, attachment);
    }

    /// Closes one of its handles.
    pub(super) fn close(&self, handle: i64) {
        let Ok(handle) = HandleId::try_from(handle) else { return };
        if self.handles.borrow_mut().remove(&handle).is_some() {
            self.end(handle);
        }
    }

    fn end(&self, handle: HandleId) {
        for slot in self.signers.borrow_mut().iter_mut() {
            slot.take_if(|(of, _)| *of == handle);
        }
        Driver::global().close(handle);
    }

    /// Gives a signer a slot.
    pub(super) fn opened_signer(&self, handle: HandleId, signer: Arc<Signer>) -> u32 {
        let mut signers = self.signers.borrow_mut();
        let free = signers.iter().position(Option::is_none);
        let slot = free.unwrap_or(signers.len());
        if free.is_none() {
            signers.push(None);
        }
        signers[slot] = Some((handle, signer));
        u32::try_from(slot).unwrap_or(u32::MAX)
    }

    /// The signer in that slot.
    pub(super) fn signer(&self, slot: u32) -> Option<Arc<Signer>> {
        let signers = self.signers.borrow();
        signers.get(slot as usize)?.as_ref().map(|(_, signer)| Arc::clone(signer))
    }

    /// Whether that handle is one of its signers.
    pub(super) fn has_signer(&self, handle: HandleId) -> bool {
        self.signers.borrow().iter().flatten().any(|(of, _)| *of == handle)
    }

    /// One of its handles, with the manager of that.
    pub(super) fn manager(&self, handle: i64) -> Option<(HandleId, Arc<Manager>)> {
        let handle = HandleId::try_from(handle).ok()?;
        let is_ours = self.handles.borrow().contains_key(&handle);
        is_ours.then(|| Driver::global().manager(handle)).flatten().map(|it| (handle, it))
    }

    pub(super) fn made_clock(&self, clock: ClockId) {
        self.clocks.borrow_mut().insert(clock);
    }

    /// One of its clocks.
    pub(super) fn clock(&self, clock: i64) -> Option<ClockId> {
        let clock = ClockId::try_from(clock).ok()?;
        self.has_clock(clock).then_some(clock)
    }

    pub(super) fn has_clock(&self, clock: ClockId) -> bool {
        self.clocks.borrow().contains(&clock)
    }

    pub(super) fn drop_clock(&self, clock: ClockId) {
        if self.clocks.borrow_mut().remove(&clock) {
            Driver::global().drop_clock(clock);
        }
    }
}

impl Drop for Environment {
    fn drop(&mut self) {
        for clock in self.clocks.get_mut().drain() {
            Driver::global().drop_clock(clock);
        }
    }
}
