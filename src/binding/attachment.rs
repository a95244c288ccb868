//! The tie to one JavaScript environment: its callback, its shared words, its open handles.
//!
//! An attachment lasts while a handle of it is open. The environment's end, a worker's for example,
//! closes what is still open; after that no pointer into its memory is left here.

use std::collections::{HashMap, HashSet};
use std::sync::atomic::{AtomicI32, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, OnceLock, PoisonError};

use napi::bindgen_prelude::{Env, Function, Int32Array, retain_current_module_for_unload_safety};
use napi::threadsafe_function::{ThreadsafeFunction, ThreadsafeFunctionCallMode};
use napi::{CleanupEnvHook, Error, Result, Status, sys};
use napi_derive::napi;

use crate::driver::{Driver, HandleId, Listener, Message, Word};

/// Weak: it does not keep the process alive. Not error-first: it is never called with an error.
type Dispatch = ThreadsafeFunction<String, (), String, Status, false, true>;

/// One JavaScript environment, as far as it concerns us.
pub(super) struct Attachment {
    id: u64,
    dispatch: Dispatch,
    blocks: Mutex<Vec<Arc<Block>>>,
    handles: Mutex<HashSet<HandleId>>,
    hook: Mutex<Option<CleanupEnvHook<u64>>>,
}

// SAFETY: the hook is a pointer that only `detach` uses, on the thread of its environment.
unsafe impl Send for Attachment {}
// SAFETY: see above.
unsafe impl Sync for Attachment {}

impl Listener for Attachment {
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

/// Words of shared memory that JavaScript allocated.
struct Block(Mutex<Option<Words>>);

struct Words {
    first: *const AtomicI32,
    length: usize,
    /// Keeps the memory alive.
    _array: Int32Array,
}

// SAFETY: the pointer is used under the lock only; the array is dropped on the thread of its environment.
unsafe impl Send for Words {}

/// One word of a block.
struct SharedWord {
    block: Arc<Block>,
    index: usize,
}

impl Word for SharedWord {
    fn store(&self, stamp: i32) {
        let words = lock(&self.block.0);
        if let Some(words) = words.as_ref().filter(|words| self.index < words.length) {
            // SAFETY: the index is within the array, whose memory lives while it is in `words`.
            unsafe { &*words.first.add(self.index) }.store(stamp, Ordering::Release);
        }
    }
}

impl Attachment {
    pub(super) fn find(id: i64) -> Option<Arc<Self>> {
        let id = u64::try_from(id).ok()?;
        lock(registry()).get(&id).map(Arc::clone)
    }

    pub(super) fn word(&self, block: u32, index: u32) -> Option<Box<dyn Word>> {
        let block = lock(&self.blocks).get(block as usize).map(Arc::clone)?;
        Some(Box::new(SharedWord { block, index: index as usize }))
    }

    pub(super) fn opened(&self, handle: HandleId) {
        lock(&self.handles).insert(handle);
    }

    pub(super) fn closed(&self, handle: HandleId) {
        lock(&self.handles).remove(&handle);
    }

    /// Closes what is open and lets go of the environment's memory, on the environment's thread.
    fn let_go(&self) {
        for handle in std::mem::take(&mut *lock(&self.handles)) {
            Driver::global().close(handle);
        }
        for block in lock(&self.blocks).iter() {
            drop(lock(&block.0).take());
        }
    }
}

fn registry() -> &'static Mutex<HashMap<u64, Arc<Attachment>>> {
    static REGISTRY: OnceLock<Mutex<HashMap<u64, Arc<Attachment>>>> = OnceLock::new();
    REGISTRY.get_or_init(Mutex::default)
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Ties the environment to the driver. `dispatch` is called with one JSON message at a time.
#[napi(catch_unwind)]
pub fn attach(env: Env, dispatch: Function<'_, String, ()>) -> Result<i64> {
    static LAST: AtomicU64 = AtomicU64::new(0);
    retain_current_module_for_unload_safety();
    let id = LAST.fetch_add(1, Ordering::Relaxed) + 1;
    let dispatch = dispatch
        .build_threadsafe_function::<String>()
        .weak::<true>()
        .callee_handled::<false>()
        .build()?;
    let attachment = Arc::new(Attachment {
        id,
        dispatch,
        blocks: Mutex::default(),
        handles: Mutex::default(),
        hook: Mutex::default(),
    });
    lock(registry()).insert(id, Arc::clone(&attachment));
    let hook = env.add_env_cleanup_hook(id, |id| {
        let attachment = lock(registry()).remove(&id);
        if let Some(attachment) = attachment {
            attachment.let_go();
        }
    })?;
    *lock(&attachment.hook) = Some(hook);
    i64::try_from(id).map_err(|_| Error::from_status(Status::GenericFailure))
}

/// Lets go of the environment; its handles are closed.
#[napi(catch_unwind)]
pub fn detach(env: Env, attachment: i64) -> Result<()> {
    let Some(attachment) = Attachment::find(attachment) else { return Ok(()) };
    lock(registry()).remove(&attachment.id);
    attachment.let_go();
    let hook = lock(&attachment.hook).take();
    hook.map_or(Ok(()), |hook| env.remove_env_cleanup_hook(hook))
}

/// Adds words of shared memory; answers the number of the block.
#[napi(catch_unwind)]
pub fn attach_block(attachment: i64, mut words: Int32Array) -> Result<u32> {
    let attachment = Attachment::find(attachment)
        .ok_or_else(|| Error::from_reason("the environment is not attached"))?;
    // SAFETY: JavaScript only reads these words; the pointer is used for atomic stores alone.
    let data = unsafe { words.as_mut() };
    let words = Words { first: data.as_mut_ptr().cast(), length: data.len(), _array: words };
    let mut blocks = lock(&attachment.blocks);
    blocks.push(Arc::new(Block(Mutex::new(Some(words)))));
    u32::try_from(blocks.len() - 1).map_err(|_| Error::from_status(Status::GenericFailure))
}

/// Keeps the process alive until [`release`]: a caller waits.
#[napi(catch_unwind)]
pub fn hold(env: Env, attachment: i64) {
    if let Some(attachment) = Attachment::find(attachment) {
        // SAFETY: both are valid: this is the thread of the environment, and the function is held.
        unsafe { sys::napi_ref_threadsafe_function(env.raw(), attachment.dispatch.raw()) };
    }
}

/// Nobody waits any more.
#[napi(catch_unwind)]
pub fn release(env: Env, attachment: i64) {
    if let Some(attachment) = Attachment::find(attachment) {
        // SAFETY: as in `hold`.
        unsafe { sys::napi_unref_threadsafe_function(env.raw(), attachment.dispatch.raw()) };
    }
}
