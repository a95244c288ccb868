//! Where tests let a call to the file system fail, or something happen right before it.
//!
//! Each call that reading or writing a file makes is announced here first. Outside of tests that is
//! nothing.

use std::io;

/// Announces a call by the name of its system call.
#[cfg(not(test))]
#[expect(clippy::unnecessary_wraps, reason = "a test's may fail")]
pub(in crate::driver) const fn before(_call: &'static str) -> io::Result<()> {
    Ok(())
}

#[cfg(test)]
pub(in crate::driver) use plan::{Plan, before};

#[cfg(test)]
mod plan {
    use std::cell::RefCell;

    use super::io;

    type Action = Box<dyn FnMut(&'static str) -> io::Result<()>>;

    thread_local! {
        static PLAN: RefCell<Option<Plan>> = const { RefCell::new(None) };
    }

    /// What is to happen before one call of this thread, and those that were made.
    pub(in crate::driver) struct Plan {
        at: usize,
        action: Action,
        calls: Vec<&'static str>,
    }

    impl Plan {
        /// Runs the work; the action comes before its call with that number, from 0. Returns what
        /// the work gives, and its calls.
        pub(in crate::driver) fn run<T>(
            at: usize,
            action: impl FnMut(&'static str) -> io::Result<()> + 'static,
            work: impl FnOnce() -> T,
        ) -> (T, Vec<&'static str>) {
            let plan = Self { at, action: Box::new(action), calls: Vec::new() };
            PLAN.set(Some(plan));
            let result = work();
            let plan = PLAN.take().expect("it was set");
            (result, plan.calls)
        }
    }

    pub(in crate::driver) fn before(call: &'static str) -> io::Result<()> {
        // Taken out meanwhile: what the action does is no call of the work.
        let Some(mut plan) = PLAN.take() else { return Ok(()) };
        let is_due = plan.calls.len() == plan.at;
        plan.calls.push(call);
        let result = if is_due { (plan.action)(call) } else { Ok(()) };
        PLAN.set(Some(plan));
        result
    }
}
