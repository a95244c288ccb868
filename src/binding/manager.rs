//! The calls on a handle.

use std::sync::Arc;
use std::time::Duration;

use napi_derive::napi;
use serde::Serialize;

use super::attachment::Attachment;
use super::values::to_json;
use crate::driver::{Driver, ErrorMessage, HandleId, Listener, Manager, Settings};
use crate::error::Code;
use crate::source::Reading;

/// The token that may be handed out now.
#[napi(object)]
pub struct Held {
    /// The token.
    pub token: String,
    /// Until when, in milliseconds since 1970.
    pub usable_until: i64,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
enum Opened {
    Handle(HandleId),
    Error(ErrorMessage),
}

/// Opens a handle; answers `{"handle": number}` or `{"error": …}`.
#[napi(catch_unwind)]
pub fn open(attachment: i64, options: String, block: u32, index: u32) -> String {
    let opened = match try_open(attachment, &options, block, index) {
        Ok(handle) => Opened::Handle(handle),
        Err(error) => Opened::Error(error),
    };
    to_json(&opened)
}

fn try_open(
    attachment: i64,
    options: &str,
    block: u32,
    index: u32,
) -> Result<HandleId, ErrorMessage> {
    let detached =
        || ErrorMessage::new(Code::NativeUnavailable, "The environment is not attached.");
    let settings = Settings::parse(options)?;
    let attachment = Attachment::find(attachment).ok_or_else(detached)?;
    let word = attachment.word(block, index).ok_or_else(detached)?;
    let listener: Arc<dyn Listener> = Arc::clone(&attachment) as _;
    let handle = Driver::global().open(settings, listener, word)?;
    attachment.opened(handle);
    Ok(handle)
}

/// Closes a handle. One that is closed already is fine.
#[napi(catch_unwind)]
pub fn close(attachment: i64, handle: i64) {
    if let Ok(handle) = HandleId::try_from(handle) {
        if let Some(attachment) = Attachment::find(attachment) {
            attachment.closed(handle);
        }
        Driver::global().close(handle);
    }
}

/// The token that may be handed out now, if there is one.
#[napi(catch_unwind)]
pub fn take(handle: i64) -> Option<Held> {
    manager(handle)?.token().map(|(token, usable_until)| Held { token, usable_until })
}

/// Has a caller wait for a token; its answer comes as a message with the returned number.
#[napi(catch_unwind)]
pub fn wait(handle: i64, min_validity_ms: f64, for_readiness: bool) -> Option<i64> {
    let manager = manager(handle)?;
    let min_validity =
        Duration::try_from_secs_f64(min_validity_ms / 1000.0).unwrap_or(Duration::MAX);
    let waiter = manager.wait(HandleId::try_from(handle).ok()?, min_validity, for_readiness);
    i64::try_from(waiter).ok()
}

/// A caller no longer waits; no message comes.
#[napi(catch_unwind)]
pub fn cancel(handle: i64, waiter: i64) {
    if let (Some(manager), Ok(waiter)) = (manager(handle), u64::try_from(waiter)) {
        manager.cancel(waiter);
    }
}

/// A resource answered 401 to this token; answers whether it was dropped because of that.
#[napi(catch_unwind)]
pub fn invalidate(handle: i64, token: String) -> bool {
    manager(handle).is_some_and(|manager| manager.invalidate(&token))
}

/// Reads all sources again.
#[napi(catch_unwind)]
pub fn reload(handle: i64) {
    if let Some(manager) = manager(handle) {
        manager.reload();
    }
}

/// The handle's JavaScript sources answered: a JSON array of readings, `null` for one that has not.
#[napi(catch_unwind)]
pub fn sources_read(handle: i64, readings: String) {
    let readings: Option<Vec<Option<Reading>>> = serde_json::from_str(&readings).ok();
    if let (Some(manager), Some(readings), Ok(handle)) =
        (manager(handle), readings, HandleId::try_from(handle))
    {
        manager.javascript_read(handle, readings);
    }
}

/// A snapshot for people, as JSON.
#[napi(catch_unwind)]
pub fn status(handle: i64) -> Option<String> {
    manager(handle).map(|manager| to_json(&manager.status()))
}

/// A snapshot for probes, as JSON.
#[napi(catch_unwind)]
pub fn health(handle: i64) -> Option<String> {
    manager(handle).map(|manager| to_json(&manager.health()))
}

/// A snapshot for monitoring, as JSON.
#[napi(catch_unwind)]
pub fn metrics(handle: i64) -> Option<String> {
    manager(handle).map(|manager| to_json(&manager.metrics()))
}

/// How many managers this process has.
#[napi(catch_unwind)]
pub fn managers() -> u32 {
    u32::try_from(Driver::global().managers()).unwrap_or(u32::MAX)
}

/// Makes a manager's task panic, or the driver's whole thread when no handle is given.
#[cfg(debug_assertions)]
#[napi(catch_unwind)]
pub fn inject_panic(handle: Option<i64>) {
    match handle {
        Some(handle) => {
            if let Some(manager) = manager(handle) {
                manager.panic();
            }
        }
        None => Driver::global().panic(),
    }
}

fn manager(handle: i64) -> Option<Arc<Manager>> {
    Driver::global().manager(HandleId::try_from(handle).ok()?)
}
