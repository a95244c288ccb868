//! The calls that tie a copy of the facade to the driver.

use std::rc::Rc;
use std::sync::atomic::{AtomicU64, Ordering};

use napi::bindgen_prelude::{Env, Function, Unknown, retain_current_module_for_unload_safety};
use napi::{Error, Result, Status};
use napi_derive::napi;

use super::attachment::{AttachedBlock, Attachment};
use super::environment::Environment;

/// Ties a copy of the facade to the driver. `dispatch` is called with one JSON message at a time.
#[napi(catch_unwind)]
pub fn attach(env: Env, dispatch: Function<'_, String, ()>) -> Result<i64> {
    static LAST: AtomicU64 = AtomicU64::new(0);
    retain_current_module_for_unload_safety();
    let environment = Environment::of(env)?;
    let id = LAST.fetch_add(1, Ordering::Relaxed) + 1;
    let number = i64::try_from(id).map_err(|_| Error::from_status(Status::GenericFailure))?;
    let attachment = Attachment::new(id, dispatch)?;
    let hook =
        env.add_env_cleanup_hook((Rc::clone(&environment), number), |(environment, number)| {
            environment.detach(number);
        })?;
    environment.attached(number, attachment, hook);
    Ok(number)
}

/// Lets go of the facade; its handles are closed.
#[napi(catch_unwind)]
pub fn detach(env: Env, attachment: i64) -> Result<()> {
    let hook = Environment::of(env)?.detach(attachment);
    hook.map_or(Ok(()), |hook| env.remove_env_cleanup_hook(hook))
}

/// Adds words of shared memory; returns the number of the block.
#[napi(catch_unwind)]
pub fn attach_block(env: Env, attachment: i64, words: Unknown<'_>) -> Result<u32> {
    let attached = AttachedBlock::new(env, words)?;
    let environment = Environment::of(env)?;
    let number = environment.with_attachment(attachment, |it| it.add_block(attached));
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
