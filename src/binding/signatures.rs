//! The calls that are made for each webhook.

use napi::bindgen_prelude::{Env, Object};
use napi::{Result, sys};
use napi_derive::napi;

use super::bytes::{Use, with_bytes, with_room, with_text};
use super::raw_call::{self, RawCall};
use super::values::whole;
use crate::webhook::{Incoming, Outgoing, SignatureFlaw};

/// Nothing is signed: there is no key, or the body is no bytes.
const NO_KEY: i32 = -1;
const NOT_BYTES: i32 = -2;

/// Nothing is signed: what ends the id in the signed bytes is in the id.
const UNFIT_ID: i32 = -10;

#[napi(module_exports)]
pub fn export_signatures(exports: Object<'_>, env: Env) -> Result<()> {
    raw_call::export((env, &exports), c"sign", Some(on_sign))?;
    raw_call::export((env, &exports), c"verify", Some(on_verify))
}

unsafe extern "C" fn on_sign(env: sys::napi_env, info: sys::napi_callback_info) -> sys::napi_value {
    // SAFETY: the engine calls this.
    unsafe { raw_call::answer(env, info, sign) }
}

unsafe extern "C" fn on_verify(
    env: sys::napi_env,
    info: sys::napi_callback_info,
) -> sys::napi_value {
    // SAFETY: the engine calls this.
    unsafe { raw_call::answer(env, info, verify) }
}

/// `sign(slot, body, now, id?, timestamp?)`, the instants in milliseconds since 1970: the value of
/// the signature header; a negative number says why there is none.
fn sign(call: &RawCall<'_, 5>) -> Result<sys::napi_value> {
    let [_, body, _, id, _] = call.arguments;
    let now = call.number(2).unwrap_or_default();
    let timestamp = whole(call.number(4).unwrap_or(now)).div_euclid(1000);
    let Some(signer) = call.environment.signer(call.index(0)) else {
        return call.make_number(NO_KEY);
    };
    let make = |id: Option<&str>| {
        let outcome = with_bytes(call.env, body, |body| {
            if id.is_some_and(|id| !signer.scheme().admits_id(id.as_bytes())) {
                return call.make_number(UNFIT_ID);
            }
            let message = Outgoing { id, timestamp, body };
            with_room(Use::Signature, |value| match signer.sign(whole(now), &message, value) {
                Ok(()) => call.make_text(value),
                Err(_) => call.make_number(NO_KEY),
            })
        });
        outcome.unwrap_or_else(|| call.make_number(NOT_BYTES))
    };
    with_text(call.env, id, Use::Id, |id| make(std::str::from_utf8(id).ok()))
        .unwrap_or_else(|| make(None))
}

/// `verify(slot, body, now, signature, id?, timestamp?)`, the last three as the headers have them:
/// the number of the key that made the signature; a negative number says what is wrong.
fn verify(call: &RawCall<'_, 6>) -> Result<sys::napi_value> {
    let [_, body, _, signature, id, timestamp] = call.arguments;
    let now = whole(call.number(2).unwrap_or_default());
    let Some(signer) = call.environment.signer(call.index(0)) else {
        return call.make_number(NO_KEY);
    };
    let check = |id: Option<&[u8]>, timestamp: Option<&[u8]>| {
        let checked = with_text(call.env, signature, Use::Signature, |signature| {
            with_bytes(call.env, body, |body| {
                signer.verify(now, &Incoming { signature, id, timestamp, body })
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
        with_text(call.env, timestamp, Use::Timestamp, |timestamp| check(id, Some(timestamp)))
            .unwrap_or_else(|| check(id, None))
    };
    let number = with_text(call.env, id, Use::Id, |id| with_id(Some(id)));
    call.make_number(number.unwrap_or_else(|| with_id(None)))
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
