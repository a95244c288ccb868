//! A call from JavaScript, without what `#[napi]` does for every call: for functions that are called
//! so often that it counts.

use std::ffi::CStr;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::ptr;
use std::rc::Rc;

use napi::bindgen_prelude::{Env, JsValue, Object};
use napi::{Error, JsError, Result, Status, check_status, sys};

use super::environment::Environment;
use super::values::whole;

/// Makes the answer of a call.
pub(super) type RawFunction<const N: usize> = fn(&RawCall<'_, N>) -> Result<sys::napi_value>;

/// One call, with its first `N` arguments; those that are missing are `undefined`.
pub(super) struct RawCall<'a, const N: usize> {
    pub(super) env: sys::napi_env,
    pub(super) environment: &'a Environment,
    pub(super) arguments: [sys::napi_value; N],
}

/// Exports a function. Each environment has a function object of its own, which carries the
/// environment: finding it costs nothing.
pub(super) fn export(
    (env, exports): (Env, &Object<'_>),
    name: &CStr,
    callback: sys::napi_callback,
) -> Result<()> {
    let environment = Environment::of(env)?;
    let mut function = ptr::null_mut();
    let (env, exports) = (env.raw(), exports.raw());
    // SAFETY: the environment is loading this addon. Its instance data keep `Environment` until it
    // ends; after that nothing in it is called.
    check_status!(unsafe {
        let length = isize::try_from(name.count_bytes()).unwrap_or_default();
        let data = Rc::as_ptr(&environment).cast_mut().cast();
        sys::napi_create_function(env, name.as_ptr(), length, callback, data, &raw mut function)
    })?;
    // SAFETY: as above.
    check_status!(unsafe { sys::napi_set_named_property(env, exports, name.as_ptr(), function) })
}

/// Answers a call that the engine makes of an exported function. What goes wrong is thrown there.
///
/// # Safety
///
/// `env` and `info` are those that the engine gave to a callback which [`export`] has exported.
pub(super) unsafe fn answer<const N: usize>(
    env: sys::napi_env,
    info: sys::napi_callback_info,
    function: RawFunction<N>,
) -> sys::napi_value {
    let act = || {
        // SAFETY: as this function's.
        let call = unsafe { RawCall::read(env, info) }?;
        function(&call)
    };
    let outcome = catch_unwind(AssertUnwindSafe(act))
        .unwrap_or_else(|_| Err(Error::new(Status::GenericFailure, "a panic".to_owned())));
    outcome.unwrap_or_else(|error| {
        // SAFETY: as this function's.
        unsafe { JsError::from(error).throw_into(env) };
        ptr::null_mut()
    })
}

impl<const N: usize> RawCall<'_, N> {
    /// # Safety
    ///
    /// As that of [`answer`].
    unsafe fn read(env: sys::napi_env, info: sys::napi_callback_info) -> Result<Self> {
        let (mut count, mut arguments, mut data) = (N, [ptr::null_mut(); N], ptr::null_mut());
        // SAFETY: there is room for `count` arguments; null stands for what is not asked for.
        check_status!(unsafe {
            let this = ptr::null_mut();
            let first = arguments.as_mut_ptr();
            sys::napi_get_cb_info(env, info, &raw mut count, first, this, &raw mut data)
        })?;
        // SAFETY: `export` has put it there, and the environment that calls keeps it.
        let environment = unsafe { &*data.cast::<Environment>() };
        Ok(Self { env, environment, arguments })
    }

    /// The argument at an index, if it is a number.
    pub(super) fn number(&self, index: usize) -> Option<f64> {
        let mut number = 0.0;
        // SAFETY: env and value are those of this call.
        let status =
            unsafe { sys::napi_get_value_double(self.env, self.arguments[index], &raw mut number) };
        (status == sys::Status::napi_ok).then_some(number)
    }

    /// A number that counts things; the largest one for what counts nothing.
    pub(super) fn index(&self, index: usize) -> u32 {
        let number = self.number(index).map(whole);
        number.and_then(|it| u32::try_from(it).ok()).unwrap_or(u32::MAX)
    }

    /// Makes a string of ASCII characters.
    pub(super) fn make_text(&self, text: &[u8]) -> Result<sys::napi_value> {
        let mut value = ptr::null_mut();
        let length = isize::try_from(text.len()).unwrap_or_default();
        // SAFETY: this is a call from JavaScript, and so many bytes are there.
        check_status!(unsafe {
            let first = text.as_ptr().cast();
            sys::napi_create_string_latin1(self.env, first, length, &raw mut value)
        })?;
        Ok(value)
    }

    pub(super) fn make_number(&self, number: i32) -> Result<sys::napi_value> {
        let mut value = ptr::null_mut();
        // SAFETY: as above.
        check_status!(unsafe { sys::napi_create_int32(self.env, number, &raw mut value) })?;
        Ok(value)
    }
}
