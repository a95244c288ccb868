//! Performs what the core decides, on a thread of its own; it holds no policy.
//!
//! * [`Driver`] is process-global: it opens and closes handles. Its registry knows every manager.
//! * [`Manager`] is one logical client: its state behind one lock, and what wakes its task.
//! * `task` is a manager's part of the thread: requests, files, timers, events.
//!
//! The thread never touches JavaScript, so a blocked event loop does not delay it. It exists while
//! a handle is open and ends with the last one.

mod audience;
mod borrower;
mod clients;
mod errand;
mod files;
mod handles;
mod key_set;
mod key_task;
mod listener;
mod manager;
mod news;
mod numbers;
mod owned;
mod persist;
mod pool;
mod process;
mod queue;
mod registry;
mod served;
mod service;
mod shared;
mod signer;
mod state;
mod stores;
mod task;
mod thread;
mod thread_name;
mod words;
mod workers;

#[cfg(all(test, unix))]
mod tests;

pub use listener::{Listener, NO_TOKEN, Word};
pub use manager::Manager;
pub use process::Driver;
pub use signer::Signer;
pub use words::Block;
