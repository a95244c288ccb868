//! Threads that come and go while tokens are published to them. `npm run test:tsan` runs this under
//! `ThreadSanitizer`, which sees what is not ordered.
#![expect(unsafe_code, reason = "the memory of the words is freed, as JavaScript's is")]

use std::sync::atomic::{AtomicBool, AtomicI32};

use super::*;
use crate::driver::Block;

const THREADS: usize = 6;
const ROUNDS: usize = 100;
const WORDS: usize = 4;

/// What a worker has: memory that it frees when it ends.
struct Environment {
    words: *mut [AtomicI32],
    block: Arc<Block>,
}

impl Environment {
    fn new() -> Self {
        let words: Box<[AtomicI32]> = (0..WORDS).map(|_| AtomicI32::new(NO_TOKEN)).collect();
        let words = Box::into_raw(words);
        // SAFETY: the memory is freed by `drop`, after it was taken away from the block.
        Self { words, block: Block::new(unsafe { &*words }) }
    }

    fn word(&self, index: usize) -> i32 {
        // SAFETY: it is freed by `drop`.
        unsafe { &(&*self.words)[index] }.load(Ordering::Relaxed)
    }

    fn open(&self, driver: &Arc<Driver>, server: &Server, index: usize, name: &str) -> Handle {
        let mut form = form(server);
        form["name"] = name.into();
        let settings = Settings::parse(&form.to_string()).expect("a whole form");
        let (sender, told) = channel();
        let id = driver
            .open(settings, Arc::new(Ear(1, sender)), self.block.word(index))
            .expect("nothing to object to");
        Handle { driver: Arc::clone(driver), id, told }
    }
}

impl Drop for Environment {
    fn drop(&mut self) {
        self.block.take_away();
        // SAFETY: it came of a box, and nobody refers to it any more.
        drop(unsafe { Box::from_raw(self.words) });
    }
}

/// Ends the threads that go on until then, also when the test has failed.
struct Done<'a>(&'a AtomicBool);

impl Drop for Done<'_> {
    fn drop(&mut self) {
        self.0.store(true, Ordering::Relaxed);
    }
}

#[test]
fn words_are_freed_and_handles_closed_while_tokens_are_published_to_them() {
    // Each token is to be replaced at once: every answer is published.
    let server = Server::start(|stream| {
        let grant = (200, r#"{"access_token":"t","expires_in":3600,"refresh_in":0}"#);
        while answer(&stream, grant) {}
    });
    let driver = driver();
    let is_done = AtomicBool::new(false);
    let published = AtomicUsize::new(0);
    std::thread::scope(|scope| {
        let _done = Done(&is_done);
        // Somebody whose token is dropped again and again keeps the stamps coming.
        scope.spawn(|| {
            let environment = Environment::new();
            let handles: Vec<_> = (0..3)
                .map(|it| environment.open(&driver, &server, it, &format!("name-{it}")))
                .collect();
            while !is_done.load(Ordering::Relaxed) {
                for (index, handle) in handles.iter().enumerate() {
                    assert!(handle.wait().is_ok());
                    assert_eq!(environment.word(WORDS - 1), NO_TOKEN, "it is nobody's");
                    let manager = driver.manager(handle.id).expect("it is open");
                    let held = manager.token().map(|(token, _)| token).unwrap_or_default();
                    let was_there = environment.word(index) != NO_TOKEN;
                    published.fetch_add(usize::from(was_there), Ordering::Relaxed);
                    manager.invalidate(&held);
                }
            }
        });
        let threads: Vec<_> = (0..THREADS)
            .map(|thread| {
                let (driver, server) = (&driver, &server);
                scope.spawn(move || {
                    for round in 0..ROUNDS {
                        let environment = Environment::new();
                        let name = format!("name-{}", (thread + round) % 3);
                        let handle = environment.open(driver, server, round % WORDS, &name);
                        if round % 5 == 0 {
                            assert!(handle.wait().is_ok());
                        }
                        if round % 2 == 0 {
                            drop(handle);
                        } else {
                            // As a worker that is terminated: its memory goes first.
                            drop(environment);
                        }
                    }
                })
            })
            .collect();
        for thread in threads {
            thread.join().expect("it does not panic");
        }
    });
    assert!(published.load(Ordering::Relaxed) > 0);
    assert_eq!(driver.managers(), 0);
}

#[test]
fn words_are_freed_while_a_thread_stores_to_them_all_the_time() {
    let words: Mutex<Vec<Box<dyn Word>>> = Mutex::default();
    let is_done = AtomicBool::new(false);
    std::thread::scope(|scope| {
        let _done = Done(&is_done);
        // As the driver's thread does, which keeps the words of handles that are not closed yet.
        scope.spawn(|| {
            let mut kept: Vec<Box<dyn Word>> = Vec::new();
            let mut stamp = NO_TOKEN;
            while !is_done.load(Ordering::Relaxed) {
                kept.append(&mut words.lock().expect("nobody panics"));
                stamp += 1;
                for word in &kept {
                    word.store(stamp);
                }
                if kept.len() > THREADS * WORDS {
                    kept.clear();
                }
            }
        });
        let threads: Vec<_> = (0..THREADS)
            .map(|_| {
                scope.spawn(|| {
                    for _ in 0..ROUNDS {
                        let environment = Environment::new();
                        let made = (0..WORDS).map(|index| environment.block.word(index));
                        words.lock().expect("nobody panics").extend(made);
                        // Seen without a lock: the block alone orders the store before the memory's
                        // end.
                        while environment.word(0) == NO_TOKEN {
                            std::thread::yield_now();
                        }
                    }
                })
            })
            .collect();
        for thread in threads {
            thread.join().expect("it does not panic");
        }
    });
}
