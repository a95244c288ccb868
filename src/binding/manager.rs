//! The calls on a handle.

use std::sync::Arc;
use std::time::Duration;

use napi::bindgen_prelude::Env;
use napi_derive::napi;
use serde::Serialize;

use super::environment::Environment;
use super::values::to_json;
use crate::api::{self, ErrorMessage, HandleId, RequestForm, Settings};
use crate::driver::{Driver, Manager};
use crate::error::Code;
use crate::source::Reading;

/// The token that may be handed out now.
#[napi(object)]
pub struct TakenToken {
    /// The token.
    pub token: String,
    /// When it stops being usable, in milliseconds since 1970.
    pub usable_until: i64,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
enum Opened {
    Handle(HandleId),
    Error(ErrorMessage),
}

/// Opens a handle; returns `{"handle": number}` or `{"error": …}`.
#[napi(catch_unwind)]
pub fn open(env: Env, attachment: i64, options: String, block: u32, index: u32) -> String {
    let opened = match try_open(env, attachment, &options, block, index) {
        Ok(handle) => Opened::Handle(handle),
        Err(error) => Opened::Error(error),
    };
    to_json(&opened)
}

fn try_open(
    env: Env,
    attachment: i64,
    options: &str,
    block: u32,
    index: u32,
) -> Result<HandleId, ErrorMessage> {
    let detached =
        || ErrorMessage::new(Code::NativeUnavailable, "The environment is not attached.");
    let settings = Settings::parse(options)?;
    let environment = Environment::of(env).map_err(|_| detached())?;
    if settings.clock.is_some_and(|clock| !environment.has_clock(clock)) {
        return Err(ErrorMessage::invalid_option("clock", "is not a clock of this environment."));
    }
    let tie = environment.with_attachment(attachment, |attachment| {
        attachment.word(block, index).map(|word| (attachment.listener(), word))
    });
    let (listener, word) = tie.flatten().ok_or_else(detached)?;
    let handle = Driver::global().open(settings, listener, word)?;
    environment.opened(handle, attachment);
    Ok(handle)
}

/// Closes a handle. One that is closed already is fine.
#[napi(catch_unwind)]
pub fn close(env: Env, handle: i64) {
    if let Ok(environment) = Environment::of(env) {
        environment.close(handle);
    }
}

/// The token that may be handed out now, if there is one.
#[napi(catch_unwind)]
pub fn take(env: Env, handle: i64) -> Option<TakenToken> {
    let (_, manager) = manager(env, handle)?;
    manager.token().map(|(token, usable_until)| TakenToken { token, usable_until })
}

/// Has a caller wait for a token, for `timeout_ms` or else `acquireTimeoutMs`; its answer comes as
/// a message with the returned number.
#[napi(catch_unwind)]
pub fn wait(
    env: Env,
    handle: i64,
    min_validity_ms: f64,
    for_readiness: bool,
    timeout_ms: Option<f64>,
) -> Option<i64> {
    let (handle, manager) = manager(env, handle)?;
    let duration =
        |millis: f64| Duration::try_from_secs_f64(millis / 1000.0).unwrap_or(Duration::MAX);
    let (min_validity, timeout) = (duration(min_validity_ms), timeout_ms.map(duration));
    let waiter = manager.wait(handle, min_validity, for_readiness, timeout);
    i64::try_from(waiter).ok()
}

/// A caller no longer waits; no message comes.
#[napi(catch_unwind)]
pub fn cancel(env: Env, handle: i64, waiter: i64) {
    if let (Some((handle, manager)), Ok(waiter)) = (manager(env, handle), u64::try_from(waiter)) {
        manager.cancel(handle, waiter);
    }
}

/// A resource answered 401 to this token; returns whether it was dropped because of that.
#[napi(catch_unwind)]
pub fn invalidate(env: Env, handle: i64, token: String) -> bool {
    manager(env, handle).is_some_and(|(_, manager)| manager.invalidate(&token))
}

/// Reads all sources again.
#[napi(catch_unwind)]
pub fn reload(env: Env, handle: i64) {
    if let Some((_, manager)) = manager(env, handle) {
        manager.reload();
    }
}

/// The handle's JavaScript sources answered: a JSON array of readings, `null` for one that has not.
#[napi(catch_unwind)]
pub fn sources_read(env: Env, handle: i64, readings: String) {
    let readings: Option<Vec<Option<Reading>>> = serde_json::from_str(&readings).ok();
    if let (Some((handle, manager)), Some(readings)) = (manager(env, handle), readings) {
        manager.javascript_read(handle, readings);
    }
}

/// Has a caller wait for a rotation; its answer comes as a message with the returned number.
#[napi(catch_unwind)]
pub fn rotate(env: Env, handle: i64, options: String) -> Option<i64> {
    ask(env, handle, RequestForm::rotate(&options)?)
}

/// Has a caller wait until a person may change the credential at the provider.
#[napi(catch_unwind)]
pub fn prepare_rotation(env: Env, handle: i64, min_runway_ms: f64) -> Option<i64> {
    ask(env, handle, RequestForm::prepare(min_runway_ms))
}

/// Ends a preparation.
#[napi(catch_unwind)]
pub fn cancel_preparation(env: Env, handle: i64) -> Option<i64> {
    ask(env, handle, RequestForm::cancel_preparation())
}

/// Makes the credential that a rotation replaced the active one again.
#[napi(catch_unwind)]
pub fn roll_back(env: Env, handle: i64, rotation_id: String) -> Option<i64> {
    ask(env, handle, RequestForm::roll_back(&rotation_id))
}

/// Ends the overlap of a rotation now.
#[napi(catch_unwind)]
pub fn retire_now(env: Env, handle: i64, rotation_id: String, force: bool) -> Option<i64> {
    ask(env, handle, RequestForm::retire_now(&rotation_id, force))
}

/// Waits until a rotation has come so far: `everywhere`, `persisted` or `retired`.
#[napi(catch_unwind)]
pub fn await_rotation(env: Env, handle: i64, rotation_id: String, what: String) -> Option<i64> {
    ask(env, handle, RequestForm::until(&rotation_id, &what)?)
}

fn ask(env: Env, handle: i64, request: RequestForm) -> Option<i64> {
    let (handle, manager) = manager(env, handle)?;
    i64::try_from(manager.ask(handle, request.ask, request.patience)).ok()
}

/// A caller of a rotation no longer waits; no message comes.
#[napi(catch_unwind)]
pub fn leave(env: Env, handle: i64, caller: i64) {
    if let (Some((handle, manager)), Ok(caller)) = (manager(env, handle), u64::try_from(caller)) {
        manager.leave(handle, caller);
    }
}

/// The latest rotation as JSON, or `null`.
#[napi(catch_unwind)]
pub fn rotation(env: Env, handle: i64) -> String {
    to_json(&manager(env, handle).and_then(|(_, manager)| manager.rotation()))
}

/// A persist function has returned: `done`, `failed` or `impossible`.
#[napi(catch_unwind)]
pub fn persisted(env: Env, handle: i64, write: i64, outcome: String, message: Option<String>) {
    let outcome = api::persist_outcome(&outcome);
    if let (Some((handle, manager)), Ok(write)) = (manager(env, handle), u64::try_from(write)) {
        manager.javascript_wrote(handle, write, outcome, message);
    }
}

/// Somebody listens to the manager's events.
#[napi(catch_unwind)]
pub fn listen(env: Env, handle: i64) {
    if let Some((_, manager)) = manager(env, handle) {
        manager.is_listened_to();
    }
}

/// Nobody listens to them by way of this handle.
#[napi(catch_unwind)]
pub fn ignore(env: Env, handle: i64) {
    if let Some((handle, manager)) = manager(env, handle) {
        manager.is_ignored_by(handle);
    }
}

/// A snapshot for people, as JSON.
#[napi(catch_unwind)]
pub fn status(env: Env, handle: i64) -> Option<String> {
    let (handle, manager) = manager(env, handle)?;
    Some(to_json(&manager.status(handle)))
}

/// A snapshot for probes, as JSON.
#[napi(catch_unwind)]
pub fn health(env: Env, handle: i64) -> Option<String> {
    manager(env, handle).map(|(_, manager)| to_json(&manager.health()))
}

/// A snapshot for monitoring, as JSON.
#[napi(catch_unwind)]
pub fn metrics(env: Env, handle: i64) -> Option<String> {
    manager(env, handle).map(|(_, manager)| to_json(&manager.metrics()))
}

/// How many managers this process has.
#[napi(catch_unwind)]
pub fn managers() -> u32 {
    u32::try_from(Driver::global().managers()).unwrap_or(u32::MAX)
}

/// Makes a manager's task panic, or the driver's whole thread when no handle is given.
#[cfg(debug_assertions)]
#[napi(catch_unwind)]
pub fn inject_panic(env: Env, handle: Option<i64>) {
    match handle {
        Some(handle) => {
            if let Some((_, manager)) = manager(env, handle) {
                manager.panic();
            }
        }
        None => Driver::global().panic(),
    }
}

fn manager(env: Env, handle: i64) -> Option<(HandleId, Arc<Manager>)> {
    Environment::of(env).ok()?.manager(handle)
}
