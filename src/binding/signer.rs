//! The calls of webhook signers.

use std::sync::Arc;

use napi::bindgen_prelude::{Env, JsValue, ToNapiValue, Unknown};
use napi::{Result, sys};
use napi_derive::napi;
use serde::Serialize;

use super::bytes::{Use, with_bytes, with_text};
use super::environment::Environment;
use super::values::to_json;
use crate::api::{ErrorMessage, HandleId, KeysForm, SignerSettings};
use crate::driver::Driver;
use crate::error::Code;
use crate::source::Reading;
use crate::webhook::{Incoming, Outgoing, SignatureFlaw};

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

fn try_open(
    env: Env,
    attachment: i64,
    options: &str,
) -> std::result::Result<OpenedSigner, ErrorMessage> {
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

/// Nothing is signed: there is no key, or the body is no bytes.
const NO_KEY: i32 = -1;
const NOT_BYTES: i32 = -2;

/// Nothing is signed: what ends the id in the signed bytes is in the id.
const UNFIT_ID: i32 = -10;

/// A value that was made already.
pub struct RawValue(sys::napi_value);

impl ToNapiValue for RawValue {
    unsafe fn to_napi_value(_: sys::napi_env, value: Self) -> Result<sys::napi_value> {
        Ok(value.0)
    }
}

/// The value of the signature header; a negative number says why there is none.
#[napi(catch_unwind)]
pub fn sign(
    env: Env,
    slot: u32,
    body: Unknown<'_>,
    id: Unknown<'_>,
    timestamp: f64,
    now: f64,
) -> Result<RawValue> {
    let signer = Environment::of(env)?.signer(slot);
    let (env, body, id) = (env.raw(), body.raw(), id.raw());
    let Some(signer) = signer.as_deref() else { return make_number(env, NO_KEY) };
    let answer = |id: Option<&str>| {
        let outcome = with_bytes(env, body, |body| {
            if id.is_some_and(|id| !signer.scheme().admits_id(id.as_bytes())) {
                return Err(UNFIT_ID);
            }
            let message = Outgoing { id, timestamp: whole(timestamp), body };
            let mut value = Vec::with_capacity(256);
            signer.sign(whole(now), &message, &mut value).map_err(|_| NO_KEY)?;
            Ok(value)
        });
        match outcome.unwrap_or(Err(NOT_BYTES)) {
            Ok(value) => make_text(env, &value),
            Err(code) => make_number(env, code),
        }
    };
    with_text(env, id, Use::Id, |id| answer(std::str::from_utf8(id).ok()))
        .unwrap_or_else(|| answer(None))
}

/// The number of the key that made the signature; a negative number says what is wrong.
#[napi(catch_unwind)]
pub fn verify(
    env: Env,
    slot: u32,
    body: Unknown<'_>,
    signature: Unknown<'_>,
    id: Unknown<'_>,
    timestamp: Unknown<'_>,
    now: f64,
) -> Result<i32> {
    let signer = Environment::of(env)?.signer(slot);
    let env = env.raw();
    let [body, signature, id, timestamp] = [body, signature, id, timestamp].map(|it| it.raw());
    let check = |id: Option<&[u8]>, timestamp: Option<&[u8]>| {
        let checked = with_text(env, signature, Use::Signature, |signature| {
            with_bytes(env, body, |body| {
                let Some(signer) = signer.as_deref() else { return Err(SignatureFlaw::NoKey) };
                let message = Incoming { signature, id, timestamp, body };
                signer.verify(whole(now), &message)
            })
        });
        match checked {
            None => code(SignatureFlaw::Malformed),
            Some(None) => NOT_BYTES,
            Some(Some(Ok(number))) => i32::try_from(number).unwrap_or(i32::MAX),
            Some(Some(Err(flaw))) => code(flaw),
        }
    };
    let with_id = |id: Option<&[u8]>| {
        with_text(env, timestamp, Use::Timestamp, |timestamp| check(id, Some(timestamp)))
            .unwrap_or_else(|| check(id, None))
    };
    Ok(with_text(env, id, Use::Id, |id| with_id(Some(id))).unwrap_or_else(|| with_id(None)))
}

/// The numbers that lib/webhook/flaws.js knows.
fn code(flaw: SignatureFlaw) -> i32 {
    match flaw {
        SignatureFlaw::NoKey => NO_KEY,
        SignatureFlaw::MissingId => -3,
        SignatureFlaw::MissingTimestamp => -4,
        SignatureFlaw::Malformed => -5,
        SignatureFlaw::MalformedTimestamp => -6,
        SignatureFlaw::TooOld => -7,
        SignatureFlaw::FromTheFuture => -8,
        SignatureFlaw::Mismatch => -9,
    }
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

/// JavaScript's numbers are whole here, and far from the largest.
#[expect(clippy::cast_possible_truncation, reason = "what does not fit is cut")]
fn whole(number: f64) -> i64 {
    number as i64
}

fn signer_of(env: Env, handle: i64) -> Option<HandleId> {
    let handle = HandleId::try_from(handle).ok()?;
    Environment::of(env).ok()?.has_signer(handle).then_some(handle)
}

fn make_text(env: sys::napi_env, text: &[u8]) -> Result<RawValue> {
    let mut value = std::ptr::null_mut();
    let length = isize::try_from(text.len()).unwrap_or_default();
    // SAFETY: this is a call from JavaScript; what is signed is ASCII.
    let status = unsafe {
        sys::napi_create_string_latin1(env, text.as_ptr().cast(), length, &raw mut value)
    };
    napi::check_status!(status)?;
    Ok(RawValue(value))
}

fn make_number(env: sys::napi_env, number: i32) -> Result<RawValue> {
    let mut value = std::ptr::null_mut();
    // SAFETY: this is a call from JavaScript.
    let status = unsafe { sys::napi_create_int32(env, number, &raw mut value) };
    napi::check_status!(status)?;
    Ok(RawValue(value))
}
