//! What JavaScript calls: convert, call, convert back. It decides nothing.
//!
//! Only numbers, texts, the bytes of a body to sign and one callback per environment cross the
//! border; promises and errors are made by the facade, in the caller's realm. Every export catches
//! panics.

#![expect(unsafe_code, reason = "Node-API hands out raw pointers")]
#![expect(clippy::needless_pass_by_value, reason = "Node-API hands arguments over")]
#![expect(unreachable_pub, reason = "Node finds these functions through Node-API")]

mod attachment;
mod bytes;
mod environment;
mod manager;
mod raw_call;
mod signatures;
mod signer;
mod ties;
mod values;
