//! Blocks of shared words, whose memory belongs to somebody else.

use std::sync::atomic::{AtomicI32, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use super::listener::Word;

/// Words of shared memory, until their owner takes them away.
///
/// The slice is used under the lock and never leaves it, so that nobody refers to the memory any
/// more once [`Block::take_away`] has returned.
#[derive(Debug)]
pub struct Block(Mutex<&'static [AtomicI32]>);

impl Block {
    /// A block of these words.
    pub fn new(words: &'static [AtomicI32]) -> Arc<Self> {
        Arc::new(Self(Mutex::new(words)))
    }

    /// One of its words; what is stored in one that it does not have is lost.
    pub fn word(self: &Arc<Self>, index: usize) -> Box<dyn Word> {
        Box::new(SharedWord { block: Arc::clone(self), index })
    }

    /// Takes the memory away: no store is under way when this returns, and none follows.
    pub fn take_away(&self) {
        *self.lock() = &[];
    }

    fn lock(&self) -> MutexGuard<'_, &'static [AtomicI32]> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// One word of a block.
struct SharedWord {
    block: Arc<Block>,
    index: usize,
}

impl Word for SharedWord {
    fn store(&self, stamp: i32) {
        if let Some(word) = self.block.lock().get(self.index) {
            word.store(stamp, Ordering::Release);
        }
    }
}
