//! An allocator that wipes memory before it is freed.
//!
//! A [`Secret`](crate::secret::Secret) wipes its own text. Libraries make copies of it: in an
//! outgoing HTTP message, in an answer that is parsed, in a TLS record, in a buffer that grew. We
//! cannot wipe each of them, and a copy that is forgotten stays until something else is stored
//! there. So no memory is freed unwiped.
#![expect(unsafe_code, reason = "an allocator deals in raw memory")]

use std::alloc::{GlobalAlloc, Layout};
use std::ptr;

use zeroize::optimization_barrier;

/// An allocator that gets memory from another one, and fills it with zeros before it gives it back.
#[derive(Debug, Clone, Copy, Default)]
pub struct Wiping<A>(pub A);

// SAFETY: every call goes to the other allocator, and no block is touched after it is freed. The
// default `realloc` copies memory that grows or shrinks, and frees the old block.
unsafe impl<A: GlobalAlloc> GlobalAlloc for Wiping<A> {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        // SAFETY: the caller promises what the other allocator requires.
        unsafe { self.0.alloc(layout) }
    }

    unsafe fn alloc_zeroed(&self, layout: Layout) -> *mut u8 {
        // SAFETY: as above.
        unsafe { self.0.alloc_zeroed(layout) }
    }

    unsafe fn dealloc(&self, block: *mut u8, layout: Layout) {
        // SAFETY: the block has that size, and nobody but the caller uses it.
        let wiped = unsafe {
            ptr::write_bytes(block, 0, layout.size());
            &*ptr::slice_from_raw_parts(block, layout.size())
        };
        // Compilers remove writes to memory that is freed afterwards, unless something reads it.
        optimization_barrier(wiped);
        // SAFETY: as above.
        unsafe { self.0.dealloc(block, layout) }
    }
}

#[cfg(test)]
mod tests {
    use std::alloc::System;
    use std::sync::atomic::{AtomicUsize, Ordering};

    use super::*;

    /// Counts the blocks that are freed, and their bytes that are not zero.
    #[derive(Default)]
    struct Counting {
        blocks: AtomicUsize,
        left: AtomicUsize,
    }

    // SAFETY: every call goes to the system's allocator.
    unsafe impl GlobalAlloc for Counting {
        unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
            // SAFETY: the caller promises what the system's allocator requires.
            unsafe { System.alloc(layout) }
        }

        unsafe fn dealloc(&self, block: *mut u8, layout: Layout) {
            // SAFETY: the block has that size, and all of it was written to.
            let bytes = unsafe { &*ptr::slice_from_raw_parts(block, layout.size()) };
            let left = bytes.iter().filter(|byte| **byte != 0).count();
            self.blocks.fetch_add(1, Ordering::Relaxed);
            self.left.fetch_add(left, Ordering::Relaxed);
            // SAFETY: as above.
            unsafe { System.dealloc(block, layout) }
        }
    }

    #[test]
    fn a_block_is_wiped_when_it_is_freed_and_when_it_grows_or_shrinks() {
        let allocator = Wiping(Counting::default());
        let layout = |size| Layout::from_size_align(size, 8).expect("it is a layout");
        // SAFETY: each block is used within its size and with its layout.
        unsafe {
            let block = allocator.alloc(layout(64));
            ptr::write_bytes(block, 7, 64);
            let block = allocator.realloc(block, layout(64), 4096);
            assert_eq!((*block, *block.add(63)), (7, 7));
            ptr::write_bytes(block, 7, 4096);
            let block = allocator.realloc(block, layout(4096), 16);
            assert_eq!((*block, *block.add(15)), (7, 7));
            allocator.dealloc(block, layout(16));
        }
        let Counting { blocks, left } = allocator.0;
        assert_eq!((blocks.into_inner(), left.into_inner()), (3, 0));
    }
}
