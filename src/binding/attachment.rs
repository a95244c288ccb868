//! The tie to one copy of the facade: its callback, its shared words.
//!
//! An attachment lasts while a handle of it is open. The environment's end, a worker's for example,
//! closes what is still open; after that no pointer into its memory is left here.

use std::ptr;
use std::sync::Arc;
use std::sync::atomic::AtomicI32;

use napi::bindgen_prelude::{Env, FromNapiValue, Function, Int32Array, JsValue, Unknown};
use napi::threadsafe_function::{ThreadsafeFunction, ThreadsafeFunctionCallMode};
use napi::{Error, Result, Status, sys};

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
}

/// A block, and what keeps its memory alive.
pub(super) struct AttachedBlock {
    block: Arc<Block>,
    _array: Int32Array,
}

impl AttachedBlock {
    /// The words of an `Int32Array` whose memory is that of a `SharedArrayBuffer`. Any other may be
    /// detached, and its memory be freed, while we store to it.
    ///
    /// The engine is asked, not an object: no property that a program can set has a say in it.
    pub(super) fn new(env: Env, value: Unknown<'_>) -> Result<Self> {
        let (env, value) = (env.raw(), value.raw());
        // SAFETY: both are valid, as this is a call from JavaScript.
        let array = unsafe { Int32Array::from_napi_value(env, value) }?;
        let (mut length, mut first, mut buffer) = (0, ptr::null_mut(), ptr::null_mut());
        // SAFETY: as above. The value is a typed array, as the conversion has checked; null stands
        // for what is not asked for.
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
        // SAFETY: as above. An `ArrayBuffer` and a `SharedArrayBuffer` are of two kinds to the
        // engine, and each typed array has one of them.
        let answered = unsafe { sys::napi_is_arraybuffer(env, buffer, &raw mut can_be_detached) };
        let ok = sys::Status::napi_ok;
        if status != ok || answered != ok || can_be_detached {
            let reason = "the words are not those of a SharedArrayBuffer".to_owned();
            return Err(Error::new(Status::InvalidArg, reason));
        }
        let words = if first.is_null() {
            &[]
        } else {
            // SAFETY: shared memory is never detached and never moved, and the engine keeps it
            // while there is a reference to its array. That is `_array`, which goes after `drop`
            // has taken the slice away; it goes nowhere but into the block. A word is aligned, and
            // `AtomicI32` is laid out like one.
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
    /// Ties a copy of the facade, which is called with one JSON message at a time.
    pub(super) fn new(id: u64, dispatch: Function<'_, String, ()>) -> Result<Self> {
        let dispatch = dispatch
            .build_threadsafe_function::<String>()
            .weak::<true>()
            .callee_handled::<false>()
            .build()?;
        Ok(Self { ear: Arc::new(Ear { id, dispatch }), blocks: Vec::new(), is_held: false })
    }

    /// Adds words of shared memory; returns the number of the block.
    pub(super) fn add_block(&mut self, block: AttachedBlock) -> usize {
        self.blocks.push(block);
        self.blocks.len() - 1
    }

    pub(super) fn listener(&self) -> Arc<dyn Listener> {
        Arc::clone(&self.ear) as _
    }

    pub(super) fn word(&self, block: u32, index: u32) -> Option<Box<dyn Word>> {
        let attached = self.blocks.get(block as usize)?;
        Some(attached.block.word(index as usize))
    }

    /// Holds the process open, or no longer does. By the flag no call too many changes anything.
    pub(super) fn hold(&mut self, env: Env, is_held: bool) {
        if std::mem::replace(&mut self.is_held, is_held) == is_held {
            return;
        }
        let function = self.ear.dispatch.raw();
        // SAFETY: an attachment is reached through the instance data of its own environment only,
        // so that this is its thread; the function lives for as long as `ear` does.
        unsafe {
            if is_held {
                sys::napi_ref_threadsafe_function(env.raw(), function);
            } else {
                sys::napi_unref_threadsafe_function(env.raw(), function);
            }
        }
    }
}
