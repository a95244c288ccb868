//! The calls of webhook signers, but for those that are made for each webhook.

use std::sync::Arc;

use napi::bindgen_prelude::Env;
use napi_derive::napi;
use serde::Serialize;

use super::environment::Environment;
use super::values::{to_json, whole};
use crate::api::{ErrorMessage, HandleId, KeysForm, SignerSettings};
use crate::driver::Driver;
use crate::error::Code;
use crate::source::Reading;

/// What the facade has to know of a signer.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct OpenedSigner {
    handle: HandleId,
    /// By which its calls find it.
    slot: u32,
    signature_header: String,
    id_header: Option<String>,
    timestamp_header: Option<String>,
    version: String,
    signs_id: bool,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
enum SignerOpening {
    Signer(OpenedSigner),
    Error(ErrorMessage),
}

/// Opens a signer; returns `{"signer": …}` or `{"error": …}`.
#[napi(catch_unwind)]
pub fn open_signer(env: Env, attachment: i64, options: String) -> String {
    to_json(&match try_open(env, attachment, &options) {
        Ok(opened) => SignerOpening::Signer(opened),
        Err(error) => SignerOpening::Error(error),
    })
}

fn try_open(env: Env, attachment: i64, options: &str) -> Result<OpenedSigner, ErrorMessage> {
    let unavailable = |story: &str| ErrorMessage::new(Code::NativeUnavailable, story);
    let detached = || unavailable("The environment is not attached.");
    let settings = SignerSettings::parse(options)?;
    let environment = Environment::of(env).map_err(|_| detached())?;
    if settings.clock.is_some_and(|clock| !environment.has_clock(clock)) {
        return Err(ErrorMessage::invalid_option("clock", "is not a clock of this environment."));
    }
    if let KeysForm::Lent { handle, .. } = settings.keys
        && i64::try_from(handle).ok().and_then(|it| environment.manager(it)).is_none()
    {
        let story = "The TokenManager of the signer is closed.";
        return Err(ErrorMessage::new(Code::Closed, story));
    }
    let listener = environment.with_attachment(attachment, |it| it.listener());
    let listener = listener.ok_or_else(detached)?;
    let (handle, signer) = Driver::global().open_signer(settings, listener)?;
    environment.opened(handle, attachment);
    let scheme = signer.scheme();
    let text = |text: &str| text.to_owned();
    let opened = OpenedSigner {
        handle,
        slot: environment.opened_signer(handle, Arc::clone(&signer)),
        signature_header: text(scheme.signature_header()),
        id_header: scheme.id_header().map(text),
        timestamp_header: scheme.timestamp_header().map(text),
        version: text(scheme.version()),
        signs_id: scheme.signs_id(),
    };
    Ok(opened)
}

/// The name of the key with that number.
#[napi(catch_unwind)]
pub fn key_name(env: Env, slot: u32, number: u32) -> Option<String> {
    Environment::of(env).ok()?.signer(slot)?.key_name(number)
}

/// A snapshot for people, as JSON; `now` is in milliseconds since 1970.
#[napi(catch_unwind)]
pub fn signer_status(env: Env, slot: u32, now: f64) -> Option<String> {
    let signer = Environment::of(env).ok()?.signer(slot)?;
    Some(to_json(&signer.status(whole(now))))
}

/// Has a caller wait for a key; its answer comes as a message with the returned number.
#[napi(catch_unwind)]
pub fn wait_for_key(env: Env, handle: i64) -> Option<i64> {
    let waiter = Driver::global().wait_for_key(signer_of(env, handle)?)?;
    i64::try_from(waiter).ok()
}

/// A caller no longer waits for a key; no message comes.
#[napi(catch_unwind)]
pub fn cancel_wait_for_key(env: Env, handle: i64, waiter: i64) {
    if let (Some(signer), Ok(waiter)) = (signer_of(env, handle), u64::try_from(waiter)) {
        Driver::global().cancel_wait_for_key(signer, waiter);
    }
}

/// The signer's JavaScript sources answered: a JSON array of readings, `null` for one that has not.
#[napi(catch_unwind)]
pub fn keys_read(env: Env, handle: i64, readings: String) {
    let readings: Option<Vec<Option<Reading>>> = serde_json::from_str(&readings).ok();
    if let (Some(signer), Some(readings)) = (signer_of(env, handle), readings) {
        Driver::global().keys_read(signer, readings);
    }
}

fn signer_of(env: Env, handle: i64) -> Option<HandleId> {
    let handle = HandleId::try_from(handle).ok()?;
    Environment::of(env).ok()?.has_signer(handle).then_some(handle)
}
