//! The tie to one copy of the facade: its callback, its shared words.
//!
//! An attachment lasts while a handle of it is open. The environment's end, a worker's for example,
//! closes what is still open; after that no pointer into its memory is left here.

use std::ptr;
use std::rc::Rc;
use std::sync::Arc;
use std::sync::atomic::{AtomicI32, AtomicU64, Ordering};

use napi::bindgen_prelude::{
    Env, FromNapiValue, Function, Int32Array, JsValue, Unknown,
    retain_current_module_for_unload_safety,
};
use napi::threadsafe_function::{ThreadsafeFunction, ThreadsafeFunctionCallMode};
use napi::{CleanupEnvHook, Error, Result, Status, sys};
use napi_derive::napi;

use super::environment::Environment;
use crate::api::Message;
use crate::driver::{Block, Listener, Word};

/// Weak: it does not keep the process alive. Not error-first: it is never called with an error.
type Dispatch = ThreadsafeFunction<String, (), String, Status, false, true>;

/// What other threads need of the facade.
struct Ear {
    id: u64,
    dispatch: Dispatch,
}

impl Listener for Ear {
    fn id(&self) -> u64 {
        self.id
    }

    fn tell(&self, message: &Message) {
        if let Ok(json) = serde_json::to_string(message) {
            // An environment that is ending no longer listens.
            let _ = self.dispatch.call(json, ThreadsafeFunctionCallMode::NonBlocking);
        }
    }
}

/// One copy of the facade, on the thread of its environment.
pub(super) struct Attachment {
    ear: Arc<Ear>,
    blocks: Vec<AttachedBlock>,
    /// A caller waits.
    is_held: bool,
    hook: CleanupEnvHook<(Rc<Environment>, i64)>,
}

/// A block, and what keeps its memory alive.
struct AttachedBlock {
    block: Arc<Block>,
    _array: Int32Array,
}

impl AttachedBlock {
    /// The words of an `Int32Array` whose memory is that of a `SharedArrayBuffer`. Any other may be detached, and
    /// its memory be freed, while we store to it.
    ///
    /// The engine is asked, not an object: no property that a program can set has a say in it.
    fn new(env: Env, value: Unknown<'_>) -> Result<Self> {
        let (env, value) = (env.raw(), value.raw());
        // SAFETY: both are valid, as this is a call from JavaScript.
        let array = unsafe { Int32Array::from_napi_value(env, value) }?;
        let (mut length, mut first, mut buffer) = (0, ptr::null_mut(), ptr::null_mut());
        // SAFETY: as above. The value is a typed array, as the conversion has checked; null stands for what is not
        // asked for.
        let status = unsafe {
            sys::napi_get_typedarray_info(
                env,
                value,
                ptr::null_mut(),
                &raw mut length,
                &raw mut first,
                &raw mut buffer,
                ptr::null_mut(),
            )
        };
        let mut can_be_detached = true;
        // SAFETY: as above. An `ArrayBuffer` and a `SharedArrayBuffer` are of two kinds to the engine, and each typed
        // array has one of them.
        let answered = unsafe { sys::napi_is_arraybuffer(env, buffer, &raw mut can_be_detached) };
        let ok = sys::Status::napi_ok;
        if status != ok || answered != ok || can_be_detached {
            let reason = "the words are not those of a SharedArrayBuffer".to_owned();
            return Err(Error::new(Status::InvalidArg, reason));
        }
        let words = if first.is_null() {
            &[]
        } else {
            // SAFETY: shared memory is never detached and never moved, and the engine keeps it while there is a
            // reference to its array. That is `_array`, which goes after `drop` has taken the slice away; it goes
            // nowhere but into the block. A word is aligned, and `AtomicI32` is laid out like one.
            unsafe { std::slice::from_raw_parts(first.cast::<AtomicI32>(), length) }
        };
        Ok(Self { block: Block::new(words), _array: array })
    }
}

impl Drop for AttachedBlock {
    fn drop(&mut self) {
        // Before the array goes, which is a field and goes after this.
        self.block.take_away();
    }
}

impl Attachment {
    pub(super) fn listener(&self) -> Arc<dyn Listener> {
        Arc::clone(&self.ear) as _
    }

    pub(super) fn word(&self, block: u32, index: u32) -> Option<Box<dyn Word>> {
        let attached = self.blocks.get(block as usize)?;
        Some(attached.block.word(index as usize))
    }

    /// Holds the process open, or no longer does. By the flag no call too many changes anything.
    fn hold(&mut self, env: Env, is_held: bool) {
        if std::mem::replace(&mut self.is_held, is_held) == is_held {
            return;
        }
        let function = self.ear.dispatch.raw();
        // SAFETY: an attachment is reached through the instance data of its own environment only, so that this is
        // its thread; the function lives for as long as `ear` does.
        unsafe {
            if is_held {
                sys::napi_ref_threadsafe_function(env.raw(), function);
            } else {
                sys::napi_unref_threadsafe_function(env.raw(), function);
            }
        }
    }
}

/// Ties a copy of the facade to the driver. `dispatch` is called with one JSON message at a time.
#[napi(catch_unwind)]
pub fn attach(env: Env, dispatch: Function<'_, String, ()>) -> Result<i64> {
    static LAST: AtomicU64 = AtomicU64::new(0);
    retain_current_module_for_unload_safety();
    let environment = Environment::of(env)?;
    let id = LAST.fetch_add(1, Ordering::Relaxed) + 1;
    let number = i64::try_from(id).map_err(|_| Error::from_status(Status::GenericFailure))?;
    let dispatch = dispatch
        .build_threadsafe_function::<String>()
        .weak::<true>()
        .callee_handled::<false>()
        .build()?;
    let hook =
        env.add_env_cleanup_hook((Rc::clone(&environment), number), |(environment, number)| {
            drop(environment.detach(number));
        })?;
    let ear = Arc::new(Ear { id, dispatch });
    environment.attached(number, Attachment { ear, blocks: Vec::new(), is_held: false, hook });
    Ok(number)
}

/// Lets go of the facade; its handles are closed.
#[napi(catch_unwind)]
pub fn detach(env: Env, attachment: i64) -> Result<()> {
    let Some(attachment) = Environment::of(env)?.detach(attachment) else { return Ok(()) };
    env.remove_env_cleanup_hook(attachment.hook)
}

/// Adds words of shared memory; returns the number of the block.
#[napi(catch_unwind)]
pub fn attach_block(env: Env, attachment: i64, words: Unknown<'_>) -> Result<u32> {
    let attached = AttachedBlock::new(env, words)?;
    let number = Environment::of(env)?.with_attachment(attachment, |attachment| {
        attachment.blocks.push(attached);
        attachment.blocks.len() - 1
    });
    let number = number.ok_or_else(|| Error::from_reason("the environment is not attached"))?;
    u32::try_from(number).map_err(|_| Error::from_status(Status::GenericFailure))
}

/// Keeps the process alive until [`release`]: a caller waits.
#[napi(catch_unwind)]
pub fn hold(env: Env, attachment: i64) -> Result<()> {
    Environment::of(env)?.with_attachment(attachment, |attachment| attachment.hold(env, true));
    Ok(())
}

/// Nobody waits any more.
#[napi(catch_unwind)]
pub fn release(env: Env, attachment: i64) -> Result<()> {
    Environment::of(env)?.with_attachment(attachment, |attachment| attachment.hold(env, false));
    Ok(())
}
