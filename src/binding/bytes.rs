//! The bytes of JavaScript values, without a copy where that is possible.

use std::cell::RefCell;
use std::ptr;
use std::sync::atomic::{AtomicU8, Ordering};

use napi::sys;

/// More than this is not kept for the next call.
const MOST_KEPT: usize = 64 * 1024;

/// What a text is for: each use has a buffer of its own on each thread.
#[derive(Clone, Copy)]
pub(super) enum Use {
    Body,
    Signature,
    Id,
    Timestamp,
}

impl Use {
    /// So much is read in one pass.
    fn first_room(self) -> usize {
        match self {
            Self::Body => 16 * 1024,
            Self::Signature => 1024,
            Self::Id | Self::Timestamp => 256,
        }
    }
}

thread_local! {
    static TEXTS: [RefCell<Vec<u8>>; 4] = const { [const { RefCell::new(Vec::new()) }; 4] };
}

/// What `act` makes of the bytes of a string (as UTF-8), a typed array, a `DataView` or an
/// `ArrayBuffer`; none for anything else.
///
/// `act` must not run JavaScript: the memory is the engine's.
pub(super) fn with_bytes<T>(
    env: sys::napi_env,
    value: sys::napi_value,
    act: impl FnOnce(&[u8]) -> T,
) -> Option<T> {
    // A string is no typed array: one call tells the two most usual kinds apart.
    if let Some(memory) = typed_array(env, value) {
        return Some(with_view(env, memory, act));
    }
    let mut kind = sys::ValueType::napi_undefined;
    // SAFETY: env and value are those of the call from JavaScript that this is part of.
    let status = unsafe { sys::napi_typeof(env, value, &raw mut kind) };
    match kind {
        _ if status != sys::Status::napi_ok => None,
        sys::ValueType::napi_string => with_text(env, value, Use::Body, act),
        sys::ValueType::napi_object => with_memory(env, value, act),
        _ => None,
    }
}

/// The same for a string alone.
pub(super) fn with_text<T>(
    env: sys::napi_env,
    value: sys::napi_value,
    what: Use,
    act: impl FnOnce(&[u8]) -> T,
) -> Option<T> {
    with_room(what, |buffer| {
        read_text(env, value, buffer)?;
        Some(act(buffer))
    })
}

/// What `act` makes of an empty buffer that it may fill; each use has one of its own.
pub(super) fn with_room<T>(what: Use, act: impl FnOnce(&mut Vec<u8>) -> T) -> T {
    TEXTS.with(|texts| {
        let buffer = &mut *texts[what as usize].borrow_mut();
        buffer.clear();
        buffer.reserve(what.first_room());
        let result = act(buffer);
        if buffer.capacity() > MOST_KEPT {
            *buffer = Vec::new();
        }
        result
    })
}

fn read_text(env: sys::napi_env, value: sys::napi_value, buffer: &mut Vec<u8>) -> Option<()> {
    let mut written = read_into(env, value, buffer)?;
    // The engine writes whole characters and a zero: with less than four bytes left there may be
    // more of it.
    if written + 4 >= buffer.capacity() {
        let mut length = 0;
        // SAFETY: as in `with_bytes`; without a buffer the length is asked for.
        let status = unsafe {
            sys::napi_get_value_string_utf8(env, value, ptr::null_mut(), 0, &raw mut length)
        };
        if status != sys::Status::napi_ok {
            return None;
        }
        buffer.reserve(length + 1);
        written = read_into(env, value, buffer)?;
    }
    // SAFETY: so many bytes were written, and there is room for one more.
    unsafe { buffer.set_len(written) };
    Some(())
}

fn read_into(env: sys::napi_env, value: sys::napi_value, buffer: &mut Vec<u8>) -> Option<usize> {
    let mut written = 0;
    let room = buffer.capacity();
    // SAFETY: as in `with_bytes`; there is room for that many bytes.
    let status = unsafe {
        let start = buffer.as_mut_ptr().cast();
        sys::napi_get_value_string_utf8(env, value, start, room, &raw mut written)
    };
    (status == sys::Status::napi_ok).then_some(written)
}

/// Memory that a value shows: where it begins, how long it is, and the buffer that it belongs to.
struct Memory {
    first: *mut std::ffi::c_void,
    length: usize,
    buffer: sys::napi_value,
}

fn typed_array(env: sys::napi_env, value: sys::napi_value) -> Option<Memory> {
    let (mut length, mut first, mut buffer) = (0, ptr::null_mut(), ptr::null_mut());
    let mut kind = sys::TypedarrayType::uint8_array;
    // SAFETY: as in `with_bytes`. What is no typed array is refused. Null stands for what is not
    // asked for.
    let status = unsafe {
        sys::napi_get_typedarray_info(
            env,
            value,
            &raw mut kind,
            &raw mut length,
            &raw mut first,
            &raw mut buffer,
            ptr::null_mut(),
        )
    };
    let memory = Memory { first, length: length * size_of(kind), buffer };
    (status == sys::Status::napi_ok).then_some(memory)
}

fn with_memory<T>(
    env: sys::napi_env,
    value: sys::napi_value,
    act: impl FnOnce(&[u8]) -> T,
) -> Option<T> {
    let (mut length, mut first, mut buffer) = (0, ptr::null_mut(), ptr::null_mut());
    // SAFETY: as in `typed_array`.
    let status = unsafe {
        sys::napi_get_dataview_info(
            env,
            value,
            &raw mut length,
            &raw mut first,
            &raw mut buffer,
            ptr::null_mut(),
        )
    };
    if status == sys::Status::napi_ok {
        return Some(with_view(env, Memory { first, length, buffer }, act));
    }
    // SAFETY: as above.
    let status =
        unsafe { sys::napi_get_arraybuffer_info(env, value, &raw mut first, &raw mut length) };
    let memory = Memory { first, length, buffer: value };
    (status == sys::Status::napi_ok).then(|| with_view(env, memory, act))
}

/// Another thread may write to a `SharedArrayBuffer`: of that a copy is made.
fn with_view<T>(
    env: sys::napi_env,
    Memory { first, length, buffer }: Memory,
    act: impl FnOnce(&[u8]) -> T,
) -> T {
    if first.is_null() || length == 0 {
        return act(&[]);
    }
    let mut is_ours = false;
    // SAFETY: as in `with_bytes`.
    let status = unsafe { sys::napi_is_arraybuffer(env, buffer, &raw mut is_ours) };
    if status == sys::Status::napi_ok && is_ours {
        // SAFETY: the engine keeps the memory of an `ArrayBuffer` that this call refers to, and
        // nobody writes to it while no JavaScript runs on this thread.
        return act(unsafe { std::slice::from_raw_parts(first.cast(), length) });
    }
    let first: *mut u8 = first.cast();
    let copy: Vec<u8> = (0..length)
        // SAFETY: as above; shared memory is read as shared memory.
        .map(|at| unsafe { AtomicU8::from_ptr(first.add(at)) }.load(Ordering::Relaxed))
        .collect();
    act(&copy)
}

fn size_of(kind: sys::napi_typedarray_type) -> usize {
    use sys::TypedarrayType as Kind;
    match kind {
        Kind::int16_array | Kind::uint16_array => 2,
        Kind::int32_array | Kind::uint32_array | Kind::float32_array => 4,
        Kind::float64_array | Kind::bigint64_array | Kind::biguint64_array => 8,
        // One byte, or a kind that this Node-API does not know: its length is in bytes at least.
        _ => 1,
    }
}
